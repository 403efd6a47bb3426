"""A file walked over without doing any of what it says, and each thing that it would do compared with a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flight_delay.errors import ModelRefused
from flight_delay.model.untrusted import allowed, inert
from flight_delay.model.untrusted.allowed import Name
from flight_delay.model.untrusted.inert import Array, Dtype, Node, is_int, refused, require
from flight_delay.model.untrusted.machine import Walker
from flight_delay.model.untrusted.source import printable

_LONGEST_NAME = 80
_MOST_OUTPUTS = 64
_LEAST_MADE = 2**20
_DATE_BYTES = 4
_VERSION = "_sklearn_version"


class Examiner(Walker):
    """Walks a file; what it finds are `foreign` names, and the `names` and the `versions` of scikit-learn."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.names: set[Name] = set()
        self.foreign: dict[str, None] = {}
        self.versions: set[str] = set()
        self._made_bytes = 0

    def named(self, module: str, attribute: str) -> Name:
        """Return the name of today, or note one that no model needs."""
        name = allowed.allowed(module, attribute)
        if name is None:
            self.foreign[printable(f"{module}.{attribute}", _LONGEST_NAME)] = None
            return Name(module, attribute)
        self.names.add(name)
        return name

    def called(self, function: Any, arguments: Any) -> Any:
        """Return what would be made, once the rule for what is called is kept."""
        if self.is_foreign(function):
            return Node(function if type(function) is Name else function.name, is_foreign=True)
        require(type(function) is Name and type(arguments) is tuple, "REDUCE")
        if function in allowed.STAND_INS:
            return Node(function)
        rule = _CALLS.get(function)
        if rule is None:
            raise refused(function)
        return rule(self, function, arguments)

    def made(self, kind: Any, arguments: Any) -> Any:
        """Return what would be made, if it is a class that may be."""
        if self.is_foreign(kind):
            return Node(kind if type(kind) is Name else kind.name, is_foreign=True)
        require(type(kind) is Name and type(arguments) is tuple, "NEWOBJ")
        require(kind in allowed.CLASSES and (not arguments or kind in allowed.RECORDS), kind)
        return Node(kind)

    def built(self, target: Any, state: Any) -> Any:
        """Check a state with the rule for what it is given to; return the array where that was the wrapper of one."""
        if self.is_foreign(target):
            return target
        require(isinstance(target, Node), "BUILD")
        require(not target.is_built, target.name)
        target.is_built = True
        if target.name == allowed.WRAPPER:
            return self._wrapped(state)
        if target.name not in allowed.STAND_INS:
            rule: Callable[[Examiner, Any, Any], None] = _STATES.get(target.name, _attributes)
            rule(self, target, state)
        return target

    def filled(self, target: Any, pairs: Iterable[tuple[Any, Any]]) -> None:
        """Check that it is a mapping."""
        if not self.is_foreign(target):
            require(type(target) is Node and target.name in allowed.MAPPINGS, "SETITEMS")
        for _ in pairs:
            pass

    def extended(self, target: Any) -> None:
        """Refuse it: a model has lists only."""
        require(self.is_foreign(target), "APPENDS")

    def is_constant(self, key: Any) -> bool:
        """Whether it would be a specialist."""
        return type(key) is Node and key.name == allowed.SPECIALIST

    def spend(self, size: int) -> None:
        """Count what is made of what was read: a file must not have much made of a little, over and over."""
        self._made_bytes += size
        most = 4 * self.source.taken + _LEAST_MADE
        if self._made_bytes > most:
            raise ModelRefused("refused_complex", most=most)

    def is_foreign(self, thing: Any) -> bool:
        """Whether it is, or was made of, a name that no model needs."""
        if type(thing) is Name:
            return allowed.allowed(thing.module, thing.attribute) is None
        return isinstance(thing, Node) and thing.is_foreign

    def _wrapped(self, state: Any) -> Array:
        """Pass over the array that follows its wrapper."""
        name = allowed.WRAPPER
        require(type(state) is dict and state.keys() - {"allow_mmap", "numpy_array_alignment_bytes"} == _WRAPPED, name)
        require(state["subclass"] == allowed.ARRAY and state["order"] in ("C", "F"), name)
        alignment = state.get("numpy_array_alignment_bytes")
        require(alignment is None or is_int(alignment, 1, 255), name)
        array = inert.array(state["dtype"], state["shape"])
        if array.dtype.kind == "O":
            found = self.nested()
            require(type(found) is Array and found.dtype.kind == "O" and found.shape == array.shape, name)
            return found  # type: ignore[no-any-return]
        if alignment is not None:
            self.source.skip(self.source.number(1))
        self.source.skip(inert.count(array.shape) * array.dtype.size)
        return array


