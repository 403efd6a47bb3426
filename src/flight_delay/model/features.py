"""The features of the model: one entry each, with its unit, from when it is known, and how it is computed.

Training computes them over the processed table and the service over one request, both by the same
entries; there is no second definition that could differ.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from functools import cache, cached_property, lru_cache, partial
from itertools import islice
from math import atan2, cos, degrees, nan, radians, sin
from operator import attrgetter
from typing import Any, NamedTuple

from flight_delay.airports import Airport, great_circle_km, offset_minutes
from flight_delay.flight import Known, minute_of_day
from flight_delay.model.any_flight import AnyFlight
from flight_delay.model.means import INBOUND, MEANS, Leg, Mean, Measure
from flight_delay.model.network_state import NOTHING_RECALLED, Recalled

HOLIDAY_REACH_DAYS = 4
"""A holiday further away than this is as good as none."""
SCHEDULE_LEAD_MIN = 3 * 1440.0
PRE_DEPARTURE_LEAD_MIN = 120.0
BLOCK_ERROR_MIN = 90.0
"""Clock times that make a scheduled flight longer or shorter than its distance by this are not believed."""

Offsets = tuple[int, ...]
HOURS = 25
"""Of a day: midnight is hour 0, or hour 24 of the day before."""
_REGION_KM = (800, 1600, 2800, 5000)
EPOCH = dt.date(1970, 1, 1).toordinal()


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

    __hash__ = object.__hash__  # that of Enum is a function of Python, and every answer looks its specialist up

    @property
    def horizon(self) -> Horizon:
        """The moment that it is for."""
        return _HORIZONS[self]

    @property
    def sees_network(self) -> bool:
        """Whether it is told of the hours just gone."""
        return self in {Specialist.PRE_DEPARTURE, Specialist.DEPARTED}

    @property
    def sees_habits(self) -> bool:
        """Whether it is told of the weeks just gone; once a flight has left, old habits mislead (decision 0013)."""
        return self is not Specialist.DEPARTED_ALONE

    @classmethod
    def of(cls, flight: AnyFlight, *, fresh: bool) -> Specialist:
        """Return who answers for a flight: it has left if its departure delay is given."""
        if flight.dep_delay is None:
            return cls.PRE_DEPARTURE if fresh else cls.SCHEDULE
        return cls.DEPARTED if fresh else cls.DEPARTED_ALONE


_HORIZONS = {
    specialist: Horizon.DEPARTED if specialist is Specialist.DEPARTED_ALONE else Horizon(specialist.value)
    for specialist in Specialist
}


class Route(NamedTuple):
    """What follows from the airports of a flight: their codes, NaN where not met in training, distance and zones."""

    origin: float
    dest: float
    distance_km: float
    """The great circle; NaN where an airport is not known."""
    zones: tuple[str, str] | None
    """None where an airport is not known."""


class Day(NamedTuple):
    """What follows from the date of a flight."""

    number: int
    """Proleptic ordinal."""
    weekday: int
    holiday_days: int
    """To or from the nearest holiday, at most the reach."""


@dataclass(frozen=True)
class Codes:
    """What the model knows of the world: where airports are, and the numbers of the codes seen in training."""

    airports: Mapping[str, Airport]
    carriers: Mapping[str, int]
    origins: Mapping[str, int]
    dests: Mapping[str, int]
    holidays: tuple[int, ...]
    """Proleptic ordinals of the days, ascending."""

    @cached_property
    def route(self) -> Callable[[str, str], Route]:
        """What follows from two airports."""
        return lru_cache(maxsize=65_536)(partial(_route, self))

    @cached_property
    def day(self) -> Callable[[dt.date], Day]:
        """What follows from a date."""
        return lru_cache(maxsize=65_536)(partial(_day, self.holidays))

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields alone: what was computed of them is no part of a file."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class Situation(NamedTuple):
    """A flight and what follows from it, as numbers: NaN where one is missing. Or many flights, as columns of them."""

    carrier: Any
    origin: Any
    dest: Any
    sched_dep_min: Any
    block_min: Any
    weekday: Any
    holiday_days: Any
    distance_km: Any
    dep_delay: Any
    temp_c: Any
    dewp_c: Any
    humid_pct: Any
    wind_speed_ms: Any
    wind_north: Any
    """What of the wind comes from the north, as a share; and from the east."""
    wind_east: Any
    precip_mm: Any
    pressure_hpa: Any
    visib_km: Any
    means: Any
    """Of `MEANS`, what the network's state recalls."""
    inbound: Any
    """`INBOUND`."""


class Feature(NamedTuple):
    """One input of the model: `compute` gives it as a number, NaN where it is missing or unknown.

    It is arithmetic, and so the same for one flight and for columns of many.
    """

    name: str
    unit: str
    known: Known
    compute: Callable[[Situation], Any]
    categorical: bool = False
    of_network: bool = False
    """Whether it comes from the state."""
    lately: bool = False
    """Whether it is worth anything only if the state has been told of the hours just gone."""


