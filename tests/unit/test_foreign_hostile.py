"""Fitted objects in which one attribute is not what `fit` leaves: each is refused before it is asked anything."""

import numpy as np
import pytest
from foreign_models import AIRPORTS, CODES, NUMBERS, TRAIN, TRAIN_WITH_GAPS, preprocessed, target
from lightgbm import LGBMRegressor
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import (
    BaggingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
    VotingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import PoissonRegressor, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, PolynomialFeatures, TargetEncoder
from sklearn.tree import DecisionTreeRegressor

from flight_delay.errors import ModelRefused
from flight_delay.model import foreign

CATEGORIES = TRAIN[[*CODES, "dep_delay"]].astype(dict.fromkeys(CODES, "category"))


def refused(model, reason):
    with pytest.raises(ModelRefused) as caught:
        foreign.check(model, foreign.convert(model, AIRPORTS, "", {}))
    assert caught.value.key == reason


class Unknown:
    """Something that no estimator has."""

    def __repr__(self):
        return "unknown"


NOTHING_KNOWN = Unknown()


@pytest.mark.parametrize(
    ("encoder", "name", "value", "reason"),
    [
        (OneHotEncoder(drop="first"), "_drop_idx_after_grouping", np.array([0, 0, -1], object), "refused_fitted"),
        (OneHotEncoder(max_categories=2), "_default_to_infrequent_mappings", [None], "refused_fitted"),
        (OneHotEncoder(max_categories=2), "_default_to_infrequent_mappings", [np.array([0])] * 3, "refused_fitted"),
        (OneHotEncoder(), "categories_", [np.array([b"AA"] * 5)] * 3, "refused_fitted"),
        (OneHotEncoder(), "categories_", [["AA"]] * 3, "refused_fitted"),
        (OneHotEncoder(), "categories_", [np.arange(5), np.arange(3), np.arange(3)], "refused_schema_categories"),
        (OneHotEncoder(), "n_features_in_", 4, "refused_schema_width"),
        (OneHotEncoder(), "n_features_in_", True, "refused_fitted"),
        (OrdinalEncoder(), "encoded_missing_value", "x", "refused_fitted"),
        (OrdinalEncoder(), "handle_unknown", "warn", "refused_setting"),
        (TargetEncoder(), "target_type_", "multiclass", "refused_setting"),
        (TargetEncoder(), "target_mean_", np.inf, "refused_not_finite"),
        (TargetEncoder(), "encodings_", [], "refused_fitted"),
        (SimpleImputer(strategy="most_frequent"), "statistics_", np.array([1, 2, 3]), "refused_schema_categories"),
    ],
)
def test_encoders(encoder, name, value, reason):
    behind = OneHotEncoder() if isinstance(encoder, SimpleImputer) else "passthrough"
    model = make_pipeline(preprocessed(make_pipeline(encoder, behind)), RandomForestRegressor(2, max_depth=2))
    model.fit(TRAIN, target(TRAIN))
    setattr(model[0].named_transformers_["codes"][0], name, value)
    refused(model, reason)


@pytest.mark.parametrize(
    ("transformer", "name", "value", "reason"),
    [
        (SimpleImputer(), "statistics_", np.zeros(3), "refused_schema_width"),
        (SimpleImputer(), "statistics_", np.array(["a"] * 7), "refused_schema_categories"),
        (SimpleImputer(add_indicator=True), "indicator_", NOTHING_KNOWN, "refused_fitted"),
        (MinMaxScaler(clip=True), "feature_range", (0, "1"), "refused_fitted"),
        (PolynomialFeatures(), "_max_degree", 99, "refused_size"),
        (PolynomialFeatures(), "_min_degree", "0", "refused_fitted"),
    ],
)
def test_transformers(transformer, name, value, reason):
    fill = transformer if isinstance(transformer, SimpleImputer) else make_pipeline(SimpleImputer(), transformer)
    model = make_pipeline(fill, MinMaxScaler(), Ridge()).fit(TRAIN_WITH_GAPS[NUMBERS], target(TRAIN_WITH_GAPS))
    setattr(fill if fill is transformer else fill[1], name, value)
    refused(model, reason)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("transformers_", [("codes", "drop")]),
        ("transformers_", 5),
        ("_transformer_to_input_indices", {}),
        ("_transformer_to_input_indices", {"codes": "abc", "numbers": [1], "remainder": []}),
    ],
)
def test_columns_of_a_transformer(name, value):
    model = make_pipeline(preprocessed(), Ridge()).fit(TRAIN, target(TRAIN))
    setattr(model[0], name, value)
    refused(model, "refused_fitted")


