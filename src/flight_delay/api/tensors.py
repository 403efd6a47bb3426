"""Tensors of the Open Inference Protocol, in JSON or after it: columns in, columns out.

In JSON a value that is missing is null. In binary it is NaN, or a text of no bytes, since there is no null.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from flight_delay.api.errors import ProblemError, refusal
from flight_delay.api.tables import FIELDS, Column, Table
from flight_delay.model.flight_columns import CODES, OF_FLIGHT

Datatype = Literal[
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "BYTES"
]
DTYPES: dict[str, str] = {
    "UINT8": "<u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8",
    "INT8": "<i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8",
    "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
}  # fmt: skip
"""The datatypes of numbers, as they stand in binary data."""
BYTES = "BYTES"
BINARY_SIZE = "binary_data_size"
_LENGTH = struct.Struct("<I")
UNSUPPORTED = ("shared_memory_region", "classification")
"""Parameters of other extensions, which would change what is meant or answered."""
_WHOLE = tuple(name for name in OF_FLIGHT if name not in {"distance", "dep_delay"})
Parameters = dict[str, Any] | None


class Given(msgspec.Struct):
    """A tensor of a request."""

    name: str
    shape: list[int]
    datatype: Datatype
    parameters: Parameters = None
    data: list[Any] | None = None


class Made(NamedTuple):
    """A tensor of an answer: an array of numbers, or a column of texts."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: NDArray[Any] | Sequence[str]
    parameters: Mapping[str, str] = {}

    def described(self, *, binary: bool) -> tuple[dict[str, Any], bytes]:
        """Return how the JSON says it, and the bytes that follow the JSON."""
        described: dict[str, Any] = {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}
        if not binary:
            data = self.values.ravel().tolist() if isinstance(self.values, np.ndarray) else list(self.values)
            return described | ({"parameters": dict(self.parameters)} if self.parameters else {}) | {"data": data}, b""
        raw = self._raw()
        return described | {"parameters": {**self.parameters, BINARY_SIZE: len(raw)}}, raw

    def _raw(self) -> bytes:
        if isinstance(self.values, np.ndarray):
            return self.values.astype(DTYPES[self.datatype]).tobytes()
        return b"".join(_LENGTH.pack(len(raw)) + raw for raw in (text.encode() for text in self.values))


def datatype_of(field: str) -> str:
    """Return the datatype that a field is documented to have."""
    return BYTES if field in CODES else "INT64" if field in _WHOLE else "FP64"


def table(tensors: Sequence[Given], binary: memoryview) -> Table:
    """Return the columns that tensors hold; raises `ProblemError` (422) where they are none."""
    known: dict[str, Given] = {}
    for tensor in tensors:
        _check(tensor)
        if known.setdefault(tensor.name, tensor) is not tensor:
            raise ProblemError(422, "tensor_twice", name=tensor.name)
    rows = [_rows(tensor) for tensor in tensors]
    for tensor in tensors:
        if tensor.shape[0] != rows[0]:
            raise ProblemError(422, "wrong_shape", name=tensor.name, shape=tensor.shape)
    columns: dict[str, Column] = {}
    for tensor in tensors:
        size = _binary_size(tensor)
        if size is None:
            columns[tensor.name] = _of_json(tensor)
            continue
        if size > len(binary):
            raise ProblemError(422, "wrong_binary", name=tensor.name)
        columns[tensor.name] = _of_binary(tensor, binary[:size])
        binary = binary[size:]
    if len(binary):
        raise ProblemError(422, "wrong_binary", name=f"+{len(binary)}")
    return Table(columns, rows[0] if rows else 0)


def _check(tensor: Given) -> None:
    if tensor.name not in FIELDS:
        raise ProblemError.of_fields([refusal("extra_forbidden", (tensor.name,), None)], FIELDS)
    for name in UNSUPPORTED:
        if name in (tensor.parameters or {}):
            raise ProblemError(422, "unsupported_parameter", name=name, tensor=tensor.name)
    if (tensor.datatype == BYTES) != (tensor.name in CODES) or tensor.datatype == "BOOL":
        expected = datatype_of(tensor.name)
        raise ProblemError(422, "wrong_datatype", name=tensor.name, datatype=tensor.datatype, expected=expected)


def _rows(tensor: Given) -> int:
    if tensor.shape[1:] not in ([], [1]) or not tensor.shape or tensor.shape[0] < 0:
        raise ProblemError(422, "wrong_shape", name=tensor.name, shape=tensor.shape)
    return tensor.shape[0]


def _binary_size(tensor: Given) -> int | None:
    size = (tensor.parameters or {}).get(BINARY_SIZE)
    if (size is None) == (tensor.data is None):
        raise ProblemError(422, "no_data", name=tensor.name)
    if size is not None and (type(size) is not int or size < 0):
        raise ProblemError(422, "wrong_binary", name=tensor.name)
    return size


def _of_json(tensor: Given) -> list[Any]:
    data: list[Any] = tensor.data or []
    if len(tensor.shape) == 2 and data and all(type(row) is list for row in data):
        data = list(chain.from_iterable(data))
    if len(data) != _rows(tensor):
        raise ProblemError(422, "wrong_length", name=tensor.name, given=len(data), expected=_rows(tensor))
    kinds = _TEXTS if tensor.datatype == BYTES else _NUMBERS if tensor.datatype.startswith("FP") else _WHOLE_NUMBERS
    if wrong := set(map(type, data)) - kinds:
        value = ", ".join(sorted(kind.__name__ for kind in wrong))
        raise ProblemError(422, "wrong_value", name=tensor.name, datatype=tensor.datatype, value=value)
    return [value or None for value in data] if tensor.datatype == BYTES else data


def _of_binary(tensor: Given, raw: memoryview) -> Column:
    rows = _rows(tensor)
    if tensor.datatype != BYTES:
        dtype = np.dtype(DTYPES[tensor.datatype])
        if rows * dtype.itemsize != len(raw):
            raise ProblemError(422, "wrong_binary", name=tensor.name)
        return np.frombuffer(raw, dtype)
    try:
        texts = [str(one, "utf-8") or None for one in _pieces(raw)]
    except (struct.error, UnicodeDecodeError) as error:
        raise ProblemError(422, "wrong_binary", name=tensor.name) from error
    if len(texts) != rows:
        raise ProblemError(422, "wrong_length", name=tensor.name, given=len(texts), expected=rows)
    return texts


def _pieces(raw: memoryview) -> Iterator[memoryview]:
    """Yield the texts, each of which comes after its length; raises `struct.error` where one is cut short."""
    place = 0
    while place < len(raw):
        (length,) = _LENGTH.unpack_from(raw, place)
        place += _LENGTH.size + length
        if place > len(raw):
            raise struct.error(length)
        yield raw[place - length : place]


_TEXTS, _WHOLE_NUMBERS = frozenset({str, type(None)}), frozenset({int, type(None)})
_NUMBERS = _WHOLE_NUMBERS | {float}