_WRAPPED = {"subclass", "shape", "order", "dtype"}


def _reconstruct(_: Examiner, name: Name, arguments: tuple[Any, ...]) -> Node:
    require(arguments == (allowed.ARRAY, (0,), b"b"), name)
    return Array()


def _from_buffer(examiner: Examiner, name: Name, arguments: tuple[Any, ...]) -> Node:
    require(len(arguments) == 4 and type(arguments[0]) in (bytes, bytearray) and arguments[3] in ("C", "F"), name)
    content, dtype, shape, _ = arguments
    array = inert.array(dtype, shape)
    require(dtype.kind != "O" and inert.count(shape) * dtype.size == len(content), name)
    examiner.spend(len(content))
    return array


def _scalar(examiner: Examiner, name: Name, arguments: tuple[Any, ...]) -> Node:
    require(len(arguments) == 2 and type(arguments[0]) is Dtype and type(arguments[1]) is bytes, name)
    dtype, content = arguments
    require(dtype.kind in inert.NUMBERS | inert.TEXTS and dtype.size == len(content), name)
    examiner.spend(len(content))
    return Node(name, is_built=True)


def _encoded(examiner: Examiner, name: Name, arguments: tuple[Any, ...]) -> bytes:
    require(len(arguments) == 2 and type(arguments[0]) is str and arguments[1] == "latin1", name)
    examiner.spend(len(arguments[0]))
    return arguments[0].encode("latin1")  # type: ignore[no-any-return]


def _empty(_: Examiner, name: Name, arguments: tuple[Any, ...]) -> bytes:
    require(not arguments, name)
    return b""


def _slice(_: Examiner, name: Name, arguments: tuple[Any, ...]) -> Node:
    require(len(arguments) == 3 and all(type(end) in (int, str, type(None)) for end in arguments), name)
    return Node(name, is_built=True)


def _defaults(_: Examiner, name: Name, arguments: tuple[Any, ...]) -> Node:
    require(arguments in ((), (allowed.ORDERED,)), name)
    return Node(name, is_built=True)


def _tree(_: Examiner, name: Name, arguments: tuple[Any, ...]) -> Node:
    require(len(arguments) == 3 and is_int(arguments[0], 1, 2**31) and is_int(arguments[2], 1, _MOST_OUTPUTS), name)
    _, classes, outputs = arguments
    # The tree reads as many numbers from there as it has outputs, whatever is there.
    require(type(classes) is Array and classes.shape == (outputs,), name)
    require((classes.dtype.kind, classes.dtype.size) == ("i", 8), name)
    return Node(name)


def _date(_: Examiner, name: Name, arguments: tuple[Any, ...]) -> Node:
    require(len(arguments) == 1 and type(arguments[0]) is bytes and len(arguments[0]) == _DATE_BYTES, name)
    return Node(name, is_built=True)


def _specialist(_: Examiner, name: Name, arguments: tuple[Any, ...]) -> Node:
    require(len(arguments) == 1 and type(arguments[0]) is str, name)
    return Node(name, is_built=True)


def _partial(_: Examiner, name: Name, arguments: tuple[Any, ...]) -> Node:
    require(arguments == (allowed.CHECK,), name)
    return Node(name)


def _loss(_: Examiner, name: Name, arguments: tuple[Any, ...]) -> Node:
    require(len(arguments) <= 1 and all(type(number) in (int, float, Node) for number in arguments), name)
    require(all(number.name == allowed.SCALAR for number in arguments if type(number) is Node), name)
    return Node(name, is_built=True)


