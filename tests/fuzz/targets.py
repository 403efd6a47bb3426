"""What is fuzzed: for each target some examples to start from, and what is done with any bytes.

A target fails with any error but those that it may answer with.
"""

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple
from unittest.mock import patch

import batches
import hostile
from conftest import DOCUMENTED
from foreign_models import AIRPORTS, NUMBERS, TODAY, TRAIN, preprocessed, target
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from flight_delay.api.include import INCLUDES
from flight_delay.errors import BrokenArtifact, FieldsNeeded, ModelRefused, NotAModel
from flight_delay.flight import Flight
from flight_delay.model import convert, foreign, kept
from flight_delay.model.untrusted import compression, reader

FLIGHT = json.dumps(DOCUMENTED).encode()
WEATHER = json.dumps(
    DOCUMENTED | {"weather": {"temp_c": 21.5, "wind_dir_deg": 0}, "tailnum": "N1", "year": 2013}
).encode()
PREDICT = "/model/predict/"
_MOST_BYTES = 2**20
_LONGEST_SEED = 2**16
_VISIBLE = bytes(range(0x21, 0x7F))
_BOUNDARY = b"b"


class Target(NamedTuple):
    """One of them."""

    seeds: Callable[[], Iterable[bytes]]
    run: Callable[[bytes], object]


NAMES = ("predict", "query", "batch", "protocols", "outcomes", "upload", "model", "compressed", "point", "artifact")


def targets(service, folder):
    """Return all by name; `service` is the one of `inside`, `folder` its own."""
    point, artifact = _parts(_forest()), _parts((folder / "model" / "flight_delay_model.npz").read_bytes())
    return {
        "predict": Target(_flights, lambda content: service.ask(PREDICT, content)),
        "query": Target(_queries, lambda content: _query(service, content)),
        "batch": Target(_batches, lambda content: _batch(service, content)),
        "protocols": Target(_protocols, lambda content: _protocol(service, content)),
        "outcomes": Target(_outcomes, lambda content: service.ask("/model/outcomes/", content)),
        "upload": Target(_uploads, lambda content: _upload(service, content)),
        "model": Target(_models, _model),
        "compressed": Target(_compressed, lambda content: _decompressed(folder / "compressed", content)),
        "point": Target(_edits, lambda content: _kept(point, content)),
        "artifact": Target(_edits, lambda content: _kept(artifact, content)),
    }


def _flights():
    return [FLIGHT, WEATHER, b"{}", b"[]", b'{"month":1e0,"month":null}', b'{"origin":"\\u004a"}']


def _queries():
    yield from (b"0include=" + name.encode() for name in INCLUDES)
    yield b"1limit=5&before=3&carrier=DL&since=2013-01-01&model_version=1"
    yield b"2originLocationCode=JFK&destinationLocationCode=LAX&departureDate=2026-12-01&departureTime=18%3A00%3A00"
    yield b"3/model/versions/1/"


def _query(service, content):
    query = content[1:].translate(bytes(_VISIBLE[byte % len(_VISIBLE)] for byte in range(256)))
    match content[:1]:
        case b"0":
            service.ask(PREDICT, FLIGHT, query=query)
        case b"1":
            service.ask("/model/history/", query=query, method="GET")
        case b"2":
            service.ask("/v1/travel/predictions/flight-delay", query=query, method="GET")
        case _:
            service.ask("/" + query.decode().lstrip("/"), method="GET")


def _batches():
    rows = [json.loads(FLIGHT) | {"id": 1}, json.loads(WEATHER) | {"id": 2}, {"month": 13}]
    plain = [{name: value for name, value in row.items() if name != "weather"} for row in rows]
    for number, form in enumerate(batches.FORMS[:3]):
        yield b"%d" % number + batches.written(rows if form != batches.ARROW else plain, form)
        yield b"%d" % (number + 5) + batches.written(plain[:2], form)


def _batch(service, content):
    number = content[0] if content else 0
    form = batches.FORMS[:3][number % 5 % 3]
    query = b"on_error=skip" if number % 2 else b""
    service.ask("/model/predict/batch/", content[1:], (b"content-type", form.encode()), query=query, pieces=3)


