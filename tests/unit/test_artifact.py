"""The artefact: whole or refused, and never executed."""

import datetime as dt
import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight_delay.errors import BrokenArtifact
from flight_delay.flight import Flight
from flight_delay.model.artifact import Artifact
from flight_delay.model.features import leg_of


@pytest.fixture(scope="module")
def content(trained):
    return trained.artifact.read_bytes()


def changed(content, **changes):
    with np.load(io.BytesIO(content)) as file:
        arrays = {name: file[name] for name in file.files}
    facts = json.loads(arrays["manifest"].tobytes())
    for name, value in changes.items():
        if name in facts:
            facts[name] = value
        else:
            arrays[name.replace("__", ".")] = value
    arrays["manifest"] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def test_reading_and_writing_gives_the_same_bytes(content):
    assert Artifact.from_bytes(content).to_bytes() == content


def test_it_knows_where_it_comes_from(trained, content):
    manifest = Artifact.from_bytes(content).manifest
    assert manifest.lineage["periods"]["test"] == ["2013-11-01", "2013-12-31"]
    assert manifest.lineage["scores"][0]["rmse"] == trained.metrics.scores[0].rmse
    assert manifest.source_sha256 in (trained.model.parent / "trusted.sha256").read_text()


@pytest.mark.parametrize(
    ("hours_ahead", "specialist"),
    [(-3, "pre_departure"), (3, "pre_departure"), (5.9, "pre_departure"), (6.1, "schedule"), (144, "schedule")],
)
def test_what_goes_on_now_says_nothing_of_a_flight_far_ahead(artifact, documented, hours_ahead, specialist):
    """Asked six hours before it is to leave at the earliest, four before its cut-off."""
    flight = Flight.model_validate(documented | {"year": 2013, "dep_delay": None})
    leg = leg_of(flight, dt.date(2013, 7, 23), artifact.codes)
    now = leg.sched_dep - hours_ahead * 60
    state = artifact.state()
    state.tell(leg._replace(flight=7, tailnum="N7", sched_dep=now - 30, sched_arr=now + 330, dep=now - 20))
    answer = artifact.answer(flight, dt.date(2013, 7, 23), state, now)
    assert answer.specialist.value == specialist


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"format": 1}, "format 1"),
        ({"features": {}}, "other features"),
        ({"means": []}, "other features"),
        ({"strangeness": {"schedule": 0.5}}, "no strangeness"),
        ({"strangeness": {"schedule": float("nan")}}, "no strangeness"),
        ({"strangeness": {}}, "schedule"),
        ({"codes": {}}, "airports"),
        ({"habits_of": []}, "habits"),
        ({"habits": np.full((1, 4), np.nan), "habits_of": [0]}, "habits"),
        ({"habits": np.array([[999.0, 1.0, 1.0, 0.0]]), "habits_of": [0]}, "of no mean"),
        ({"schedule__leaves": np.full((1260, 32), np.nan)}, "leaves has not|not finite"),
        ({"schedule__leaves": np.array([{"a": 1}], object)}, "allow_pickle"),
        ({"schedule__residuals": np.zeros(3)}, "residuals"),
        ({"schedule__paths_features": np.full(5, 99, np.int32)}, "paths"),
    ],
)
def test_what_does_not_fit_is_refused(content, change, problem):
    with pytest.raises(BrokenArtifact, match=problem):
        Artifact.from_bytes(changed(content, **change))


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 0.999))
def test_half_a_file_is_refused(content, share):
    with pytest.raises(BrokenArtifact):
        Artifact.from_bytes(content[: int(len(content) * share)])


@pytest.mark.parametrize("rubbish", [b"", b"\x80\x04", b"PK\x03\x04", b"\x93NUMPY", b"not a model"])
def test_rubbish_is_refused(rubbish):
    with pytest.raises(BrokenArtifact):
        Artifact.from_bytes(rubbish)


def test_a_zip_of_something_else_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(BrokenArtifact):
        Artifact.from_bytes(buffer.getvalue())


def test_whatever_is_damaged_is_refused_by_one_error(trained):
    """Bytes changed at random places, and files cut short: each is read whole or refused."""
    content = trained.artifact.read_bytes()
    random = np.random.default_rng(2013)
    refused = 0
    for place in random.integers(0, len(content), 60):
        damaged = bytearray(content[:place] if place % 3 == 0 else content)
        if place % 3:
            damaged[place] ^= 1 << (int(place) % 8)
        try:
            Artifact.from_bytes(bytes(damaged))
        except BrokenArtifact:
            refused += 1
    assert refused > 30


def test_a_pickle_is_refused_in_words_of_its_own(trained):
    with pytest.raises(BrokenArtifact, match=r"no \.npz file"):
        Artifact.from_bytes(trained.model.read_bytes())
