"""Boosted trees as tables of bit masks: nothing to execute, and a prediction in microseconds.

Every leaf of a tree is a bit, numbered from the left. A split rules out the leaves on the side to which
it does not send a row. For each bin of each feature the table holds, per tree, the leaves that are not
ruled out; the AND over the features leaves the one that is reached. (After Lucchese et al.,
QuickScorer, SIGIR 2015, which rules out only on the left.)
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flight_delay.errors import BrokenArtifact

MAX_LEAVES = 32
_CHUNK = 2048
_ARRAYS = ("heads", "masks", "leaves", "thresholds", "threshold_counts", "categories")


@dataclass(frozen=True)
class Trees:
    """Ensembles over the same `n` features; the output of each is the sum of one leaf of each of its trees.

    Attributes
    ----------
    heads : (ensembles,), int64
        How many of the trees, in their order, belong to each.
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

    heads: NDArray[np.int64]
    masks: NDArray[np.uint32]
    leaves: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    threshold_counts: NDArray[np.int64]
    categories: NDArray[np.int64]
    _rows: list[tuple[int, list[float] | None, int]] = field(init=False, repr=False, compare=False)
    _first_leaf: NDArray[np.int64] = field(init=False, repr=False, compare=False)
    _spans: list[tuple[int, int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check(self)
        rows, row, start = [], 0, 0
        for thresholds, codes in zip(self.threshold_counts.tolist(), self.categories.tolist(), strict=True):
            own = None if codes else self.thresholds[start : start + thresholds].tolist()
            size = bins(thresholds, codes)
            rows.append((row, own, row + size - 1))
            row, start = row + size, start + thresholds
        object.__setattr__(self, "_rows", rows)
        ends = np.cumsum(self.heads).tolist()
        object.__setattr__(self, "_spans", list(zip([0, *ends[:-1]], ends, strict=True)))
        object.__setattr__(self, "_first_leaf", np.arange(len(self.leaves)) * MAX_LEAVES)

    def predict(self, values: Sequence[float]) -> list[float]:
        """Return the output of each head for one row of features; a missing value is NaN."""
        alive = np.bitwise_and.reduce(self.masks[self.bins_of(values)], axis=0)
        reached = self.leaves.take(self._first_leaf + _position(alive))
        # cumsum adds from the first tree to the last, as LightGBM does: bit-equal, where sum() is not.
        return [float(reached[start:end].cumsum()[-1]) for start, end in self._spans]

    def predict_many(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (rows, heads), the outputs for a matrix of features, (rows, n)."""
        result = np.empty((len(values), len(self.heads)))
        for first in range(0, len(values), _CHUNK):
            chunk = values[first : first + _CHUNK]
            alive = np.full((len(chunk), self.masks.shape[1]), np.iinfo(np.uint32).max, np.uint32)
            for column, row in zip(chunk.T, self._rows, strict=True):
                alive &= self.masks[_bin_rows(column, row)]
            reached = self.leaves.take(self._first_leaf + _position(alive))
            for head, (start, end) in enumerate(self._spans):
                result[first : first + _CHUNK, head] = reached[:, start:end].cumsum(axis=1)[:, -1]
        return result

    def bins_of(self, values: Sequence[float]) -> list[int]:
        """Return the row of the masks that each value of a row of features falls into."""
        reached = []
        for value, (first, thresholds, last) in zip(values, self._rows, strict=True):
            if math.isnan(value):
                reached.append(last)
            elif thresholds is not None:
                reached.append(first + bisect_left(thresholds, value))
            else:
                code = int(value)
                reached.append(first + code if 0 <= code < last - first else last)
        return reached

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


class Paths(NamedTuple):
    """How the leaves of the first heads are reached: one entry for each leaf and each feature on its way.

    Attributes
    ----------
    leaves : (steps,), int32, ascending
        Tree * 32 + leaf.
    features : (steps,), int32
    shares : (steps,), float32, above 0
        Of the training rows that come to the splits by that feature, how many go on towards the leaf.
    """

    leaves: NDArray[np.int32]
    features: NDArray[np.int32]
    shares: NDArray[np.float32]


def bins(thresholds: int, codes: int) -> int:
    """Return how many bins a feature has: the last is for what is missing or unknown."""
    return codes + 1 if codes else thresholds + 2


def _position(masks: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Return the number of the lowest bit that is set; of a leaf that is reached it is the only one."""
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


_SHAPES = {
    "heads": (np.int64, 1),
    "masks": (np.uint32, 2),
    "leaves": (np.float64, 2),
    "thresholds": (np.float64, 1),
    "threshold_counts": (np.int64, 1),
    "categories": (np.int64, 1),
}


def _check(trees: Trees) -> None:
    arrays = {name: getattr(trees, name) for name in _SHAPES}
    problems = [
        f"{name} is {array.dtype} of {array.ndim} dimensions"
        for name, array in arrays.items()
        if (array.dtype, array.ndim) != _SHAPES[name]
    ] or _misfits(trees)
    if problems:
        raise BrokenArtifact("; ".join(problems))


def _misfits(trees: Trees) -> list[str]:
    counts, codes, count = trees.threshold_counts, trees.categories, trees.masks.shape[1]
    if len(counts) != len(codes) or (counts < 0).any() or (codes < 0).any():
        return ["threshold_counts and categories do not fit"]
    found = {
        "masks has not a row for each bin": trees.masks.shape[0]
        != sum(bins(*pair) for pair in zip(counts.tolist(), codes.tolist(), strict=True)),
        "thresholds has not the length that threshold_counts says": len(trees.thresholds) != counts.sum(),
        "heads does not share out the trees": not len(trees.heads)
        or (trees.heads < 1).any()
        or trees.heads.sum() != count,
        "leaves has not 32 values for each tree": trees.leaves.shape != (count, MAX_LEAVES) or not count,
        "a value is not finite": not (np.isfinite(trees.leaves).all() and np.isfinite(trees.thresholds).all()),
    }
    return [problem for problem, is_so in found.items() if is_so]
