"""What each fitted transformer of scikit-learn does to columns; others are refused by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import chain, combinations, combinations_with_replacement
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from flight_delay.errors import ModelRefused
from flight_delay.model.foreign.columns import (
    MOST_COLUMNS,
    Frame,
    Source,
    Term,
    Text,
    changed,
    encoded,
    filled,
    indicating,
    text_left,
)
from flight_delay.model.foreign.state import (
    as_numbers,
    attribute,
    check_width,
    codes,
    flag,
    kind_of,
    number,
    numbers,
    optional,
    sequence,
    unfit,
    whole,
)
from flight_delay.model.point.columns import Number, Table, fields_behind, is_missing

NO_CODE = -1.0
"""What a category gets that its encoder refuses to number."""
_TO_INFREQUENT = ("infrequent_if_exist", "warn")


def transformed(step: Any, frame: Frame) -> Frame:
    """Return the columns that a fitted transformer makes of others; raises `ModelRefused`."""
    frame.notes.visit()
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return frame
    if isinstance(step, str) and step == "drop":
        return frame.having([])
    transform = _TRANSFORMERS.get(type(step))
    if transform is None:
        raise ModelRefused("refused_transformer", kind=kind_of(step), known=", ".join(TRANSFORMERS))
    if type(step) is not Pipeline and optional(step, "n_features_in_") is not None:
        check_width(step, len(frame.columns))
    return transform(step, frame)


def steps_of(pipeline: Any) -> list[Any]:
    """Return the steps of a pipeline."""
    steps = sequence(pipeline, "steps")
    if not steps or not all(type(step) is tuple and len(step) == 2 for step in steps):
        raise unfit(pipeline, "steps", "a step is not a name and an object")
    return [step for _, step in steps]


def parts_of(transformer: Any, columns: int) -> list[tuple[str, Any, list[int]]]:
    """Return the transformers of a `ColumnTransformer`, each with the places of its columns."""
    parts = sequence(transformer, "transformers_")
    places = attribute(transformer, "_transformer_to_input_indices")
    if not all(type(part) is tuple and len(part) == 3 and type(part[0]) is str for part in parts):
        raise unfit(transformer, "transformers_", "a part is not a name, an object and columns")
    if type(places) is not dict or not all(part[0] in places for part in parts):
        raise unfit(transformer, "_transformer_to_input_indices", "not the places of each part's columns")
    return [
        (name, step, codes(transformer, "_transformer_to_input_indices", places[name], columns))
        for name, step, _ in parts
    ]


def categories_of(encoder: Any, columns: int, name: str = "categories_") -> list[list[Any]]:
    """Return the categories of each column."""
    found = sequence(encoder, name)
    if len(found) != columns:
        raise ModelRefused("refused_schema_width", what=f"{kind_of(encoder)}.{name}", found=len(found), needed=columns)
    return [[_category(encoder, name, one) for one in _array(encoder, name, own)] for own in found]


def _pipeline(pipeline: Any, frame: Frame) -> Frame:
    for step in steps_of(pipeline):
        frame = transformed(step, frame)
    return frame


def _column_transformer(transformer: Any, frame: Frame) -> Frame:
    if optional(transformer, "transformer_weights"):
        raise ModelRefused("refused_setting", kind="ColumnTransformer", setting="transformer_weights", value="not None")
    columns: list[Source] = []
    for _, step, places in parts_of(transformer, len(frame.columns)):
        if places:
            columns += transformed(step, frame.select(places)).columns
    return Frame(columns, frame.notes, sparse=flag(transformer, "sparse_output_"))


def _function(transformer: Any, frame: Frame) -> Frame:
    if attribute(transformer, "func") is not None:
        raise ModelRefused("refused_setting", kind="FunctionTransformer", setting="func", value="a function")
    return frame


def _one_hot(encoder: Any, frame: Frame) -> Frame:
    width = len(frame.columns)
    unknown = _handling(encoder, {"error", "ignore", *_TO_INFREQUENT})
    dropped = optional(encoder, "_drop_idx_after_grouping")
    drops = [None] * width if dropped is None else _drops(encoder, dropped, width)
    columns: list[Source] = []
    groups = _groups(encoder, categories_of(encoder, width))
    for column, (categories, group, infrequent), drop in zip(frame.columns, groups, drops, strict=True):
        into = infrequent if unknown in _TO_INFREQUENT else None
        for own in range(max(group, default=-1) + 1):
            if own != drop:
                hot = [float(one == own) for one in group]
                columns.append(encoded(frame, column, categories, hot, float(own == into), strict=unknown == "error"))
        if len(columns) > MOST_COLUMNS:
            raise ModelRefused("refused_size", what="columns", most=MOST_COLUMNS)
    return Frame(columns, frame.notes, sparse=flag(encoder, "sparse_output"))


def _drops(encoder: Any, dropped: Any, width: int) -> list[int | None]:
    if type(dropped) is not np.ndarray or dropped.shape != (width,):
        raise unfit(encoder, "drop_idx_", "not one for each column")
    return [None if one is None else codes(encoder, "drop_idx_", [one], MOST_COLUMNS)[0] for one in dropped.tolist()]


def _ordinal(encoder: Any, frame: Frame) -> Frame:
    unknown = _handling(encoder, {"error", "use_encoded_value"})
    other = NO_CODE if unknown == "error" else _number_or_nan(encoder, "unknown_value")
    absent = _number_or_nan(encoder, "encoded_missing_value")
    columns = []
    for column, (categories, group, _) in zip(
        frame.columns, _groups(encoder, categories_of(encoder, len(frame.columns))), strict=True
    ):
        given = [absent if is_missing(one) else float(own) for one, own in zip(categories, group, strict=True)]
        columns.append(encoded(frame, column, categories, given, other, strict=unknown == "error"))
    return frame.having(columns)


def _target(encoder: Any, frame: Frame) -> Frame:
    if attribute(encoder, "target_type_") != "continuous":
        raise ModelRefused("refused_setting", kind="TargetEncoder", setting="target_type", value="not continuous")
    mean = number(encoder, "target_mean_")
    means = sequence(encoder, "encodings_")
    if len(means) != len(frame.columns):
        raise unfit(encoder, "encodings_", "not one for each column")
    columns = [
        encoded(frame, column, own, as_numbers(encoder, "encodings_", given, len(own)).tolist(), mean, strict=False)
        for column, own, given in zip(frame.columns, categories_of(encoder, len(frame.columns)), means, strict=True)
    ]
    return frame.having(columns)


def _imputer(imputer: Any, frame: Frame) -> Frame:
    marker = attribute(imputer, "missing_values")
    if type(marker) is not float or not math.isnan(marker):
        raise ModelRefused("refused_setting", kind="SimpleImputer", setting="missing_values", value=str(marker)[:40])
    statistics = [_plain(one) for one in sequence(imputer, "statistics_")]
    if len(statistics) != len(frame.columns):
        raise ModelRefused(
            "refused_schema_width", what="SimpleImputer.statistics_", found=len(statistics), needed=len(frame.columns)
        )
    # A column of which nothing was seen has no statistic, and scikit-learn leaves it out.
    columns = [filled(column, by) for column, by in zip(frame.columns, statistics, strict=True) if not is_missing(by)]
    indicator = optional(imputer, "indicator_")
    if indicator is not None:
        if type(indicator) is not MissingIndicator:
            raise unfit(imputer, "indicator_", kind_of(indicator))
        places = codes(indicator, "features_", attribute(indicator, "features_"), len(frame.columns))
        columns += [indicating(frame.columns[place]) for place in places]
    return frame.having(columns)


def _scaler(*arithmetic: tuple[str, str, str | None]) -> Callable[[Any, Frame], Frame]:
    """Return what a scaler does: a step, the attribute of its numbers, and the setting that it hangs on."""

    def scale(scaler: Any, frame: Frame) -> Frame:
        columns = list(frame.columns)
        for name, source, setting in arithmetic:
            if setting is None or flag(scaler, setting):
                by = numbers(scaler, source, len(columns)).tolist()
                columns = [changed(column, (name, one)) for column, one in zip(columns, by, strict=True)]
        if flag(scaler, "clip"):
            low, high = _range(scaler)
            columns = [changed(column, ("least", low), ("most", high)) for column in columns]
        return frame.having(columns)

    return scale


def _range(scaler: Any) -> tuple[float, float]:
    if type(scaler) is MaxAbsScaler:
        return -1.0, 1.0
    bounds = sequence(scaler, "feature_range")
    if len(bounds) != 2 or not all(type(bound) in {int, float} for bound in bounds):
        raise unfit(scaler, "feature_range", "not two numbers")
    return float(bounds[0]), float(bounds[1])


def _polynomial(transformer: Any, frame: Frame) -> Frame:
    least, most, width = whole(transformer, "_min_degree"), whole(transformer, "_max_degree"), len(frame.columns)
    if not 0 <= least <= most or most > 16 or math.comb(width + most, most) > MOST_COLUMNS:
        raise ModelRefused("refused_size", what="columns", most=MOST_COLUMNS)
    factors: list[Number | Table] = []
    for column in frame.columns:
        if isinstance(column, Text):
            raise text_left([column])
        if isinstance(column, Term):
            raise ModelRefused("refused_setting", kind="PolynomialFeatures", setting="columns", value="products")
        frame.notes.demands.update(fields_behind(column, ()))  # scikit-learn multiplies no missing value
        factors.append(column)
    choose = combinations if flag(transformer, "interaction_only") else combinations_with_replacement
    chosen = chain.from_iterable(choose(factors, degree) for degree in range(max(1, least), most + 1))
    bias = [Term(())] if flag(transformer, "include_bias") else []
    return frame.having([*bias, *(own[0] if len(own) == 1 else Term(tuple(own)) for own in chosen)])


def _groups(encoder: Any, categories: list[list[Any]]) -> list[tuple[list[Any], list[int], int | None]]:
    """Return the categories of each column, the number of each, and the number of those that are rare."""
    found: list[tuple[list[Any], list[int], int | None]] = []
    mappings = [None] * len(categories)
    if flag(encoder, "_infrequent_enabled"):
        mappings = sequence(encoder, "_default_to_infrequent_mappings")
    if len(mappings) != len(categories):
        raise unfit(encoder, "_default_to_infrequent_mappings", "not one for each column")
    for own, mapping in zip(categories, mappings, strict=True):
        group = list(range(len(own)))
        if mapping is not None:
            group = codes(encoder, "_default_to_infrequent_mappings", mapping, len(own))
        if len(group) != len(own):
            raise unfit(encoder, "_default_to_infrequent_mappings", "not one for each category")
        found.append((own, group, None if mapping is None else max(group, default=None)))
    return found


def _handling(encoder: Any, known: set[str]) -> str:
    value = attribute(encoder, "handle_unknown")
    if type(value) is not str or value not in known:
        raise ModelRefused("refused_setting", kind=kind_of(encoder), setting="handle_unknown", value=str(value)[:40])
    return value


def _number_or_nan(encoder: Any, name: str) -> float:
    value = _plain(attribute(encoder, name))
    if type(value) not in {int, float} or value in {math.inf, -math.inf}:
        raise unfit(encoder, name, f"{type(value).__name__} for a number")
    return float(value)


def _array(owner: Any, name: str, value: Any) -> Sequence[Any]:
    if type(value) is not np.ndarray or value.ndim != 1:
        raise unfit(owner, name, f"{type(value).__name__} for an array")
    return list(value.tolist())


def _category(owner: Any, name: str, value: Any) -> Any:
    plain = _plain(value)
    if plain is None or type(plain) in {str, int, float}:
        return plain
    raise unfit(owner, name, f"{type(plain).__name__} for a category")


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


_TRANSFORMERS: dict[type, Callable[[Any, Frame], Frame]] = {
    Pipeline: _pipeline,
    ColumnTransformer: _column_transformer,
    FunctionTransformer: _function,
    OneHotEncoder: _one_hot,
    OrdinalEncoder: _ordinal,
    TargetEncoder: _target,
    SimpleImputer: _imputer,
    StandardScaler: _scaler(("minus", "mean_", "with_mean"), ("over", "scale_", "with_std")),
    MinMaxScaler: _scaler(("times", "scale_", None), ("plus", "min_", None)),
    MaxAbsScaler: _scaler(("over", "scale_", None)),
    RobustScaler: _scaler(("minus", "center_", "with_centering"), ("over", "scale_", "with_scaling")),
    PolynomialFeatures: _polynomial,
}
TRANSFORMERS = tuple(kind.__name__ for kind in _TRANSFORMERS)
"""The names of the transformers that are known."""