def _of_mean(mean: Mean) -> Feature:
    """Return the feature that a mean of the state is: a block time counts against this flight's own."""
    number = MEANS.index(mean)
    known = Known.SCHEDULED if mean.is_habit and mean.measure in _TIMETABLE else Known.PRE_DEPARTURE
    unit = {Measure.AIR: "share", Measure.LATE: "share", Measure.LATER: "share", Measure.WAITING: "flights"}
    compute: Callable[[Situation], Any]
    if mean.measure is Measure.BLOCK:
        compute = lambda s: s.means[number] - s.block_min  # noqa: E731
    elif mean.measure is Measure.EXCESS:
        compute = lambda s: s.means[number] + paced_min(s.distance_km) - s.block_min  # noqa: E731
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
    Feature("carrier", "code", _S, attrgetter("carrier"), categorical=True),
    Feature("origin", "code", _S, attrgetter("origin"), categorical=True),
    Feature("dest", "code", _S, attrgetter("dest"), categorical=True),
    Feature("sched_dep_min", "minute of the day", _S, attrgetter("sched_dep_min")),
    Feature("sched_block_min", "min", _S, attrgetter("block_min")),
    Feature("weekday", "0 is Monday", _S, attrgetter("weekday")),
    Feature("holiday_days", "days", _S, attrgetter("holiday_days")),
    Feature("distance_km", "km", _S, attrgetter("distance_km")),
    Feature("dep_delay", "min", _D, attrgetter("dep_delay")),
    Feature("dep_min", "minute of the day", _D, lambda s: (s.sched_dep_min + s.dep_delay) % 1440.0),
    Feature("temp_c", "°C", _P, attrgetter("temp_c")),
    Feature("dewp_c", "°C", _P, attrgetter("dewp_c")),
    Feature("humid_pct", "%", _P, attrgetter("humid_pct")),
    # As a vector, in which 359 and 1 degrees are near.
    Feature("wind_north_ms", "m/s", _P, lambda s: s.wind_speed_ms * s.wind_north),
    Feature("wind_east_ms", "m/s", _P, lambda s: s.wind_speed_ms * s.wind_east),
    Feature("precip_mm", "mm", _P, attrgetter("precip_mm")),
    Feature("pressure_hpa", "hPa", _P, attrgetter("pressure_hpa")),
    Feature("visib_km", "km", _P, attrgetter("visib_km")),
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


def situation(flight: AnyFlight, date: dt.date, codes: Codes, recalled: Recalled = NOTHING_RECALLED) -> Situation:
    """Return the situation of a flight that leaves on a date, with what a state recalls of it."""
    route, day = codes.route(flight.origin, flight.dest), codes.day(date)
    dep_min, dep_delay, weather = minute_of_day(flight.sched_dep_time), flight.dep_delay, flight.weather
    return Situation._make((
        codes.carriers.get(flight.carrier, nan),
        route.origin,
        route.dest,
        dep_min,
        _block_min(dep_min, flight.sched_arr_time, route, day.number),
        day.weekday,
        day.holiday_days,
        _or_missing(flight.distance) if route.zones is None else route.distance_km,
        nan if dep_delay is None else dep_delay,
        *(_NOTHING_MEASURED if weather is None else _measured(weather)),
        recalled.means,
        recalled.inbound,
    ))  # fmt: skip


@cache
def computes_of(specialist: Specialist) -> tuple[Callable[[Situation], Any], ...]:
    """Return how each of the features that a specialist may see is computed."""
    return tuple(feature.compute for feature in features_of(specialist))


def values(features: tuple[Feature, ...], situation: Situation) -> list[float]:
    """Return the features of one flight."""
    return [feature.compute(situation) for feature in features]


