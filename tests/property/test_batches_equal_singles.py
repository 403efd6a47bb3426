"""Whatever flights there are: a batch of them is answered as each of them alone, and kept as it was asked."""

import json
from contextlib import suppress

from batches import FORMS, JSON, NDJSON, answered, read, said, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from test_validation import anything, flights

from flight_delay.api import packed
from flight_delay.api.batch_history import _input
from flight_delay.api.errors import ProblemError
from flight_delay.flight import Flight

relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@settings(relaxed, max_examples=40)
@given(st.lists(flights(), min_size=1, max_size=12), st.sampled_from(FORMS[:3]))
def test_a_batch_answers_exactly_what_single_requests_answer(shared_server, rows, form):
    with shared_server.client() as client:
        singly = [client.post("/model/predict/", json=row).json()["prediction"] for row in rows]
        together = client.post("/model/predict/batch/", content=written(rows, form), headers={"Content-Type": form})
    assert [row["prediction"] for row in answered(together.content, form)] == singly


@settings(relaxed, max_examples=60)
@given(st.lists(flights(), max_size=8), st.sampled_from(FORMS[:3]), st.integers(1, 2000))
def test_every_form_says_what_was_meant(rows, form, piece):
    if not rows and form not in {JSON, NDJSON}:
        return
    assert said(read(written(rows, form), form, piece)) == [_meant(row) for row in rows]


def _meant(row):
    """Return a row without weather of which nothing was measured."""
    return {name: value for name, value in row.items() if value != {}}


@settings(relaxed, max_examples=60)
@given(st.lists(flights(), min_size=1, max_size=8))
def test_what_is_kept_is_what_was_asked(rows):
    columns = read(written(rows, JSON)).columns
    kept = packed.to_columns(packed.of_columns(columns))
    assert [_input(row) for row in kept.rows()] == [_meant(row) for row in rows]


@settings(relaxed, max_examples=200)
@given(st.dictionaries(st.sampled_from([*Flight.model_fields, "x"]), anything) | anything)
def test_a_row_is_refused_exactly_where_a_single_flight_is(row):
    line = json.dumps(row).encode()
    found = [[one["type"] for one in errors] for _, errors in read(line + b"\n", NDJSON).problems()]
    assert found == ([refusals] if (refusals := _refusals(line)) else [])


def _refusals(line):
    """Return what is said against a single flight."""
    try:
        Flight.model_validate_json(line)
    except ValidationError as error:
        return [one["type"] for one in error.errors()]
    return []


@settings(relaxed, max_examples=200)
@given(st.binary(max_size=300), st.sampled_from(FORMS[:3]), st.integers(1, 100))
def test_bytes_are_read_or_refused(body, form, piece):
    with suppress(ProblemError):
        list(read(body, form, piece).problems())
