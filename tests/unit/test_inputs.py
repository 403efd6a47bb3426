"""Bins are learnt from the flights that teach, and are the same where the service counts by them."""

import datetime as dt
import json

import pytest

from flight_delay.airports import Airport
from flight_delay.flight import Flight
from flight_delay.model.features import Codes
from flight_delay.model.inputs import Reference, learn

AIRPORTS = {
    "JFK": Airport(40.6, -73.8, "America/New_York"),
    "LAX": Airport(33.9, -118.4, "America/Los_Angeles"),
    "BOS": Airport(42.4, -71.0, "America/New_York"),
}
CODES = Codes(AIRPORTS, {}, {}, {}, ())
TODAY = dt.date(2013, 7, 23)


def flight(**fields):
    common = {"year": 2013, "month": 7, "day": 23, "sched_dep_time": 1630, "origin": "JFK", "dest": "LAX"}
    return Flight.model_validate(common | {"carrier": "DL"} | fields)


@pytest.fixture(scope="module")
def taught():
    """A thousand flights: delays from 0 to 99, nine of ten to one airport, one of five hundred of a rare airline."""
    return [
        flight(
            dep_delay=float(number % 100),
            dest="BOS" if number % 10 == 0 else "LAX",
            carrier="ZZ" if number % 500 == 0 else "DL" if number % 2 else "AA",
        )
        for number in range(1000)
    ]


@pytest.fixture(scope="module")
def reference(taught):
    lineage = json.loads(json.dumps({"inputs": learn(taught, CODES)}))
    return Reference.of(lineage, CODES)


def bins(reference, **fields):
    return dict(reference.bins(flight(**fields), TODAY))


def test_numbers_are_cut_into_tenths(reference):
    assert list(reference.spreads["dep_delay"].shares.values()) == [0.1] * 10
    assert bins(reference, dep_delay=9.0)["dep_delay"] == "(-inf, 9]"
    assert bins(reference, dep_delay=9.5)["dep_delay"] == "(9, 19]"
    assert bins(reference, dep_delay=3000.0)["dep_delay"] == "(89, inf)"


def test_equal_values_share_a_bin(reference):
    shares = reference.spreads["distance"].shares
    assert sorted(shares.values()) == [0.0, 0.1, 0.9]
    assert len(reference.spreads["hour"].shares) == 2


def test_rare_values_share_a_bin_and_those_never_met_another(reference):
    shares = reference.spreads["carrier"].shares
    assert shares == {"DL": 0.5, "AA": 0.498, "other": 0.002, "unknown": 0.0}
    assert [bins(reference, carrier=code)["carrier"] for code in ("AA", "ZZ", "XX")] == ["AA", "other", "unknown"]


def test_what_is_absent_has_a_bin_of_its_own(reference):
    found = bins(reference, dest="XXX")
    assert (found["dep_delay"], found["distance"], found["weather"]) == ("absent", "absent", "absent")
    assert "absent" not in reference.spreads["dep_delay"].shares
    assert bins(reference, weather={"temp_c": 20.0})["weather"] == "unknown"


def test_a_flight_without_a_year_has_the_weekday_of_its_nearest_date(reference):
    assert bins(reference, year=None)["weekday"] == "tue"


def test_the_flights_that_teach_fall_into_the_bins_by_the_shares_that_are_kept(reference, taught):
    for field, spread in reference.spreads.items():
        found = [dict(reference.bins(one, TODAY))[field] for one in taught]
        for name, share in spread.shares.items():
            assert found.count(name) / len(taught) == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize(
    "lineage",
    [
        {},
        {"inputs": None},
        {"inputs": {"flights": 0, "values": {}, "numbers": {}}},
        {"inputs": {"flights": 1, "values": {"carrier": {"DL": 2.0}}, "numbers": {}}},
        {"inputs": {"flights": 1, "values": {}, "numbers": {"hour": {"cuts": [1.0] * 50, "shares": []}}}},
        {"inputs": {"flights": 1, "values": {}, "numbers": {"hour": {"cuts": [float("nan")], "shares": [0.5, 0.5]}}}},
        {"inputs": {"flights": 1, "values": {}, "numbers": {"hour": {"cuts": [2.0, 1.0], "shares": [0.1, 0.1, 0.8]}}}},
        {"inputs": {"flights": 1, "values": {}, "numbers": {"hour": {"cuts": [1.0, 2.0], "shares": [0.1]}}}},
    ],
)
def test_a_lineage_that_tells_nothing_of_the_kind_gives_no_bins(lineage):
    assert Reference.of(lineage, CODES) is None
