"""Answers as a stream of Arrow: `id` where the batch had it, `prediction`, `error` where rows may be passed over."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flight_delay.api.forms.arrow_rows import CONTINUES, RECORDS, SCHEMA
from flight_delay.api.forms.flatbuffers import Scalar, Structs, Tabled, Tables, write
from flight_delay.api.forms.gathering import ID, Id

_VERSION = 4
"""Of the format: V5."""
_INT, _FLOAT, _UTF8 = 2, 3, 5
_END = struct.pack("<II", CONTINUES, 0)


class _Written(NamedTuple):
    """A column of an answer: its type, how many values are missing, and its buffers."""

    name: str
    type_number: int
    type_table: Tabled
    missing: int
    buffers: list[bytes]


class Part(NamedTuple):
    """Some rows of an answer; `errors` is None where there can be none."""

    minutes: NDArray[np.float64]
    ids: Sequence[Id] | None
    errors: Sequence[str | None] | None


def stream(parts: Iterator[Part], whole_ids: bool) -> Iterator[bytes]:
    """Yield the bytes of a stream; `whole_ids` says whether the ids are numbers, and not texts."""
    for number, part in enumerate(parts):
        written = list(_columns(part, whole_ids))
        if not number:
            yield _schema(written)
        yield from _records(written, len(part.minutes))
    yield _END


def _columns(part: Part, whole_ids: bool) -> Iterator[_Written]:
    if part.ids is not None:
        yield _wholes(ID, part.ids) if whole_ids else _texts(ID, [_as_text(one) for one in part.ids])
    missing = np.isnan(part.minutes)
    valid = _bits(~missing) if missing.any() else b""
    numbers = np.where(missing, 0.0, part.minutes).astype("<f8").tobytes()
    yield _Written("prediction", _FLOAT, [Scalar("h", 2)], int(missing.sum()), [valid, numbers])
    if part.errors is not None:
        yield _texts("error", part.errors)


def _as_text(one: Id) -> str | None:
    return None if one is None else str(one)


def _wholes(name: str, values: Sequence[Any]) -> _Written:
    there = np.array([value is not None for value in values], np.bool_)
    numbers = np.array([value or 0 for value in values], "<i8").tobytes()
    kind = [Scalar("i", 64), Scalar("B", 1)]
    return _Written(name, _INT, kind, int((~there).sum()), [_bits(there), numbers])


def _texts(name: str, values: Sequence[str | None]) -> _Written:
    there = np.array([value is not None for value in values], np.bool_)
    encoded = [(value or "").encode("utf-8", "replace") for value in values]
    offsets = np.zeros(len(values) + 1, "<i4")
    np.cumsum([len(one) for one in encoded], out=offsets[1:])
    buffers = [_bits(there), offsets.tobytes(), b"".join(encoded)]
    return _Written(name, _UTF8, [], int((~there).sum()), buffers)


def _bits(there: NDArray[np.bool_]) -> bytes:
    return np.packbits(there, bitorder="little").tobytes()


def _schema(written: Sequence[_Written]) -> bytes:
    fields = [
        [one.name, Scalar("B", 1), Scalar("B", one.type_number), one.type_table, None, Tables()] for one in written
    ]
    return _message(SCHEMA, [Scalar("h", 0), Tables(fields)], 0)


def _records(written: Sequence[_Written], rows: int) -> Iterator[bytes]:
    buffers: list[tuple[int, int]] = []
    body: list[bytes] = []
    end = 0
    for content in (content for one in written for content in one.buffers):
        buffers.append((end, len(content)))
        body += [content, bytes(-len(content) % 8)]
        end += len(content) + -len(content) % 8
    header = [Scalar("q", rows), Structs([(rows, one.missing) for one in written]), Structs(buffers)]
    yield _message(RECORDS, header, end) + b"".join(body)


def _message(kind: int, header: Tabled, body_size: int) -> bytes:
    metadata = write([Scalar("h", _VERSION), Scalar("B", kind), header, Scalar("q", body_size)])
    return struct.pack("<II", CONTINUES, len(metadata)) + metadata
