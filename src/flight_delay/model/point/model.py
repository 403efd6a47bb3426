"""Somebody else's regressor in a form that executes nothing: columns as data, and linear weights or trees as arrays.

It answers minutes of arrival delay and no distribution. Reading it never unpickles.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flight_delay.airports import Airport
from flight_delay.errors import BrokenArtifact, FieldsNeeded
from flight_delay.model.any_flight import AnyFlight
from flight_delay.model.artifact import Manifest, added
from flight_delay.model.features import Codes
from flight_delay.model.flight_columns import FlightColumns
from flight_delay.model.point.columns import (
    NUMBERS,
    TEXTS,
    Column,
    Columns,
    fields_behind,
    fields_of,
    fields_of_many,
    from_facts,
    is_always_a_number,
    is_missing,
    lacks,
    to_facts,
)
from flight_delay.model.point.trees import Forest

KIND = "point"
FORMAT = 1
LIMIT_MIN = 100_000.0
"""No answer is further from the timetable: 69 days."""
_ZIP = b"PK\x03\x04"
_LINKS = ("identity", "exp")
_MOST_EXPONENT = 700.0
_OF_REQUEST = {"distance_km": "distance"}
_ROWS_AT_A_TIME = 8192
_WHO = ("carrier", "origin", "dest")


class Vocabulary(NamedTuple):
    """The values of a field that a model met."""

    values: tuple[str | float, ...]
    complete: bool
    """Whether all are there; one-hot columns without the first category do not name it."""

    def has(self, value: str) -> bool:
        """Whether a value was met, or may have been: the unnamed category sorts before all named ones."""
        return value in self.values or (not self.complete and value < min(map(str, self.values)))


@dataclass(frozen=True)
class Head:
    """One regressor: the link of an intercept, weighted columns and trees; `weight` is its part in the answer.

    Attributes
    ----------
    columns : (weights,), int32
    coef : (weights,), float64
    single : bool
        Whether the trees see the columns rounded to 32 bits, as those of scikit-learn do.
    """

    weight: float
    link: str
    intercept: float
    columns: NDArray[np.int32]
    coef: NDArray[np.float64]
    forest: Forest | None
    single: bool

    def __post_init__(self) -> None:
        if self.link not in _LINKS or type(self.single) is not bool:
            raise BrokenArtifact("a head has no such link")
        if self.columns.dtype != np.int32 or self.coef.dtype != np.float64 or self.columns.ndim != 1:
            raise BrokenArtifact("the weights are not numbers")
        if self.columns.shape != self.coef.shape or (self.columns < 0).any():
            raise BrokenArtifact("the weights do not fit the columns")
        if not (np.isfinite(self.coef).all() and _are_finite(self.weight, self.intercept)):
            raise BrokenArtifact("a weight is not finite")

    @property
    def width(self) -> int:
        """How many columns it looks at, at least."""
        widest = int(self.columns.max()) + 1 if len(self.columns) else 0
        return widest if self.forest is None else max(widest, self.forest.width)

    def answer(self, row: NDArray[np.float64]) -> float:
        """Return its part of the minutes."""
        total = self.intercept + float(row.take(self.columns) @ self.coef)
        if self.forest is not None:
            total += self.forest.predict(row.astype(np.float32).astype(np.float64) if self.single else row)
        return self.weight * (math.exp(min(total, _MOST_EXPONENT)) if self.link == "exp" else total)

    def answer_many(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return its part of the minutes of many flights, (rows, columns)."""
        total = self.intercept + np.vecdot(rows.take(self.columns, axis=1), self.coef)
        if self.forest is not None:
            total += self.forest.predict_many(rows.astype(np.float32).astype(np.float64) if self.single else rows)
        if self.link == "exp":  # by the function that one flight is answered with: numpy's differs in the last bit
            total = np.array([math.exp(min(one, _MOST_EXPONENT)) for one in total.tolist()])
        weighted: NDArray[np.float64] = self.weight * total
        return weighted


