"""From the trees of fitted scikit-learn and LightGBM objects to `Forest`: every node is looked at before it is used."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.tree._tree import Tree

from flight_delay.errors import BrokenArtifact, ModelRefused
from flight_delay.model.foreign.state import as_numbers, attribute, kind_of, unfit
from flight_delay.model.point.trees import LEAF, Forest

MOST_NODES = 20_000_000
MOST_CODES = 100_000
_HIST_CODES = 256


class Nodes(NamedTuple):
    """One tree; children are counted from its first node, and a set of categories is an array of its own."""

    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    missing_left: NDArray[np.bool_]
    value: NDArray[np.float64]
    sets: Mapping[int, NDArray[np.bool_]]
    """By node, of those that split by a category."""


def forest_of(trees: Sequence[Nodes], factor: float, columns: int) -> Forest:
    """Return trees as one ensemble, each value times a factor; raises `ModelRefused` for nodes that are none."""
    sizes = [len(tree.feature) for tree in trees]
    if not trees or sum(sizes) > MOST_NODES:
        raise ModelRefused("refused_size", what="nodes", most=MOST_NODES)
    for number, tree in enumerate(trees):
        _check(number, tree, columns)
    first = np.cumsum([0, *sizes[:-1]])
    starts, lengths, sets = _sets_of(trees, first, sum(sizes))
    try:
        return Forest(
            roots=first.astype(np.int32),
            feature=_joined([tree.feature for tree in trees], np.int32),
            threshold=_joined([tree.threshold for tree in trees], np.float64),
            left=_joined([tree.left + start for tree, start in zip(trees, first, strict=True)], np.int32),
            right=_joined([tree.right + start for tree, start in zip(trees, first, strict=True)], np.int32),
            missing_left=_joined([tree.missing_left for tree in trees], np.bool_),
            value=_joined([tree.value * factor for tree in trees], np.float64),
            set_start=starts,
            set_size=lengths,
            sets=sets,
        )
    except BrokenArtifact as error:
        raise ModelRefused("refused_tree", problem=error.facts["problem"]) from error


def tree_nodes(estimator: Any, columns: int) -> Nodes:
    """Return the nodes of a fitted tree of scikit-learn."""
    tree = attribute(estimator, "tree_")
    if type(tree) is not Tree:
        raise unfit(estimator, "tree_", kind_of(tree))
    # Its arrays are views of node_count nodes, whatever memory there is for: that is asked first.
    if not 0 < tree.node_count <= tree.capacity:
        raise ModelRefused("refused_tree", problem="node_count is not the number of its nodes")
    if (tree.n_outputs, tree.max_n_classes) != (1, 1):
        raise ModelRefused("refused_schema_outputs", kind=kind_of(estimator), outputs=tree.n_outputs)
    if tree.n_features != columns:
        raise ModelRefused(
            "refused_schema_width", what=f"{kind_of(estimator)}.tree_", found=tree.n_features, needed=columns
        )
    left, right = tree.children_left.copy(), tree.children_right.copy()
    is_leaf = left == LEAF
    return Nodes(
        feature=np.where(is_leaf, LEAF, tree.feature),
        threshold=np.where(is_leaf, 0.0, tree.threshold),
        left=np.where(is_leaf, 0, left),
        right=np.where(is_leaf, 0, right),
        missing_left=tree.missing_go_to_left.astype(bool),
        value=tree.value[:, 0, 0].copy(),
        sets={},
    )


def hist_nodes(predictor: Any, known: Mapping[int, NDArray[np.bool_]]) -> Nodes:
    """Return the nodes of a tree of histogram boosting; `known` are the codes that each category column has."""
    if type(predictor) is not TreePredictor:
        raise ModelRefused("refused_tree", problem=f"{kind_of(predictor)} is no tree")
    nodes, bitsets = attribute(predictor, "nodes"), attribute(predictor, "raw_left_cat_bitsets")
    if type(nodes) is not np.ndarray or nodes.dtype != PREDICTOR_RECORD_DTYPE or nodes.ndim != 1 or not len(nodes):
        raise unfit(predictor, "nodes", "not an array of nodes")
    if type(bitsets) is not np.ndarray or bitsets.dtype != np.uint32 or bitsets.shape[1:] != (8,):
        raise unfit(predictor, "raw_left_cat_bitsets", "not an array of sets")
    is_leaf, missing_left = nodes["is_leaf"].astype(bool), nodes["missing_go_to_left"].astype(bool)
    sets = {}
    for node in np.flatnonzero(~is_leaf & nodes["is_categorical"].astype(bool)).tolist():
        column, place = int(nodes["feature_idx"][node]), int(nodes["bitset_idx"][node])
        if column not in known or place >= len(bitsets):
            raise ModelRefused("refused_tree", problem="a set of categories is out of range")
        sets[node] = np.where(known[column], bits(bitsets[place]), missing_left[node])
    return Nodes(
        feature=np.where(is_leaf, LEAF, nodes["feature_idx"]),
        threshold=np.where(is_leaf, 0.0, nodes["num_threshold"]),
        left=np.where(is_leaf, 0, nodes["left"].astype(np.int64)),
        right=np.where(is_leaf, 0, nodes["right"].astype(np.int64)),
        missing_left=missing_left,
        value=nodes["value"].copy(),
        sets=sets,
    )


def known_codes(mapper: Any, column: int) -> NDArray[np.bool_]:
    """Return which codes of a category column the bins of histogram boosting know."""
    bins = attribute(mapper, "bin_thresholds_")
    if type(bins) is not list or not 0 <= column < len(bins):
        raise unfit(mapper, "bin_thresholds_", "not one for each column")
    values = as_numbers(mapper, "bin_thresholds_", bins[column])
    if not ((values >= 0) & (values < _HIST_CODES)).all():
        raise unfit(mapper, "bin_thresholds_", "a code is out of range")
    found = np.zeros(_HIST_CODES, bool)
    found[values.astype(np.int64)] = True
    return found


def bits(words: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Return the bits of a set, the lowest of the first word first."""
    return np.unpackbits(words.astype("<u4").view(np.uint8), bitorder="little").astype(bool)


