"""The columns of somebody else's model, as data: how each comes from the fields of a flight, and nothing to execute.

The same columns make the rows that a model is checked with and the rows that it answers.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from flight_delay.errors import BrokenArtifact
from flight_delay.flight import date_of
from flight_delay.model.any_flight import AnyFlight
from flight_delay.model.features import Codes, distance_km
from flight_delay.model.flight_columns import Coded, FlightColumns, date_keys, date_of_key, distinct
from flight_delay.model.matrix import Floats, distances_km

KM_PER_MILE = 1.609344
NUMBERS = (
    "month", "day", "hour", "minute", "sched_dep_time", "sched_arr_time", "distance", "distance_km", "dep_delay",
    "year", "flight",
)  # fmt: skip
"""Fields that are numbers; `distance` is in miles, as in the public table that such models are fitted on."""
TEXTS = ("origin", "dest", "carrier", "tailnum")

Value: TypeAlias = "float | str | None"
"""Of a field: a number, NaN where it is missing, or a text, None where it is."""
Step: TypeAlias = "tuple[str, float]"
_ZERO = 1e-35


class Number(NamedTuple):
    """A field that is a number, after some arithmetic."""

    field: str
    steps: tuple[Step, ...] = ()


class Table(NamedTuple):
    """A number for each value of a field, one for every other value, and one where it is missing; NaN may be one."""

    field: str
    numbers: tuple[tuple[str | float, float], ...]
    otherwise: float
    missing: float


class Product(NamedTuple):
    """The product of earlier columns, none of them a product, after some arithmetic; of no columns it is 1."""

    of: tuple[int, ...]
    steps: tuple[Step, ...] = ()


Column: TypeAlias = "Number | Table | Product"

STEPS: dict[str, Callable[[float, float], float]] = {
    "fill": lambda x, by: by if math.isnan(x) else x,
    "minus": lambda x, by: x - by,
    "plus": lambda x, by: x + by,
    "times": lambda x, by: x * by,
    "over": lambda x, by: x / by,
    "least": max,
    "most": min,
    "is_missing": lambda x, _: 1.0 if math.isnan(x) else 0.0,
    "zero_is_missing": lambda x, _: math.nan if abs(x) <= _ZERO else x,
}
"""What may be done to a number; `max` and `min` return their first argument where it is NaN."""
STEPS_OF_MANY: dict[str, Callable[[Floats, float], Floats]] = {
    "fill": lambda x, by: np.where(np.isnan(x), by, x),
    "minus": lambda x, by: x - by,
    "plus": lambda x, by: x + by,
    "times": lambda x, by: x * by,
    "over": lambda x, by: x / by,
    "least": lambda x, by: np.where(by > x, by, x),
    "most": lambda x, by: np.where(by < x, by, x),
    "is_missing": lambda x, _: np.isnan(x).astype(np.float64),
    "zero_is_missing": lambda x, _: np.where(abs(x) <= _ZERO, np.nan, x),
}
"""The same, done to a column of numbers."""


def fields_of(flight: AnyFlight, today: dt.date, codes: Codes) -> dict[str, Value]:
    """Return every field of a flight that a column may come from; a year that is absent follows from `today`."""
    km = distance_km(flight, codes)
    return {
        "month": float(flight.month),
        "day": float(flight.day),
        "hour": float(flight.sched_dep_time // 100),
        "minute": float(flight.sched_dep_time % 100),
        "sched_dep_time": float(flight.sched_dep_time),
        "sched_arr_time": _or_missing(flight.sched_arr_time),
        "distance": km / KM_PER_MILE,
        "distance_km": km,
        "dep_delay": _or_missing(flight.dep_delay),
        "year": float(date_of(flight.year, flight.month, flight.day, today).year),
        "flight": _or_missing(flight.flight),
        "origin": flight.origin,
        "dest": flight.dest,
        "carrier": flight.carrier,
        "tailnum": flight.tailnum,
    }


def fields_of_many(flights: FlightColumns, today: dt.date, codes: Codes) -> dict[str, Floats | Coded]:
    """Return the same of many flights, as columns."""
    numbers = flights.numbers
    km, keys = distances_km(flights, codes), date_keys(numbers)
    dates, date = distinct(keys)
    years = np.array([date_of(*date_of_key(key), today).year for key in dates.tolist()], np.float64)
    return {
        **{name: numbers[name] for name in ("month", "day", "sched_dep_time", "sched_arr_time", "dep_delay", "flight")},
        **flights.codes,
        "hour": numbers["sched_dep_time"] // 100,
        "minute": numbers["sched_dep_time"] % 100,
        "distance": km / KM_PER_MILE,
        "distance_km": km,
        "year": years[date],
    }


def is_missing(value: Any) -> bool:
    """Whether a field has no value."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def lacks(column: Floats | Coded) -> bool:
    """Whether a field has no value in any of the flights."""
    return bool((column.indices < 0).any() if isinstance(column, Coded) else np.isnan(column).any())


