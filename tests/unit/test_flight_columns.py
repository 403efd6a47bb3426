"""Flights as columns: what they say, which of them are none, and what the model says of all of them at once."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from flight_delay.flight import Flight, ranges
from flight_delay.model.flight_columns import CODES, OF_FLIGHT, OF_WEATHER, REQUIRED, Coded, FlightColumns, distinct

WEATHER = {"temp_c": -3.5, "wind_dir_deg": 270, "wind_speed_ms": 9.5}


def flights(documented, *changes):
    return [Flight.model_validate(documented | change) for change in changes]


def columns(*rows):
    """Columns of bodies, which need not be flights."""
    numbers = {name: np.array([row.get(name) for row in rows], np.float64) for name in OF_FLIGHT}
    numbers |= {name: np.array([row.get("weather", {}).get(name) for row in rows], np.float64) for name in OF_WEATHER}
    return FlightColumns(numbers, {name: Coded.of([row.get(name) for row in rows]) for name in CODES})


def test_each_row_is_the_flight_that_it_was_made_of(documented):
    asked = flights(
        documented, {}, {"tailnum": "N1", "flight": 7, "year": 2013}, {"weather": WEATHER}, {"dep_delay": None}
    )
    made = FlightColumns.of(asked)
    assert len(made) == 4
    assert [made.flight(row) for row in range(4)] == asked
    for row, flight in zip(made.rows(), asked, strict=True):
        assert {**row._asdict(), "weather": row.weather and row.weather._asdict()} == flight.model_dump()


def test_what_no_row_says_is_one_column_of_nothing(documented):
    made = FlightColumns.of(flights(documented, {}, {}))
    assert made.numbers["year"] is made.numbers["visib_km"]
    assert np.isnan(made.numbers["year"]).all()
    assert made.codes["tailnum"].texts() == [None, None]


def test_no_flights_are_no_rows():
    none = FlightColumns.of([])
    assert (len(none), list(none.rows()), list(none.problems())) == (0, [], [])


@pytest.mark.parametrize("rows", [[2, 0], [True, False, True]])
def test_some_rows_are_taken(documented, rows):
    asked = flights(documented, {"carrier": "B6"}, {"carrier": "AA"}, {"weather": WEATHER})
    taken = FlightColumns.of(asked).take(np.array(rows))
    assert [taken.flight(row) for row in range(2)] == [asked[row] for row in np.arange(3)[rows]]


@pytest.mark.parametrize(
    ("change", "field", "kind"),
    [
        ({"month": 13}, "month", "less_than_equal"),
        ({"month": 7.5}, "month", "whole_number"),
        ({"month": None}, "month", "missing"),
        ({"dest": None}, "dest", "missing"),
        ({"sched_arr_time": 1275}, "sched_arr_time", "clock_time"),
        ({"carrier": "DLX"}, "carrier", "string_pattern_mismatch"),
        ({"tailnum": "N1\n"}, "tailnum", "string_pattern_mismatch"),
        ({"dep_delay": math.inf}, "dep_delay", "less_than_equal"),
        ({"hour": 4}, None, "hour_disagrees"),
        ({"day": 30, "month": 2}, None, "no_such_date"),
        ({"day": 29, "month": 2, "year": 2100}, None, "no_such_date"),
        ({"weather": {"humid_pct": 101}}, "weather", "less_than_equal"),
    ],
)
def test_a_row_that_is_no_flight_is_named_with_what_is_wrong(documented, change, field, kind):
    [(row, errors)] = columns(documented, documented | change, documented).problems()
    assert row == 1
    assert [(error["loc"][:1], error["type"]) for error in errors] == [((field,) if field else (), kind)]


def near(low, high):
    return st.sampled_from([low, high, low - 1, high + 1, low + 0.5, math.inf]) | st.integers(int(low), int(high))


CLOCK_TIMES = st.sampled_from([0, 1630, 2359, 2400, 2401, 2460, 1675, -1, 930.5, math.inf]) | st.integers(0, 2400)
BODIES = st.fixed_dictionaries(
    {"month": near(1, 12), "day": near(1, 31), "sched_dep_time": CLOCK_TIMES}
    | {name: st.sampled_from(["JFK", "LAX", "ZZZ", "", "jfk", "JFKX", "JFK\n", "ÀÀÀ"]) for name in ("origin", "dest")}
    | {"carrier": st.sampled_from(["DL", "9E", "99", "D", "DLL", "dl"])},
    optional={name: near(*bounds) for name, bounds in ranges(Flight).items() if name not in REQUIRED}
    | {"sched_arr_time": CLOCK_TIMES, "hour": st.integers(0, 24), "year": st.sampled_from([2012, 2013, 2100, 1986])}
    | {"tailnum": st.sampled_from(["N1", "n1", "N", "N" * 11, "N-1"])}
    | {"weather": st.dictionaries(st.sampled_from(OF_WEATHER), near(0, 100), min_size=1)},
)


def refused(body):
    try:
        Flight.model_validate(body)
    except ValidationError as error:
        return error.errors(include_url=False)
    return None


@settings(max_examples=400, deadline=None)
@given(bodies=st.lists(BODIES, max_size=6))
@example(
    bodies=[{"month": 2, "day": 29, "sched_dep_time": 2400, "hour": 0, "origin": "JFK", "dest": "LAX", "carrier": "DL"}]
)
def test_the_verdict_on_each_row_is_that_of_a_flight_alone(bodies):
    expected = [(row, errors) for row, body in enumerate(bodies) if (errors := refused(body))]
    said = list(columns(*bodies).problems())
    assert [row for row, _ in said] == [row for row, _ in expected]
    for (_, ours), (_, alone) in zip(said, expected, strict=True):
        assert [(one["loc"], one["type"], one["msg"]) for one in ours] == [
            (o["loc"], o["type"], o["msg"]) for o in alone
        ]


@given(keys=st.lists(st.integers(-5, 5) | st.integers(-(2**60), 2**60)))
def test_distinct_keys_and_where_each_is_among_them(keys):
    found, places = distinct(np.array(keys, np.int64))
    assert found.tolist() == sorted(set(keys))
    assert found[places].tolist() == keys
