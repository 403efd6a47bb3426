"""Many flights as columns: what reads batches and files makes them, and the model answers them at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from operator import attrgetter
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from flight_delay.flight import Flight, Weather, date_exists, ranges
from flight_delay.model.any_flight import AnyFlight

Floats = NDArray[np.float64]
CODES = ("origin", "dest", "carrier", "tailnum")
OF_FLIGHT = tuple(ranges(Flight))
OF_WEATHER = tuple(ranges(Weather))
REQUIRED = tuple(name for name, field in Flight.model_fields.items() if field.is_required())


class Coded(NamedTuple):
    """A column of texts, each by its place among the distinct ones."""

    indices: NDArray[np.int32]
    """-1 where it is absent."""
    values: Sequence[str]

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> Self:
        """Return a column of these texts."""
        values = tuple(text for text in dict.fromkeys(texts) if text is not None)
        places: dict[str | None, int] = {text: place for place, text in enumerate(values)}
        indices = np.fromiter(map(places.get, texts, repeat(-1)), np.int32, len(texts))
        return cls(indices, values)

    def texts(self) -> list[str | None]:
        """Return the texts, None where one is absent."""
        values = (*self.values, None)
        return [values[place] for place in self.indices.tolist()]


class Report(NamedTuple):
    """A row's weather, as it stands in its columns."""

    temp_c: float | None
    dewp_c: float | None
    humid_pct: float | None
    wind_dir_deg: float | None
    wind_speed_ms: float | None
    wind_gust_ms: float | None
    precip_mm: float | None
    pressure_hpa: float | None
    visib_km: float | None


class Row(NamedTuple):
    """A row, as it stands in its columns: a flight, if nobody has a problem with it."""

    month: int
    day: int
    hour: int | None
    sched_dep_time: int
    sched_arr_time: int | None
    origin: str
    dest: str
    carrier: str
    distance: float | None
    dep_delay: float | None
    year: int | None
    flight: int | None
    tailnum: str | None
    weather: Report | None


@dataclass(frozen=True)
class FlightColumns:
    """Flights as columns, not yet checked: `problems` says which of them are none.

    Attributes
    ----------
    numbers : (flights,), float64
        Every field of `Flight` and of `Weather` that is a number, by its name; NaN where it is absent.
    codes
        Every field of `Flight` that is a text.
    """

    numbers: Mapping[str, Floats]
    codes: Mapping[str, Coded]

    def __len__(self) -> int:
        return len(self.numbers["month"])

    @classmethod
    def of(cls, flights: Sequence[AnyFlight]) -> Self:
        """Return the columns of flights; weather of which nothing was measured is none."""
        count = len(flights)
        nothing = np.full(count, np.nan)
        reports = [flight.weather for flight in flights]
        measured = reports.count(None) < count
        numbers = _columns(flights, OF_FLIGHT, nothing)
        numbers |= _columns([report or _NO_WEATHER for report in reports], OF_WEATHER, nothing) if measured else {}
        codes = {name: Coded.of([getattr(flight, name) for flight in flights]) for name in CODES}
        return cls({name: numbers.get(name, nothing) for name in (*OF_FLIGHT, *OF_WEATHER)}, codes)

    def take(self, rows: NDArray[Any] | slice) -> Self:
        """Return some of the rows, by their numbers or by which are among them."""
        taken = {id(column): column[rows] for column in self.numbers.values()}
        return type(self)(
            {name: taken[id(column)] for name, column in self.numbers.items()},
            {name: Coded(coded.indices[rows], coded.values) for name, coded in self.codes.items()},
        )

    def rows(self) -> Iterator[Row]:
        """Yield the rows, which are taken to be flights."""
        said: dict[str, Iterable[Any]] = {
            name: _said(column, int if name in _WHOLE else float) for name, column in self.numbers.items()
        }
        said |= {name: coded.texts() for name, coded in self.codes.items()}
        said["weather"] = map(_report, zip(*(said[name] for name in Report._fields), strict=False))
        return map(Row._make, zip(*(said[name] for name in Row._fields), strict=False))

    def body(self, row: int) -> dict[str, Any]:
        """Return the fields of a row as a request would say them."""
        said: dict[str, Any] = self._numbers(OF_FLIGHT, row)
        said |= {name: c.values[c.indices[row]] for name, c in self.codes.items() if c.indices[row] >= 0}
        weather = self._numbers(OF_WEATHER, row)
        return said | ({"weather": weather} if weather else {})

    def flight(self, row: int) -> Flight:
        """Return one flight; raises `pydantic.ValidationError` where it is none."""
        return Flight.model_validate(self.body(row))

    def problems(self) -> Iterator[tuple[int, list[ErrorDetails]]]:
        """Yield the rows that are no flights, in their order, with what `Flight` says against each."""
        for row in np.flatnonzero(self._are_wrong()).tolist():
            try:
                self.flight(row)
            except ValidationError as error:
                yield row, error.errors(include_url=False)

    def _numbers(self, names: Sequence[str], row: int) -> dict[str, float]:
        found = {name: float(self.numbers[name][row]) for name in names}
        return {name: number for name, number in found.items() if number == number}  # noqa: PLR0124  (not missing)

    def _are_wrong(self) -> NDArray[np.bool_]:
        wrong = np.zeros(len(self), np.bool_)
        for name in REQUIRED:
            wrong |= self.codes[name].indices < 0 if name in CODES else np.isnan(self.numbers[name])
        for name, (low, high) in (ranges(Flight) | ranges(Weather)).items():
            wrong |= (self.numbers[name] < low) | (self.numbers[name] > high)
        for name in _WHOLE:
            wrong |= np.floor(self.numbers[name]) < self.numbers[name]
        for name in _CLOCK_TIMES:
            wrong |= np.fmod(np.where(wrong, 0.0, self.numbers[name]), 100) > 59
        for name, pattern in _patterns().items():
            indices, values = self.codes[name]
            fits = [pattern.fullmatch(value) is not None for value in values]
            wrong |= ~np.array([*fits, True])[indices]
        right = np.flatnonzero(~wrong)
        wrong[right] = _hour_disagrees(self.numbers, right) | _no_such_date(self.numbers, right)
        return wrong


