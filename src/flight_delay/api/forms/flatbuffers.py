"""As much of FlatBuffers as the messages of Arrow need: tables, read from bytes that anyone may have sent, and written.

Every place that is read from the bytes is proved to lie within them. https://flatbuffers.dev/internals/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

_OFFSET = struct.Struct("<I")
_BACK = struct.Struct("<i")
_SHORT = struct.Struct("<H")
_MOST_ELEMENTS = 100_000


class Broken(ValueError):
    """The bytes are no such message."""


class Table:
    """A table within bytes; its fields are by their numbers."""

    def __init__(self, content: bytes, place: int) -> None:
        self._content = content
        self._place = place
        self._fields = place - _read(_BACK, content, place)
        self._size = _read(_SHORT, content, self._fields)

    @classmethod
    def root(cls, content: bytes) -> Table:
        """Return the table that all others hang from."""
        return cls(content, _read(_OFFSET, content, 0))

    def number(self, field: int, form: str, default: int = 0) -> int:
        """Return a number; `form` is that of `struct`."""
        place = self._find(field)
        return default if place is None else int(_read(struct.Struct(f"<{form}"), self._content, place))

    def text(self, field: int) -> str:
        """Return a text, empty where there is none."""
        place = self._follow(field)
        if place is None:
            return ""
        length, start = _read(_OFFSET, self._content, place), place + _OFFSET.size
        if start + length > len(self._content):
            raise Broken("a text is longer than the message")
        return self._content[start : start + length].decode("utf-8", "replace")

    def table(self, field: int) -> Table | None:
        """Return a table, None where there is none."""
        place = self._follow(field)
        return None if place is None else Table(self._content, place)

    def tables(self, field: int) -> list[Table]:
        """Return the tables of a list."""
        places = self._elements(field, _OFFSET.size)
        return [Table(self._content, place + _read(_OFFSET, self._content, place)) for place in places]

    def structs(self, field: int, form: str) -> list[tuple[Any, ...]]:
        """Return the structures of a list; `form` is that of `struct`."""
        one = struct.Struct(f"<{form}")
        return [one.unpack_from(self._content, place) for place in self._elements(field, one.size)]

    def _elements(self, field: int, size: int) -> range:
        place = self._follow(field)
        if place is None:
            return range(0)
        count, start = _read(_OFFSET, self._content, place), place + _OFFSET.size
        if count > _MOST_ELEMENTS or start + count * size > len(self._content):
            raise Broken("a list is longer than the message")
        return range(start, start + count * size, size)

    def _follow(self, field: int) -> int | None:
        place = self._find(field)
        return None if place is None else place + _read(_OFFSET, self._content, place)

    def _find(self, field: int) -> int | None:
        entry = 4 + 2 * field
        if entry + 2 > self._size:
            return None
        offset = _read(_SHORT, self._content, self._fields + entry)
        return self._place + offset if offset else None


def _read(one: struct.Struct, content: bytes, place: int) -> int:
    if place < 0 or place + one.size > len(content):
        raise Broken("a place is beyond the message")
    value: int = one.unpack_from(content, place)[0]
    return value


class Scalar(NamedTuple):
    """A number to be written; `form` is that of `struct`."""

    form: str
    value: int


class Structs(NamedTuple):
    """A list of structures of eight-byte numbers to be written."""

    rows: Sequence[tuple[int, ...]]


Tabled = Sequence[Any]
"""A table to be written: for each field a `Scalar`, a text, a table, `Structs`, `Tables`, or None: it is left out."""


class Tables(list[Tabled]):
    """A list of tables to be written."""


def write(root: Tabled) -> bytes:
    """Return the bytes of a table and of all that hangs from it."""
    content = bytearray(8)
    _OFFSET.pack_into(content, 0, _table(content, root))
    content += bytes(-len(content) % 8)
    return bytes(content)


def _table(content: bytearray, fields: Tabled) -> int:
    """Append a table; what hangs from it comes behind it, so that all offsets lead forwards."""
    places, size = _laid_out(fields)
    content += bytes(-len(content) % 8)
    listed = len(content)
    content += struct.pack(f"<HH{len(fields)}H", 4 + 2 * len(fields), size, *places)
    content += bytes(-len(content) % 8)
    start = len(content)
    content += bytes(size)
    _BACK.pack_into(content, start, start - listed)
    for field, place in zip(fields, places, strict=True):
        if isinstance(field, Scalar):
            struct.pack_into(f"<{field.form}", content, start + place, field.value)
        elif field is not None:
            _OFFSET.pack_into(content, start + place, _child(content, field) - (start + place))
    return start


def _laid_out(fields: Tabled) -> tuple[list[int], int]:
    places, end = [], 4
    for field in fields:
        size = 4 if not isinstance(field, Scalar) else struct.calcsize(field.form)
        end += -end % size
        places.append(0 if field is None else end)
        end += 0 if field is None else size
    return places, end + -end % 4


def _child(content: bytearray, value: Any) -> int:
    if isinstance(value, str):
        return _text(content, value.encode())
    if isinstance(value, Structs):
        content += bytes((4 - len(content)) % 8)  # so that what follows the length is aligned to eight bytes
        start = len(content)
        content += _OFFSET.pack(len(value.rows))
        for row in value.rows:
            content += struct.pack(f"<{len(row)}q", *row)
        return start
    if isinstance(value, Tables):
        return _list(content, value)
    return _table(content, value)


def _text(content: bytearray, value: bytes) -> int:
    content += bytes(-len(content) % 4)
    start = len(content)
    content += _OFFSET.pack(len(value)) + value + b"\0"
    return start


def _list(content: bytearray, tables: Tables) -> int:
    content += bytes(-len(content) % 4)
    start = len(content)
    content += _OFFSET.pack(len(tables)) + bytes(4 * len(tables))
    for place, table in zip(_places(start, len(tables)), tables, strict=True):
        _OFFSET.pack_into(content, place, _table(content, table) - place)
    return start


def _places(start: int, count: int) -> Iterator[int]:
    return iter(range(start + 4, start + 4 + 4 * count, 4))
