"""From fitted regressors to heads: a registry by exact class; others are refused by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from lightgbm import Booster, LGBMRegressor
from numpy.typing import NDArray
from sklearn._loss.link import IdentityLink, LogLink
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import (
    BaggingRegressor,
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
    VotingRegressor,
)
from sklearn.linear_model import (
    ARDRegression,
    BayesianRidge,
    ElasticNet,
    ElasticNetCV,
    GammaRegressor,
    HuberRegressor,
    Lasso,
    LassoCV,
    LinearRegression,
    PoissonRegressor,
    Ridge,
    RidgeCV,
    SGDRegressor,
    TweedieRegressor,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder
from sklearn.svm import LinearSVR
from sklearn.tree import DecisionTreeRegressor, ExtraTreeRegressor
from sklearn.utils import check_array

from flight_delay.errors import ModelRefused
from flight_delay.model.foreign.columns import Frame, Source, Text, changed, text_left
from flight_delay.model.foreign.state import (
    as_numbers,
    attribute,
    check_width,
    codes,
    kind_of,
    number,
    optional,
    sequence,
    unfit,
    whole,
)
from flight_delay.model.foreign.transformers import parts_of, steps_of, transformed
from flight_delay.model.foreign.trees import (
    Nodes,
    forest_of,
    hist_nodes,
    known_codes,
    lightgbm_nodes,
    tree_nodes,
)
from flight_delay.model.point.trees import Forest

_MISSING_BY = {"squared_error", "friedman_mse", "poisson"}
"""Criteria with which the trees of scikit-learn take missing values."""
_LIGHTGBM_LINKS = {
    "regression": "identity",
    "regression_l1": "identity",
    "huber": "identity",
    "fair": "identity",
    "quantile": "identity",
    "mape": "identity",
    "poisson": "exp",
    "gamma": "exp",
    "tweedie": "exp",
}


@dataclass(frozen=True)
class Part:
    """A head whose columns are not yet numbered: the trees' features are places in its own `columns`."""

    columns: Sequence[Source]
    weight: float = 1.0
    link: str = "identity"
    intercept: float = 0.0
    coef: NDArray[np.float64] | None = None
    forest: Forest | None = None
    single: bool = False
    takes_missing: bool = False


def heads_of(model: Any, frame: Frame) -> list[Part]:
    """Return the heads that a fitted regressor is; raises `ModelRefused`."""
    frame.notes.visit()
    convert = _REGRESSORS.get(type(model))
    if convert is None:
        raise ModelRefused("refused_kind", kind=kind_of(model), known=", ".join(REGRESSORS))
    if type(model) not in {Pipeline, Booster, LGBMRegressor, DummyRegressor, VotingRegressor}:
        check_width(model, len(frame.columns))
    return convert(model, frame)


def _pipeline(pipeline: Any, frame: Frame) -> list[Part]:
    *steps, last = steps_of(pipeline)
    for step in steps:
        frame = transformed(step, frame)
    return heads_of(last, frame)


def _linear(model: Any, frame: Frame) -> list[Part]:
    _refuse_texts(frame)
    weights = attribute(model, "coef_")
    if type(weights) is np.ndarray and weights.ndim == 2:
        if len(weights) != 1:
            raise ModelRefused("refused_schema_outputs", kind=kind_of(model), outputs=len(weights))
        weights = weights[0]
    coef = as_numbers(model, "coef_", weights, len(frame.columns))
    return [Part(frame.columns, coef=coef, intercept=number(model, "intercept_"))]


def _generalised(model: Any, frame: Frame) -> list[Part]:
    link = _link(model, attribute(model, "_base_loss"))
    return [replace(part, link=link) for part in _linear(model, frame)]


def _dummy(model: Any, _: Frame) -> list[Part]:
    if whole(model, "n_outputs_") != 1:
        raise ModelRefused("refused_schema_outputs", kind=kind_of(model), outputs=whole(model, "n_outputs_"))
    return [Part([], intercept=number(model, "constant_"))]


def _tree(model: Any, frame: Frame) -> list[Part]:
    return [_of_trees([model], 1.0, frame)]


def _forest(model: Any, frame: Frame) -> list[Part]:
    trees = sequence(model, "estimators_")
    if whole(model, "n_outputs_") != 1:
        raise ModelRefused("refused_schema_outputs", kind=kind_of(model), outputs=whole(model, "n_outputs_"))
    return [_of_trees(trees, 1.0 / max(1, len(trees)), frame)]


