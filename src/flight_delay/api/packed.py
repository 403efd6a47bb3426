"""Columns of flights as compressed bytes, small and quickly made: how the history keeps a batch.

The bytes are an lz4 frame of: the length of a header, the header in JSON, and the arrays that it names. Whole numbers
that fit are kept in two bytes, texts as numbers of their values; a column that no row has is left out.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import lz4.frame
import numpy as np
from numpy.typing import NDArray

from flight_delay.model.flight_columns import OF_FLIGHT, OF_WEATHER, Coded, FlightColumns

_LENGTH = struct.Struct("<I")
_MISSING = -(2**15)
_WHOLE, _ANY = "<i2", "<f8"
NUMBERS = (*OF_FLIGHT, *OF_WEATHER)


def of_columns(columns: FlightColumns) -> bytes:
    """Return the bytes of columns."""
    numbers = {name: _small(column) for name in NUMBERS if not np.isnan(column := columns.numbers[name]).all()}
    codes = {name: _few(coded) for name, coded in columns.codes.items()}
    header = {
        "rows": len(columns),
        "numbers": {name: column.dtype.str for name, column in numbers.items()},
        "codes": {name: [indices.dtype.str, list(columns.codes[name].values)] for name, indices in codes.items()},
    }
    return _frame(header, [*numbers.values(), *codes.values()])


def of_minutes(minutes: NDArray[np.float64]) -> bytes:
    """Return the bytes of answers."""
    return _frame({"rows": len(minutes)}, [minutes.astype(_ANY, copy=False)])


def to_columns(content: bytes) -> FlightColumns:
    """Return the columns that bytes hold."""
    opened = _Opened(content)
    numbers = {name: _whole(opened.take(dtype)) for name, dtype in opened.header["numbers"].items()}
    codes = {
        name: Coded(opened.take(dtype).astype(np.int32), values)
        for name, (dtype, values) in opened.header["codes"].items()
    }
    absent = np.full(opened.header["rows"], np.nan)
    return FlightColumns({name: numbers.get(name, absent) for name in NUMBERS}, codes)


def to_minutes(content: bytes) -> NDArray[np.float64]:
    """Return the answers that bytes hold."""
    return _Opened(content).take(_ANY)


class _Opened:
    """The header, and the arrays one after the other."""

    def __init__(self, content: bytes) -> None:
        self._raw = lz4.frame.decompress(content)
        (length,) = _LENGTH.unpack_from(self._raw)
        self._place = _LENGTH.size + length
        self.header: dict[str, Any] = json.loads(self._raw[_LENGTH.size : self._place])

    def take(self, dtype: str) -> NDArray[Any]:
        array = np.frombuffer(self._raw, dtype, self.header["rows"], self._place)
        self._place += array.nbytes
        return array


def _small(column: NDArray[np.float64]) -> NDArray[Any]:
    """Return whole numbers in two bytes each, where they are that and fit."""
    filled = np.where(np.isnan(column), _MISSING, column)
    if filled.min() < _MISSING or filled.max() >= -_MISSING:
        return column.astype(_ANY, copy=False)
    whole = filled.astype(_WHOLE)
    return whole if (whole == filled).all() else column.astype(_ANY, copy=False)


def _whole(column: NDArray[Any]) -> NDArray[np.float64]:
    if column.dtype.str == _ANY:
        return column.astype(np.float64, copy=False)
    return np.where(column == _MISSING, np.nan, column.astype(np.float64))


def _few(coded: Coded) -> NDArray[Any]:
    return coded.indices.astype("<i2" if len(coded.values) < 2**15 else "<i4", copy=False)


def _frame(header: dict[str, Any], arrays: list[NDArray[Any]]) -> bytes:
    written = json.dumps(header).encode()
    parts = [_LENGTH.pack(len(written)), written, *(np.ascontiguousarray(array).tobytes() for array in arrays)]
    return bytes(lz4.frame.compress(b"".join(parts), store_size=True))