class _Split(NamedTuple):
    feature: int
    threshold: float
    missing_left: bool
    codes: NDArray[np.bool_] | None


def lightgbm_nodes(number: int, structure: Any, zeros: Mapping[int, int]) -> Nodes:
    """Return the nodes of a tree of `Booster.dump_model`.

    `zeros` is, for each feature of which zero is a missing value, the column in which it is NaN.
    """
    feature: list[int] = []
    threshold: list[float] = []
    missing_left: list[bool] = []
    value: list[float] = []
    children: list[list[int]] = []
    sets = {}
    waiting: list[tuple[Any, int, int]] = [(structure, -1, 0)]
    while waiting:
        node, parent, side = waiting.pop()
        place = len(feature)
        if parent >= 0:
            children[parent][side] = place
        split = _split(number, node, zeros) if "split_feature" in node else None
        feature.append(LEAF if split is None else split.feature)
        threshold.append(0.0 if split is None else split.threshold)
        missing_left.append(split is not None and split.missing_left)
        value.append(_leaf(number, node) if split is None else 0.0)
        children.append([0, 0])
        if split is not None:
            waiting += [(node["right_child"], place, 1), (node["left_child"], place, 0)]
            if split.codes is not None:
                sets[place] = split.codes
    left, right = np.array(children, np.int64).T
    return Nodes(
        np.array(feature), np.array(threshold), left, right, np.array(missing_left), np.array(value, np.float64), sets
    )


def _split(number: int, node: Mapping[str, Any], zeros: Mapping[int, int]) -> _Split:
    feature, missing = node["split_feature"], node["missing_type"]
    if node["decision_type"] == "==":
        return _Split(feature, 0.0, missing_left=False, codes=_codes(number, node["threshold"]))
    if node["decision_type"] != "<=" or missing not in {"None", "NaN", "Zero"}:
        raise ModelRefused("refused_tree", problem=f"tree {number} splits by {node['decision_type']}, {missing}")
    threshold = float(node["threshold"])
    # Where none was missing in training, LightGBM takes a missing value for zero.
    left = threshold >= 0.0 if missing == "None" else bool(node["default_left"])
    return _Split(zeros[feature] if missing == "Zero" else feature, threshold, left, codes=None)


def _codes(number: int, threshold: Any) -> NDArray[np.bool_]:
    found = [int(code) for code in str(threshold).split("||")]
    if not all(0 <= code < MOST_CODES for code in found):
        raise ModelRefused("refused_tree", problem=f"a category of tree {number} is out of range")
    result = np.zeros(max(found) + 1, bool)
    result[found] = True
    return result


def _leaf(number: int, node: Mapping[str, Any]) -> float:
    if "leaf_coeff" in node:
        raise ModelRefused("refused_setting", kind="LightGBM", setting="linear_tree", value="true")
    value = node["leaf_value"]
    if type(value) not in {int, float} or not math.isfinite(value):
        raise ModelRefused("refused_not_finite", what=f"LightGBM, tree {number}")
    return float(value)


def _check(number: int, tree: Nodes, columns: int) -> None:
    size, splits = len(tree.feature), tree.feature != LEAF
    children = np.concatenate([tree.left[splits], tree.right[splits]])
    if (tree.feature < LEAF).any() or (tree.feature >= columns).any():
        raise ModelRefused("refused_tree", problem=f"a feature of tree {number} is out of range")
    if ((children < 1) | (children >= size)).any():
        raise ModelRefused("refused_tree", problem=f"a node of tree {number} is out of range")
    if not np.isfinite(tree.value[~splits]).all() or np.isnan(tree.threshold).any():
        raise ModelRefused("refused_not_finite", what=f"tree {number}")
    tree.value[splits] = 0.0


def _sets_of(
    trees: Sequence[Nodes], first: NDArray[np.int64], nodes: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
    starts, lengths = np.full(nodes, -1, np.int32), np.zeros(nodes, np.int32)
    sets: list[NDArray[np.bool_]] = []
    end = 0
    for tree, start in zip(trees, first.tolist(), strict=True):
        for node, own in tree.sets.items():
            starts[start + node], lengths[start + node] = end, len(own)
            sets.append(own)
            end += len(own)
    if end > 10 * MOST_NODES:
        raise ModelRefused("refused_size", what="categories", most=10 * MOST_NODES)
    return starts, lengths, np.concatenate(sets) if sets else np.zeros(0, bool)


def _joined(parts: Sequence[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    return np.concatenate(parts).astype(dtype)