def _gradient_boosting(model: Any, frame: Frame) -> list[Part]:
    stages = attribute(model, "estimators_")
    if optional(model, "n_trees_per_iteration_") not in {None, 1}:
        raise unfit(model, "n_trees_per_iteration_", "not 1")
    if type(stages) is not np.ndarray or stages.dtype != object or stages.shape[1:] != (1,):
        raise unfit(model, "estimators_", "not one tree for each stage")
    part = _of_trees(stages[:, 0].tolist(), number(model, "learning_rate"), frame)
    initial = attribute(model, "init_")
    if isinstance(initial, str) and initial == "zero":
        base = 0.0
    elif type(initial) is DummyRegressor:
        base = _dummy(initial, frame)[0].intercept
        if _link(model, attribute(model, "_loss")) != "identity":
            raise ModelRefused("refused_setting", kind=kind_of(model), setting="loss", value="with a link")
    else:
        raise ModelRefused("refused_setting", kind=kind_of(model), setting="init", value=kind_of(initial))
    return [replace(part, intercept=base, takes_missing=False)]


def _of_trees(trees: Sequence[Any], factor: float, frame: Frame) -> Part:
    _refuse_texts(frame)
    for tree in trees:
        if type(tree) not in {DecisionTreeRegressor, ExtraTreeRegressor}:
            raise ModelRefused("refused_tree", problem=f"{kind_of(tree)} is no tree")
        check_width(tree, len(frame.columns))
    takes_missing = not frame.sparse and all(
        optional(tree, "monotonic_cst") is None and str(attribute(tree, "criterion")) in _MISSING_BY for tree in trees
    )
    width = len(frame.columns)
    forest = forest_of([tree_nodes(tree, width) for tree in trees], factor, width)
    return Part(frame.columns, forest=forest, single=True, takes_missing=takes_missing)


def _hist_boosting(model: Any, frame: Frame) -> list[Part]:
    columns, categorical = _hist_columns(model, frame)
    mapper = attribute(model, "_bin_mapper")
    known = {column: known_codes(mapper, column) for column in range(categorical)}
    flags = attribute(mapper, "is_categorical_")  # scikit-learn's own predict counts with it, unchecked
    if type(flags) is not np.ndarray or flags.tolist() != [place < categorical for place in range(len(columns))]:
        raise unfit(mapper, "is_categorical_", "not one for each column")
    iterations = sequence(model, "_predictors")
    if whole(model, "n_trees_per_iteration_") != 1 or not all(
        type(own) is list and len(own) == 1 for own in iterations
    ):
        raise ModelRefused(
            "refused_schema_outputs", kind=kind_of(model), outputs=whole(model, "n_trees_per_iteration_")
        )
    trees = [hist_nodes(own[0], known) for own in iterations]
    return [
        Part(
            columns,
            link=_link(model, attribute(model, "_loss")),
            intercept=number(model, "_baseline_prediction"),
            forest=forest_of(trees, 1.0, len(columns)),
            takes_missing=True,
        )
    ]


def _hist_columns(model: Any, frame: Frame) -> tuple[Sequence[Source], int]:
    """Return the columns that its trees see, and how many of them, the first ones, are categories."""
    before = attribute(model, "_preprocessor")
    if before is None:
        _refuse_texts(frame)
        return frame.columns, 0
    parts = parts_of(before, len(frame.columns)) if type(before) is ColumnTransformer else []
    # Behind them is a remainder of no columns.
    if [name for name, _, _ in parts[:2]] != ["encoder", "numerical"] or any(places for _, _, places in parts[2:]):
        raise unfit(model, "_preprocessor", "not an encoder and the numbers")
    (_, encoder, categories), (_, passing, rest) = parts[:2]
    if type(encoder) is not OrdinalEncoder or not _only_checks(passing):
        raise unfit(model, "_preprocessor", "other parts than fit gives it")
    numbers = frame.select(rest)
    _refuse_texts(numbers)
    encoded = transformed(encoder, frame.select(categories))
    return [*encoded.columns, *numbers.columns], len(categories)


def _only_checks(step: Any) -> bool:
    """Whether a step calls nothing but scikit-learn's own check: the object's `predict` will call what it holds."""
    function = optional(step, "func")
    return type(step) is FunctionTransformer and type(function) is partial and function.func is check_array


def _bagging(model: Any, frame: Frame) -> list[Part]:
    members, features = sequence(model, "estimators_"), sequence(model, "estimators_features_")
    if not members or len(members) != len(features) or whole(model, "n_estimators") != len(members):
        raise unfit(model, "estimators_", "not as many as their columns")
    parts: list[Part] = []
    for member, places in zip(members, features, strict=True):
        own = frame.select(codes(model, "estimators_features_", places, len(frame.columns)))
        parts += [replace(part, weight=part.weight / len(members)) for part in heads_of(member, own)]
    return parts


