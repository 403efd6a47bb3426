"""Binary trees of any size as arrays: nothing to execute, and a way down that always ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flight_delay.errors import BrokenArtifact

MAX_DEPTH = 512
LEAF = -1
_NODES_AT_A_TIME = 250_000
_NO_CODE = np.iinfo(np.int32).max
_SHAPES: dict[str, type[np.generic]] = {
    "roots": np.int32,
    "feature": np.int32,
    "threshold": np.float64,
    "left": np.int32,
    "right": np.int32,
    "missing_left": np.bool_,
    "value": np.float64,
    "set_start": np.int32,
    "set_size": np.int32,
    "sets": np.bool_,
}


@dataclass(frozen=True)
class Forest:
    """Trees one after the other; the output is the sum of one leaf of each.

    A split sends a number to the left if it is not above the threshold, and a category if its code is in the
    split's set; what is missing, or a code beyond the set, goes where `missing_left` says.

    Attributes
    ----------
    roots : (trees,), int32, ascending from 0
        The first node of each; its others follow it.
    feature : (nodes,), int32
        The column that is compared; -1 at a leaf.
    threshold : (nodes,), float64
        Not NaN; infinite where only what is missing is told apart.
    left, right : (nodes,), int32
        Behind the node, and in its tree; of no other node.
    missing_left : (nodes,), bool
    value : (nodes,), float64
        What a leaf adds.
    set_start, set_size : (nodes,), int32
        Where a category's set is; -1 and 0 for a number.
    sets : (codes of all sets,), bool
        Whether a code goes to the left.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    missing_left: NDArray[np.bool_]
    value: NDArray[np.float64]
    set_start: NDArray[np.int32]
    set_size: NDArray[np.int32]
    sets: NDArray[np.bool_]
    depth: int = field(init=False, repr=False, compare=False)
    _column: NDArray[np.int32] = field(init=False, repr=False, compare=False)
    _child: NDArray[np.int64] = field(init=False, repr=False, compare=False)
    _is_category: NDArray[np.bool_] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        problem = _misfit(self)
        if problem:
            raise BrokenArtifact(problem)
        nodes = np.arange(len(self.feature))
        is_leaf = self.feature == LEAF
        pairs = (np.where(is_leaf, nodes, self.right), np.where(is_leaf, nodes, self.left))
        categories = self.set_start >= 0
        object.__setattr__(self, "depth", _depth(self))
        object.__setattr__(self, "_column", np.maximum(self.feature, 0))
        object.__setattr__(self, "_child", np.stack(pairs, axis=1).ravel())
        object.__setattr__(self, "_is_category", categories if categories.any() else None)

    @property
    def width(self) -> int:
        """How many columns the trees look at, at least."""
        return int(self.feature.max()) + 1

    def predict(self, row: NDArray[np.float64]) -> float:
        """Return the output for one row of columns; a missing value is NaN."""
        return float(self._reached(row, self.roots.astype(np.int64), np.int64(0)).sum())

    def predict_many(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the output for each of many rows of columns, (rows, columns)."""
        result, trees = np.empty(len(rows)), len(self.roots)
        step = max(1, _NODES_AT_A_TIME // trees)
        for start in range(0, len(rows), step):
            chunk = rows[start : start + step]
            node = np.tile(self.roots.astype(np.int64), len(chunk))
            first = np.repeat(np.arange(len(chunk)) * rows.shape[1], trees)
            result[start : start + step] = self._reached(chunk.ravel(), node, first).reshape(-1, trees).sum(axis=1)
        return result

    def _reached(
        self, values: NDArray[np.float64], node: NDArray[np.int64], first: NDArray[np.int64] | np.int64
    ) -> NDArray[np.float64]:
        """Return the values of the leaves that are reached from nodes, each by the row that begins at its `first`."""
        missing = np.isnan(values)
        any_missing = bool(missing.any())
        codes = None if self._is_category is None else _codes(values)
        for _ in range(self.depth):
            column = self._column.take(node) + first
            goes_left = values.take(column) <= self.threshold.take(node)
            if any_missing:
                goes_left |= missing.take(column) & self.missing_left.take(node)
            if codes is not None:
                self._by_category(goes_left, codes, column, node)
            node = self._child.take(2 * node + goes_left)
        return self.value.take(node)

    def _by_category(
        self, goes_left: NDArray[np.bool_], codes: NDArray[np.int64], column: NDArray[np.int64], node: NDArray[np.int64]
    ) -> None:
        assert self._is_category is not None
        at = self._is_category.take(node).nonzero()[0]
        node, code = node.take(at), codes.take(column.take(at))
        known = code < self.set_size.take(node)
        in_set = self.sets.take((self.set_start.take(node) + code) * known)
        goes_left[at] = np.where(known, in_set, self.missing_left.take(node))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that make the trees."""
        return {name: getattr(self, name) for name in _SHAPES}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Forest:
        """Make trees of their arrays; raises `BrokenArtifact` where they do not fit together."""
        try:
            return cls(**{name: arrays[name] for name in _SHAPES})
        except KeyError as error:
            raise BrokenArtifact(f"array {error} is missing") from error


def _codes(row: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the row as codes of categories; what can be none is beyond every set."""
    return np.where((row >= 0) & (row < _NO_CODE), row, _NO_CODE).astype(np.int64)


def _misfit(forest: Forest) -> str | None:
    arrays = forest.arrays()
    for name, array in arrays.items():
        if array.dtype != _SHAPES[name] or array.ndim != 1:
            return f"{name} is {array.dtype} of {array.ndim} dimensions"
    nodes = len(forest.feature)
    if any(len(array) != nodes for name, array in arrays.items() if name not in {"roots", "sets"}):
        return "the arrays of the nodes have not one length"
    if not len(forest.roots) or forest.roots[0] != 0 or (np.diff(forest.roots) < 1).any():
        return "the roots do not ascend from 0"
    if forest.roots[-1] >= nodes or (forest.feature < LEAF).any():
        return "a root or a feature is out of range"
    if np.isnan(forest.threshold).any() or not np.isfinite(forest.value).all():
        return "a threshold or a value is not finite"
    return _misfit_of_splits(forest)


def _misfit_of_splits(forest: Forest) -> str | None:
    nodes = len(forest.feature)
    splits = np.flatnonzero(forest.feature != LEAF)
    end = np.append(forest.roots[1:], nodes)[np.searchsorted(forest.roots, splits, side="right") - 1]
    children = np.concatenate([forest.left[splits], forest.right[splits]])
    if (children <= np.tile(splits, 2)).any() or (children >= np.tile(end, 2)).any():
        return "a child is not behind its parent, or in another tree"
    if (np.bincount(children, minlength=1) > 1).any():
        return "a node has two parents"
    start, size = forest.set_start[splits].astype(np.int64), forest.set_size[splits].astype(np.int64)
    if ((start < 0) & ((start != -1) | (size != 0))).any() or (size < 0).any():
        return "a set of categories is nowhere"
    if (start + size > len(forest.sets)).any() or ((start >= 0) & (size == 0)).any():
        return "a set of categories is out of range"
    return None


def _depth(forest: Forest) -> int:
    """Return how many splits are on the longest way down."""
    level, depth = forest.roots, 0
    while len(level := level[forest.feature[level] != LEAF]):
        depth += 1
        if depth > MAX_DEPTH:
            raise BrokenArtifact(f"a tree is deeper than {MAX_DEPTH} splits")
        level = np.concatenate([forest.left[level], forest.right[level]])
    return depth
