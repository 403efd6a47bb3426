"""Weather, and airports, from those who keep them: asked politely, remembered on disk, in metric units."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from pydantic import SecretStr

from flight_delay.sources import Form


class Place(NamedTuple):
    """Where weather is asked for: an airport's IATA code, its ICAO code if it has one, degrees north and east."""

    code: str
    icao: str | None
    lat: float
    lon: float


class Report(NamedTuple):
    """What was known of an airport's weather at an instant (UTC); None for what was not measured.

    Precipitation is that of the hour that ends then. Nothing in it is later than `observed_utc`.
    """

    airport: str
    observed_utc: dt.datetime
    temp_c: float | None = None
    dewp_c: float | None = None
    humid_pct: float | None = None
    wind_dir_deg: float | None = None
    wind_speed_ms: float | None = None
    wind_gust_ms: float | None = None
    precip_mm: float | None = None
    pressure_hpa: float | None = None
    visib_km: float | None = None


REPORTS = Form({name: name for name in Report._fields})
"""Reports as a file; `observed_utc` is written `2013-01-01T06:51:00Z`."""


class Request(NamedTuple):
    """An address and what is asked there; a key is a secret among the parameters."""

    url: str
    params: dict[str, str | SecretStr]


class Provider(Protocol):
    """Who keeps weather of the past.

    Attributes
    ----------
    name
        What it is called in a command.
    suffix
        Of a file that holds an answer.
    window_days
        The longest span of days that one request is made for.
    lag_days
        How many days pass until a day's weather is there.
    pause_s
        The least time between two requests that its terms allow, or that is polite.
    """

    name: str
    suffix: str
    window_days: int
    lag_days: int
    pause_s: float

    def request(self, place: Place, first: dt.date, last: dt.date) -> Request:
        """Return what to ask for the weather of a place on some days, both included, in UTC."""

    def reports(self, place: Place, body: bytes) -> Iterator[Report]:
        """Yield what an answer says.

        Raises what reading raises where it is not an answer of this provider, as `cache.UNREADABLE` lists it.
        """


def number(value: float | None, unit: float = 1.0) -> float | None:
    """Return a value of JSON in another unit; `unit` is what one of its own is in that."""
    return None if value is None else float(value) * unit