def _voting(model: Any, frame: Frame) -> list[Part]:
    members = sequence(model, "estimators_")
    weights = _votes(model, members)
    return [
        replace(part, weight=part.weight * weight)
        for member, weight in zip(members, weights, strict=True)
        for part in heads_of(member, frame)
    ]


def _votes(model: Any, members: Sequence[Any]) -> list[float]:
    if attribute(model, "weights") is None:
        return [1.0 / len(members)] * len(members)
    asked = [part[1] for part in sequence(model, "estimators") if type(part) is tuple and len(part) == 2]
    given = np.array(sequence(model, "weights"))
    if given.shape != (len(asked),):
        raise unfit(model, "weights", "not one for each estimator")
    kept = as_numbers(model, "weights", given[[not isinstance(one, str) for one in asked]], len(members))
    if not kept.sum():
        raise unfit(model, "weights", "they add up to 0")
    return [float(one) for one in kept / kept.sum()]


def _lightgbm(model: Any, frame: Frame) -> list[Part]:
    return _booster(attribute(model, "_Booster"), frame)


def _booster(booster: Any, frame: Frame) -> list[Part]:
    if type(booster) is not Booster:
        raise ModelRefused("refused_kind", kind=kind_of(booster), known=", ".join(REGRESSORS))
    _refuse_texts(frame)
    dump = booster.dump_model()
    width = len(frame.columns)
    if dump["max_feature_idx"] + 1 != width:
        raise ModelRefused("refused_schema_width", what="Booster", found=dump["max_feature_idx"] + 1, needed=width)
    if dump["num_class"] != 1 or dump["num_tree_per_iteration"] != 1:
        raise ModelRefused("refused_schema_outputs", kind="Booster", outputs=dump["num_class"])
    # A column of which zero is a missing value comes twice: as it is, and so; which one a split sees, the split says.
    both = [*frame.columns, *(_zero_missing(column) for column in frame.columns)]
    zeros = {place: width + place for place in range(width)}
    trees: list[Nodes] = [
        lightgbm_nodes(tree["tree_index"], tree["tree_structure"], zeros) for tree in dump["tree_info"]
    ]
    factor = 1.0 / len(trees) if dump["average_output"] and trees else 1.0
    forest = forest_of(trees, factor, 2 * width)
    columns = both if forest.width > width else frame.columns
    return [Part(columns, link=_lightgbm_link(dump), forest=forest, takes_missing=True)]


def _zero_missing(column: Source) -> Source:
    return changed(column, ("zero_is_missing", 0.0))


def _lightgbm_link(dump: dict[str, Any]) -> str:
    objective = str(dump.get("objective", "regression"))
    link = _LIGHTGBM_LINKS.get(objective.split(" ", 1)[0])
    if link is None or " sqrt" in objective:
        raise ModelRefused("refused_setting", kind="LightGBM", setting="objective", value=objective[:40])
    return link


def _link(model: Any, loss: Any) -> str:
    link = attribute(loss, "link")
    found = {IdentityLink: "identity", LogLink: "exp"}.get(type(link))
    if found is None:
        raise ModelRefused("refused_setting", kind=kind_of(model), setting="link", value=kind_of(link))
    return found


def _refuse_texts(frame: Frame) -> None:
    texts = [column for column in frame.columns if isinstance(column, Text)]
    if texts:
        raise text_left(texts)


_LINEAR: tuple[type, ...] = (
    LinearRegression, Ridge, RidgeCV, Lasso, LassoCV, ElasticNet, ElasticNetCV, BayesianRidge, ARDRegression,
    HuberRegressor, SGDRegressor, LinearSVR,
)  # fmt: skip
_REGRESSORS: dict[type, Callable[[Any, Frame], list[Part]]] = {
    **dict.fromkeys(_LINEAR, _linear),
    **dict.fromkeys((PoissonRegressor, GammaRegressor, TweedieRegressor), _generalised),
    DummyRegressor: _dummy,
    DecisionTreeRegressor: _tree,
    ExtraTreeRegressor: _tree,
    RandomForestRegressor: _forest,
    ExtraTreesRegressor: _forest,
    GradientBoostingRegressor: _gradient_boosting,
    HistGradientBoostingRegressor: _hist_boosting,
    BaggingRegressor: _bagging,
    VotingRegressor: _voting,
    LGBMRegressor: _lightgbm,
    Booster: _booster,
    Pipeline: _pipeline,
}
REGRESSORS = tuple(kind.__name__ for kind in _REGRESSORS)
"""The names of the regressors that are known."""
