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
    """A span in which a zone's clocks are as many minutes ahead of UTC, by those clocks and in UTC.

    Spans of one zone neither overlap nor leave a gap. A local time that occurs twice, when summer
    time ends, is read as its first occurrence; one that never occurs, when it starts, as if the
    clock had not yet been changed.
    """

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

    Joined by a range of local time, they turn local clocks into UTC in any SQL engine, and by a range
    of UTC the other way.
    """
    start, end = dt.datetime(years.start, 1, 1), dt.datetime(years.stop, 1, 1)
    for tz in zones:
        since, offset = start, offset_minutes(tz, start)
        since_utc = since - dt.timedelta(minutes=offset)
        seen = start
        while seen < end:
            following = min(seen + _STEP, end)
            if offset_minutes(tz, following) == offset:
                seen = following
                continue
            change = _first_minute_of_change(tz, seen, following)
            new = offset_minutes(tz, change)
            # By its own clocks a zone changes where the clock that is ahead shows that time.
            change_utc = change - dt.timedelta(minutes=max(offset, new))
            yield Offset(tz, since, change, since_utc, change_utc, offset)
            seen, since, since_utc, offset = change, change, change_utc, new
        yield Offset(tz, since, end, since_utc, end - dt.timedelta(minutes=offset), offset)


def _first_minute_of_change(tz: str, before: dt.datetime, after: dt.datetime) -> dt.datetime:
    old = offset_minutes(tz, before)
    while after - before > dt.timedelta(minutes=1):
        middle = before + dt.timedelta(minutes=(after - before) // dt.timedelta(minutes=2))
        before, after = (middle, after) if offset_minutes(tz, middle) == old else (before, middle)
    return after
