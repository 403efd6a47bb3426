"""The vocabulary: what a flight may say, and what its dates and times mean."""

import datetime as dt
import math

import pytest
from pydantic import ValidationError

from flight_delay.flight import (
    Flight,
    Weather,
    date_exists,
    local_date,
    minute_of_day,
    nearest_date,
    ranges,
)

REQUIRED = {"month": 7, "day": 23, "sched_dep_time": 1630, "origin": "JFK", "dest": "LAX", "carrier": "DL"}


def errors_of(**fields):
    with pytest.raises(ValidationError) as caught:
        Flight.model_validate({**REQUIRED, **fields})
    return {(error["type"], ".".join(map(str, error["loc"]))) for error in caught.value.errors()}


def test_the_documented_body_is_a_flight(documented):
    assert Flight.model_validate(documented).model_dump(exclude_unset=True) == documented


def test_six_fields_are_enough():
    assert Flight.model_validate(REQUIRED).dep_delay is None


@pytest.mark.parametrize("name", REQUIRED)
def test_each_of_them_is_needed(name):
    with pytest.raises(ValidationError, match=name):
        Flight.model_validate({key: value for key, value in REQUIRED.items() if key != name})


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("month", 0, "greater_than_equal"),
        ("month", 13, "less_than_equal"),
        ("month", "7", "whole_number"),
        ("month", True, "whole_number"),
        ("month", 7.5, "whole_number"),
        ("month", 10**400, "less_than_equal"),
        ("day", 32, "less_than_equal"),
        ("hour", 999, "less_than_equal"),
        ("sched_dep_time", 1675, "clock_time"),
        ("sched_dep_time", 2401, "clock_time"),
        ("sched_arr_time", 1299, "clock_time"),
        ("origin", "jfk", "string_pattern_mismatch"),
        ("origin", "JFK\n", "string_pattern_mismatch"),
        ("dest", "KLAX", "string_pattern_mismatch"),
        ("carrier", "D", "string_pattern_mismatch"),
        ("carrier", 7, "string_type"),
        ("distance", -1.0, "greater_than_equal"),
        ("distance", "far", "number"),
        ("dep_delay", -181, "greater_than_equal"),
        ("dep_delay", 3001, "less_than_equal"),
        ("dep_delay", False, "number"),
        ("year", 1986, "greater_than_equal"),
        ("flight", 0, "greater_than_equal"),
        ("tailnum", "n1", "string_pattern_mismatch"),
        ("dep_dely", 1, "extra_forbidden"),
    ],
)
def test_a_field_out_of_its_range_is_named(field, value, error):
    assert errors_of(**{field: value}) == {(error, field)}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("field", ["distance", "dep_delay"])
def test_only_finite_numbers(field, value):
    assert {name for _, name in errors_of(**{field: value})} == {field}


def test_a_whole_number_may_be_written_as_a_float():
    assert Flight.model_validate({**REQUIRED, "month": 7.0}).month == 7


@pytest.mark.parametrize("carrier", ["DL", "9E", "B6", "F9"])
def test_carriers_have_a_letter(carrier):
    assert Flight.model_validate({**REQUIRED, "carrier": carrier}).carrier == carrier


@pytest.mark.parametrize(("sched_dep_time", "hour"), [(1630, 16), (0, 0), (59, 0), (2400, 24), (2400, 0), (2359, 23)])
def test_the_hour_that_agrees(sched_dep_time, hour):
    assert Flight.model_validate({**REQUIRED, "sched_dep_time": sched_dep_time, "hour": hour}).hour == hour


@pytest.mark.parametrize(("sched_dep_time", "hour"), [(1630, 15), (30, 24), (2359, 0)])
def test_an_hour_that_disagrees(sched_dep_time, hour):
    assert errors_of(sched_dep_time=sched_dep_time, hour=hour) == {("hour_disagrees", "")}


@pytest.mark.parametrize(
    "day", [{"month": 2, "day": 30}, {"month": 2, "day": 29, "year": 2013}, {"month": 4, "day": 31}]
)
def test_a_date_that_does_not_exist(day):
    assert errors_of(**day) == {("no_such_date", "")}


def test_weather_has_the_same_rules():
    assert errors_of(weather={"temp_c": 61}) == {("less_than_equal", "weather.temp_c")}
    assert errors_of(weather={"temp": 1}) == {("extra_forbidden", "weather.temp")}
    assert Flight.model_validate({**REQUIRED, "weather": {}}).weather == Weather()


def test_29_february_exists_without_a_year():
    assert date_exists(None, 2, 29)
    assert date_exists(2024, 2, 29)
    assert not date_exists(2023, 2, 29)


@pytest.mark.parametrize(
    ("month", "day", "today", "expected"),
    [
        (7, 23, dt.date(2026, 7, 1), dt.date(2026, 7, 23)),
        (1, 2, dt.date(2026, 12, 30), dt.date(2027, 1, 2)),
        (12, 30, dt.date(2027, 1, 2), dt.date(2026, 12, 30)),
        (7, 23, dt.date(2026, 7, 23), dt.date(2026, 7, 23)),
        (2, 29, dt.date(2026, 3, 1), dt.date(2028, 2, 29)),
        (2, 29, dt.date(2025, 3, 1), dt.date(2024, 2, 29)),
    ],
)
def test_without_a_year_the_nearest_date_is_meant(month, day, today, expected):
    assert nearest_date(month, day, today) == expected


def test_a_year_is_taken_as_it_is():
    assert local_date(Flight.model_validate({**REQUIRED, "year": 2013}), dt.date(2026, 1, 1)) == dt.date(2013, 7, 23)


@pytest.mark.parametrize(("hhmm", "minutes"), [(0, 0), (59, 59), (100, 60), (1630, 990), (2400, 1440)])
def test_clock_times_are_minutes(hhmm, minutes):
    assert minute_of_day(hhmm) == minutes


def test_ranges_are_told_for_every_number():
    assert set(ranges(Weather)) == set(Weather.model_fields)
    assert ranges(Flight)["dep_delay"] == (-180, 3000)
