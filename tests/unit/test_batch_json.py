"""Rows as JSON and NDJSON: whatever the pieces they come in, and whatever is wrong with them."""

import json

import pytest
from batches import JSON, NDJSON, read, said, written

from flight_delay.api.errors import ProblemError
from flight_delay.flight import Flight

FLIGHT = {"month": 7, "day": 23, "sched_dep_time": 1630, "origin": "JFK", "dest": "LAX", "carrier": "DL"}
ROWS = [
    FLIGHT,
    FLIGHT | {"id": "}, {", "dep_delay": -3.5},
    FLIGHT | {"id": 7, "weather": {"temp_c": 3, "visib_km": 16.1}, "tailnum": "N713TW"},
    FLIGHT | {"hour": 16, "sched_arr_time": 1930, "distance": 3983.0, "year": 2026, "flight": 1609, "weather": None},
]
MEANT = [{name: value for name, value in row.items() if value is not None} for row in ROWS]


def problems(rows):
    return {row: [(".".join(map(str, one["loc"])), one["type"]) for one in found] for row, found in rows.problems()}


@pytest.mark.parametrize("form", [JSON, NDJSON])
@pytest.mark.parametrize("piece", [1, 7, 100, 65536])
@pytest.mark.parametrize("spaces", [None, (",", ":"), (" ,\r ", " : ")])
def test_rows_are_what_they_were_whatever_the_pieces(form, piece, spaces):
    lines = [json.dumps(row, separators=spaces) for row in ROWS]
    body = f" [ {' , '.join(lines)} ] \n" if form == JSON else "\n\r\n".join(lines)
    assert said(read(body.encode(), form, piece)) == MEANT


@pytest.mark.parametrize("form", [JSON, NDJSON])
def test_many_rows_keep_their_order(form):
    rows = [FLIGHT | {"id": number, "day": number % 28 + 1} for number in range(3000)]
    assert said(read(written(rows, form), form)) == rows


@pytest.mark.parametrize(("body", "form"), [(b"[]", JSON), (b" [ ] ", JSON), (b"", NDJSON), (b"\n\n", NDJSON)])
def test_there_may_be_no_rows(body, form):
    assert len(read(body, form)) == 0


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"month": "7"}, [("month", "number_or_whole")]),
        ({"month": 7.5}, [("month", "whole_number")]),
        ({"month": True}, [("month", "whole_number")]),
        ({"month": None}, [("month", "whole_number")]),
        ({"month": 13}, [("month", "less_than_equal")]),
        ({"day": 31, "month": 6}, [("day", "no_such_date")]),
        ({"hour": 3}, [("hour", "hour_disagrees")]),
        ({"dep_delay": "late"}, [("dep_delay", "number")]),
        ({"distance": -1}, [("distance", "greater_than_equal")]),
        ({"origin": "jfk"}, [("origin", "string_pattern_mismatch")]),
        ({"carier": "DL"}, [("carier", "extra_forbidden")]),
        ({"weather": {"temp": 3}}, [("weather.temp", "extra_forbidden")]),
        ({"weather": {"temp_c": 99}}, [("weather.temp_c", "less_than_equal")]),
        ({"id": 1.5}, [("id", "row_id")]),
        ({"id": "x" * 129}, [("id", "row_id")]),
        ({"id": 2**63}, [("id", "row_id")]),
    ],
)
@pytest.mark.parametrize("form", [JSON, NDJSON])
def test_a_row_is_refused_with_the_words_of_a_single_flight(form, change, found):
    rows = read(written([FLIGHT, FLIGHT | change, FLIGHT], form), form)
    [(row, errors)] = list(rows.problems())
    assert row == 1
    if "id" not in change:
        with pytest.raises(Exception) as refused:  # noqa: PT011 - pydantic's
            Flight.model_validate(FLIGHT | change)
        alone = refused.value.errors(include_url=False)
        assert [(one["type"], _place(one)) for one in errors] == [(one["type"], _place(one)) for one in alone]
    else:
        assert problems(rows) == {1: found}


def _place(error):
    return (*error["loc"], error.get("ctx", {}).get("field"))


def test_a_row_that_cannot_be_read_keeps_its_id():
    rows = read(written([FLIGHT | {"id": "a", "month": "7"}, FLIGHT | {"id": "b"}], NDJSON), NDJSON)
    assert rows.ids == ["a", "b"]


UNREADABLE = [b"7", b"null", b"[1]", b'{"month": 1e400}', b'{"\x80": 1}', b'{"origin": "\x80"}']


@pytest.mark.parametrize(
    "line", [*UNREADABLE, b"{", b"\xff", b'{"month": NaN}', b'{"\x80":', b"[" * 2000 + b"]" * 2000]
)
def test_a_line_that_is_no_flight_is_one_row_with_a_problem(line):
    body = written([FLIGHT], NDJSON) + line + b"\n" + written([FLIGHT], NDJSON)
    rows = read(body, NDJSON)
    assert len(rows) == 3
    assert list(problems(rows)) == [1]


@pytest.mark.parametrize("element", UNREADABLE)
@pytest.mark.parametrize("piece", [100, 65536])
def test_an_element_that_is_no_flight_is_one_row_with_a_problem(element, piece):
    flight = json.dumps(FLIGHT).encode()
    rows = read(b"[" + flight + b"," + element + b"," + flight + b"]", JSON, piece)
    assert len(rows) == 3
    assert list(problems(rows)) == [1]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "cut_short"),
        (b"{}", "list_needed"),
        (b"\xff", "list_needed"),
        (b"[", "cut_short"),
        (b"[{}", "cut_short"),
        (b"[{},]", "json_invalid"),
        (b"[,{}]", "json_invalid"),
        (b"[{} {}]", "json_invalid"),
        (b"[{}]]", "json_invalid"),
        (b'[{"\x80":]', "json_invalid"),
        (b"[" * 2000 + b"]" * 2000, "json_invalid"),
        (b'[{"a": NaN}]', "json_invalid"),
        (b"[" * 70_000, None),
        (b'[{"a": "' + b"x" * 70_000, None),
    ],
)
@pytest.mark.parametrize("piece", [3, 65536])
def test_what_is_no_list_is_refused(body, problem, piece):
    with pytest.raises(ProblemError) as refused:
        read(body, JSON, piece)
    assert refused.value.status in {413, 422}
    if problem:
        assert [one["type"] for one in refused.value.fields] == [problem]


def test_what_is_wrong_in_the_middle_is_said_with_its_row():
    body = b"[" + b",".join([json.dumps(FLIGHT).encode()] * 5000) + b",{]"
    with pytest.raises(ProblemError) as refused:
        read(body, JSON)
    assert refused.value.key == "malformed_rows"
    assert 4000 < refused.value.facts["row"] <= 5000


@pytest.mark.parametrize("form", [JSON, NDJSON])
def test_too_many_rows_are_refused_before_all_of_them_are_read(form):
    with pytest.raises(ProblemError) as refused:
        read(written([FLIGHT] * 11, form), form, most_rows=10)
    assert (refused.value.status, refused.value.key) == (413, "too_many_rows")
    assert len(read(written([FLIGHT] * 10, form), form, most_rows=10)) == 10
