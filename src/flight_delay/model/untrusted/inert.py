"""What an examination makes of a file: things without effect, that say what the file would make."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from flight_delay.errors import ModelRefused
from flight_delay.model.untrusted.allowed import ARRAY, DTYPE, Name
from flight_delay.model.untrusted.source import printable

NUMBERS = frozenset("biuf")
TEXTS = frozenset("SU")
_KINDS = re.compile(r"([biufSUVO])([1-9][0-9]{0,5})")
_MOST_DIMENSIONS = 8
_MOST_FIELDS = 64
_LARGEST_SIZE = 2**40
_LONGEST_NAME = 200
_FIXED_SIZE = (-1, -1)
"""Size and alignment, where the name of a type says them."""
_OBJECT_FLAGS = 63
_STRUCTURE_FLAGS = (0, 16)
_TEXT_FLAGS = (0, 8)


@dataclass(eq=False, slots=True)
class Node:
    """An object that the file would make of `name`."""

    name: Name
    is_foreign: bool = False
    is_built: bool = False


@dataclass(eq=False, slots=True)
class Dtype(Node):
    """A type of numpy: its kind, the bytes of one such thing, and whether those have fields."""

    name: Name = DTYPE
    kind: str = ""
    size: int = 0
    has_fields: bool = False


@dataclass(eq=False, slots=True)
class Array(Node):
    """An array of numpy."""

    name: Name = ARRAY
    dtype: Dtype = field(default_factory=lambda: Dtype(kind="i", size=1))
    shape: tuple[int, ...] = (0,)


def refused(name: object) -> ModelRefused:
    """Return the refusal of what no model has: `name` says of what."""
    return ModelRefused("refused_state", name=printable(str(name), _LONGEST_NAME))


def require(holds: bool, name: object) -> None:
    """Refuse a state or arguments of `name`, unless they are as a model's."""
    if not holds:
        raise refused(name)


def is_int(value: Any, least: int = 0, most: int = _LARGEST_SIZE) -> bool:
    """Whether a value of the file is an integer within bounds."""
    return type(value) is int and least <= value <= most


def dtype(arguments: tuple[Any, ...]) -> Dtype:
    """Return the type that numpy would make of `(text, align, copy)`; it has to be a copy, as it will be changed."""
    require(len(arguments) == 3 and type(arguments[0]) is str, DTYPE)
    require(all(type(flag) in (bool, int) for flag in arguments[1:]), DTYPE)
    text, align, copy = arguments
    found = _KINDS.fullmatch(text)
    require(found is not None and is_int(int(align), 0, 0) and is_int(int(copy), 1, 1), DTYPE)
    assert found is not None
    kind, size = found[1], int(found[2])
    require(kind not in NUMBERS or size in {1, 2, 4, 8}, DTYPE)
    require(kind != "O" or size == 8, DTYPE)
    return Dtype(kind=kind, size=4 * size if kind == "U" else size)


def describe(of: Dtype, state: Any) -> None:
    """Give a type its state; numpy believes whatever size and fields it is told there."""
    require(type(state) is tuple and len(state) == 8, DTYPE)
    version, order, inner, names, fields, size, alignment, flags = state
    require(is_int(version, 3, 3) and order in ("<", ">", "|", "=") and inner is None, DTYPE)
    if of.kind == "V":
        require(size == of.size and is_int(alignment, 1, 16) and flags in _STRUCTURE_FLAGS, DTYPE)
        require(type(names) is tuple and type(fields) is dict and 0 < len(names) <= _MOST_FIELDS, DTYPE)
        require(all(type(name) is str for name in names) and list(fields) == list(names), DTYPE)
        for placed in fields.values():
            require(_fits(placed, of.size), DTYPE)
        of.has_fields = True
    else:
        require(names is None and fields is None, DTYPE)
        if of.kind in TEXTS:
            require(size == of.size and is_int(alignment, 1, 4) and flags in _TEXT_FLAGS, DTYPE)
        else:
            require((size, alignment) == _FIXED_SIZE and flags == (_OBJECT_FLAGS if of.kind == "O" else 0), DTYPE)


def _fits(placed: Any, size: int) -> bool:
    if type(placed) is not tuple or len(placed) != 2 or type(placed[0]) is not Dtype:
        return False
    inner, offset = placed
    return inner.kind in NUMBERS and is_int(offset, 0, size - inner.size)


def array(of: Any, shape: Any) -> Array:
    """Return an array of such a type and shape, once both are as a model's."""
    require(type(of) is Dtype and (of.kind != "V" or of.has_fields), ARRAY)
    require(type(shape) is tuple and len(shape) <= _MOST_DIMENSIONS and all(map(is_int, shape)), ARRAY)
    require(is_int(count(shape) * of.size), ARRAY)
    return Array(dtype=of, shape=shape, is_built=True)


def count(shape: tuple[int, ...]) -> int:
    """Return how many things an array has."""
    return math.prod(shape)
