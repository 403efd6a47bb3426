"""The stack machine of a pickle, without the power to do anything: what a name or a call means, others decide.

A file is walked twice by this same code, once by `Examiner` and once by `Loader`, so what the one sees is what
the other does. It knows the opcodes that a model is written with and no other. After an array's wrapper it reads
the array, which joblib writes in the middle of the pickle.
"""

from __future__ import annotations

import pickle
import pickletools
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

from flight_delay.errors import ModelRefused, NotAModel
from flight_delay.model.untrusted.allowed import Name
from flight_delay.model.untrusted.source import Source, damaged

_MOST_OPCODES = 3_000_000
"""Ten times what the model of this project has."""
_MOST_NESTED = 100
_MOST_OBJECT_ARRAYS = 5_000
_LONGEST_INT = 32
_LARGEST_KEY = 2**60
"""A larger integer can be chosen to collide with others in a dictionary."""
_PROTOCOLS = range(2, 6)


class Walker(ABC):
    """Walks a pickle; what things are, a subclass says."""

    def __init__(self, stream: BinaryIO, filename: str) -> None:
        self.source = Source(stream)
        self._filename = filename
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._opcodes = 0
        self._object_arrays = 0
        self._nested = False

    def walk(self) -> Any:
        """Return the object that the file holds, and nothing else after it.

        Raises
        ------
        NotAModel
            It is no pickle of protocol 2 or later.
        ModelRefused
            `refused_damaged`, `refused_opcode`, `refused_complex`, or what a subclass raises.
        """
        try:
            result = self._one()
            if self.source.next():
                raise damaged("something follows the model")
        except (ModelRefused, NotAModel):
            raise
        # A damaged file leads numpy, scikit-learn and LightGBM to whatever error.
        except Exception as error:
            raise damaged(_said(error)) from error
        return result

    @abstractmethod
    def called(self, function: Any, arguments: Any) -> Any:
        """Return what a call gives."""

    @abstractmethod
    def made(self, kind: Any, arguments: Any) -> Any:
        """Return an object without a state."""

    @abstractmethod
    def built(self, target: Any, state: Any) -> Any:
        """Give an object its state; return what takes its place."""

    @abstractmethod
    def named(self, module: str, attribute: str) -> Name:
        """Return a name of the file."""

    @abstractmethod
    def filled(self, target: Any, pairs: Iterable[tuple[Any, Any]]) -> None:
        """Put items in a mapping that is no plain dictionary."""

    @abstractmethod
    def extended(self, target: Any) -> None:
        """Items are to be put in a sequence that is no plain list."""

    @abstractmethod
    def is_constant(self, key: Any) -> bool:
        """Whether something that is neither a text nor a number may be the key of a dictionary."""

    def nested(self) -> Any:
        """Return the object of the pickle that begins here: that of an array of objects."""
        if self._nested:
            raise ModelRefused("refused_state", name="numpy.ndarray")
        self._object_arrays += 1
        if self._object_arrays > _MOST_OBJECT_ARRAYS:
            raise ModelRefused("refused_complex", most=_MOST_OBJECT_ARRAYS)
        kept = self._stack, self._marks, self._memo
        self._stack, self._marks, self._memo, self._nested = [], [], {}, True
        result = self._one()
        self._stack, self._marks, self._memo = kept
        self._nested = False
        return result

    def _one(self) -> Any:
        start = self.source.next() + self.source.next()
        if len(start) != 2 or start[:1] != pickle.PROTO or start[1] not in _PROTOCOLS:
            raise damaged("no pickle is where an array should be") if self._nested else NotAModel(self._filename)
        while (code := self.source.next()) != pickle.STOP:
            self._opcodes += 1
            if self._opcodes > _MOST_OPCODES:
                raise ModelRefused("refused_complex", most=_MOST_OPCODES)
            operation = _OPERATIONS.get(code)
            if operation is None:
                raise _unknown(code)
            operation(self)
        if self._marks or len(self._stack) != 1:
            raise damaged("it ends with something left over")
        return self._stack.pop()

    def _frame(self) -> None:
        # A frame only says how much could be read at once.
        self.source.take(8)

    def _push_none(self) -> None:
        self._stack.append(None)

    def _push_true(self) -> None:
        self._stack.append(True)

    def _push_false(self) -> None:
        self._stack.append(False)

    def _push_byte(self) -> None:
        self._stack.append(self.source.number(1))

    def _push_short(self) -> None:
        self._stack.append(self.source.number(2))

    def _push_int(self) -> None:
        self._stack.append(int.from_bytes(self.source.take(4), "little", signed=True))

    def _push_long(self) -> None:
        length = self.source.number(1)
        if length > _LONGEST_INT:
            raise ModelRefused("refused_complex", most=_LONGEST_INT)
        self._stack.append(int.from_bytes(self.source.take(length), "little", signed=True))

    def _push_float(self) -> None:
        self._stack.append(struct.unpack(">d", self.source.take(8))[0])

    def _push_short_text(self) -> None:
        self._stack.append(self.source.take(self.source.number(1)).decode("utf-8", "surrogatepass"))

    def _push_text(self) -> None:
        self._stack.append(self.source.take(self.source.number(4)).decode("utf-8", "surrogatepass"))

    def _push_short_bytes(self) -> None:
        self._stack.append(self.source.take(self.source.number(1)))

    def _push_bytes(self) -> None:
        self._stack.append(self.source.take(self.source.number(4)))

    def _push_bytearray(self) -> None:
        self._stack.append(self.source.take_array(self.source.number(8)))

    def _mark(self) -> None:
        if len(self._marks) >= _MOST_NESTED:
            raise ModelRefused("refused_complex", most=_MOST_NESTED)
        self._marks.append(self._stack)
        self._stack = []

    def _since_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._marks.pop()
        return items

    def _new_list(self) -> None:
        self._stack.append([])

    def _new_dict(self) -> None:
        self._stack.append({})

    def _tuple(self) -> None:
        items = self._since_mark()
        self._stack.append(tuple(items))

    def _tuple_0(self) -> None:
        self._stack.append(())

    def _tuple_1(self) -> None:
        self._stack[-1:] = [(self._stack[-1],)]

    def _tuple_2(self) -> None:
        self._stack[-2:] = [(self._stack[-2], self._stack[-1])]

    def _tuple_3(self) -> None:
        self._stack[-3:] = [(self._stack[-3], self._stack[-2], self._stack[-1])]

    def _append(self) -> None:
        value = self._stack.pop()
        self._extend([value])

    def _appends(self) -> None:
        self._extend(self._since_mark())

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is list:
            target += items
        else:
            self.extended(target)

    def _set_item(self) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._fill([key], [value])

    def _set_items(self) -> None:
        items = self._since_mark()
        self._fill(items[::2], items[1::2])

    def _fill(self, keys: list[Any], values: list[Any]) -> None:
        target = self._stack[-1]
        for key in keys:
            # Any other key may be made so that its hash takes for ever.
            if not (type(key) is str or (type(key) is int and abs(key) < _LARGEST_KEY) or self.is_constant(key)):
                raise ModelRefused("refused_state", name=f"dict[{type(key).__name__}]")
        pairs = zip(keys, values, strict=True)
        if type(target) is dict:
            target.update(pairs)
        else:
            self.filled(target, pairs)

    def _keep(self) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _keep_at_byte(self) -> None:
        self._memo[self.source.number(1)] = self._stack[-1]

    def _keep_at(self) -> None:
        self._memo[self.source.number(4)] = self._stack[-1]

    def _recall_byte(self) -> None:
        self._stack.append(self._memo[self.source.number(1)])

    def _recall(self) -> None:
        self._stack.append(self._memo[self.source.number(4)])

    def _name(self) -> None:
        module, attribute = self.source.line(), self.source.line()
        self._stack.append(self.named(module, attribute))

    def _name_of_stack(self) -> None:
        attribute, module = self._stack.pop(), self._stack.pop()
        if type(module) is not str or type(attribute) is not str:
            raise damaged("a name is no text")
        self._stack.append(self.named(module, attribute))

    def _call(self) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        self._stack.append(self.called(function, arguments))

    def _make(self) -> None:
        arguments, kind = self._stack.pop(), self._stack.pop()
        self._stack.append(self.made(kind, arguments))

    def _build(self) -> None:
        state, target = self._stack.pop(), self._stack.pop()
        self._stack.append(self.built(target, state))


