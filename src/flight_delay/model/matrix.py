"""The features of many flights at once: a row a flight, a column a feature."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flight_delay.flight import Flight, date_of
from flight_delay.model.features import (
    BLOCK_ERROR_MIN,
    EPOCH,
    FEATURES,
    HOURS,
    Codes,
    Feature,
    Horizon,
    Route,
    Situation,
    Specialist,
    clocks,
    features_of,
    offsets,
    paced_min,
    wind,
)
from flight_delay.model.flight_columns import Coded, FlightColumns, date_keys, date_of_key, distinct
from flight_delay.model.means import INBOUND, MEANS, TOLD, Key
from flight_delay.model.network_state import NetworkState, Recalled

Floats = NDArray[np.float64]
COLUMN = {feature.name: number for number, feature in enumerate(FEATURES)}


class Played(NamedTuple):
    """What was known of each leg that was asked about; as `Recalled`, but of columns."""

    means: Floats
    """(legs, `MEANS`)"""
    inbound: Floats
    """(legs, `INBOUND`)"""

    @classmethod
    def of(cls, recalled: Sequence[Recalled]) -> Played:
        """Return the columns of what was recalled one by one."""
        means = np.array([one.means for one in recalled], np.float64).reshape(len(recalled), len(MEANS))
        return cls(means, np.array([one.inbound for one in recalled], np.float64).reshape(len(recalled), len(INBOUND)))


def matrix(flights: Sequence[Flight], today: dt.date, codes: Codes, played: Played) -> Floats:
    """Return (flights, `FEATURES`), NaN where a value is missing.

    `today` is what a flight without a year is understood from.
    """
    situation = situations(FlightColumns.of(flights), today, codes, [*played.means.T], [*played.inbound.T])
    return values_of_many(FEATURES, situation)


def values_of_many(features: Sequence[Feature], situation: Situation) -> Floats:
    """Return (flights, features), the features of many flights."""
    result = np.empty((len(situation.dep_delay), len(features)))
    for number, feature in enumerate(features):
        result[:, number] = feature.compute(situation)
    return result


def situations(
    flights: FlightColumns, today: dt.date, codes: Codes, means: Sequence[Any], inbound: Sequence[Any]
) -> Situation:
    """Return the situation of many flights, with a column of each of `MEANS` and of `INBOUND`."""
    numbers = flights.numbers
    routes, route = _routes(flights.codes["origin"], flights.codes["dest"], codes)
    keys, date = distinct(date_keys(numbers))
    days = [codes.day(date_of(*date_of_key(key), today)) for key in keys.tolist()]
    dep_min, arr_min = (_minutes(numbers[name]) for name in ("sched_dep_time", "sched_arr_time"))
    number, weekday, holiday_days = np.array(days, np.int64).reshape(-1, 3).T
    wind_north, wind_east = _winds(numbers["wind_dir_deg"])
    return Situation(
        carrier=_numbered(flights.codes["carrier"], codes.carriers),
        origin=_column([one.origin for one in routes])[route],
        dest=_column([one.dest for one in routes])[route],
        sched_dep_min=dep_min,
        block_min=_blocks(routes, route, number, date, dep_min, arr_min),
        weekday=weekday[date],
        holiday_days=holiday_days[date],
        distance_km=_distances(routes, route, numbers["distance"]),
        dep_delay=numbers["dep_delay"],
        temp_c=numbers["temp_c"],
        dewp_c=numbers["dewp_c"],
        humid_pct=numbers["humid_pct"],
        wind_speed_ms=numbers["wind_speed_ms"],
        wind_north=wind_north,
        wind_east=wind_east,
        precip_mm=numbers["precip_mm"],
        pressure_hpa=numbers["pressure_hpa"],
        visib_km=numbers["visib_km"],
        means=means,
        inbound=inbound,
    )


def distances_km(flights: FlightColumns, codes: Codes) -> Floats:
    """Return the great circles between the airports; what the flights say only where one is not known."""
    routes, route = _routes(flights.codes["origin"], flights.codes["dest"], codes)
    return _distances(routes, route, flights.numbers["distance"])


def sched_deps(flights: FlightColumns, today: dt.date, codes: Codes) -> Floats:
    """Return when flights are scheduled to leave, minutes UTC since 1970; NaN where the airport is not known."""
    origins, dep_min = flights.codes["origin"], _minutes(flights.numbers["sched_dep_time"])
    keys, date = distinct(date_keys(flights.numbers))
    days = [date_of(*date_of_key(key), today).toordinal() for key in keys.tolist()]
    pairs, clock = _pairs(origins.indices, date, len(days))
    airports = [codes.airports.get(code) for code in origins.values]
    ahead = np.full((len(pairs), HOURS), np.nan)
    for row, (origin, day) in enumerate(pairs):
        if (airport := airports[origin]) is not None:
            ahead[row] = offsets(airport.tz, days[day])
    midnights = (np.array(days, np.float64) - EPOCH) * 1440.0
    minutes: Floats = midnights[date] + dep_min - ahead[clock, (dep_min // 60).astype(np.int64)]
    return minutes


def habits(flights: FlightColumns, state: NetworkState) -> list[Floats]:
    """Return a column of each of `MEANS`, of flights of which the state was told nothing lately."""
    origins, dests, carriers = (flights.codes[name] for name in ("origin", "dest", "carrier"))
    numbers = np.nan_to_num(flights.numbers["flight"]).astype(np.int64)
    routes, route = _pairs(origins.indices, dests.indices, len(dests.values))
    own, flight = _pairs(carriers.indices, numbers, _FLIGHT_NUMBERS)
    means = [np.full(len(flights), np.nan)] * len(MEANS)
    for key, place, values in (
        (Key.ROUTE, route, [(origins.values[origin], dests.values[dest]) for origin, dest in routes]),
        (Key.FLIGHT, flight, [(carriers.values[carrier], number) for carrier, number in own]),
    ):
        known = np.full((len(MEANS), len(values)), np.nan)
        for column, value in enumerate(values):
            for number, mean in state.habits(key, value):
                known[number, column] = mean
        for number in np.flatnonzero(~np.isnan(known).all(axis=1)).tolist():
            means[number] = known[number][place]
    return means


def columns(specialist: Specialist) -> list[int]:
    """Return which columns of the matrix a specialist may see."""
    return [COLUMN[feature.name] for feature in features_of(specialist)]


def by_specialist(rows: Floats) -> Iterator[tuple[Specialist, NDArray[np.bool_]]]:
    """Yield each specialist that is asked, with which rows are its own; the rule is that of `Specialist.of`."""
    departed, fresh = ~np.isnan(rows[:, COLUMN["dep_delay"]]), ~np.isnan(rows[:, COLUMN[MEANS[TOLD].name]])
    for specialist in Specialist:
        mine = (departed == (specialist.horizon is Horizon.DEPARTED)) & (fresh == specialist.sees_network)
        if mine.any():
            yield specialist, mine


def is_strange(rows: Floats) -> NDArray[np.bool_]:
    """Return which flights have an airport or an airline that was never met."""
    codes = rows[:, [COLUMN[name] for name in ("carrier", "origin", "dest")]]
    return np.asarray(np.isnan(codes).any(axis=1), np.bool_)


def _routes(origins: Coded, dests: Coded, codes: Codes) -> tuple[list[Route], NDArray[np.int64]]:
    """Return the distinct routes, and which of them each flight takes."""
    pairs, route = _pairs(origins.indices, dests.indices, len(dests.values))
    return [codes.route(origins.values[origin], dests.values[dest]) for origin, dest in pairs], route


def _pairs(first: NDArray[Any], second: NDArray[Any], size: int) -> tuple[list[tuple[int, int]], NDArray[np.int64]]:
    """Return the distinct pairs of two columns, the second of numbers below a size, and which is that of each row."""
    keys, place = distinct(first.astype(np.int64) * size + second)
    return [divmod(key, size) for key in keys.tolist()], place


_FLIGHT_NUMBERS = 10_000


def _distances(routes: Sequence[Route], route: NDArray[np.int64], said: Floats) -> Floats:
    great_circle = _column([one.distance_km for one in routes])[route]
    return np.where(np.isnan(great_circle), said, great_circle)


def _numbered(coded: Coded, numbers: Mapping[str, int]) -> Floats:
    return _column([numbers.get(value, np.nan) for value in coded.values])[coded.indices]


def _column(numbers: Sequence[float]) -> Floats:
    return np.array(numbers, np.float64)


def _minutes(hhmm: Floats) -> Floats:
    """Return minutes since midnight of clock times written hhmm."""
    minutes: Floats = hhmm // 100 * 60 + hhmm % 100
    return minutes


def _winds(degrees: Floats) -> Floats:
    """Return (2, flights), what of the winds comes from the north and from the east.

    By the functions that one flight is computed with: those of numpy differ from them in the last bit.
    """
    result = np.full((2, len(degrees)), np.nan)
    told = np.flatnonzero(~np.isnan(degrees))
    if len(told):
        found, places = np.unique(degrees[told], return_inverse=True)
        result[:, told] = np.array([wind(one) for one in found.tolist()]).T[:, places]
    return result


def _blocks(
    routes: Sequence[Route],
    route: NDArray[np.int64],
    days: NDArray[np.int64],
    date: NDArray[np.int64],
    dep_min: Floats,
    arr_min: Floats,
) -> Floats:
    """Return the scheduled times from gate to gate: until the first time that the destination's clock shows it.

    `route` and `date` say which of the routes and days are those of each flight.
    """
    zones = list(dict.fromkeys(one.zones for one in routes if one.zones is not None))
    place_of = dict(zip([None, *zones], range(-1, len(zones)), strict=True))
    zone = np.array([place_of[one.zones] for one in routes], np.int64)[route]
    asked = np.flatnonzero((zone >= 0) & ~np.isnan(arr_min))
    result = np.full(len(route), np.nan)
    pairs, clock = _pairs(zone[asked], date[asked], len(days))
    known = (clocks(zones[pair], int(days[day])) for pair, day in pairs)
    ahead = np.array([(here, *there) for here, there in known], np.float64).reshape(-1, 4, HOURS)
    leaves, lands = dep_min[asked], arr_min[asked]
    leaves = leaves - ahead[clock, 0, (leaves // 60).astype(np.int64)]
    hour = (lands // 60).astype(np.int64)
    block = np.full(len(asked), np.nan)
    for there, later in ((3, 1440.0), (2, 0.0), (1, -1440.0)):
        gap = lands + later - ahead[clock, there, hour] - leaves
        block = np.where(gap > 0, gap, block)
    pace = paced_min(np.array([one.distance_km for one in routes]))[route[asked]]
    result[asked] = np.where(abs(block - pace) < BLOCK_ERROR_MIN, block, np.nan)
    return result
