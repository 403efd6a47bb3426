"""What moved an answer: the exact Shapley value of each feature, in minutes.

The value of a leaf counts as far as the features on its way let a row through: those that are given
by their bit in the masks, those that are not by the share of the training rows (path-dependent
TreeSHAP; Lundberg et al., 2020). With o for the bit and r for the share, Shapley's weighting of all
orders is an integral, v * (o_f - r_f) * ∫₀¹ ∏_{g≠f} (t * o_g + (1 - t) * r_g) dt, of a polynomial, which
Gauss and Legendre's nodes give exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flight_delay.errors import BrokenArtifact
from flight_delay.model.trees import MAX_LEAVES, Paths, Trees


class Explanation(NamedTuple):
    """Minutes: what is answered when nothing is known, and what each feature adds to it."""

    base: float
    contributions: NDArray[np.float64]


def explain(trees: Trees, paths: Paths, heads: int, values: Sequence[float]) -> Explanation:
    """Return the contributions for one row of features; they and the base add up to the mean of the first heads."""
    leaves, features, shares = paths
    rows = np.array(trees.bins_of(values))[features]
    let_through = (trees.lines.at(rows, leaves // MAX_LEAVES) >> (leaves % MAX_LEAVES).astype(np.uint32)) & 1
    starts = np.flatnonzero(np.diff(leaves, prepend=-1))
    lengths = np.diff(starts, append=len(leaves))
    worth = trees.leaves.ravel()[leaves[starts]] / heads
    nodes, weights = np.polynomial.legendre.leggauss(int(lengths.max()) // 2 + 1)
    total = np.zeros(len(leaves))
    for t, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        factors = t * let_through + (1 - t) * shares.astype(np.float64)
        products = np.multiply.reduceat(factors, starts)
        total += weight * np.repeat(products, lengths) / factors
    by_step = np.repeat(worth, lengths) * (let_through - shares.astype(np.float64)) * total
    base = float((worth * np.multiply.reduceat(shares.astype(np.float64), starts)).sum())
    base += _stumps(trees, leaves, heads)
    contributions: NDArray[np.float64] = np.bincount(features, by_step, minlength=len(values)).astype(np.float64)
    return Explanation(base, contributions)


def _stumps(trees: Trees, leaves: NDArray[np.int32], heads: int) -> float:
    """Return the value of the trees that have no split: a leaf that every row reaches."""
    alone = np.setdiff1d(np.arange(trees.heads[:heads].sum()), leaves // MAX_LEAVES)
    return float(trees.leaves[alone, 0].sum()) / heads


def check(trees: Trees, paths: Paths, heads: int) -> None:
    """Raise `BrokenArtifact` where the paths are not those of the first heads."""
    leaves, features, shares = paths
    if not len(leaves) == len(features) == len(shares) or not len(leaves):
        raise BrokenArtifact("the paths have not one feature and one share for each leaf")
    outside = (leaves < 0) | (leaves >= trees.heads[:heads].sum() * MAX_LEAVES)
    if outside.any() or (np.diff(leaves) < 0).any():
        raise BrokenArtifact("a path leads to a leaf that is not there")
    if ((features < 0) | (features >= len(trees.categories))).any():
        raise BrokenArtifact("a path asks a feature that is not there")
    if not ((shares > 0) & (shares <= 1)).all():
        raise BrokenArtifact("a share is not one")
