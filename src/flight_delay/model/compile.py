"""From fitted LightGBM boosters to `Trees`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flight_delay.errors import ConversionFailed
from flight_delay.model.trees import MAX_LEAVES, Paths, Trees, bins


class _Split(NamedTuple):
    tree: int
    node: dict[str, Any]
    left: int
    """The bits of the leaves that are ruled out when a row goes right."""
    right: int
    """And of those when it goes left."""


class _Step(NamedTuple):
    """That a leaf lies below splits by a feature, and the share of the training rows that go its way at them."""

    leaf: int
    feature: int
    share: float


class Compiled(NamedTuple):
    """Boosters as tables, one head each, and how the leaves of the first of them are reached, for `explain`."""

    trees: Trees
    paths: Paths


def compile_boosters(boosters: Sequence[Any], explained: int = 0) -> Compiled:
    """Return some `lightgbm.Booster` as tables; the outputs are equal bit by bit.

    They must have the same features; the paths are those of as many boosters as are to be explained. Raises
    `ConversionFailed` for what the tables cannot hold: more than 32 leaves, or zero as missing.
    """
    dumps = [booster.dump_model() for booster in boosters]
    structures = [info["tree_structure"] for dump in dumps for info in dump["tree_info"]]
    heads = [len(dump["tree_info"]) for dump in dumps]
    leaves = np.zeros((len(structures), MAX_LEAVES))
    splits: list[_Split] = []
    steps: list[_Step] = []
    for tree, root in enumerate(structures):
        _Walk(tree, leaves[tree], splits, steps).visit(root, 0, {})
    features = dumps[0]["max_feature_idx"] + 1
    thresholds, categories = _bins_of(splits, features)
    trees = Trees(
        heads=np.array(heads, np.int64),
        masks=_masks(splits, len(leaves), thresholds, categories),
        leaves=leaves,
        thresholds=np.array([t for own in thresholds for t in own], np.float64),
        threshold_counts=np.array([len(own) for own in thresholds], np.int64),
        categories=np.array(categories, np.int64),
    )
    return Compiled(trees, _paths([step for step in steps if step.leaf < sum(heads[:explained]) * MAX_LEAVES]))


def _masks(
    splits: Sequence[_Split], trees: int, thresholds: Sequence[list[float]], categories: Sequence[int]
) -> NDArray[np.uint32]:
    first = np.cumsum([0] + [bins(len(t), c) for t, c in zip(thresholds, categories, strict=True)])
    masks = np.full((first[-1], trees), np.iinfo(np.uint32).max, np.uint32)
    for split in splits:
        feature = split.node["split_feature"]
        goes_right = _goes_right(split.node, thresholds[feature], categories[feature])
        gone = np.where(goes_right, split.left, split.right).astype(np.uint32)
        masks[first[feature] : first[feature + 1], split.tree] &= ~gone
    return masks


def _paths(steps: Sequence[_Step]) -> Paths:
    return Paths(
        leaves=np.array([step.leaf for step in steps], np.int32),
        features=np.array([step.feature for step in steps], np.uint16),
        shares=np.array([step.share for step in steps], np.float32),
    )


class _Walk:
    """Goes down one tree, and notes its leaves from the left, its splits, and how each leaf is reached."""

    def __init__(self, tree: int, leaves: NDArray[np.float64], splits: list[_Split], steps: list[_Step]) -> None:
        self._tree = tree
        self._leaves = leaves
        self._splits = splits
        self._steps = steps

    def visit(self, node: dict[str, Any], first: int, shares: dict[int, float]) -> int:
        """Note what is at a node and below, its leaves being numbered from `first`; return the next number."""
        if "split_feature" not in node:
            if first >= MAX_LEAVES:
                raise ConversionFailed(f"tree {self._tree} has more than {MAX_LEAVES} leaves")
            self._leaves[first] = node["leaf_value"]
            leaf = self._tree * MAX_LEAVES + first
            self._steps += [_Step(leaf, feature, share) for feature, share in shares.items()]
            return first + 1
        if node["missing_type"] == "Zero":
            raise ConversionFailed(f"tree {self._tree} takes zero for a missing value")
        middle = self.visit(node["left_child"], first, _shared(shares, node, "left_child"))
        last = self.visit(node["right_child"], middle, _shared(shares, node, "right_child"))
        self._splits.append(
            _Split(self._tree, node, (1 << middle) - (1 << first), (1 << last) - (1 << middle)),
        )
        return last


def _shared(shares: dict[int, float], node: dict[str, Any], child: str) -> dict[int, float]:
    below, feature = node[child], node["split_feature"]
    share = below.get("internal_count", below.get("leaf_count")) / node["internal_count"]
    return shares | {feature: shares.get(feature, 1.0) * share}


def _bins_of(splits: list[_Split], features: int) -> tuple[list[list[float]], list[int]]:
    """Return the thresholds of each feature, ascending, and how many codes of a category are told apart."""
    thresholds: list[set[float]] = [set() for _ in range(features)]
    categories = [0] * features
    for split in splits:
        feature = split.node["split_feature"]
        if split.node["decision_type"] == "==":
            categories[feature] = max(categories[feature], max(_codes(split.node)) + 1)
        else:
            thresholds[feature].add(split.node["threshold"])
    return [sorted(own) for own in thresholds], categories


def _codes(node: dict[str, Any]) -> list[int]:
    return [int(code) for code in node["threshold"].split("||")]


def _goes_right(node: dict[str, Any], thresholds: list[float], codes: int) -> NDArray[np.bool_]:
    """Return, for each bin of the feature, whether the split sends it to the right."""
    if node["decision_type"] == "==":
        right = np.ones(codes + 1, bool)
        right[_codes(node)] = False
        return right
    position = thresholds.index(node["threshold"])
    right = np.arange(len(thresholds) + 2) > position
    right[-1] = not (node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0.0)
    return right
