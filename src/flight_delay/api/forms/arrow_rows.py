"""Rows as a stream of Arrow: read message by message as they come in, and the answer written.

https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic_core import ErrorDetails

from flight_delay.api.errors import ProblemError, refusal
from flight_delay.api.forms import arrow_columns as columns
from flight_delay.api.forms.arrow_columns import Buffers, Column
from flight_delay.api.forms.flatbuffers import Broken, Table
from flight_delay.api.forms.gathering import ID, KNOWN, LONGEST_ID, Gathering, Id, Part
from flight_delay.model.flight_columns import CODES, OF_FLIGHT, OF_WEATHER, REQUIRED, Coded

WEATHER = "weather"
CONTINUES = 0xFFFFFFFF
SCHEMA, DICTIONARY, RECORDS = 1, 2, 3
NAMES = (*OF_FLIGHT, *CODES, *OF_WEATHER, WEATHER, ID)
"""The columns that there may be; the weather is one of structures, or one for each measure."""
_HEAD = struct.Struct("<II")
_MOST_METADATA = 2**20
_NO_THREAD = 4096
"""So many rows are read in a millisecond, for which no thread is begun."""


class ArrowRows:
    """Reads a stream of record batches."""

    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._kept = bytearray()
        self._message: Table | None = None
        self._body_size = 0
        self._columns: list[Column] | None = None
        self._dictionaries: dict[int, Coded | NDArray[np.float64]] = {}
        self._ended = False

    async def feed(self, piece: bytes) -> None:
        """Take the next bytes; raises `ProblemError` where they are no stream of flights, or of too many."""
        self._kept += piece
        try:
            while not self._ended and self._take_head():
                if len(self._kept) < self._body_size:
                    break
                message, body = self._message, bytes(memoryview(self._kept)[: self._body_size])
                del self._kept[: self._body_size]
                self._message = None
                await self._take(message, body)
        except (Broken, ValueError, OverflowError, struct.error) as error:
            raise _malformed(self._gathering.rows, str(error)) from error

    async def finish(self) -> None:
        """Take the end."""
        if self._message is not None or (self._kept and not self._ended) or self._columns is None:
            raise _malformed(self._gathering.rows, "the stream ends in the middle")

    def close(self) -> None:
        """Do nothing: nothing is held."""

    def _take_head(self) -> bool:
        """Read what comes before the body of a message; return whether it is there."""
        if self._message is not None:
            return True
        if len(self._kept) < _HEAD.size:
            return False
        mark, size = _HEAD.unpack_from(self._kept)
        if mark != CONTINUES:
            raise Broken("it is no stream of Arrow")
        if size == 0:
            self._ended = True
            return False
        if size > _MOST_METADATA:
            raise Broken("a message describes too much")
        end = _HEAD.size + size
        if len(self._kept) < end:
            return False
        self._message = Table.root(bytes(self._kept[_HEAD.size : end]))
        self._body_size = self._message.number(3, "q")
        if self._body_size < 0:
            raise Broken("a message has a body of no size")
        del self._kept[:end]
        return True

    async def _take(self, message: Table | None, body: bytes) -> None:
        assert message is not None
        kind, header = message.number(1, "B"), message.table(2)
        if header is None:
            raise Broken("a message has no header")
        if kind == SCHEMA:
            self._take_schema(header)
        elif self._columns is None:
            raise Broken("there is no schema")
        elif kind == DICTIONARY:
            self._take_dictionary(header, memoryview(body))
        elif kind == RECORDS:
            buffers = Buffers(header, memoryview(body))
            self._gathering.allow(buffers.rows)
            if buffers.rows <= _NO_THREAD:
                part = self._part(buffers)
            else:
                part = await asyncio.to_thread(self._part, buffers)
            self._gathering.add(part)
        else:
            raise Broken(f"a message is of kind {kind}")

    def _take_schema(self, schema: Table) -> None:
        if self._columns is not None:
            raise Broken("there are two schemas")
        if schema.number(0, "h"):
            raise Broken("its numbers are big-endian")
        found = [columns.column_of(one) for one in schema.tables(1)]
        problems = list(_problems(found))
        if problems:
            raise ProblemError.of_fields(problems, NAMES)
        self._columns = found

    def _take_dictionary(self, header: Table, body: memoryview) -> None:
        number, batch = header.number(0, "q"), header.table(1)
        owner = next((one for one in _flat(self._columns or []) if one.dictionary == number), None)
        if batch is None or owner is None or header.number(2, "B"):
            raise Broken("a dictionary belongs to no column, or is given in parts")
        buffers = Buffers(batch, body)
        self._gathering.allow(0 if buffers.rows <= self._gathering.most_rows else buffers.rows)
        assert owner.kind is not None
        of_texts = owner.kind.number in columns.TEXTS
        self._dictionaries[number] = (columns.coded_of if of_texts else columns.numbers_of)(
            owner, buffers, buffers.rows
        )

    def _part(self, buffers: Buffers) -> Part:
        rows = buffers.rows
        numbers: dict[str, NDArray[np.float64]] = {}
        codes: dict[str, Coded] = {}
        ids: Sequence[Id] | None = None
        for column in self._columns or []:
            if column.name == WEATHER:
                numbers |= self._weather(column, buffers)
            elif column.name == ID:
                ids = self._ids(column, buffers)
            elif column.name in CODES:
                codes[column.name] = self._codes(column, buffers)
            else:
                numbers[column.name] = self._numbers(column, buffers, rows)
        return Part(rows, numbers, codes, ids, _too_long(ids) if ids is not None else {})

    def _numbers(self, column: Column, buffers: Buffers, rows: int) -> NDArray[np.float64]:
        if column.dictionary is None:
            return columns.numbers_of(column, buffers, rows)
        values = self._dictionary(column)
        assert not isinstance(values, Coded)
        return np.append(values, np.nan)[columns.places_of(column, buffers, rows, len(values))]

    def _codes(self, column: Column, buffers: Buffers) -> Coded:
        rows = buffers.rows
        if column.kind is not None and column.kind.number == columns.NULL:
            buffers.node(rows)
            return Coded(np.full(rows, -1, np.int32), ())
        if column.dictionary is None:
            return columns.coded_of(column, buffers, rows)
        values = self._dictionary(column)
        assert isinstance(values, Coded)
        places = columns.places_of(column, buffers, rows, len(values.indices))
        return Coded(np.append(values.indices, np.int32(-1))[places], values.values)

    def _ids(self, column: Column, buffers: Buffers) -> Sequence[Id]:
        rows, kind = buffers.rows, column.kind
        if column.dictionary is not None:
            coded = self._codes(column, buffers)
            return [coded.values[place] if place >= 0 else None for place in coded.indices.tolist()]
        if kind is not None and kind.number == columns.INT:
            return columns.whole_of(column, buffers, rows)
        if kind is not None and kind.number == columns.NULL:
            buffers.node(rows)
            return [None] * rows
        return columns.texts_of(column, buffers, rows, 4 * (LONGEST_ID + 1))

    def _weather(self, column: Column, buffers: Buffers) -> Mapping[str, NDArray[np.float64]]:
        valid = buffers.valid(buffers.rows, buffers.node(buffers.rows))
        found = {child.name: self._numbers(child, buffers, buffers.rows) for child in column.children}
        return found if valid is None else {name: np.where(valid, one, np.nan) for name, one in found.items()}

    def _dictionary(self, column: Column) -> Coded | NDArray[np.float64]:
        found = self._dictionaries.get(column.dictionary if column.dictionary is not None else -1)
        if found is None:
            raise Broken("a dictionary is missing")
        return found


def _flat(found: Sequence[Column]) -> Iterator[Column]:
    for column in found:
        yield column
        yield from column.children


def _problems(found: Sequence[Column]) -> Iterator[ErrorDetails]:
    """Yield what is wrong with a schema."""
    names = [column.name for column in found]
    weather = [child.name for column in found if column.name == WEATHER for child in column.children]
    for name in REQUIRED:
        if name not in names:
            yield refusal("missing", (name,), None)
    for name in dict.fromkeys(name for name in [*names, *weather] if [*names, *weather].count(name) > 1):
        yield refusal("column_twice", (name,), None)
    for column in found:
        if column.name not in NAMES:
            yield refusal("extra_forbidden", (column.name,), None)
        elif column.name == WEATHER:
            yield from _problems_of_weather(column)
        elif not _fits(column):
            yield refusal("column_type", (column.name,), None)


def _problems_of_weather(column: Column) -> Iterator[ErrorDetails]:
    if column.kind is None or column.kind.number != columns.STRUCT:
        yield refusal("column_type", (WEATHER,), None)
    for child in column.children:
        if child.name not in OF_WEATHER:
            yield refusal("extra_forbidden", (WEATHER, child.name), None)
        elif not _fits(child):
            yield refusal("column_type", (WEATHER, child.name), None)


def _fits(column: Column) -> bool:
    if column.kind is None:
        return False
    number = column.kind.number
    if column.name == ID:
        return number in columns.TEXTS or (number in {columns.INT, columns.NULL} and column.dictionary is None)
    if column.name in CODES:
        return number in columns.TEXTS or (number == columns.NULL and column.dictionary is None)
    return number in columns.NUMBERS


def _too_long(ids: Sequence[Id]) -> dict[int, list[ErrorDetails]]:
    return {
        row: [refusal("row_id", (ID,), one)]
        for row, one in enumerate(ids)
        if isinstance(one, str) and len(one) > LONGEST_ID
    }


def _malformed(row: int, problem: str) -> ProblemError:
    return ProblemError(422, "malformed_rows", [refusal("arrow_invalid", (row,), None, error=problem)], KNOWN, row=row)
