"""Columns of a record batch of Arrow as numbers and codes, by arithmetic on their buffers.

The buffers are anyone's: what they say of each other is proved before it is followed.
https://arrow.apache.org/docs/format/Columnar.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import lz4.frame
import numpy as np
from numpy.typing import NDArray

from flight_delay.api.forms.flatbuffers import Broken, Table
from flight_delay.model.flight_columns import Coded, distinct

NULL, INT, FLOAT, UTF8, DECIMAL, STRUCT, LARGE_UTF8, UTF8_VIEW = 1, 2, 3, 5, 7, 13, 20, 24
TEXTS = frozenset({UTF8, LARGE_UTF8, UTF8_VIEW})
NUMBERS = frozenset({NULL, INT, FLOAT, DECIMAL})
_BYTES_FOR_EACH = 512
"""No column of flights needs so many for a row."""
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
_BASE = len(_ALPHABET) + 1
_LONGEST = 11
"""So many characters of the alphabet fit into one number of 64 bits."""
_DIGITS = np.full(256, -1, np.int64)
_DIGITS[np.frombuffer(_ALPHABET, np.uint8)] = np.arange(1, _BASE)
_INLINE = 12
_LENGTH_SIZE = 8
_LONGEST_SHOWN = 200


class Kind(NamedTuple):
    """A type: its number in the format; `dtype` of its numbers, or of its offsets; `scale` of a decimal."""

    number: int
    dtype: Any = None
    scale: int = 0


@dataclass(frozen=True)
class Column:
    """A column as the schema describes it; `index` is the type of the places in a dictionary, where it has one."""

    name: str
    kind: Kind | None
    children: tuple[Column, ...] = field(default=())
    dictionary: int | None = None
    index: Kind | None = None


def column_of(described: Table, depth: int = 0) -> Column:
    """Return a column; its kind is None where it is none of numbers or texts."""
    number, type_ = described.number(2, "B"), described.table(3)
    children = described.tables(5) if number == STRUCT and depth == 0 else []
    encoding = described.table(4)
    if encoding is None:
        dictionary, index = None, None
    else:
        dictionary, index = encoding.number(0, "q"), _kind(INT, encoding.table(1)) or Kind(INT, np.dtype("<i4"))
    return Column(
        described.text(0),
        Kind(STRUCT) if number == STRUCT and depth == 0 and encoding is None else _kind(number, type_),
        tuple(column_of(child, depth + 1) for child in children),
        dictionary,
        index,
    )


def _kind(number: int, type_: Table | None) -> Kind | None:
    if number in {NULL, UTF8, LARGE_UTF8, UTF8_VIEW}:
        return Kind(number, np.dtype("<i8" if number == LARGE_UTF8 else "<i4"))
    if type_ is None:
        return None
    if number == INT and (bits := type_.number(0, "i")) in {8, 16, 32, 64}:
        return Kind(number, np.dtype(f"<{'i' if type_.number(1, 'B') else 'u'}{bits // 8}"))
    if number == FLOAT and (precision := type_.number(0, "h")) in {0, 1, 2}:
        return Kind(number, np.dtype(f"<f{2 << precision}"))
    if number == DECIMAL and type_.number(2, "i", 128) == 128 and 0 <= (scale := type_.number(1, "i")) <= 38:
        return Kind(number, np.dtype("<u8"), scale)
    return None


class Buffers:
    """The buffers of a record batch, one after the other."""

    def __init__(self, batch: Table, body: memoryview) -> None:
        self.rows = batch.number(0, "q")
        if self.rows < 0:
            raise Broken("a batch has less than no rows")
        self._body = body
        self._nodes = iter(batch.structs(1, "qq"))
        self._buffers = iter(batch.structs(2, "qq"))
        self._variadic: Iterator[tuple[int]] = iter(batch.structs(4, "q"))
        compression = batch.table(3)
        self._codec = None if compression is None else compression.number(0, "b")
        if self._codec not in {None, 0}:
            raise Broken("it is compressed by zstd; lz4 is read, and what is not compressed")

    def node(self, rows: int) -> int:
        """Return how many values of the next column are missing; it must have so many rows."""
        length, missing = self._next(self._nodes)
        if length != rows or missing < 0:
            raise Broken("a column has not as many rows as its batch")
        return int(missing)

    def variadic(self) -> int:
        """Return how many buffers of data the next column of views has."""
        (count,) = self._next(self._variadic)
        if not 0 <= count <= 1000:
            raise Broken("a column has too many buffers")
        return int(count)

    def take(self, rows: int) -> memoryview:
        """Return the next buffer, decompressed; no larger than so many rows need."""
        offset, length = self._next(self._buffers)
        if offset < 0 or length < 0 or offset + length > len(self._body):
            raise Broken("a buffer is beyond its message")
        content = self._body[offset : offset + length]
        return content if self._codec is None or not length else _decompressed(content, _BYTES_FOR_EACH * (rows + 2))

    def array(self, dtype: Any, count: int, rows: int) -> NDArray[Any]:
        """Return the next buffer as numbers."""
        content = self.take(rows)
        if len(content) < count * np.dtype(dtype).itemsize:
            raise Broken("a buffer is too short")
        return np.frombuffer(content, dtype, count)

    def valid(self, rows: int, missing: int) -> NDArray[np.bool_] | None:
        """Return which values are there, None where all are."""
        content = self.take(rows)
        if not missing or not rows:
            return None
        if len(content) < (rows + 7) // 8:
            raise Broken("a buffer is too short")
        bits = np.unpackbits(np.frombuffer(content, np.uint8), count=rows, bitorder="little")
        return bits.astype(np.bool_)

    @staticmethod
    def _next(described: Iterator[Any]) -> Any:
        found = next(described, None)
        if found is None:
            raise Broken("a batch has less columns than its schema")
        return found


def _decompressed(content: memoryview, most: int) -> memoryview:
    length = int.from_bytes(content[:_LENGTH_SIZE], "little", signed=True)
    if length == -1:
        return content[_LENGTH_SIZE:]
    if not 0 <= length <= most:
        raise Broken("a buffer is larger than its rows need")
    try:
        # One byte more than there may be shows that there is more; no more than that is ever decompressed.
        raw = lz4.frame.LZ4FrameDecompressor().decompress(bytes(content[_LENGTH_SIZE:]), length + 1)
    except (RuntimeError, EOFError) as error:
        raise Broken(str(error)) from error
    if len(raw) != length:
        raise Broken("a buffer is not as long as it says")
    return memoryview(raw)


def numbers_of(column: Column, buffers: Buffers, rows: int) -> NDArray[np.float64]:
    """Return a column of numbers, NaN where one is missing."""
    kind = column.kind
    assert kind is not None, "the schema was looked at"
    missing = buffers.node(rows)
    if kind.number == NULL:
        return np.full(rows, np.nan)
    valid = buffers.valid(rows, missing)
    if kind.number == DECIMAL:
        raw = buffers.array("<u8", 2 * rows, rows).reshape(-1, 2)
        numbers = (raw[:, 1].view("<i8").astype(np.float64) * 2.0**64 + raw[:, 0]) / 10.0**kind.scale
    else:
        numbers = buffers.array(kind.dtype, rows, rows).astype(np.float64)
    return numbers if valid is None else np.where(valid, numbers, np.nan)


def whole_of(column: Column, buffers: Buffers, rows: int) -> list[int | None]:
    """Return a column of whole numbers, None where one is missing."""
    assert column.kind is not None, "the schema was looked at"
    valid = buffers.valid(rows, buffers.node(rows))
    found: list[int | None] = buffers.array(column.kind.dtype, rows, rows).tolist()
    return found if valid is None else [one if there else None for one, there in zip(found, valid, strict=True)]


def places_of(column: Column, buffers: Buffers, rows: int, values: int) -> NDArray[np.int32]:
    """Return the places of a column in its dictionary of so many values, -1 where one is missing."""
    assert column.index is not None
    valid = buffers.valid(rows, buffers.node(rows))
    places = buffers.array(column.index.dtype, rows, rows)
    there = places if valid is None else places[valid]
    if len(there) and (there.min() < 0 or there.max() >= values):
        raise Broken("a value is not in the dictionary")
    found = places.astype(np.int32)
    return found if valid is None else np.where(valid, found, np.int32(-1))


def coded_of(column: Column, buffers: Buffers, rows: int) -> Coded:
    """Return a column of texts by their places among the distinct ones; long ones, which are no codes, are cut."""
    texts = _texts(column, buffers, rows)
    keys = _keys(texts)
    if keys is None:
        return Coded.of(_as_texts(texts, _LONGEST_SHOWN))
    found, places = distinct(keys)
    indices = places.astype(np.int32)
    valid = texts.valid
    return Coded(
        indices if valid is None else np.where(valid, indices, np.int32(-1)), list(map(_spelt, found.tolist()))
    )


def texts_of(column: Column, buffers: Buffers, rows: int, most: int) -> list[str | None]:
    """Return a column of texts, cut after so many bytes; None where one is missing."""
    return _as_texts(_texts(column, buffers, rows), most)


class _Texts(NamedTuple):
    """Where each text begins and how long it is, the bytes, and which are there; missing ones have no length."""

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    data: NDArray[np.uint8]
    valid: NDArray[np.bool_] | None


def _texts(column: Column, buffers: Buffers, rows: int) -> _Texts:
    kind = column.kind
    assert kind is not None, "the schema was looked at"
    valid = buffers.valid(rows, buffers.node(rows))
    if kind.number == UTF8_VIEW:
        return _views(buffers, rows, valid)
    # Of no rows there may be no offset at all.
    offsets = buffers.array(kind.dtype, rows + 1 if rows else 0, rows).astype(np.int64)
    data = np.frombuffer(buffers.take(rows), np.uint8)
    lengths = np.diff(offsets)
    if rows and (lengths.min() < 0 or offsets[0] < 0 or offsets[-1] > len(data)):
        raise Broken("a text is beyond its buffer")
    return _Texts(offsets[:-1], lengths if valid is None else np.where(valid, lengths, 0), data, valid)


def _views(buffers: Buffers, rows: int, valid: NDArray[np.bool_] | None) -> _Texts:
    """Return the same of views, in which short texts stand themselves, and the place of longer ones."""
    content = buffers.take(rows)
    if len(content) < 16 * rows:
        raise Broken("a buffer is too short")
    parts = [np.frombuffer(content, np.uint8, 16 * rows)]
    parts += [np.frombuffer(buffers.take(rows), np.uint8) for _ in range(buffers.variadic())]
    views = parts[0].view("<i4").reshape(-1, 4).astype(np.int64)
    lengths = views[:, 0] if valid is None else np.where(valid, views[:, 0], 0)
    long = lengths > _INLINE
    starts = np.arange(rows, dtype=np.int64) * 16 + 4
    if long.any():
        ends = np.cumsum([len(part) for part in parts])
        buffer, offset = views[long, 2], views[long, 3]
        if buffer.min() < 0 or buffer.max() >= len(parts) - 1 or offset.min() < 0:
            raise Broken("a text is beyond its buffer")
        starts[long] = ends[buffer] + offset
        if (starts[long] + lengths[long] > ends[buffer + 1]).any():
            raise Broken("a text is beyond its buffer")
    if rows and lengths.min() < 0:
        raise Broken("a text has less than no length")
    return _Texts(starts, lengths, np.concatenate(parts), valid)


def _keys(texts: _Texts) -> NDArray[np.int64] | None:
    """Return each text as one number, None where one has other characters than codes have, or too many."""
    starts, lengths, data, _ = texts
    shortest, longest = (int(lengths.min()), int(lengths.max())) if len(lengths) else (0, 0)
    if longest > _LONGEST:
        return None
    keys = np.zeros(len(lengths), np.int64)
    for place in range(longest):
        there = slice(None) if place < shortest else lengths > place
        digits = _DIGITS[data[starts[there] + place]]
        if digits.min() < 0:
            return None
        keys[there] += digits * _BASE**place
    return keys


def _spelt(key: int) -> str:
    letters = []
    while key:
        key, digit = divmod(key, _BASE)
        letters.append(_ALPHABET[digit - 1])
    return bytes(letters).decode()


def _as_texts(texts: _Texts, most: int) -> list[str | None]:
    raw = texts.data.tobytes()
    found: list[str | None] = [
        raw[start : start + min(length, most)].decode("utf-8", "replace")
        for start, length in zip(texts.starts.tolist(), texts.lengths.tolist(), strict=True)
    ]
    valid = texts.valid
    return found if valid is None else [one if there else None for one, there in zip(found, valid, strict=True)]
