"""From a fitted LightGBM booster to `Trees`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flight_delay.errors import ConversionFailed
from flight_delay.model.trees import MAX_LEAVES, Trees, bins


class _Split(NamedTuple):
    tree: int
    node: dict[str, Any]
    left_leaves: int
    """The bits of the leaves that are ruled out when a row goes right."""


def compile_booster(booster: Any) -> Trees:
    """Return the trees of a `lightgbm.Booster` as tables; the outputs are equal bit by bit.

    Raises `ConversionFailed` for what the tables cannot hold: more than 32 leaves, or zero as missing.
    """
    dump = booster.dump_model()
    leaves = np.zeros((len(dump["tree_info"]), MAX_LEAVES))
    splits = [
        split
        for tree, info in enumerate(dump["tree_info"])
        for split in _walk(tree, info["tree_structure"], leaves[tree])
    ]
    features = dump["max_feature_idx"] + 1
    thresholds: list[list[float]] = [
        sorted(
            {s.node["threshold"] for s in splits if s.node["split_feature"] == f and s.node["decision_type"] == "<="}
        )
        for f in range(features)
    ]
    categories = [
        max(
            (c for s in splits if s.node["split_feature"] == f and s.node["decision_type"] == "==" for c in _codes(s)),
            default=-1,
        )
        + 1
        for f in range(features)
    ]
    first = np.cumsum([0] + [bins(len(t), c) for t, c in zip(thresholds, categories, strict=True)])
    masks = np.full((first[-1], len(leaves)), np.iinfo(np.uint32).max, np.uint32)
    for split in splits:
        feature = split.node["split_feature"]
        goes_right = _goes_right(split.node, thresholds[feature], categories[feature])
        masks[first[feature] : first[feature + 1], split.tree][goes_right] &= np.uint32(~split.left_leaves & 0xFFFFFFFF)
    return Trees(
        masks=masks,
        leaves=leaves,
        thresholds=np.array([t for own in thresholds for t in own], np.float64),
        threshold_counts=np.array([len(own) for own in thresholds], np.int64),
        categories=np.array(categories, np.int64),
    )


def _walk(tree: int, root: dict[str, Any], leaves: NDArray[np.float64]) -> Iterator[_Split]:
    """Yield the splits of a tree, and put the values of its leaves, from the left, into `leaves`."""
    found: list[_Split] = []

    def visit(node: dict[str, Any], first: int) -> int:
        if "leaf_value" in node:
            if first >= MAX_LEAVES:
                raise ConversionFailed(f"tree {tree} has more than {MAX_LEAVES} leaves")
            leaves[first] = node["leaf_value"]
            return first + 1
        if node["missing_type"] == "Zero":
            raise ConversionFailed(f"tree {tree} takes zero for a missing value")
        middle = visit(node["left_child"], first)
        found.append(_Split(tree, node, (1 << middle) - (1 << first)))
        return visit(node["right_child"], middle)

    visit(root, 0)
    return iter(found)


def _codes(split: _Split) -> list[int]:
    return [int(code) for code in split.node["threshold"].split("||")]


def _goes_right(node: dict[str, Any], thresholds: list[float], codes: int) -> NDArray[np.bool_]:
    """Return, for each bin of the feature, whether the split sends it to the right."""
    if node["decision_type"] == "==":
        right = np.ones(codes + 1, bool)
        right[[int(code) for code in node["threshold"].split("||")]] = False
        return right
    position = thresholds.index(node["threshold"])
    right = np.arange(len(thresholds) + 2) > position
    right[-1] = not (node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0.0)
    return right