def _protocols():
    tensors = [
        {"name": name, "shape": [1], "datatype": "BYTES" if isinstance(value, str) else "FP64", "data": [value]}
        for name, value in DOCUMENTED.items()
    ]
    yield b"0" + json.dumps({"inputs": tensors}).encode()
    yield b"1" + json.dumps({"dataframe_records": [DOCUMENTED]}).encode()
    split = {"columns": list(DOCUMENTED), "data": [list(DOCUMENTED.values())]}
    yield b"1" + json.dumps({"dataframe_split": split, "params": {"include": "interval"}}).encode()
    yield b"1" + json.dumps({"inputs": {name: [value] for name, value in DOCUMENTED.items()}}).encode()
    yield b"2" + ",".join(DOCUMENTED).encode() + b"\n" + ",".join(map(str, DOCUMENTED.values())).encode() + b"\n"


def _protocol(service, content):
    body = content[1:]
    match content[:1]:
        case b"0":
            service.ask("/v2/models/flight-delay/infer", body, (b"content-type", b"application/json"))
        case b"3":
            size = (b"inference-header-content-length", b"%d" % (len(body) // 2))
            service.ask("/v2/models/flight-delay/infer", body, size)
        case b"2":
            service.ask("/invocations/", body, (b"content-type", b"text/csv"))
        case _:
            service.ask("/invocations/", body, (b"content-type", b"application/json"))


def _outcomes():
    told = json.loads(FLIGHT) | {"arr_delay": 4.0}
    yield json.dumps(told).encode()
    yield json.dumps([told, {"prediction_id": 1, "dep_delay": 3.0}, told | {"cancelled": True}]).encode()


def _uploads():
    field = b'--b\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\nmodel\r\n'
    for name, filename in ((b"file", b"a.joblib"), (b"file", b"a.txt"), (b"other", b"a.pkl")):
        yield field % (name, filename) + b"--b--\r\n"
    yield field % (b"file", b"a.pkl") * 2 + b"--b--\r\n"


def _upload(service, content):
    # What becomes of the file itself is another target's.
    with patch.object(convert, "convert_apart", side_effect=NotAModel("a")):
        service.ask("/model/load/", content, (b"content-type", b"multipart/form-data; boundary=b"), pieces=2)


def _models():
    yield from (one.content for one in hostile.HOSTILE if len(one.content) < _LONGEST_SEED)
    yield hostile.dumped(hostile.fitted(LinearRegression()))
    yield hostile.dumped(hostile.fitted(RandomForestRegressor(2, max_depth=2, random_state=1)))


def _model(content):
    with suppress(ModelRefused, NotAModel):
        reader.examine(io.BytesIO(content), "a.joblib")
        reader.load(io.BytesIO(content), "a.joblib")


def _compressed():
    model = hostile.dumped(hostile.fitted(LinearRegression()))
    yield model
    yield gzip.compress(model)
    yield from (
        hostile.dumped(hostile.fitted(LinearRegression()), compress=(how, 3))
        for how in ("zlib", "bz2", "lzma", "xz", "lz4")
    )


def _decompressed(path, content):
    path.write_bytes(content)
    with suppress(ModelRefused, NotAModel), compression.opened(path, _MOST_BYTES) as stream:
        while stream.read(2**16):
            pass


def _edits():
    """Yield edits of a model's file: a part, a place in it, and what is put there."""
    yield b""
    yield b"\x00\x00\x40" + b'"lineage": 1'
    yield from (bytes([part, 0, 0]) + b"\x93NUMPY" for part in range(6))
    yield from (bytes([part, 1, 80]) + b"\xff" * 8 for part in range(6))


def _forest():
    """Return the file of somebody else's small model."""
    columns = [name for name in NUMBERS if name != "hour"]
    forest = make_pipeline(preprocessed(columns=columns), RandomForestRegressor(3, max_depth=4, random_state=1))
    return foreign.convert(forest.fit(TRAIN, target(TRAIN)), AIRPORTS, "0" * 64, {}).to_bytes()


def _parts(content):
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return {name: file.read(name) for name in file.namelist()}


def _kept(parts, edits):
    """Read an edited model, and ask it."""
    with suppress(BrokenArtifact, FieldsNeeded):
        kept.from_bytes(_edited(parts, edits)).answer(Flight.model_validate_json(FLIGHT), TODAY)


def _edited(parts, edits):
    """Return a file of the parts, in which each line of the edits replaces some bytes of one part."""
    changed = dict(parts)
    names = list(changed)
    for edit in edits.split(b"\n"):
        if len(edit) > 3:
            name, put = names[edit[0] % len(names)], edit[3:]
            part = changed[name]
            place = int.from_bytes(edit[1:3], "big")
            # Near the beginning, or anywhere in a part of any length.
            start = place if place < 2**15 else (place - 2**15) * len(part) // 2**15
            changed[name] = part[:start] + put + part[start + len(put) :]
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as file:
        for name, part in changed.items():
            file.writestr(name, part)
    return written.getvalue()
