"""Features: what each says, and that none knows more than its horizon may."""

import datetime as dt
import math

import pytest

from flight_delay.airports import Airport
from flight_delay.flight import Flight, Known, Weather
from flight_delay.model.features import FEATURES, HOLIDAY_REACH_DAYS, Codes, Horizon, features_of, values

DAY = dt.date(2013, 7, 23)
CODES = Codes(
    airports={
        "JFK": Airport(40.639751, -73.778925, "America/New_York"),
        "LAX": Airport(33.942536, -118.408075, "America/Los_Angeles"),
    },
    carriers={"AA": 0, "DL": 1},
    origins={"EWR": 0, "JFK": 1},
    dests={"LAX": 0},
    holidays=(dt.date(2013, 7, 4).toordinal(), dt.date(2013, 9, 2).toordinal()),
)


def feature(name, flight, date=DAY, codes=CODES):
    named = dict(
        zip((f.name for f in FEATURES), values(FEATURES, Flight.model_validate(flight), date, codes), strict=True)
    )
    return named[name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("carrier", 1),
        ("origin", 1),
        ("dest", 0),
        ("sched_dep_min", 990),
        ("sched_arr_min", 1170),
        ("weekday", 1),
        ("holiday_days", HOLIDAY_REACH_DAYS),
        ("distance_km", pytest.approx(3974, abs=1)),
        ("dep_delay", 10),
    ],
)
def test_the_documented_flight(documented, name, value):
    assert feature(name, documented) == value


@pytest.mark.parametrize(
    "name", ["temp_c", "dewp_c", "humid_pct", "wind_north_ms", "precip_mm", "pressure_hpa", "visib_km"]
)
def test_weather_that_is_not_told_is_missing(documented, name):
    assert math.isnan(feature(name, documented))


@pytest.mark.parametrize(
    ("direction", "north", "east"), [(0, 10, 0), (90, 0, 10), (180, -10, 0), (270, 0, -10), (360, 10, 0)]
)
def test_wind_is_a_vector(documented, direction, north, east):
    flight = documented | {"weather": {"wind_dir_deg": direction, "wind_speed_ms": 10}}
    assert feature("wind_north_ms", flight) == pytest.approx(north, abs=1e-9)
    assert feature("wind_east_ms", flight) == pytest.approx(east, abs=1e-9)


@pytest.mark.parametrize(
    ("date", "days"),
    [(dt.date(2013, 7, 4), 0), (dt.date(2013, 7, 3), 1), (dt.date(2013, 7, 6), 2), (dt.date(2013, 9, 1), 1), (DAY, 4)],
)
def test_days_to_the_nearest_holiday(documented, date, days):
    assert feature("holiday_days", documented, date) == days


def test_the_distance_is_that_of_the_airports(documented):
    assert feature("distance_km", documented | {"distance": 2475.0}) == feature("distance_km", documented)


def test_what_the_request_says_counts_for_an_unknown_airport(documented):
    assert feature("distance_km", documented | {"dest": "ZZZ"}) == 3983.0
    del documented["distance"]
    assert math.isnan(feature("distance_km", documented | {"dest": "ZZZ"}))


@pytest.mark.parametrize("name", ["carrier", "origin", "dest"])
def test_an_unknown_code_is_missing(documented, name):
    assert math.isnan(feature(name, documented | {name: "ZZ" if name == "carrier" else "ZZZ"}))


def test_no_feature_of_the_schedule_sees_the_departure():
    assert "dep_delay" in [f.name for f in features_of(Horizon.DEPARTED)]
    seen = features_of(Horizon.SCHEDULE)
    assert seen
    assert all(f.known is Known.SCHEDULED for f in seen)


def test_what_becomes_known_later_moves_no_feature_of_the_schedule(documented):
    """Planted values from after the cut-off change nothing that `schedule` sees."""
    later = documented | {
        "dep_delay": 300.0,
        "weather": Weather(temp_c=40, wind_speed_ms=50, wind_dir_deg=9, visib_km=0),
    }
    seen = features_of(Horizon.SCHEDULE)
    assert values(seen, Flight.model_validate(documented), DAY, CODES) == values(
        seen, Flight.model_validate(later), DAY, CODES
    )


def test_the_horizon_of_a_flight(documented):
    assert Horizon.of(Flight.model_validate(documented)) is Horizon.DEPARTED
    assert Horizon.of(Flight.model_validate(documented | {"dep_delay": None})) is Horizon.SCHEDULE
