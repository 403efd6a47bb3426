"""Rows of a body as they come in, put together as columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic_core import ErrorDetails

from flight_delay.api.errors import ProblemError
from flight_delay.flight import Flight
from flight_delay.model.flight_columns import CODES, OF_FLIGHT, OF_WEATHER, Coded, FlightColumns

ID = "id"
"""The one column that is not asked of the model, and comes back beside the answer."""
KNOWN = (*Flight.model_fields, ID)
"""The keys that a row may have."""
LONGEST_ID = 128
Id = str | int | None


class Part(NamedTuple):
    """Some rows that came together; a column that none of them has is left out."""

    rows: int
    numbers: Mapping[str, NDArray[np.float64]]
    codes: Mapping[str, Coded]
    ids: Sequence[Id] | None
    refused: Mapping[int, list[ErrorDetails]]
    """What is wrong with rows that could not be read, by their number among these."""


@dataclass(frozen=True)
class Rows:
    """All rows of a body; those that could not be read are there as rows of nothing."""

    columns: FlightColumns
    ids: Sequence[Id] | None
    refused: Mapping[int, list[ErrorDetails]]

    def __len__(self) -> int:
        return len(self.columns)

    def problems(self) -> Iterator[tuple[int, list[ErrorDetails]]]:
        """Yield what is wrong with rows, in their order."""
        unread = dict(self.refused)
        for row, errors in self.columns.problems():
            yield row, unread.pop(row, errors)


class Gathering:
    """Puts parts together; raises `ProblemError` (413) once there are too many rows."""

    def __init__(self, most_rows: int) -> None:
        self.most_rows = most_rows
        self.rows = 0
        self._starts: list[int] = []
        self._numbers: dict[str, list[tuple[int, NDArray[np.float64]]]] = {}
        self._codes: dict[str, _Codes] = {}
        self._ids: list[Id] | None = None
        self._refused: dict[int, list[ErrorDetails]] = {}

    def allow(self, rows: int) -> None:
        """Refuse more rows than there may be, before they are read."""
        if self.rows + rows > self.most_rows:
            raise ProblemError(413, "too_many_rows", limit=self.most_rows)

    def add(self, part: Part) -> None:
        """Take the next rows."""
        self.allow(part.rows)
        for name, column in part.numbers.items():
            self._numbers.setdefault(name, []).append((self.rows, column))
        for name, coded in part.codes.items():
            self._codes.setdefault(name, _Codes()).add(self.rows, coded)
        if part.ids is not None and self._ids is None:
            self._ids = [None] * self.rows
        if self._ids is not None:
            self._ids += [None] * part.rows if part.ids is None else part.ids
        self._refused |= {self.rows + row: errors for row, errors in part.refused.items()}
        self.rows += part.rows

    def whole(self) -> Rows:
        """Return all rows."""
        nothing = np.full(self.rows, np.nan)
        numbers = {
            name: _joined(self._numbers[name], self.rows, np.nan) if name in self._numbers else nothing
            for name in (*OF_FLIGHT, *OF_WEATHER)
        }
        codes = {name: self._codes.get(name, _Codes()).whole(self.rows) for name in CODES}
        return Rows(FlightColumns(numbers, codes), self._ids, self._refused)


class _Codes:
    """One column of texts."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._pieces: list[tuple[int, NDArray[np.int32]]] = []

    def add(self, start: int, coded: Coded) -> None:
        places = [self._places.setdefault(value, len(self._places)) for value in coded.values]
        self._pieces.append((start, np.array([*places, -1], np.int32)[coded.indices]))

    def whole(self, rows: int) -> Coded:
        return Coded(_joined(self._pieces, rows, -1, np.int32), tuple(self._places))


def _joined(pieces: list[tuple[int, NDArray[Any]]], rows: int, missing: float, dtype: Any = np.float64) -> NDArray[Any]:
    if len(pieces) == 1 and len(pieces[0][1]) == rows:
        return pieces[0][1]
    column = np.full(rows, missing, dtype)
    for start, piece in pieces:
        column[start : start + len(piece)] = piece
    return column
