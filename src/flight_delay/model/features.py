"""The features of the model: one entry each, with its unit, from when it is known, and how it is computed.

Training computes them over the processed table and the service over one request, both by the same
entries; there is no second definition that could differ.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache
from math import atan2, cos, degrees, nan, radians, sin
from typing import Any, NamedTuple

from flight_delay.airports import Airport, great_circle_km, offset_minutes
from flight_delay.flight import Flight, Known, Weather, minute_of_day
from flight_delay.model.means import INBOUND, MEANS, Leg, Mean, Measure
from flight_delay.model.network_state import NOTHING_RECALLED, Recalled

HOLIDAY_REACH_DAYS = 4
"""A holiday further away than this is as good as none."""
SCHEDULE_LEAD_MIN = 3 * 1440.0
PRE_DEPARTURE_LEAD_MIN = 120.0
BLOCK_ERROR_MIN = 90.0
"""Clock times that make a scheduled flight longer or shorter than its distance by this are not believed."""

_NO_WEATHER = Weather()
_REGION_KM = (800, 1600, 2800, 5000)
_EPOCH = dt.date(1970, 1, 1).toordinal()
_DAYS_OF_ARRIVAL = tuple(dt.timedelta(days) for days in (-1, 0, 1))


class Horizon(Enum):
    """When a prediction is made; it sees only what is known at its cut-off."""

    SCHEDULE = "schedule"
    PRE_DEPARTURE = "pre_departure"
    DEPARTED = "departed"

    @property
    def known(self) -> Known:
        """The moment up to which values are known."""
        return Known[self.name] if self is not Horizon.SCHEDULE else Known.SCHEDULED

    def cut_off(self, sched_dep: Any, dep: Any) -> Any:
        """Return the minute from which on nothing is known, of a leg or of columns of them."""
        if self is Horizon.DEPARTED:
            return dep
        return sched_dep - (PRE_DEPARTURE_LEAD_MIN if self is Horizon.PRE_DEPARTURE else SCHEDULE_LEAD_MIN)


class Specialist(Enum):
    """Who answers: by its horizon, and by whether it is told what the network has been doing lately."""

    SCHEDULE = "schedule"
    PRE_DEPARTURE = "pre_departure"
    DEPARTED = "departed"
    DEPARTED_ALONE = "departed_alone"

    @property
    def horizon(self) -> Horizon:
        """The moment that it is for."""
        return Horizon.DEPARTED if self is Specialist.DEPARTED_ALONE else Horizon(self.value)

    @property
    def sees_network(self) -> bool:
        """Whether it is told of the hours just gone."""
        return self in {Specialist.PRE_DEPARTURE, Specialist.DEPARTED}

    @property
    def sees_habits(self) -> bool:
        """Whether it is told of the weeks just gone; once a flight has left, old habits mislead (decision 0013)."""
        return self is not Specialist.DEPARTED_ALONE

    @classmethod
    def of(cls, flight: Flight, *, fresh: bool) -> Specialist:
        """Return who answers for a flight: it has left if its departure delay is given."""
        if flight.dep_delay is None:
            return cls.PRE_DEPARTURE if fresh else cls.SCHEDULE
        return cls.DEPARTED if fresh else cls.DEPARTED_ALONE


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
    """A flight with what follows from it, from the codes and from the network, computed once for all its features.

    What only the features of the network use may be columns of many flights: they are arithmetic.
    """

    flight: Flight
    weather: Weather
    codes: Codes
    date: dt.date
    distance_km: Any
    block_min: Any
    means: Any
    inbound: Any


class Feature(NamedTuple):
    """One input of the model: `compute` gives it as a number, NaN where it is missing or unknown."""

    name: str
    unit: str
    known: Known
    compute: Callable[[Situation], Any]
    categorical: bool = False
    of_network: bool = False
    """Whether it comes from the state, and so for a column of flights at once."""
    lately: bool = False
    """Whether it is worth anything only if the state has been told of the hours just gone."""


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


def _dep_min(s: Situation) -> float:
    return (minute_of_day(s.flight.sched_dep_time) + _or_missing(s.flight.dep_delay)) % 1440.0


def _of_mean(mean: Mean) -> Feature:
    """Return the feature that a mean of the state is: a block time counts against this flight's own."""
    number = MEANS.index(mean)
    known = Known.SCHEDULED if mean.is_habit and mean.measure in _TIMETABLE else Known.PRE_DEPARTURE
    unit = {Measure.AIR: "share", Measure.LATE: "share", Measure.LATER: "share", Measure.WAITING: "flights"}
    compute: Callable[[Situation], Any]
    if mean.measure is Measure.BLOCK:
        compute = lambda s: s.means[number] - s.block_min  # noqa: E731
    elif mean.measure is Measure.EXCESS:
        compute = lambda s: s.means[number] + (s.distance_km / 12.7 + 45.0) - s.block_min  # noqa: E731
    else:
        compute = lambda s: s.means[number]  # noqa: E731
    return Feature(
        mean.name, unit.get(mean.measure, "min"), known, compute, of_network=True, lately=known > Known.SCHEDULED
    )


