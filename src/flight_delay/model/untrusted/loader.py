"""A file walked over a second time, after its examination, to make what it holds."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import partial
from typing import Any, BinaryIO

import numpy as np
from sklearn.utils.validation import check_array

from flight_delay.errors import ModelRefused
from flight_delay.model.untrusted import allowed
from flight_delay.model.untrusted.allowed import Name
from flight_delay.model.untrusted.machine import Walker


class Inert:
    """Stands where a random generator stood: only fitting needs one."""


class Wrapper:
    """What joblib writes before an array: `subclass`, `shape`, `order`, `dtype`, and how it is aligned."""


class Loader(Walker):
    """Makes real objects; what it is given must have been examined."""

    def __init__(self, stream: BinaryIO, filename: str) -> None:
        super().__init__(stream, filename)
        self._found: dict[Name, Any] = {}

    def named(self, module: str, attribute: str) -> Name:
        """Return the name of today; refuse one that no model needs."""
        name = allowed.allowed(module, attribute)
        if name is None:
            raise ModelRefused("refused_names", names=f"{module}.{attribute}")
        return name

    def called(self, function: Name, arguments: tuple[Any, ...]) -> Any:
        """Return what a call gives; only what may be called is."""
        if function in allowed.STAND_INS:
            return Inert()
        if function == allowed.PARTIAL:
            return partial(check_array, dtype=[np.float64], ensure_all_finite=False)
        return self._real(function, allowed.CALLS)(*map(self._value, arguments))

    def made(self, kind: Name, arguments: tuple[Any, ...]) -> Any:
        """Return an object of a class that may be made."""
        if kind in allowed.STAND_INS:
            return Inert()
        if kind == allowed.WRAPPER:
            return Wrapper()
        real = self._real(kind, allowed.CLASSES)
        return real.__new__(real, *map(self._value, arguments))

    def built(self, target: Any, state: Any) -> Any:
        """Give an object its state; return the array where it was the wrapper of one."""
        match target:
            case Inert() | partial():
                return target
            case Wrapper():
                return self._array(**{name: self._value(value) for name, value in state.items()})
            case np.dtype():
                # numpy keeps the dictionary of fields itself, and the file could still change it.
                version, order, inner, names, fields, *rest = state
                described: Any = target
                described.__setstate__((version, order, inner, names, None if fields is None else dict(fields), *rest))
            case np.ndarray():
                target.__setstate__(state)
            case _:
                attributes = {name: self._value(value) for name, value in state.items()}
                restore = getattr(target, "__setstate__", None) or target.__dict__.update
                restore(attributes)
        return target

    def filled(self, target: Any, pairs: Iterable[tuple[Any, Any]]) -> None:
        """Put items in a mapping."""
        for key, value in pairs:
            target[key] = value

    def extended(self, target: Any) -> None:
        """Refuse it: a model has lists only."""
        raise ModelRefused("refused_state", name=type(target).__name__)

    def is_constant(self, key: Any) -> bool:
        """Whether it is a specialist."""
        return type(key) is self._found.get(allowed.SPECIALIST)

    def _real(self, name: Name, among: frozenset[Name]) -> Any:
        if name not in among:
            raise ModelRefused("refused_state", name=str(name))
        if name not in self._found:
            self._found[name] = getattr(importlib.import_module(name.module), name.attribute)
        return self._found[name]

    def _value(self, value: Any) -> Any:
        """Return what may stand by itself; of the names that is a few harmless classes."""
        return self._real(value, allowed.TYPES) if type(value) is Name else value

    def _array(
        self,
        subclass: object,  # noqa: ARG002 - as the wrapper names it; the examiner has looked at it
        shape: tuple[int, ...],
        order: str,
        dtype: np.dtype[Any],
        allow_mmap: object = False,  # noqa: ARG002 - likewise
        numpy_array_alignment_bytes: int | None = None,
    ) -> Any:
        """Read the array that follows its wrapper."""
        if dtype.hasobject:
            return self.nested()
        if numpy_array_alignment_bytes is not None:
            self.source.skip(self.source.number(1))
        content = self.source.take_array(int(np.prod(shape, dtype=np.int64)) * dtype.itemsize)
        array = np.frombuffer(content, dtype) if content else np.empty(0, dtype)
        array = array.reshape(shape[::-1]).transpose() if order == "F" else array.reshape(shape)
        return array.astype(dtype.newbyteorder("="), copy=False)