@dataclass(frozen=True)
class PointModel:
    """A model that answers minutes; its answers equal those of the object that it was made of.

    Attributes
    ----------
    airports
        Where airports are, for the distance; that of the request is used only where one is not known.
    demands
        The fields without which it has no answer.
    known
        The values that it met, of the fields that it takes as categories.
    """

    manifest: Manifest
    airports: Mapping[str, Airport]
    columns: Sequence[Column]
    heads: Sequence[Head]
    demands: Sequence[str]
    known: Mapping[str, Vocabulary]
    _codes: Codes = field(init=False, repr=False, compare=False)
    _computed: Columns = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_codes", Codes(self.airports, {}, {}, {}, ()))
        object.__setattr__(self, "_computed", Columns(self.columns))
        if not self.heads or any(head.width > len(self.columns) for head in self.heads):
            raise BrokenArtifact("a head looks at columns that are not there")
        if not set(self.demands) | set(self.known) <= set(NUMBERS) | set(TEXTS):
            raise BrokenArtifact("it asks for fields that a flight has not")
        if not all(vocabulary.values for vocabulary in self.known.values() if not vocabulary.complete):
            raise BrokenArtifact("an incomplete vocabulary has no values")
        weighted = [self.columns[place] for head in self.heads for place in head.columns.tolist()]
        if not all(is_always_a_number(column, self.columns) for column in weighted):
            raise BrokenArtifact("a weighted column may be no number")
        if not {name for column in weighted for name in fields_behind(column, self.columns)} <= set(self.demands):
            raise BrokenArtifact("a weighted column may be missing")

    def answer(self, flight: AnyFlight, today: dt.date) -> float:
        """Return minutes of arrival delay, negative is early, of a flight that lacks nothing that it `needs`.

        `today` is what a flight without a year is understood from. Raises `BrokenArtifact` where the arithmetic
        overflows, so that no NaN ever comes out.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            row = self._computed.row(fields_of(flight, today, self._codes))
            minutes: float = added([head.answer(row) for head in self.heads])
        if math.isnan(minutes):
            raise BrokenArtifact("the answer to this flight is not a number")
        return min(max(minutes, -LIMIT_MIN), LIMIT_MIN)

    def minutes(self, flights: FlightColumns, today: dt.date) -> NDArray[np.float64]:
        """Answer many flights, each as `answer` does.

        Raises `FieldsNeeded` where one lacks what it `needs`, `BrokenArtifact` as `answer` does.
        """
        result = np.empty(len(flights))
        for start in range(0, len(flights), _ROWS_AT_A_TIME):
            some = slice(start, start + _ROWS_AT_A_TIME)
            result[some] = self._minutes(flights.take(some), today)
        return result

    def _minutes(self, flights: FlightColumns, today: dt.date) -> NDArray[np.float64]:
        fields = fields_of_many(flights, today, self._codes)
        lacking = [_OF_REQUEST.get(name, name) for name in self.demands if lacks(fields[name])]
        if lacking:
            raise FieldsNeeded(list(dict.fromkeys(lacking)))
        with np.errstate(over="ignore", invalid="ignore"):
            rows = self._computed.rows(fields, len(flights))
            minutes = added([head.answer_many(rows) for head in self.heads])
        if np.isnan(minutes).any():
            raise BrokenArtifact("the answer to a flight is not a number")
        limited: NDArray[np.float64] = np.clip(minutes, -LIMIT_MIN, LIMIT_MIN)
        return limited

    def needs(self, flight: AnyFlight) -> list[str]:
        """Return the fields of the request that it has no answer without, and that the flight lacks."""
        fields = fields_of(flight, _ANY_DAY, self._codes)
        lacking = [_OF_REQUEST.get(name, name) for name in self.demands if is_missing(fields[name])]
        return list(dict.fromkeys(lacking))

    def is_strange(self, flight: AnyFlight) -> bool:
        """Whether its airports or its airline were never met, as far as the model tells them apart."""
        return not all(self.known[name].has(getattr(flight, name)) for name in _WHO if name in self.known)

    def to_bytes(self) -> bytes:
        """Return the file; the same model gives the same bytes."""
        facts = json.dumps(self._facts, sort_keys=True, allow_nan=False).encode()
        arrays: dict[str, Any] = {"manifest": np.frombuffer(facts, np.uint8)}
        for number, head in enumerate(self.heads):
            parts: dict[str, Any] = {"columns": head.columns, "coef": head.coef}
            parts |= {} if head.forest is None else head.forest.arrays()
            arrays |= {f"{number}.{name}": array for name, array in parts.items()}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> PointModel:
        """Read a file; raises `BrokenArtifact` for anything but a whole artefact of this kind and format."""
        if not content.startswith(_ZIP):  # numpy would recommend to open it as a pickle
            raise BrokenArtifact("it is no .npz file")
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            facts = json.loads(arrays.pop("manifest").tobytes())
            if (facts["kind"], facts["format"]) != (KIND, FORMAT):
                raise BrokenArtifact(f"{facts['kind']} {facts['format']}, this version reads {KIND} {FORMAT}")
            return cls(
                manifest=Manifest(facts["source_sha256"], facts["lineage"]),
                airports={
                    code: Airport(float(lat), float(lon), tz) for code, (lat, lon, tz) in facts["airports"].items()
                },
                columns=tuple(from_facts(column) for column in facts["columns"]),
                heads=tuple(_head(n, head, arrays) for n, head in enumerate(facts["heads"])),
                demands=tuple(facts["demands"]),
                known={
                    name: Vocabulary(tuple(values), complete) for name, (values, complete) in facts["known"].items()
                },
            )
        except BrokenArtifact:
            raise
        # numpy, zipfile and json raise whatever damaged bytes lead them to.
        except Exception as error:
            raise BrokenArtifact(f"{type(error).__name__}: {error}") from error

    @cached_property
    def _facts(self) -> dict[str, Any]:
        return {
            "kind": KIND,
            "format": FORMAT,
            "source_sha256": self.manifest.source_sha256,
            "lineage": self.manifest.lineage,
            "airports": dict(self.airports),
            "columns": [to_facts(column) for column in self.columns],
            "heads": [
                {
                    "weight": head.weight,
                    "link": head.link,
                    "intercept": head.intercept,
                    "trees": head.forest is not None,
                    "single": head.single,
                }
                for head in self.heads
            ],
            "demands": list(self.demands),
            "known": {name: [list(known.values), known.complete] for name, known in self.known.items()},
        }


_ANY_DAY = dt.date(2000, 1, 1)
"""What a flight lacks does not hang on its year."""


def _head(number: int, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Head:
    prefix = f"{number}."
    parts = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
    return Head(
        weight=facts["weight"],
        link=facts["link"],
        intercept=facts["intercept"],
        columns=parts["columns"],
        coef=parts["coef"],
        forest=Forest.from_arrays(parts) if facts["trees"] else None,
        single=facts["single"],
    )


def _are_finite(*numbers: Any) -> bool:
    return all(type(number) in {int, float} and math.isfinite(number) for number in numbers)