def after(steps: Sequence[Step], value: float) -> float:
    """Return a number after some arithmetic, in the order of the steps."""
    for name, by in steps:
        value = STEPS[name](value, by)
    return value


def after_of_many(steps: Sequence[Step], values: Floats) -> Floats:
    """Return a column of numbers after the same arithmetic."""
    for name, by in steps:
        values = STEPS_OF_MANY[name](values, by)
    return values


class Columns:
    """Columns ready to be computed for one flight in microseconds; raises `BrokenArtifact` where they cannot be."""

    def __init__(self, columns: Sequence[Column]) -> None:
        for place, column in enumerate(columns):
            _check(column, columns[:place])
        self._base = np.zeros(len(columns) + 1)
        self._base[-1] = 1.0  # what fills up a product of few columns
        self._numbers = [(n, c.field, c.steps) for n, c in enumerate(columns) if isinstance(c, Number)]
        self._effects = self._tables([(n, c) for n, c in enumerate(columns) if isinstance(c, Table)])
        products = [(n, c) for n, c in enumerate(columns) if isinstance(c, Product)]
        self._products = np.array([n for n, _ in products], np.int64)
        self._factors = _padded([c.of for _, c in products], len(columns))
        self._after = [(n, c.steps) for n, c in products if c.steps]

    def row(self, fields: Mapping[str, Value]) -> NDArray[np.float64]:
        """Return the columns of one flight."""
        row = self._base.copy()
        for place, field, steps in self._numbers:
            row[place] = after(steps, fields[field])  # type: ignore[arg-type]  # it is a number, by its name
        for field, (effects, missing) in self._effects.items():
            value = fields[field]
            effect = missing if is_missing(value) else effects.get(value)
            if effect is not None:
                row[effect[0]] = effect[1]
        if len(self._products):
            row[self._products] = row[self._factors].prod(axis=1)
            for place, steps in self._after:
                row[place] = after(steps, float(row[place]))
        return row[:-1]

    def rows(self, fields: Mapping[str, Any], count: int) -> Floats:
        """Return the columns of many flights, (flights, columns), of the columns of their fields."""
        rows = np.tile(self._base, (count, 1))
        for place, field, steps in self._numbers:
            rows[:, place] = after_of_many(steps, fields[field])
        for field, (effects, missing) in self._effects.items():
            places = np.unique(np.concatenate([missing[0], *(effect[0] for effect in effects.values())]))
            values, value = _values(fields[field])
            table = np.tile(self._base, (len(values), 1))
            for row, one in zip(table, values, strict=True):
                effect = missing if is_missing(one) else effects.get(one)
                if effect is not None:
                    row[effect[0]] = effect[1]
            rows[:, places] = table[:, places][value]
        if len(self._products):
            rows[:, self._products] = rows[:, self._factors].prod(axis=2)
            for place, steps in self._after:
                rows[:, place] = after_of_many(steps, rows[:, place])
        return rows[:, :-1]

    def _tables(self, tables: Sequence[tuple[int, Table]]) -> dict[str, tuple[dict[Any, _Effect], _Effect]]:
        found: dict[str, dict[Any, list[tuple[int, float]]]] = {}
        for place, table in tables:
            self._base[place] = table.otherwise
            of_field = found.setdefault(table.field, {None: []})
            of_field[None].append((place, table.missing))
            for value, number in table.numbers:
                of_field.setdefault(value, []).append((place, number))
        return {
            field: ({value: _effect(pairs) for value, pairs in effects.items()}, _effect(effects[None]))
            for field, effects in found.items()
        }


