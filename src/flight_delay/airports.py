"""Airports: codes, coordinates, time zones, and the distance between two of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple
from zoneinfo import ZoneInfo

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the Earth (IUGG, 2015)."""

_STEP = dt.timedelta(days=21)
"""No zone has changed its clocks and changed them back within so short a time."""


class Airport(NamedTuple):
    """Where an airport is: degrees north, degrees east, and the name of its time zone (IANA)."""

    lat: float
    lon: float
    tz: str


class Offset(NamedTuple):
    """A span, within a `year` of local time, in which a zone's clocks are as many minutes ahead of UTC.

    Spans of one zone neither overlap nor leave a gap. A local time that occurs twice, when summer
    time ends, is read as its first occurrence; one that never occurs, when it starts, as if the
    clock had not yet been changed.
    """

    year: int
    tz: str
    local_from: dt.datetime
    local_until: dt.datetime
    utc_from: dt.datetime
    utc_until: dt.datetime
    offset_min: int


def great_circle_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Return the distance of two points in kilometres (haversine; degrees in)."""
    phi1, phi2 = radians(lat1), radians(lat2)
    half_chord = sin((phi2 - phi1) / 2) ** 2 + cos(phi1) * cos(phi2) * sin(radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(half_chord)))


def offset_minutes(tz: str, local: dt.datetime) -> int:
    """Return the minutes by which a zone's clocks are ahead of UTC at a local time (naive)."""
    offset = local.replace(tzinfo=ZoneInfo(tz)).utcoffset()
    assert offset is not None, "a zone always has an offset"
    return round(offset.total_seconds() / 60)


def offsets(zones: Iterable[str], years: range) -> Iterator[Offset]:
    """Yield the spans of constant offset of each zone over some years, found to the minute.

    Joined by zone, year and a range of local time, they turn local clocks into UTC in any SQL engine, and by
    a range of UTC the other way.
    """
    for tz in zones:
        since_utc = None
        for year in years:
            since, end = dt.datetime(year, 1, 1), dt.datetime(year + 1, 1, 1)
            while since < end:
                offset = offset_minutes(tz, since)
                until, until_utc = _change(tz, since, end)
                since_utc = since_utc or since - dt.timedelta(minutes=offset)
                yield Offset(year, tz, since, until, since_utc, until_utc, offset)
                since, since_utc = until, until_utc


def _change(tz: str, since: dt.datetime, end: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """Return when a zone's clocks next change, by themselves and in UTC; `end` where they do not before it."""
    offset, seen = offset_minutes(tz, since), since
    while seen < end and offset_minutes(tz, seen) == offset:
        before, seen = seen, min(seen + _STEP, end)
    if (new := offset_minutes(tz, seen)) == offset:
        return end, end - dt.timedelta(minutes=offset)
    change = _first_minute_of_change(tz, before, seen)
    # By its own clocks a zone changes where the clock that is ahead shows that time.
    return change, change - dt.timedelta(minutes=max(offset, new))


def _first_minute_of_change(tz: str, before: dt.datetime, after: dt.datetime) -> dt.datetime:
    old = offset_minutes(tz, before)
    while after - before > dt.timedelta(minutes=1):
        middle = before + dt.timedelta(minutes=(after - before) // dt.timedelta(minutes=2))
        before, after = (middle, after) if offset_minutes(tz, middle) == old else (before, middle)
    return after
