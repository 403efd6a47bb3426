"""Boosted trees as tables of bit masks: nothing to execute, and a prediction in microseconds.

Every leaf of a tree is a bit, numbered from the left. A split that sends a row to the right rules
out the leaves on its left. For each bin of each feature the table holds, per tree, the leaves that
are not ruled out; the AND over the features leaves the leaf that is reached as the lowest bit set.
(Lucchese et al., QuickScorer, SIGIR 2015.)
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flight_delay.errors import BrokenArtifact

MAX_LEAVES = 32
_CHUNK = 2048
_ARRAYS = ("masks", "leaves", "thresholds", "threshold_counts", "categories")


@dataclass(frozen=True)
class Trees:
    """An ensemble over `n` features; its output is the sum of one leaf of each tree.

    Attributes
    ----------
    masks : (bins of all features, trees), uint32
        The leaves that a bin does not rule out.
    leaves : (trees, 32), float64
        The value of each leaf.
    thresholds : (thresholds of all numeric features,), float64, ascending within a feature
    threshold_counts : (n,), int64
        How many of them each feature has; 0 for a categorical one.
    categories : (n,), int64
        How many codes a categorical feature has; 0 for a numeric one.
    """

    masks: NDArray[np.uint32]
    leaves: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    threshold_counts: NDArray[np.int64]
    categories: NDArray[np.int64]
    _rows: list[tuple[int, list[float] | None, int]] = field(init=False, repr=False, compare=False)
    _first_leaf: NDArray[np.int64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check(self)
        rows, row, start = [], 0, 0
        for thresholds, codes in zip(self.threshold_counts.tolist(), self.categories.tolist(), strict=True):
            own = None if codes else self.thresholds[start : start + thresholds].tolist()
            size = bins(thresholds, codes)
            rows.append((row, own, row + size - 1))
            row, start = row + size, start + thresholds
        object.__setattr__(self, "_rows", rows)
        object.__setattr__(self, "_first_leaf", np.arange(len(self.leaves)) * MAX_LEAVES)

    def predict(self, values: Sequence[float]) -> float:
        """Return the ensemble's output for one row of features; a missing value is NaN."""
        reached = []
        for value, (first, thresholds, last) in zip(values, self._rows, strict=True):
            if math.isnan(value):
                reached.append(last)
            elif thresholds is not None:
                reached.append(first + bisect_left(thresholds, value))
            else:
                code = int(value)
                reached.append(first + code if 0 <= code < last - first else last)
        alive = np.bitwise_and.reduce(self.masks[reached], axis=0)
        # cumsum adds from the first tree to the last, as LightGBM does: bit-equal, where sum() is not.
        return float(self.leaves.take(self._first_leaf + _lowest_bit(alive)).cumsum()[-1])

    def predict_many(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the outputs for a matrix of features, (rows, n)."""
        result = np.empty(len(values))
        for start in range(0, len(values), _CHUNK):
            chunk = values[start : start + _CHUNK]
            alive = np.full((len(chunk), self.masks.shape[1]), np.iinfo(np.uint32).max, np.uint32)
            for column, row in zip(chunk.T, self._rows, strict=True):
                alive &= self.masks[_bin_rows(column, row)]
            result[start : start + _CHUNK] = self.leaves.take(self._first_leaf + _lowest_bit(alive)).cumsum(axis=1)[
                :, -1
            ]
        return result

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that make the ensemble."""
        return {name: getattr(self, name) for name in _ARRAYS}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Trees:
        """Make an ensemble of its arrays; raises `BrokenArtifact` where they do not fit together."""
        try:
            return cls(**{name: arrays[name] for name in _ARRAYS})
        except KeyError as error:
            raise BrokenArtifact(f"array {error} is missing") from error


def bins(thresholds: int, codes: int) -> int:
    """Return how many bins a feature has: the last is for what is missing or unknown."""
    return codes + 1 if codes else thresholds + 2


def _lowest_bit(masks: NDArray[np.uint32]) -> NDArray[np.uint8]:
    lowest: NDArray[np.uint32] = masks & (~masks + np.uint32(1))
    positions: NDArray[np.uint8] = np.bitwise_count(lowest - np.uint32(1))
    return positions


def _bin_rows(column: NDArray[np.float64], row: tuple[int, list[float] | None, int]) -> NDArray[np.int64]:
    first, thresholds, last = row
    missing = np.isnan(column)
    if thresholds is not None:
        found = first + np.searchsorted(np.asarray(thresholds), column, side="left")
    else:
        codes = np.where(missing, -1, column).astype(np.int64)
        found = np.where((codes >= 0) & (codes < last - first), first + codes, last)
    return np.where(missing, last, found)


def _check(trees: Trees) -> None:
    problems = []
    for name, dtype, dimensions in (
        ("masks", np.uint32, 2),
        ("leaves", np.float64, 2),
        ("thresholds", np.float64, 1),
        ("threshold_counts", np.int64, 1),
        ("categories", np.int64, 1),
    ):
        array = getattr(trees, name)
        if array.dtype != dtype or array.ndim != dimensions:
            problems.append(f"{name} is {array.dtype} of {array.ndim} dimensions")
    if not problems:
        counts, codes = trees.threshold_counts, trees.categories
        if len(counts) != len(codes) or (counts < 0).any() or (codes < 0).any():
            problems.append("threshold_counts and categories do not fit")
        elif trees.masks.shape[0] != sum(bins(*pair) for pair in zip(counts.tolist(), codes.tolist(), strict=True)):
            problems.append("masks has not a row for each bin")
        elif len(trees.thresholds) != counts.sum():
            problems.append("thresholds has not the length that threshold_counts says")
        if trees.leaves.shape != (trees.masks.shape[1], MAX_LEAVES) or not len(trees.leaves):
            problems.append("leaves has not 32 values for each tree")
        if not np.isfinite(trees.leaves).all() or not np.isfinite(trees.thresholds).all():
            problems.append("a value is not finite")
    if problems:
        raise BrokenArtifact("; ".join(problems))