def _values(column: Floats | Coded) -> tuple[Sequence[Value], NDArray[np.int64]]:
    """Return the values of a field, and which of them each flight has; the last is that of one that is absent."""
    if isinstance(column, Coded):
        return (*column.values, None), column.indices.astype(np.int64)
    values, value = np.unique(column, return_inverse=True)
    return values.tolist(), value


_Effect: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.float64]]"


def fields_behind(column: Column, columns: Sequence[Column]) -> list[str]:
    """Return the fields without which a column is NaN."""
    if isinstance(column, Product):
        return [field for place in column.of for field in fields_behind(columns[place], columns)]
    missing = after(column.steps, math.nan) if isinstance(column, Number) else column.missing
    return [column.field] if math.isnan(missing) else []


def is_always_a_number(column: Column, columns: Sequence[Column]) -> bool:
    """Whether a column is a number for every value of the fields that it comes from."""
    if isinstance(column, Product):
        return all(is_always_a_number(columns[place], columns) for place in column.of)
    if isinstance(column, Number):
        return all(name != "zero_is_missing" for name, _ in column.steps)
    return not any(math.isnan(number) for number in (column.otherwise, *dict(column.numbers).values()))


def to_facts(column: Column) -> dict[str, Any]:
    """Return a column as JSON can hold it; what is not a number is null."""
    if isinstance(column, Table):
        return {
            "field": column.field,
            "numbers": [[value, _or_null(number)] for value, number in column.numbers],
            "otherwise": _or_null(column.otherwise),
            "missing": _or_null(column.missing),
        }
    source = {"field": column.field} if isinstance(column, Number) else {"of": list(column.of)}
    return source | {"steps": [list(step) for step in column.steps]}


def from_facts(facts: Mapping[str, Any]) -> Column:
    """Return the column that facts of JSON are."""
    if "numbers" in facts:
        return Table(
            facts["field"],
            tuple((value, _or_missing(number)) for value, number in facts["numbers"]),
            _or_missing(facts["otherwise"]),
            _or_missing(facts["missing"]),
        )
    steps = tuple((name, by) for name, by in facts["steps"])
    return Product(tuple(facts["of"]), steps) if "of" in facts else Number(facts["field"], steps)


def _or_missing(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _or_null(number: float) -> float | None:
    return None if math.isnan(number) else number


def _effect(pairs: Sequence[tuple[int, float]]) -> _Effect:
    return np.array([place for place, _ in pairs], np.int64), np.array([number for _, number in pairs], np.float64)


def _padded(factors: Sequence[tuple[int, ...]], filler: int) -> NDArray[np.int64]:
    width = max(map(len, factors), default=0)
    return np.array([[*own, *[filler] * (width - len(own))] for own in factors], np.int64).reshape(len(factors), width)


def _check(column: Column, earlier: Sequence[Column]) -> None:
    if isinstance(column, Table):
        fits = _table_fits(column)
    else:
        fits = all(name in STEPS and _is_finite(by) and (name != "over" or by != 0.0) for name, by in column.steps)
        if isinstance(column, Number):
            fits = fits and column.field in NUMBERS
        else:
            fits = fits and all(type(n) is int and 0 <= n < len(earlier) for n in column.of)
            fits = fits and not any(isinstance(earlier[n], Product) for n in column.of)
    if not fits:
        raise BrokenArtifact(f"a column cannot be computed: {str(column)[:200]}")


def _table_fits(table: Table) -> bool:
    numbers = [table.otherwise, table.missing, *(number for _, number in table.numbers)]
    if table.field in TEXTS:
        values_fit = all(type(value) is str for value, _ in table.numbers)
    else:
        values_fit = table.field in NUMBERS and all(_is_finite(value) for value, _ in table.numbers)
    return values_fit and all(math.isnan(number) or _is_finite(number) for number in numbers)


def _is_finite(value: Any) -> bool:
    return type(value) in {int, float} and math.isfinite(value)
