"""Distances and clocks."""

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight_delay.airports import great_circle_km, offset_minutes, offsets

JFK, LAX = (40.639751, -73.778925), (33.942536, -118.408075)
degrees = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


def test_jfk_to_lax():
    assert great_circle_km(*JFK, *LAX) == pytest.approx(3974, abs=1)


@given(degrees, degrees)
def test_a_distance_is_the_same_both_ways_and_at_most_half_the_earth(here, there):
    there_km = great_circle_km(*here, *there)
    assert there_km == pytest.approx(great_circle_km(*there, *here), abs=1e-6)
    assert 0 <= there_km <= 20_016


def test_summer_time_begins_and_ends():
    spans = list(offsets(["America/New_York"], range(2013, 2014)))
    assert [(span.local_from, span.offset_min) for span in spans] == [
        (dt.datetime(2013, 1, 1), -300),
        (dt.datetime(2013, 3, 10, 3), -240),
        (dt.datetime(2013, 11, 3, 2), -300),
    ]


@pytest.mark.parametrize("tz", ["America/New_York", "Pacific/Honolulu", "America/Sao_Paulo", "Asia/Kolkata"])
def test_spans_follow_each_other_and_agree_with_the_zone(tz):
    spans = list(offsets([tz], range(2012, 2016)))
    assert all(this.local_until == following.local_from for this, following in pairwise(spans))
    for span in spans:
        assert span.local_from.replace(tzinfo=ZoneInfo(tz)).utcoffset() == dt.timedelta(minutes=span.offset_min)
        assert offset_minutes(tz, span.local_until - dt.timedelta(minutes=1)) == span.offset_min
