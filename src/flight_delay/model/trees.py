"""Boosted trees as tables of bit masks: nothing to execute, and a prediction in microseconds.

Every leaf of a tree is a bit, numbered from the left. A split rules out the leaves on the side to which
it does not send a row. For each bin of each feature the table holds, per tree, the leaves that are not
ruled out; the AND over the features leaves the one that is reached. (After Lucchese et al.,
QuickScorer, SIGIR 2015, which rules out only on the left.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flight_delay.errors import BrokenArtifact
from flight_delay.model import plain
from flight_delay.model.lines import Lines

try:
    from flight_delay.model._kernel import Ensemble

    COMPILED = True
except ImportError:  # there was no compiler where it was installed
    from flight_delay.model.plain import Ensemble  # type: ignore[assignment]

    COMPILED = False

MAX_LEAVES = 32
_ARRAYS = ("heads", "masks", "leaves", "thresholds", "threshold_counts", "categories")


class Trees:
    """Ensembles over the same `n` features; the output of each is the sum of one leaf of each of its trees.

    Attributes
    ----------
    heads : (ensembles,), int64
        How many of the trees, in their order, belong to each.
    masks : (bins of all features, trees), uint32
        The leaves that a bin does not rule out; kept as `lines`.
    leaves : (trees, 32), float64
        The value of each leaf.
    thresholds : (thresholds of all numeric features,), float64, ascending within a feature
    threshold_counts : (n,), int64
        How many of them each feature has; 0 for a categorical one.
    categories : (n,), int64
        How many codes a categorical feature has; 0 for a numeric one.
    """

    def __init__(
        self,
        heads: NDArray[np.int64],
        masks: NDArray[np.uint32],
        leaves: NDArray[np.float64],
        thresholds: NDArray[np.float64],
        threshold_counts: NDArray[np.int64],
        categories: NDArray[np.int64],
    ) -> None:
        """Take the arrays; raises `BrokenArtifact` where they do not fit together."""
        self.heads, self.leaves, self.thresholds = heads, leaves, thresholds
        self.threshold_counts, self.categories = threshold_counts, categories
        _check(
            {
                "heads": heads,
                "masks": masks,
                "leaves": leaves,
                "thresholds": thresholds,
                "threshold_counts": threshold_counts,
                "categories": categories,
            }
        )
        self.lines = Lines.of(masks)
        arrays = (*self.lines, leaves, thresholds, threshold_counts, categories, heads)
        self._ensemble = Ensemble(*map(np.ascontiguousarray, arrays))

    def predict(self, values: list[float]) -> list[float]:
        """Return the output of each head for one row of features; a missing value is NaN."""
        return self._ensemble.predict(values, len(self.heads))

    def predict_heads(self, values: list[float], heads: int) -> list[float]:
        """Return the output of the first heads alone, for one row of features."""
        return self._ensemble.predict(values, heads)

    def predict_many(self, values: NDArray[np.float64], heads: int | None = None) -> NDArray[np.float64]:
        """Return (rows, heads), the outputs of the first heads, or of all, for a matrix of features, (rows, n)."""
        result = np.empty((len(values), len(self.heads) if heads is None else heads))
        self._ensemble.predict_many(np.ascontiguousarray(values), result, result.shape[1])
        return result

    def bins_of(self, values: Sequence[float]) -> list[int]:
        """Return the row of the masks that each value of a row of features falls into."""
        own = plain.bins_of(self.thresholds, self.threshold_counts, self.categories)
        return [bins.of(value) for bins, value in zip(own, values, strict=True)]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that make the ensemble."""
        masks = self.lines.masks(len(self.leaves))
        return {name: masks if name == "masks" else getattr(self, name) for name in _ARRAYS}

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
    features : (steps,), uint16
    shares : (steps,), float32, above 0
        Of the training rows that come to the splits by that feature, how many go on towards the leaf.
    """

    leaves: NDArray[np.int32]
    features: NDArray[np.uint16]
    shares: NDArray[np.float32]


def bins(thresholds: int, codes: int) -> int:
    """Return how many bins a feature has: the last is for what is missing or unknown."""
    return codes + 1 if codes else thresholds + 2


_SHAPES = {
    "heads": (np.int64, 1),
    "masks": (np.uint32, 2),
    "leaves": (np.float64, 2),
    "thresholds": (np.float64, 1),
    "threshold_counts": (np.int64, 1),
    "categories": (np.int64, 1),
}


def _check(arrays: Mapping[str, NDArray[Any]]) -> None:
    problems = [
        f"{name} is {array.dtype} of {array.ndim} dimensions"
        for name, array in arrays.items()
        if (array.dtype, array.ndim) != (np.dtype(_SHAPES[name][0]), _SHAPES[name][1])
    ] or _misfits(**arrays)
    if problems:
        raise BrokenArtifact("; ".join(problems))


def _misfits(
    heads: NDArray[np.int64],
    masks: NDArray[np.uint32],
    leaves: NDArray[np.float64],
    thresholds: NDArray[np.float64],
    threshold_counts: NDArray[np.int64],
    categories: NDArray[np.int64],
) -> list[str]:
    trees = masks.shape[1]
    if len(threshold_counts) != len(categories) or (threshold_counts < 0).any() or (categories < 0).any():
        return ["threshold_counts and categories do not fit"]
    found = {
        "masks has not a row for each bin": masks.shape[0]
        != sum(bins(*pair) for pair in zip(threshold_counts.tolist(), categories.tolist(), strict=True)),
        "thresholds has not the length that threshold_counts says": len(thresholds) != threshold_counts.sum(),
        "heads does not share out the trees": not len(heads) or (heads < 1).any() or heads.sum() != trees,
        "leaves has not 32 values for each tree": leaves.shape != (trees, MAX_LEAVES) or not trees,
        "a value is not finite": not (np.isfinite(leaves).all() and np.isfinite(thresholds).all()),
    }
    return [problem for problem, is_so in found.items() if is_so]