_CALLS: dict[Name, Callable[[Examiner, Name, tuple[Any, ...]], Any]] = {
    allowed.RECONSTRUCT: _reconstruct,
    allowed.FROM_BUFFER: _from_buffer,
    allowed.DTYPE: lambda _, __, arguments: inert.dtype(arguments),
    allowed.SCALAR: _scalar,
    allowed.ENCODE: _encoded,
    allowed.BYTES: _empty,
    allowed.SLICE: _slice,
    allowed.ORDERED: _defaults,
    allowed.DEFAULTS: _defaults,
    allowed.TREE: _tree,
    allowed.DATE: _date,
    allowed.SPECIALIST: _specialist,
    allowed.PARTIAL: _partial,
} | dict.fromkeys(allowed.LOSSES, _loss)


def _attributes(examiner: Examiner, target: Node, state: Any) -> None:
    """Check the state of an object in general: attributes by name, none of them of Python's own."""
    require(type(state) is dict, target.name)
    examiner.spend(len(state))
    for name, value in state.items():
        where = f"{target.name}.{name}"
        require(type(name) is str and not name.startswith("__"), where)
        require(type(value) is not Name or value in allowed.TYPES or examiner.is_foreign(value), where)
        require(not _is_check(value) or where == f"{allowed.FUNCTION}.func", where)
    if type(version := state.get(_VERSION)) is str:
        examiner.versions.add(printable(version, _LONGEST_NAME))


def _array_state(examiner: Examiner, target: Array, state: Any) -> None:
    require(type(state) is tuple and len(state) == 5, target.name)
    version, shape, dtype, fortran, content = state
    array = inert.array(dtype, shape)
    require(is_int(version, 1, 1) and type(fortran) is bool, target.name)
    require(type(content) is (list if dtype.kind == "O" else bytes), target.name)
    size = 1 if dtype.kind == "O" else dtype.size
    require(inert.count(shape) * size == len(content), target.name)
    examiner.spend(len(content))
    target.dtype, target.shape = array.dtype, array.shape


def _tree_state(examiner: Examiner, target: Node, state: Any) -> None:
    require(type(state) is dict and state.keys() == {"max_depth", "node_count", "nodes", "values"}, target.name)
    nodes, values = state["nodes"], state["values"]
    require(type(nodes) is Array and type(values) is Array and len(nodes.shape) == 1, target.name)
    # The tree believes that it has so many nodes, however many there are.
    require(is_int(state["node_count"], 1) and nodes.shape == (state["node_count"],), target.name)
    require(len(values.shape) == 3 and values.shape[0] == nodes.shape[0], target.name)
    require(is_int(state["max_depth"], 0, 2**31), target.name)
    examiner.spend(sum(inert.count(array.shape) * array.dtype.size for array in (nodes, values)))


def _function_state(examiner: Examiner, target: Node, state: Any) -> None:
    _attributes(examiner, target, state)
    function = state.get("func")
    require(function is None or (_is_check(function) and function.is_built), f"{target.name}.func")
    require(state.get("inverse_func") is None, f"{target.name}.inverse_func")
    require(state.get("kw_args") is None and state.get("inv_kw_args") is None, f"{target.name}.kw_args")


def _is_check(value: Any) -> bool:
    return type(value) is Node and value.name == allowed.PARTIAL


def _partial_state(_: Examiner, target: Node, state: Any) -> None:
    """Check that it is what scikit-learn writes, of whatever version: the loader makes that, and reads no state."""
    require(type(state) is tuple and len(state) == 4 and type(state[2]) is dict, target.name)
    function, arguments, keywords, attributes = state
    require(function == allowed.CHECK and arguments == () and attributes is None, target.name)
    require(keywords in _CHECKS, target.name)


def _booster_state(examiner: Examiner, target: Node, state: Any) -> None:
    _attributes(examiner, target, state)
    # Where it is no text, LightGBM takes it for an address in memory.
    require(type(state.get("_handle")) is str and "handle" not in state, f"{target.name}._handle")
    examiner.spend(len(state["_handle"]))


_CHECKS = [{"dtype": [Name("numpy", "float64")], finite: False} for finite in ("ensure_all_finite", "force_all_finite")]
_STATES: dict[Name, Callable[[Examiner, Any, Any], None]] = {
    allowed.DTYPE: lambda _, target, state: inert.describe(target, state),
    allowed.ARRAY: _array_state,
    allowed.TREE: _tree_state,
    allowed.FUNCTION: _function_state,
    allowed.PARTIAL: _partial_state,
    allowed.BOOSTER: _booster_state,
}
