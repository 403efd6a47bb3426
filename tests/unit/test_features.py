"""Features: what each says, and that none knows more than its horizon may."""

import datetime as dt
import math

import pytest

from flight_delay.airports import Airport
from flight_delay.flight import Flight, Known, Weather
from flight_delay.model.features import (
    FEATURES,
    HOLIDAY_REACH_DAYS,
    Codes,
    Horizon,
    Specialist,
    features_of,
    leg_of,
    region_of,
    situation,
    values,
)
from flight_delay.model.means import MEANS, Key, Mean, Measure
from flight_delay.model.network_state import NOTHING_RECALLED

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


def feature(name, flight, date=DAY, codes=CODES, recalled=NOTHING_RECALLED):
    row = values(FEATURES, situation(Flight.model_validate(flight), date, codes, recalled))
    return dict(zip((f.name for f in FEATURES), row, strict=True))[name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("carrier", 1),
        ("origin", 1),
        ("dest", 0),
        ("sched_dep_min", 990),
        ("sched_block_min", 360),
        ("dep_min", 1000),
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


@pytest.mark.parametrize(
    ("sched_dep_time", "sched_arr_time", "block"),
    [(1630, 1930, 360), (2359, 301, 362), (2400, 300, 360), (1630, 1630, math.nan), (1630, 430, math.nan)],
)
def test_the_scheduled_block_is_until_the_destination_s_clock_shows_the_arrival(
    documented, sched_dep_time, sched_arr_time, block
):
    """Los Angeles is three hours behind; a flight that would be hours too short or too long is not believed."""
    del documented["hour"]
    flight = documented | {"sched_dep_time": sched_dep_time, "sched_arr_time": sched_arr_time}
    assert feature("sched_block_min", flight) == pytest.approx(block, nan_ok=True)


def test_a_block_across_the_change_of_clocks(documented):
    """On the night to 10 March 2013 New York's clocks went forward: a flight at 23:00 lands by summer time."""
    del documented["hour"]
    flight = documented | {"sched_dep_time": 2300, "sched_arr_time": 200}
    assert feature("sched_block_min", flight, dt.date(2013, 3, 9)) == 360
    sunday = documented | {"sched_dep_time": 100, "sched_arr_time": 415}
    assert feature("sched_block_min", sunday, dt.date(2013, 3, 10)) == 315


def test_a_leg_has_its_instants_in_utc(documented):
    leg = leg_of(Flight.model_validate(documented), DAY, CODES)
    midnight = dt.datetime(2013, 7, 23, tzinfo=dt.UTC).timestamp() / 60
    assert leg.sched_dep == midnight + (16 + 4) * 60 + 30
    assert (leg.sched_arr, leg.dep) == (leg.sched_dep + 360, leg.sched_dep + 10)
    assert math.isnan(leg.arr)


def test_a_leg_from_an_unknown_airport_has_no_instants(documented):
    leg = leg_of(Flight.model_validate(documented | {"origin": "ZZZ"}), DAY, CODES)
    assert math.isnan(leg.sched_dep)
    assert math.isnan(leg.sched_arr)
    assert leg.region is None


def test_regions_tell_direction_and_distance():
    jfk, lax = CODES.airports["JFK"], CODES.airports["LAX"]
    boston = Airport(42.364347, -71.005181, "America/New_York")
    assert len({region_of(jfk, lax), region_of(jfk, boston), region_of(lax, jfk)}) == 3
    assert region_of(jfk, lax).endswith("/3")
    assert region_of(jfk, boston).endswith("/0")


def recalled(**means):
    values_of = [math.nan] * len(MEANS)
    for mean, value in means.items():
        values_of[[kept.name for kept in MEANS].index(mean)] = value
    return NOTHING_RECALLED._replace(means=values_of)


def test_what_is_recalled_is_a_feature(documented):
    assert feature("gain_dest_60min", documented, recalled=recalled(gain_dest_60min=7.5)) == 7.5


def test_block_times_count_against_this_flight_s_own(documented):
    """The route has lately taken 348 minutes, the timetable gives it 360."""
    assert feature("block_route_14d", documented, recalled=recalled(block_route_14d=348.0)) == -12.0


def test_every_mean_has_a_unit_and_a_moment_from_which_it_is_known():
    of_network = {f.name: f for f in FEATURES if f.of_network}
    assert of_network["later_flight_14d"].unit == "share"
    assert of_network["block_flight_14d"].known is Known.SCHEDULED
    assert of_network["delay_flight_14d"].known is Known.PRE_DEPARTURE
    assert of_network["waiting_origin_60min"].unit == "flights"
    assert {m.name for m in MEANS} - set(of_network) == {Mean(Measure.LATE, Key.ALL, 360.0).name}


@pytest.mark.parametrize("specialist", list(Specialist))
def test_no_specialist_sees_what_is_known_after_its_cut_off(specialist):
    seen = features_of(specialist)
    assert seen
    assert all(f.known <= specialist.horizon.known for f in seen)
    assert ("dep_delay" in [f.name for f in seen]) is (specialist.horizon is Horizon.DEPARTED)
    if not specialist.sees_network:
        assert not any(f.lately for f in seen)


def test_what_becomes_known_later_moves_no_feature_of_the_schedule(documented):
    """Planted values from after the cut-off change nothing that `schedule` sees."""
    later = documented | {
        "dep_delay": 300.0,
        "weather": Weather(temp_c=40, wind_speed_ms=50, wind_dir_deg=9, visib_km=0),
    }
    seen = features_of(Specialist.SCHEDULE)
    assert values(seen, situation(Flight.model_validate(documented), DAY, CODES)) == pytest.approx(
        values(seen, situation(Flight.model_validate(later), DAY, CODES)), nan_ok=True
    )


@pytest.mark.parametrize(
    ("dep_delay", "fresh", "specialist"),
    [
        (10.0, True, Specialist.DEPARTED),
        (10.0, False, Specialist.DEPARTED_ALONE),
        (None, True, Specialist.PRE_DEPARTURE),
        (None, False, Specialist.SCHEDULE),
    ],
)
def test_who_answers(documented, dep_delay, fresh, specialist):
    flight = Flight.model_validate(documented | {"dep_delay": dep_delay})
    assert Specialist.of(flight, fresh=fresh) is specialist


@pytest.mark.parametrize(
    ("horizon", "cut_off"),
    [(Horizon.SCHEDULE, 1000 - 3 * 1440), (Horizon.PRE_DEPARTURE, 880), (Horizon.DEPARTED, 1025)],
)
def test_the_cut_off_of_a_horizon(horizon, cut_off):
    assert horizon.cut_off(1000.0, 1025.0) == cut_off