def leg_of(flight: AnyFlight, date: dt.date, codes: Codes) -> Leg:
    """Return the flight as the network's state knows flights, with its instants in UTC; NaN where they are unknown."""
    origin, dest = codes.airports.get(flight.origin), codes.airports.get(flight.dest)
    day, minute = date.toordinal(), minute_of_day(flight.sched_dep_time)
    sched_dep = nan if origin is None else (day - EPOCH) * 1440.0 + minute - offsets(origin.tz, day)[minute // 60]
    sched_arr = sched_dep + _block_min(minute, flight.sched_arr_time, codes.route(flight.origin, flight.dest), day)
    region = None if origin is None or dest is None else region_of(origin, dest)
    return Leg(
        flight.carrier, flight.flight, flight.tailnum, flight.origin, flight.dest, region,
        distance_km(flight, codes), sched_dep, sched_arr, sched_dep + _or_missing(flight.dep_delay),
    )  # fmt: skip


def flown(leg: Leg, arr_delay: float | None, air_time: float | None) -> Leg:
    """Return a leg with what became known of it when it arrived, if it did; both in minutes."""
    return leg._replace(arr=leg.sched_arr + _or_missing(arr_delay), air_time=_or_missing(air_time))


def distance_km(flight: AnyFlight, codes: Codes) -> float:
    """Return the great circle between the airports; what the request says only where one is not known."""
    route = codes.route(flight.origin, flight.dest)
    return _or_missing(flight.distance) if route.zones is None else route.distance_km


def paced_min(distance_km: Any) -> Any:
    """Return what a distance takes from gate to gate, at a jet's own pace; of one flight, or of a column of them."""
    return distance_km / 12.7 + 45.0


@lru_cache(maxsize=65_536)
def region_of(origin: Airport, dest: Airport) -> str:
    """Return where a destination lies: the eighth of the compass, and how far in five steps."""
    eighth = round(degrees(atan2(dest.lon - origin.lon, dest.lat - origin.lat)) / 45) % 8
    return f"{eighth}/{bisect_left(_REGION_KM, _route_km(origin, dest))}"


@lru_cache(maxsize=8192)
def offsets(tz: str, day: int) -> Offsets:
    """Return the minutes that a zone's clocks are ahead of UTC at each hour of a day (proleptic), 0 to 24."""
    midnight = dt.datetime.combine(dt.date.fromordinal(day), dt.time())
    ends = [offset_minutes(tz, midnight + dt.timedelta(hours=hour)) for hour in (0, 24)]
    if ends[0] == ends[1]:  # no zone changes its clocks and changes them back within a day
        return (ends[0],) * HOURS
    return tuple(offset_minutes(tz, midnight + dt.timedelta(hours=hour)) for hour in range(HOURS))


@lru_cache(maxsize=8192)
def clocks(zones: tuple[str, str], day: int) -> tuple[Offsets, tuple[Offsets, ...]]:
    """Return the `offsets` where a flight leaves, and those of the day before, the day, and the day after at its end.

    West of the date line it can land the day before; clocks may change between one day and the next.
    """
    origin, dest = zones
    return offsets(origin, day), tuple(offsets(dest, day + later) for later in (-1, 0, 1))


def wind(degrees: float) -> tuple[float, float]:
    """Return what of a wind from a direction comes from the north and from the east, as shares."""
    direction = radians(degrees)
    return cos(direction), sin(direction)


def _block_min(dep_min: int, sched_arr_time: int | None, route: Route, day: int) -> float:
    """Return the scheduled time from gate to gate: until the first time that the destination's clock shows it."""
    if sched_arr_time is None or route.zones is None:
        return nan
    here, there = clocks(route.zones, day)
    arr_min = minute_of_day(sched_arr_time)
    hour = arr_min // 60
    block = arr_min - dep_min + here[dep_min // 60] - 1440.0
    for offsets_there in there:
        if block > offsets_there[hour]:
            block -= offsets_there[hour]
            return block if abs(block - paced_min(route.distance_km)) < BLOCK_ERROR_MIN else nan
        block += 1440.0
    return nan


def _route(codes: Codes, origin: str, dest: str) -> Route:
    here, there = codes.airports.get(origin), codes.airports.get(dest)
    numbers = codes.origins.get(origin, nan), codes.dests.get(dest, nan)
    if here is None or there is None:
        return Route(*numbers, nan, None)
    return Route(*numbers, _route_km(here, there), (here.tz, there.tz))


def _day(holidays: tuple[int, ...], date: dt.date) -> Day:
    day = date.toordinal()
    place = bisect_left(holidays, day)
    nearest = (abs(day - holiday) for holiday in holidays[max(0, place - 1) : place + 1])
    return Day(day, date.weekday(), min(HOLIDAY_REACH_DAYS, min(nearest, default=HOLIDAY_REACH_DAYS)))


def _or_missing(value: float | None) -> float:
    return nan if value is None else value


_NOTHING_MEASURED = (nan,) * 9
_measures = attrgetter("temp_c", "dewp_c", "humid_pct", "wind_speed_ms", "precip_mm", "pressure_hpa", "visib_km")


def _measured(weather: Any) -> tuple[float, ...]:
    """Return the fields of a situation that are of the weather."""
    degrees = weather.wind_dir_deg
    north_east = (nan, nan) if degrees is None else wind(degrees)
    measures = map(_or_missing, _measures(weather))
    return (*islice(measures, 4), *north_east, *measures)


@lru_cache(maxsize=65_536)
def _route_km(origin: Airport, dest: Airport) -> float:
    return great_circle_km(origin.lat, origin.lon, dest.lat, dest.lon)
