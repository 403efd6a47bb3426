"""Opens a stranger's model file and converts it: the part of `convert` that only a confined process runs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import airportsdata
from sklearn.pipeline import Pipeline

from flight_delay.airports import Airport
from flight_delay.errors import ModelRefused
from flight_delay.flight import Flight
from flight_delay.model import foreign
from flight_delay.model.artifact import Artifact
from flight_delay.model.convert import MOST_INSIDE, sha256_of
from flight_delay.model.features import Codes
from flight_delay.model.foreign.check import TODAY, TOLERANCE
from flight_delay.model.pipeline import DelayBySpecialist, FlightFeatures, to_artifact
from flight_delay.model.point import PointModel
from flight_delay.model.untrusted import reader
from flight_delay.model.untrusted.compression import opened

_GOLDEN = 40


def main(source: str, filename: str) -> bytes:
    """Return the file of the model that a file was converted to; raises `NotAModel` and `ModelRefused`."""
    path = Path(source)
    with path.open("rb") as file:
        digest = sha256_of(file)
    with opened(path, MOST_INSIDE) as stream:
        examined = reader.examine(stream, filename)
    for version in examined.sklearn_versions:
        foreign.check_version(version)
    with opened(path, MOST_INSIDE) as stream:
        model = reader.load(stream, filename)
    if _is_own(model):
        return _of_own(model, digest).to_bytes()
    return _of_foreign(model, digest, examined).to_bytes()


def _is_own(model: Any) -> bool:
    """Whether `flight-delay train` makes such models."""
    if type(model) is not Pipeline or [name for name, _ in model.steps] != ["features", "delay"]:
        return False
    return type(model.steps[0][1]) is FlightFeatures and type(model.steps[1][1]) is DelayBySpecialist


def _of_own(pipeline: Pipeline, digest: str) -> Artifact:
    # Through its bytes: reading them looks at every number, before LightGBM is asked.
    artifact = Artifact.from_bytes(to_artifact(pipeline, digest).to_bytes())
    pipeline.named_steps["features"].today = TODAY
    flights = list(_flights(artifact.codes))
    for row, (flight, own) in enumerate(zip(flights, pipeline.predict(flights).tolist(), strict=True)):
        converted = artifact.answer(flight, TODAY).minutes
        if not math.isfinite(own):
            raise ModelRefused("refused_not_finite", what=f"predict, {row}")
        if abs(own - converted) > TOLERANCE * max(1.0, abs(own)):
            raise ModelRefused("refused_golden", row=row, own=f"{own:.9g}", converted=f"{converted:.9g}")
    return artifact


def _flights(codes: Codes) -> Iterator[Flight]:
    """Yield flights of airports and airlines that a model met, and of some that it did not."""
    carriers, origins, dests = (
        [*met, unknown]
        for met, unknown in zip((codes.carriers, codes.origins, codes.dests), ("ZZ", "QQQ", "ZZZ"), strict=True)
    )
    for number in range(_GOLDEN):
        yield Flight(
            month=1 + number % 12,
            day=1 + 5 * number % 28,
            sched_dep_time=number % 24 * 100 + 30,
            sched_arr_time=(number + 3) % 24 * 100,
            origin=origins[number % len(origins)],
            dest=dests[7 * number % len(dests)],
            carrier=carriers[3 * number % len(carriers)],
            dep_delay=None if number % 3 == 0 else float(7 * number - 30),
        )


def _of_foreign(model: Any, digest: str, examined: reader.Examined) -> PointModel:
    airports = {
        code: Airport(place["lat"], place["lon"], place["tz"]) for code, place in airportsdata.load("IATA").items()
    }
    lineage: dict[str, Any] = {"examined": {"names": examined.names, "sklearn_versions": examined.sklearn_versions}}
    converted = foreign.convert(model, airports, digest, lineage)
    lineage["checked"] = foreign.check(model, converted)._asdict()
    return converted
