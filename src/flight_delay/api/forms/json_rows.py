"""Rows as JSON: one list of objects, or an object a line (NDJSON); read piece by piece as they come in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from pydantic import PlainValidator, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from flight_delay.api.body import UNREADABLE
from flight_delay.api.errors import ProblemError, refusal
from flight_delay.api.forms.gathering import ID, KNOWN, LONGEST_ID, Gathering, Id, Part
from flight_delay.flight import Flight
from flight_delay.model.flight_columns import CODES, OF_FLIGHT, OF_WEATHER, Coded

PIECE = 64 * 1024
"""Bytes that are read at a time, some hundred rows: less than a millisecond, after which others have their turn."""
LONGEST_ROW = 64 * 1024
_SMALLEST_ID, _LARGEST_ID = -(2**63), 2**63 - 1
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[{}\[\],]', re.DOTALL)
"""A text, also one that is cut off, or a sign between values."""


def _id(value: Any) -> Any:
    if value is None or (type(value) is int and _SMALLEST_ID <= value <= _LARGEST_ID):
        return value
    if type(value) is str and len(value) <= LONGEST_ID:
        return value
    raise PydanticCustomError("row_id", "a text or a whole number is needed")


class _Row(Flight):
    """A flight with what its sender calls it."""

    id: Annotated[Any, PlainValidator(_id)] = None


_TEXT = Annotated[str, msgspec.Meta(max_length=LONGEST_ID)]
_INTEGER = Annotated[int, msgspec.Meta(ge=_SMALLEST_ID, le=_LARGEST_ID)]
_ID = _TEXT | _INTEGER | None


def _struct() -> type[msgspec.Struct]:
    """Return a row as it is read fast: by its types alone, the ranges being looked at in whole columns."""
    weather = msgspec.defstruct(
        "Weather",
        [(name, float | None, None) for name in OF_WEATHER],
        forbid_unknown_fields=True,
        gc=False,
    )
    fields: list[Any] = []
    for name, field in Flight.model_fields.items():
        kind = weather if name == "weather" else str if name in CODES else float
        fields.append((name, kind) if field.is_required() else (name, kind | None, None))
    fields.append((ID, _ID, None))
    return msgspec.defstruct("Row", fields, forbid_unknown_fields=True, kw_only=True, gc=False)


_STRUCT = _struct()
_NAMES = (*OF_FLIGHT, *CODES, "weather", ID)
_fields = attrgetter(*_NAMES)
_rows: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[_STRUCT])  # type: ignore[valid-type]
_row: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_STRUCT)
_raw: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_called: msgspec.json.Decoder[Any] = msgspec.json.Decoder(msgspec.defstruct("Called", [(ID, _ID, None)]))
_weather = attrgetter(*OF_WEATHER)


class JsonList:
    """Reads a list; the pieces that it is cut into end between two of its elements."""

    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._kept = b""
        self._opened = False
        self._more = False
        """Whether a comma was the last that was read: an element must follow."""

    async def feed(self, piece: bytes) -> None:
        """Take the next bytes; raises `ProblemError` where they are no list of objects, or too many."""
        kept = self._kept + piece
        if not self._opened:
            kept = kept.lstrip()
            if not kept:
                return
            if not kept.startswith(b"["):
                raise _malformed(0, "list_needed")
            kept, self._opened = kept[1:], True
        cut = _last_cut(kept)
        if cut < 0:
            self._keep(kept)
            return
        try:
            self._take(kept[:cut])
        except UNREADABLE:
            cut = _true_cut(kept)
            if cut >= 0:
                self._take_or_refuse(kept[:cut])
        if cut >= 0:
            self._more = True
            kept = kept[cut + 1 :]
        self._keep(kept)

    async def finish(self) -> None:
        """Take the end."""
        rest = self._kept.rstrip()
        if not self._opened or not rest.endswith(b"]"):
            raise _malformed(self._gathering.rows, "cut_short")
        rest = rest[:-1].strip()
        if rest or self._more:
            self._take_or_refuse(rest)

    def close(self) -> None:
        """Do nothing: nothing is held."""

    def _keep(self, rest: bytes) -> None:
        if len(rest) > LONGEST_ROW:
            raise ProblemError(413, "row_too_long", row=self._gathering.rows, limit=LONGEST_ROW)
        self._kept = rest

    def _take_or_refuse(self, elements: bytes) -> None:
        try:
            self._take(elements)
        except UNREADABLE as error:
            raise _malformed(self._gathering.rows, "json_invalid", error=str(error)) from error

    def _take(self, elements: bytes) -> None:
        content = b"[%b]" % elements
        try:
            part = _part(_rows.decode(content))
        except UNREADABLE:
            part = _part_of(list(map(bytes, _raw.decode(content))))
        self._gathering.add(part)


class JsonLines:
    """Reads an object a line; lines of nothing are passed over."""

    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._kept = b""

    async def feed(self, piece: bytes) -> None:
        """Take the next bytes; raises `ProblemError` where a row is too long, or there are too many."""
        lines, newline, rest = piece.rpartition(b"\n")
        if newline:
            self._take(self._kept + lines)
            self._kept = rest
        else:
            self._kept += piece
        if len(self._kept) > LONGEST_ROW:
            raise ProblemError(413, "row_too_long", row=self._gathering.rows, limit=LONGEST_ROW)

    async def finish(self) -> None:
        """Take the end."""
        self._take(self._kept)

    def close(self) -> None:
        """Do nothing: nothing is held."""

    def _take(self, lines: bytes) -> None:
        try:
            part = _part(_row.decode_lines(lines))
        except UNREADABLE:
            part = _part_of([line for line in lines.split(b"\n") if line.strip()])
        self._gathering.add(part)


def pieces(body: bytes) -> Iterator[bytes]:
    """Cut what came in at once into pieces that are read at a time."""
    for start in range(0, len(body), PIECE):
        yield body[start : start + PIECE]


def _part(rows: Sequence[Any]) -> Part:
    """Return rows as columns."""
    if not rows:
        return Part(0, {}, {}, None, {})
    columns = dict(zip(_NAMES, zip(*map(_fields, rows), strict=True), strict=True))
    numbers = {name: _numbers(columns[name]) for name in OF_FLIGHT if not _is_absent(columns[name])}
    weather = columns["weather"]
    if not _is_absent(weather):
        nothing = (None,) * len(OF_WEATHER)
        measured = zip(*(nothing if one is None else _weather(one) for one in weather), strict=True)
        numbers |= {name: _numbers(column) for name, column in zip(OF_WEATHER, measured, strict=True)}
    codes = {name: Coded.of(columns[name]) for name in CODES if not _is_absent(columns[name])}
    return Part(len(rows), numbers, codes, None if _is_absent(columns[ID]) else columns[ID], {})


def _is_absent(column: tuple[Any, ...]) -> bool:
    return column[0] is None and column.count(None) == len(column)


def _numbers(column: tuple[Any, ...]) -> NDArray[np.float64]:
    return np.array(column, np.float64)  # None is NaN


def _part_of(rows: Sequence[bytes]) -> Part:
    """Return rows of which some cannot be read, with what is wrong with these."""
    read: list[Any] = []
    refused: dict[int, list[ErrorDetails]] = {}
    for number, row in enumerate(rows):
        try:
            read.append(_row.decode(row))
        except UNREADABLE:
            errors, found = _asked_again(row)
            if found is None:
                refused[number] = errors
            read.append(_Nothing(row) if found is None else found)
    return _part(read)._replace(refused=refused)


def _asked_again(row: bytes) -> tuple[list[ErrorDetails], Any]:
    """Return what `Flight` says against a row, or the row, where it says nothing."""
    try:
        said = _Row.model_validate_json(row)
    except ValidationError as error:
        return error.errors(include_url=False), None
    return [], msgspec.convert(said.model_dump(), _STRUCT)


class _Nothing:
    """Stands for a row that cannot be read, by the id that it was given."""

    def __init__(self, row: bytes) -> None:
        try:
            self.id = _called.decode(row).id
        except UNREADABLE:
            self.id = None

    def __getattr__(self, _: str) -> None:
        return None


def _last_cut(kept: bytes) -> int:
    """Return where the last comma between two objects seems to be, -1 where there is none.

    It may lie within a text, or within an object: what is before it then is no JSON.
    """
    place = len(kept)
    while (place := kept.rfind(b"{", 0, place)) > 0:
        before = kept[max(0, place - _NEAR) : place].rstrip()
        if before.endswith(b",") and before[:-1].rstrip().endswith(b"}"):
            return max(0, place - _NEAR) + len(before) - 1
    return -1


_NEAR = 200
"""How many bytes of white space there may be between two objects for the place to be found at once."""


def _true_cut(kept: bytes) -> int:
    """Return where the last comma between two elements is, -1 where there is none: found by reading all of it."""
    depth, last = 0, -1
    for token in _TOKEN.finditer(kept):
        sign = token[0]
        if sign in b"{[":
            depth += 1
        elif sign in b"}]":
            depth -= 1
        elif sign == b"," and depth == 0:
            last = token.start()
    return last


def _malformed(row: int, problem: str, **facts: str) -> ProblemError:
    return ProblemError(422, "malformed_rows", [refusal(problem, (row,), None, **facts)], KNOWN, row=row)


def written(minutes: NDArray[np.float64]) -> bytes:
    """Return numbers separated by commas."""
    return msgspec.json.encode(minutes.tolist())[1:-1]


def answers(minutes: NDArray[np.float64], ids: Sequence[Id] | None, errors: Mapping[int, str], between: bytes) -> bytes:
    """Return the objects of some rows, a separator between them."""
    if not len(minutes):
        return b""
    if ids is None and not errors:
        return b'{"prediction":%b}' % written(minutes).replace(b",", b"}" + between + b'{"prediction":')
    objects = []
    for row, number in enumerate(minutes.tolist()):
        answer: dict[str, Any] = {} if ids is None else {ID: ids[row]}
        answer |= {"prediction": None, "error": errors[row]} if row in errors else {"prediction": number}
        objects.append(msgspec.json.encode(answer))
    return between.join(objects)