_TIMETABLE = {Measure.BLOCK, Measure.LATER}
"""What of a flight's habits holds for days: others tell one season from another (docs/decisions/0012)."""


def _of_inbound(number: int) -> Feature:
    name = INBOUND[number]
    unit = "phase" if name == "phase" else "min"
    compute: Callable[[Situation], Any] = lambda s: s.inbound[number]  # noqa: E731
    return Feature(f"inbound_{name}", unit, Known.PRE_DEPARTURE, compute, of_network=True, lately=True)


_S, _P, _D = Known.SCHEDULED, Known.PRE_DEPARTURE, Known.DEPARTED
# The day of the month and the month are not here: they are fingerprints of the date, by which a
# model remembers bad days instead of learning why days are bad (docs/decisions/0004).
FEATURES: tuple[Feature, ...] = (
    Feature("carrier", "code", _S, lambda s: _code(s.codes.carriers, s.flight.carrier), categorical=True),
    Feature("origin", "code", _S, lambda s: _code(s.codes.origins, s.flight.origin), categorical=True),
    Feature("dest", "code", _S, lambda s: _code(s.codes.dests, s.flight.dest), categorical=True),
    Feature("sched_dep_min", "minute of the day", _S, lambda s: minute_of_day(s.flight.sched_dep_time)),
    Feature("sched_block_min", "min", _S, lambda s: s.block_min),
    Feature("weekday", "0 is Monday", _S, lambda s: s.date.weekday()),
    Feature("holiday_days", "days", _S, _holiday_days),
    Feature("distance_km", "km", _S, lambda s: s.distance_km),
    Feature("dep_delay", "min", _D, lambda s: _or_missing(s.flight.dep_delay)),
    Feature("dep_min", "minute of the day", _D, _dep_min),
    Feature("temp_c", "°C", _P, lambda s: _or_missing(s.weather.temp_c)),
    Feature("dewp_c", "°C", _P, lambda s: _or_missing(s.weather.dewp_c)),
    Feature("humid_pct", "%", _P, lambda s: _or_missing(s.weather.humid_pct)),
    Feature("wind_north_ms", "m/s", _P, lambda s: _wind(s.weather, cos)),
    Feature("wind_east_ms", "m/s", _P, lambda s: _wind(s.weather, sin)),
    Feature("precip_mm", "mm", _P, lambda s: _or_missing(s.weather.precip_mm)),
    Feature("pressure_hpa", "hPa", _P, lambda s: _or_missing(s.weather.pressure_hpa)),
    Feature("visib_km", "km", _P, lambda s: _or_missing(s.weather.visib_km)),
    *(_of_mean(mean) for mean in MEANS if mean.measure is not Measure.LATE),
    *(_of_inbound(number) for number in range(len(INBOUND))),
)


@cache
def features_of(specialist: Specialist) -> tuple[Feature, ...]:
    """Return the features that a specialist may see: those known by its cut-off, and to it."""
    return tuple(
        feature
        for feature in FEATURES
        if feature.known <= specialist.horizon.known
        and (specialist.sees_network or not feature.lately)
        and (specialist.sees_habits or not feature.of_network)
    )


