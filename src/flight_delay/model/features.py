"""The features of the model: one entry each, with its unit, from when it is known, and how it is computed.

Training computes them over the processed table and the service over one request, both by
`values`; there is no second definition that could differ.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from math import cos, nan, radians, sin
from typing import NamedTuple

from flight_delay.airports import Airport, great_circle_km
from flight_delay.flight import Flight, Known, Weather, minute_of_day

HOLIDAY_REACH_DAYS = 4
"""A holiday further away than this is as good as none."""

_NO_WEATHER = Weather()


class Horizon(Enum):
    """When a prediction is made; it sees only what is known at its cut-off."""

    SCHEDULE = "schedule"
    DEPARTED = "departed"

    @property
    def cut_off(self) -> Known:
        """The moment up to which values are known."""
        return Known.DEPARTED if self is Horizon.DEPARTED else Known.SCHEDULED

    @classmethod
    def of(cls, flight: Flight) -> Horizon:
        """Return the horizon of a flight: it has left if its departure delay is given."""
        return cls.SCHEDULE if flight.dep_delay is None else cls.DEPARTED


@dataclass(frozen=True)
class Codes:
    """What the model knows of the world: where airports are, and the numbers of the codes seen in training."""

    airports: Mapping[str, Airport]
    carriers: Mapping[str, int]
    origins: Mapping[str, int]
    dests: Mapping[str, int]
    holidays: tuple[int, ...]
    """Proleptic ordinals of the days, ascending."""


class Situation(NamedTuple):
    """A flight with what follows from it and from the codes, computed once for all its features."""

    flight: Flight
    weather: Weather
    codes: Codes
    date: dt.date
    distance_km: float


class Feature(NamedTuple):
    """One input of the model: `compute` gives it as a number, NaN where it is missing or unknown."""

    name: str
    unit: str
    known: Known
    compute: Callable[[Situation], float]
    categorical: bool = False


def _or_missing(value: float | None) -> float:
    return nan if value is None else value


def _code(numbers: Mapping[str, int], code: str) -> float:
    return numbers.get(code, nan)


def _wind(weather: Weather, component: Callable[[float], float]) -> float:
    """Return a component of the wind: as a vector, in which 359 and 1 degrees are near."""
    if weather.wind_speed_ms is None or weather.wind_dir_deg is None:
        return nan
    return weather.wind_speed_ms * component(radians(weather.wind_dir_deg))


def _holiday_days(s: Situation) -> float:
    """Return the days to or from the nearest holiday, at most the reach."""
    day = s.date.toordinal()
    place = bisect_left(s.codes.holidays, day)
    nearest = (abs(day - holiday) for holiday in s.codes.holidays[max(0, place - 1) : place + 1])
    return min(HOLIDAY_REACH_DAYS, min(nearest, default=HOLIDAY_REACH_DAYS))


def _sched_arr_min(s: Situation) -> float:
    return nan if s.flight.sched_arr_time is None else minute_of_day(s.flight.sched_arr_time)


# The day of the month and the month are not here: they are fingerprints of the date, by which a
# model remembers bad days instead of learning why days are bad (docs/decisions/0004).
FEATURES: tuple[Feature, ...] = (
    Feature("carrier", "code", Known.SCHEDULED, lambda s: _code(s.codes.carriers, s.flight.carrier), categorical=True),
    Feature("origin", "code", Known.SCHEDULED, lambda s: _code(s.codes.origins, s.flight.origin), categorical=True),
    Feature("dest", "code", Known.SCHEDULED, lambda s: _code(s.codes.dests, s.flight.dest), categorical=True),
    Feature("sched_dep_min", "minute of the day", Known.SCHEDULED, lambda s: minute_of_day(s.flight.sched_dep_time)),
    Feature("sched_arr_min", "minute of the day", Known.SCHEDULED, _sched_arr_min),
    Feature("weekday", "0 is Monday", Known.SCHEDULED, lambda s: s.date.weekday()),
    Feature("holiday_days", "days", Known.SCHEDULED, _holiday_days),
    Feature("distance_km", "km", Known.SCHEDULED, lambda s: s.distance_km),
    Feature("dep_delay", "min", Known.DEPARTED, lambda s: _or_missing(s.flight.dep_delay)),
    Feature("temp_c", "°C", Known.DEPARTED, lambda s: _or_missing(s.weather.temp_c)),
    Feature("dewp_c", "°C", Known.DEPARTED, lambda s: _or_missing(s.weather.dewp_c)),
    Feature("humid_pct", "%", Known.DEPARTED, lambda s: _or_missing(s.weather.humid_pct)),
    Feature("wind_north_ms", "m/s", Known.DEPARTED, lambda s: _wind(s.weather, cos)),
    Feature("wind_east_ms", "m/s", Known.DEPARTED, lambda s: _wind(s.weather, sin)),
    Feature("precip_mm", "mm", Known.DEPARTED, lambda s: _or_missing(s.weather.precip_mm)),
    Feature("pressure_hpa", "hPa", Known.DEPARTED, lambda s: _or_missing(s.weather.pressure_hpa)),
    Feature("visib_km", "km", Known.DEPARTED, lambda s: _or_missing(s.weather.visib_km)),
)


def features_of(horizon: Horizon) -> tuple[Feature, ...]:
    """Return the features that a horizon may see: those known by its cut-off."""
    return tuple(feature for feature in FEATURES if feature.known <= horizon.cut_off)


def values(features: tuple[Feature, ...], flight: Flight, date: dt.date, codes: Codes) -> list[float]:
    """Return the features of one flight that leaves on a date."""
    weather = flight.weather or _NO_WEATHER
    situation = Situation(flight, weather, codes, date, _distance_km(flight, codes))
    return [feature.compute(situation) for feature in features]


def _distance_km(flight: Flight, codes: Codes) -> float:
    """Return the great circle between the airports; what the request says only where one is not known."""
    origin, dest = codes.airports.get(flight.origin), codes.airports.get(flight.dest)
    if origin is None or dest is None:
        return _or_missing(flight.distance)
    return _route_km(origin, dest)


@lru_cache(maxsize=65_536)
def _route_km(origin: Airport, dest: Airport) -> float:
    return great_circle_km(origin.lat, origin.lon, dest.lat, dest.lon)