def distinct(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct keys, ascending, and for each key its place among them."""
    low, high = (int(keys.min()), int(keys.max())) if len(keys) else (0, 0)
    if high - low > _SPARSE * (len(keys) + 100):
        return np.unique(keys, return_inverse=True)
    there = np.zeros(high - low + 1, np.bool_)
    there[keys - low] = True
    return np.flatnonzero(there) + low, (np.cumsum(there) - 1)[keys - low]


def date_keys(numbers: Mapping[str, Floats]) -> NDArray[np.int64]:
    """Return a number for each date of the columns, from which `date_of_key` tells it."""
    year, month, day = (np.nan_to_num(numbers[name]).astype(np.int64) for name in ("year", "month", "day"))
    return (year * 12 + month - 1) * 31 + day - 1


def date_of_key(key: int) -> tuple[int | None, int, int]:
    """Return year (None where it was not said), month and day."""
    months, day = divmod(key, 31)
    year, month = divmod(months, 12)
    return year or None, month + 1, day + 1


_SPARSE = 8
"""Keys that lie further apart than so many places each are sorted; others are marked in a table."""
_NO_WEATHER = Weather()
_WHOLE = [name for name in OF_FLIGHT if name not in {"distance", "dep_delay"}]
_CLOCK_TIMES = ("sched_dep_time", "sched_arr_time")


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    schema = Flight.model_json_schema()["properties"]
    return {name: re.compile((schema[name].get("anyOf") or [schema[name]])[0]["pattern"]) for name in CODES}


def _hour_disagrees(numbers: Mapping[str, Floats], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    hour, time = numbers["hour"][rows], numbers["sched_dep_time"][rows]
    is_midnight = (time == 2400) & (hour == 0)
    disagrees: NDArray[np.bool_] = ~np.isnan(hour) & (hour != time // 100) & ~is_midnight
    return disagrees


def _no_such_date(numbers: Mapping[str, Floats], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    found, places = distinct(date_keys({name: numbers[name][rows] for name in ("year", "month", "day")}))
    return ~np.array([date_exists(*date) for date in map(date_of_key, found.tolist())], np.bool_)[places]


def _report(measures: tuple[float | None, ...]) -> Report | None:
    return None if measures.count(None) == len(measures) else Report._make(measures)


def _said(column: Floats, kind: type[float]) -> Iterable[float | None]:
    """Return a column as Python's own numbers."""
    if np.isnan(column).all():
        return repeat(None)
    return [None if number != number else kind(number) for number in column.tolist()]  # noqa: PLR0124  (missing)


def _columns(flights: Sequence[Any], names: Sequence[str], nothing: Floats) -> dict[str, Floats]:
    """Return what is said of some fields; `nothing` for one of which no flight says anything."""
    columns = zip(names, zip(*map(attrgetter(*names), flights), strict=True), strict=False)
    return {
        name: nothing if column.count(None) == len(column) else np.array(column, np.float64) for name, column in columns
    }
