"""The columns that a model is to be given, by the names that it was fitted with."""

from __future__ import annotations

import math
from typing import Any

from lightgbm import Booster, LGBMRegressor
from sklearn.ensemble import VotingRegressor
from sklearn.pipeline import Pipeline

from flight_delay.errors import ModelRefused
from flight_delay.model.foreign.columns import Frame, encoded, frame_of
from flight_delay.model.foreign.heads import REGRESSORS
from flight_delay.model.foreign.state import attribute, kind_of, optional, sequence
from flight_delay.model.foreign.transformers import steps_of

_MOST_NAMES = 50_000


def inputs(model: Any) -> Frame:
    """Return the columns that a model is to be given, by the names that it was fitted with."""
    kind, booster = type(model), None
    if kind is Booster or kind is LGBMRegressor:
        booster = model if kind is Booster else attribute(model, "_Booster")
    if type(booster) is Booster:
        return _inputs_of_booster(booster)
    names = _names(model)
    if names is None:
        # What is no regressor at all is refused as such, and not for its columns.
        if kind.__name__ not in REGRESSORS:
            raise ModelRefused("refused_kind", kind=kind_of(model), known=", ".join(REGRESSORS))
        raise ModelRefused("refused_schema_nameless", kind=kind_of(model))
    return frame_of(names)


def _names(model: Any) -> list[Any] | None:
    if type(model) is Pipeline:
        first = next((step for step in steps_of(model) if step is not None and not isinstance(step, str)), None)
        return None if first is None else _names(first)
    if type(model) is VotingRegressor and optional(model, "feature_names_in_") is None:
        return _names((sequence(model, "estimators_") or [None])[0])
    if model is None or optional(model, "feature_names_in_") is None:
        return None
    names = sequence(model, "feature_names_in_")
    if len(names) > _MOST_NAMES:
        raise ModelRefused("refused_size", what="columns", most=_MOST_NAMES)
    return names


def _inputs_of_booster(booster: Any) -> Frame:
    """Return the columns of a booster; it numbers the categories of pandas, in the order of its own list."""
    names = booster.feature_name()
    if all(name == f"Column_{place}" for place, name in enumerate(names)):
        raise ModelRefused("refused_schema_nameless", kind=kind_of(booster))
    frame = frame_of(names)
    categories = optional(booster, "pandas_categorical") or []
    if not categories:
        return frame
    of_codes = booster.dump_model(num_iteration=1)["feature_infos"]
    places = [place for place, name in enumerate(names) if of_codes.get(name, {}).get("values")]
    if len(places) != len(categories):
        raise ModelRefused("refused_setting", kind="LightGBM", setting="categorical_feature", value="not only pandas")
    columns = list(frame.columns)
    for place, own in zip(places, categories, strict=True):
        columns[place] = encoded(frame, columns[place], own, range(len(own)), math.nan, strict=False)
    return frame.having(columns)
