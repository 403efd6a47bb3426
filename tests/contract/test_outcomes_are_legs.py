"""What the service is told of a flight is the leg that training saw of it."""

import datetime as dt
import json
from math import isnan, nan

import pytest

from flight_delay.airports import Airport
from flight_delay.api.outcomes import leg_told
from flight_delay.model.dataset import FIELDS
from flight_delay.model.features import Codes
from flight_delay.store.outcomes import Told

CODES = Codes(
    airports={
        "JFK": Airport(40.639751, -73.778925, "America/New_York"),
        "LAX": Airport(33.942536, -118.408075, "America/Los_Angeles"),
    },
    carriers={}, origins={}, dests={}, holidays=(),
)  # fmt: skip
FLIGHT = {
    "month": 7, "day": 23, "sched_dep_time": 1630, "sched_arr_time": 1930, "origin": "JFK", "dest": "LAX", "carrier": "DL",
}  # fmt: skip
ARRIVED = {"dep_delay": 10.0, "arr_delay": 5.0, "air_time": 320.0}
LEFT_AT = dt.datetime(2026, 7, 23, 20, 40, tzinfo=dt.UTC)
ARRIVED_AT = dt.datetime(2026, 7, 24, 2, 35, tzinfo=dt.UTC)


def told(outcome, at=dt.datetime(2026, 7, 24, 12, tzinfo=dt.UTC), codes=CODES):
    return leg_told(Told(1, at.isoformat(), json.dumps(outcome)), codes)


def minute(moment):
    return moment.timestamp() / 60


def same(one, other):
    return one == other or (isinstance(one, float) and isinstance(other, float) and isnan(one) and isnan(other))


def test_legs_of_whole_days(dataset, artifact):
    """All but the distance, which sources give along their own routes."""
    chosen = [number for number, flight in enumerate(dataset.flights) if (flight.month, flight.day // 4) == (7, 2)]
    assert len(chosen) > 3000
    for number in chosen:
        leg, flight = dataset.legs[number], dataset.flights[number]
        outcome = {name: getattr(flight, name) for name in FIELDS if getattr(flight, name) is not None}
        if not isnan(dataset.arr_delay[number]):
            outcome["arr_delay"] = dataset.arr_delay[number]
        if not isnan(leg.air_time):
            outcome["air_time"] = leg.air_time
        heard = told(outcome, codes=artifact.codes)
        assert heard.distance_km == pytest.approx(leg.distance_km, rel=0.02)
        assert all(map(same, heard._replace(distance_km=leg.distance_km), leg)), (heard, leg)


@pytest.mark.parametrize(
    ("outcome", "dep", "arr", "air_time"),
    [
        ({}, nan, nan, nan),
        ({"cancelled": True}, nan, nan, nan),
        ({"dep_delay": 10.0}, minute(LEFT_AT), nan, nan),
        (ARRIVED, minute(LEFT_AT), minute(ARRIVED_AT), 320.0),
        ({"dep_delay": 10.0, "arr_delay": 5.0}, minute(LEFT_AT), minute(ARRIVED_AT), nan),
        ({"dep_delay": 1000.0, "arr_delay": -180.0}, minute(LEFT_AT) + 990, nan, nan),
        (ARRIVED | {"sched_arr_time": None}, minute(LEFT_AT), nan, nan),
    ],
    ids=str,
)  # fmt: skip
def test_what_has_become_of_it(outcome, dep, arr, air_time):
    leg = told(FLIGHT | outcome, at=dt.datetime(2026, 7, 26, tzinfo=dt.UTC))
    assert all(map(same, (leg.dep, leg.arr, leg.air_time), (dep, arr, air_time)))


def test_what_is_still_to_come_when_it_is_told_has_not_happened():
    """Some minutes more are allowed for: clocks differ, and delays are rounded."""
    ten = dt.timedelta(minutes=10)
    assert isnan(told(FLIGHT | ARRIVED, at=LEFT_AT - ten).dep)
    left = told(FLIGHT | ARRIVED, at=ARRIVED_AT - ten)
    assert left.dep == minute(LEFT_AT)
    assert isnan(left.arr)
    assert told(FLIGHT | ARRIVED, at=ARRIVED_AT - ten / 10).arr == minute(ARRIVED_AT)


def test_a_flight_from_nobody_knows_where_tells_nothing():
    assert told(FLIGHT | {"origin": "ZZZ"}) is None
    assert isnan(told(FLIGHT | ARRIVED | {"dest": "ZZZ"}).arr)