def situation(flight: Flight, date: dt.date, codes: Codes, recalled: Recalled = NOTHING_RECALLED) -> Situation:
    """Return the situation of a flight that leaves on a date, with what a state recalls of it."""
    distance = distance_km(flight, codes)
    return Situation(
        flight,
        flight.weather or _NO_WEATHER,
        codes,
        date,
        distance,
        _block_min(flight, date, codes, distance),
        recalled.means,
        recalled.inbound,
    )


def values(features: tuple[Feature, ...], situation: Situation) -> list[float]:
    """Return the features of one flight."""
    return [feature.compute(situation) for feature in features]


def leg_of(flight: Flight, date: dt.date, codes: Codes) -> Leg:
    """Return the flight as the network's state knows flights, with its instants in UTC; NaN where they are unknown."""
    origin, dest = codes.airports.get(flight.origin), codes.airports.get(flight.dest)
    distance = distance_km(flight, codes)
    sched_dep = nan if origin is None else _utc_minute(date, flight.sched_dep_time, origin.tz)
    sched_arr = sched_dep + _block_min(flight, date, codes, distance)
    dep = sched_dep + _or_missing(flight.dep_delay)
    region = None if origin is None or dest is None else region_of(origin, dest)
    return Leg(
        flight.carrier, flight.flight, flight.tailnum, flight.origin, flight.dest, region,
        distance, sched_dep, sched_arr, dep,
    )  # fmt: skip


def flown(leg: Leg, arr_delay: float | None, air_time: float | None) -> Leg:
    """Return a leg with what became known of it when it arrived, if it did; both in minutes."""
    return leg._replace(arr=leg.sched_arr + _or_missing(arr_delay), air_time=_or_missing(air_time))


def distance_km(flight: Flight, codes: Codes) -> float:
    """Return the great circle between the airports; what the request says only where one is not known."""
    origin, dest = codes.airports.get(flight.origin), codes.airports.get(flight.dest)
    if origin is None or dest is None:
        return _or_missing(flight.distance)
    return _route_km(origin, dest)


@lru_cache(maxsize=65_536)
def region_of(origin: Airport, dest: Airport) -> str:
    """Return where a destination lies: the eighth of the compass, and how far in five steps."""
    eighth = round(degrees(atan2(dest.lon - origin.lon, dest.lat - origin.lat)) / 45) % 8
    return f"{eighth}/{bisect_left(_REGION_KM, _route_km(origin, dest))}"


def _block_min(flight: Flight, date: dt.date, codes: Codes, distance: float) -> float:
    """Return the scheduled time from gate to gate: until the first time that the destination's clock shows it."""
    origin, dest = codes.airports.get(flight.origin), codes.airports.get(flight.dest)
    if origin is None or dest is None or flight.sched_arr_time is None:
        return nan
    leaves = _utc_minute(date, flight.sched_dep_time, origin.tz)
    # West of the date line it can be the day before; clocks may change between one day and the next.
    lands = (_utc_minute(date + day, flight.sched_arr_time, dest.tz) for day in _DAYS_OF_ARRIVAL)
    block = min((minute - leaves for minute in lands if minute > leaves), default=nan)
    return block if abs(block - (distance / 12.7 + 45.0)) < BLOCK_ERROR_MIN else nan


def _utc_minute(date: dt.date, hhmm: int, tz: str) -> float:
    minute = minute_of_day(hhmm)
    return (date.toordinal() - _EPOCH) * 1440.0 + minute - _offset_min(tz, date, minute // 60)


@lru_cache(maxsize=65_536)
def _offset_min(tz: str, date: dt.date, hour: int) -> int:
    return offset_minutes(tz, dt.datetime.combine(date, dt.time()) + dt.timedelta(hours=hour))


@lru_cache(maxsize=65_536)
def _route_km(origin: Airport, dest: Airport) -> float:
    return great_circle_km(origin.lat, origin.lon, dest.lat, dest.lon)