def _said(error: Exception) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # what it quotes is of the file, and may be nested too deep to be shown
        return type(error).__name__


def _unknown(code: bytes) -> ModelRefused:
    if not code:
        return damaged("it ends too early")
    name = next((known.name for known in pickletools.opcodes if known.code == code.decode("latin1")), None)
    return ModelRefused("refused_opcode", opcode=name) if name else damaged(f"no opcode: {code!r}")


_OPERATIONS: dict[bytes, Callable[[Walker], None]] = {
    pickle.FRAME: Walker._frame,
    pickle.NONE: Walker._push_none,
    pickle.NEWTRUE: Walker._push_true,
    pickle.NEWFALSE: Walker._push_false,
    pickle.BININT1: Walker._push_byte,
    pickle.BININT2: Walker._push_short,
    pickle.BININT: Walker._push_int,
    pickle.LONG1: Walker._push_long,
    pickle.BINFLOAT: Walker._push_float,
    pickle.SHORT_BINUNICODE: Walker._push_short_text,
    pickle.BINUNICODE: Walker._push_text,
    pickle.SHORT_BINBYTES: Walker._push_short_bytes,
    pickle.BINBYTES: Walker._push_bytes,
    pickle.BYTEARRAY8: Walker._push_bytearray,
    pickle.MARK: Walker._mark,
    pickle.EMPTY_LIST: Walker._new_list,
    pickle.EMPTY_DICT: Walker._new_dict,
    pickle.TUPLE: Walker._tuple,
    pickle.EMPTY_TUPLE: Walker._tuple_0,
    pickle.TUPLE1: Walker._tuple_1,
    pickle.TUPLE2: Walker._tuple_2,
    pickle.TUPLE3: Walker._tuple_3,
    pickle.APPEND: Walker._append,
    pickle.APPENDS: Walker._appends,
    pickle.SETITEM: Walker._set_item,
    pickle.SETITEMS: Walker._set_items,
    pickle.MEMOIZE: Walker._keep,
    pickle.BINPUT: Walker._keep_at_byte,
    pickle.LONG_BINPUT: Walker._keep_at,
    pickle.BINGET: Walker._recall_byte,
    pickle.LONG_BINGET: Walker._recall,
    pickle.GLOBAL: Walker._name,
    pickle.STACK_GLOBAL: Walker._name_of_stack,
    pickle.REDUCE: Walker._call,
    pickle.NEWOBJ: Walker._make,
    pickle.BUILD: Walker._build,
}