def test_boosting_calls_nothing_but_its_own_check():
    called = []
    model = HistGradientBoostingRegressor(max_iter=2).fit(CATEGORIES, target(TRAIN))
    model._preprocessor.named_transformers_["numerical"].func = called.append
    refused(model, "refused_fitted")
    assert called == []


def test_steps_of_a_pipeline():
    model = make_pipeline(MinMaxScaler(), Ridge()).fit(TRAIN[NUMBERS], target(TRAIN))
    model.steps = [MinMaxScaler(), Ridge()]
    refused(model, "refused_fitted")


@pytest.mark.parametrize(
    ("regressor", "name", "value", "reason"),
    [
        (DummyRegressor(), "n_outputs_", 2, "refused_schema_outputs"),
        (RandomForestRegressor(2, max_depth=2), "n_outputs_", 0, "refused_schema_outputs"),
        (RandomForestRegressor(2, max_depth=2), "estimators_", [], "refused_size"),
        (RandomForestRegressor(2, max_depth=2), "estimators_", [Ridge()], "refused_tree"),
        (DecisionTreeRegressor(max_depth=2), "tree_", NOTHING_KNOWN, "refused_fitted"),
        (PoissonRegressor(alpha=1e6), "_base_loss", NOTHING_KNOWN, "refused_fitted"),
        (BaggingRegressor(n_estimators=2), "n_estimators", 3, "refused_fitted"),
        (BaggingRegressor(n_estimators=2), "estimators_features_", [np.array([99])] * 2, "refused_fitted"),
        (VotingRegressor([("a", Ridge())], weights=[1]), "weights", [1, 2], "refused_fitted"),
        (VotingRegressor([("a", Ridge())], weights=[1]), "weights", [0], "refused_fitted"),
        (VotingRegressor([("a", Ridge())], weights=[1]), "weights", ["1"], "refused_fitted"),
        (HistGradientBoostingRegressor(max_iter=2), "n_trees_per_iteration_", 2, "refused_schema_outputs"),
        (HistGradientBoostingRegressor(max_iter=2), "_predictors", [[Ridge()]], "refused_tree"),
        (HistGradientBoostingRegressor(max_iter=2), "_baseline_prediction", np.zeros((2, 1)), "refused_fitted"),
        (HistGradientBoostingRegressor(max_iter=2), "_preprocessor", Ridge(), "refused_fitted"),
        (LGBMRegressor(n_estimators=2, verbose=-1), "_Booster", Ridge(), "refused_schema_nameless"),
    ],
    ids=str,
)  # fmt: skip
def test_regressors(regressor, name, value, reason):
    model = regressor.fit(TRAIN[NUMBERS], np.maximum(target(TRAIN), 1.0))
    setattr(model, name, value)
    refused(model, reason)


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        (lambda model: model._bin_mapper, "is_categorical_", np.ones(2, np.uint8)),
        (lambda model: model._bin_mapper, "bin_thresholds_", []),
        (lambda model: model._bin_mapper, "bin_thresholds_", [np.array([999.0])] * 4),
        (lambda model: model._predictors[0][0], "nodes", np.zeros(3)),
        (lambda model: model._predictors[0][0], "raw_left_cat_bitsets", np.zeros((1, 4), np.uint32)),
        (lambda model: model._preprocessor, "transformers_", []),
    ],
)
def test_boosting_with_categories(part, name, value):
    model = HistGradientBoostingRegressor(max_iter=2).fit(CATEGORIES, target(TRAIN))
    setattr(part(model), name, value)
    refused(model, "refused_fitted")


@pytest.mark.parametrize(
    ("categories", "reason"),
    [
        ([["AA"]], "refused_setting"),
        ([[1, 2], ["a"], ["b"]], "refused_schema_categories"),
        ([5, 5, 5], "refused_unreadable"),
    ],
)
def test_lightgbm_with_other_categories(categories, reason):
    model = LGBMRegressor(n_estimators=2, verbose=-1).fit(CATEGORIES, target(TRAIN))
    model.booster_.pandas_categorical = categories
    refused(model, reason)
