"""Ensembles over tables of bit masks with numpy alone: where nothing could be compiled (`_kernel.c` is the same)."""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_CHUNK = 2048
_ALL = np.uint32(np.iinfo(np.uint32).max)
Floats = NDArray[np.float64]


class Bins(NamedTuple):
    """The bins of one feature: the rows of the masks from `first` to `last`, which is for what is missing."""

    first: int
    last: int
    thresholds: list[float] | None
    """None for a categorical feature, whose bins are its codes."""

    def of(self, value: float) -> int:
        """Return the row that a value falls into."""
        if self.thresholds is None:
            return self.first + int(value) if -1.0 < value < self.last - self.first else self.last
        return self.last if math.isnan(value) else self.first + bisect_left(self.thresholds, value)

    def of_many(self, values: Floats) -> NDArray[np.int64]:
        """Return the row that each value falls into."""
        if self.thresholds is None:
            known = (values > -1.0) & (values < self.last - self.first)
            return np.where(known, self.first + np.where(known, values, 0.0).astype(np.int64), self.last)
        found = self.first + np.searchsorted(np.asarray(self.thresholds), values, side="left")
        return np.where(np.isnan(values), self.last, found)


def bins_of(thresholds: Floats, threshold_counts: NDArray[np.int64], categories: NDArray[np.int64]) -> list[Bins]:
    """Return the bins of each feature."""
    found, row, start = [], 0, 0
    for count, codes in zip(threshold_counts.tolist(), categories.tolist(), strict=True):
        last = row + (codes or count + 1)
        found.append(Bins(row, last, None if codes else thresholds[start : start + count].tolist()))
        row, start = last + 1, start + count
    return found


class Ensemble:
    """The arrays of `Trees`, ready to answer."""

    def __init__(
        self,
        lines: NDArray[np.uint32],
        places: NDArray[np.uint32],
        leaves: Floats,
        thresholds: Floats,
        threshold_counts: NDArray[np.int64],
        categories: NDArray[np.int64],
        heads: NDArray[np.int64],
    ) -> None:
        self._lines, self._places = lines, places
        self._leaves = leaves
        self._bins = bins_of(thresholds, threshold_counts, categories)
        self._first_leaf = np.arange(len(leaves)) * leaves.shape[1]
        ends = np.cumsum(heads).tolist()
        self._spans = list(zip([0, *ends[:-1]], ends, strict=True))

    def predict(self, values: list[float], heads: int) -> list[float]:
        """Return the sums of the first heads for one row."""
        spans = self._spans[:heads]
        rows = [bins.of(value) for bins, value in zip(self._bins, values, strict=True)]
        trees = spans[-1][1]
        places = self._places[rows, : -(-trees // self._lines.shape[1])]
        alive = np.bitwise_and.reduce(self._lines[places], axis=0).ravel()[:trees]
        reached = self._leaves.take(self._first_leaf[: len(alive)] + _position(alive))
        # cumsum adds from the first tree to the last, as LightGBM does: bit-equal, where sum() is not.
        return [float(reached[start:end].cumsum()[-1]) for start, end in spans]

    def predict_many(self, values: Floats, sums: Floats, heads: int) -> None:
        """Write the sums of the first heads for many rows."""
        spans = self._spans[:heads]
        for first in range(0, len(values), _CHUNK):
            chunk = values[first : first + _CHUNK]
            blocks = -(-spans[-1][1] // self._lines.shape[1])
            left = np.full((len(chunk), blocks, self._lines.shape[1]), _ALL, np.uint32)
            for column, bins in zip(chunk.T, self._bins, strict=True):
                left &= self._lines[self._places[bins.of_many(column), :blocks]]
            alive = left.reshape(len(chunk), -1)[:, : spans[-1][1]]
            reached = self._leaves.take(self._first_leaf[: alive.shape[1]] + _position(alive))
            for head, (start, end) in enumerate(spans):
                sums[first : first + _CHUNK, head] = reached[:, start:end].cumsum(axis=1)[:, -1]


def _position(masks: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Return the number of the lowest bit that is set, the only one where a leaf is reached; 0 where there is none."""
    lowest: NDArray[np.uint32] = masks & (~masks + np.uint32(1))
    positions: NDArray[np.uint8] = np.bitwise_count(lowest - np.uint32(1)) & np.uint8(31)
    return positions
