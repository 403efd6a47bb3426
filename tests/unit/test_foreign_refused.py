"""What cannot be read, or cannot be trusted, is refused, with what is in the way and the remedy."""

from types import SimpleNamespace

import lightgbm
import numpy as np
import pytest
from foreign_models import AIRPORTS, CODES, NUMBERS, TRAIN, name_of, original, preprocessed, target
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    LinearRegression,
    Ridge,
)
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.tree import DecisionTreeRegressor

from flight_delay.errors import ModelRefused
from flight_delay.messages import LANGUAGES, text
from flight_delay.model import foreign


def refusal(model, reason):
    with pytest.raises(ModelRefused) as caught:
        foreign.check(model, foreign.convert(model, AIRPORTS, "", {}))
    assert caught.value.key == reason
    for language in LANGUAGES:
        assert text(reason, language, **caught.value.facts)
    return caught.value.facts


def fitted(regressor, columns=NUMBERS):
    return regressor.fit(TRAIN[columns], target(TRAIN))


@pytest.mark.parametrize(
    "model",
    [
        SimpleNamespace(predict=lambda rows: rows),
        {"a": "dict"},
        fitted(KNeighborsRegressor()),
        RandomForestClassifier(2, max_depth=2).fit(TRAIN[NUMBERS], TRAIN.month),
        make_pipeline(StandardScaler(), KNeighborsRegressor()).fit(TRAIN[NUMBERS], target(TRAIN)),
    ],
    ids=name_of,
)
def test_other_kinds_are_refused(model):
    assert "LinearRegression" in refusal(model, "refused_kind")["known"]


def test_other_transformers_are_refused():
    model = make_pipeline(QuantileTransformer(n_quantiles=10), Ridge()).fit(TRAIN[NUMBERS], target(TRAIN))
    assert refusal(model, "refused_transformer")["kind"] == "QuantileTransformer"


@pytest.mark.parametrize("regressor", [Ridge(), lightgbm.LGBMRegressor(n_estimators=2, verbose=-1)], ids=name_of)
def test_columns_without_names_are_refused(regressor):
    refusal(regressor.fit(TRAIN[NUMBERS].to_numpy(), target(TRAIN)), "refused_schema_nameless")


def test_columns_that_a_request_has_not_are_refused_with_the_nearest():
    frame = TRAIN[["dep_delay", "distance"]].rename(columns={"dep_delay": "dep_delays"}).assign(air_time=1.0)
    facts = refusal(Ridge().fit(frame, target(TRAIN)), "refused_schema")
    assert facts["columns"] == "dep_delays (~ dep_delay), air_time"


def test_texts_that_nothing_encodes_are_refused():
    model = original({"carrier": 1.0, "dep_delay": 1.0})
    assert refusal(model, "refused_schema_text")["columns"] == "carrier"


def test_months_written_as_text_are_refused():
    frame = TRAIN[["month", "dep_delay"]].astype({"month": str})
    encoder = make_column_transformer((OneHotEncoder(), ["month"]), remainder="passthrough")
    model = make_pipeline(encoder, Ridge()).fit(frame, target(TRAIN))
    assert refusal(model, "refused_schema_categories")["field"] == "month"


@pytest.mark.parametrize(
    "regressor", [LinearRegression(), DecisionTreeRegressor(max_depth=2), DummyRegressor()], ids=name_of
)
def test_several_outputs_are_refused(regressor):
    model = make_pipeline(StandardScaler(), regressor).fit(TRAIN[NUMBERS], TRAIN[["month", "day"]])
    assert refusal(model, "refused_schema_outputs")


@pytest.mark.parametrize(
    ("model", "setting"),
    [
        (lightgbm.LGBMRegressor(n_estimators=2, linear_tree=True, verbose=-1), "linear_tree"),
        (lightgbm.LGBMRegressor(n_estimators=2, reg_sqrt=True, verbose=-1), "objective"),
        (make_pipeline(FunctionTransformer(np.abs), Ridge()), "func"),
        (make_pipeline(SimpleImputer(missing_values=-1), Ridge()), "missing_values"),
        (make_pipeline(ColumnTransformer([("a", "passthrough", [0])], transformer_weights={"a": 2}), Ridge()), "transformer_weights"),
        (GradientBoostingRegressor(init=LinearRegression(), n_estimators=2), "init"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_settings_that_cannot_be_read_are_refused(model, setting):
    assert refusal(fitted(model), "refused_setting")["setting"] == setting


def test_an_answer_that_is_no_delay_is_refused():
    refusal(original({"dep_delay": 1e6}), "refused_implausible")


def test_an_object_of_a_newer_version_is_refused():
    foreign.check_version("1.3.0")
    with pytest.raises(ModelRefused) as caught:
        foreign.check_version("99.1")
    assert caught.value.key == "refused_version"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("coef_", np.full(7, np.nan), "refused_not_finite"),
        ("coef_", np.zeros(6), "refused_schema_width"),
        ("coef_", np.array(["1"] * 7), "refused_fitted"),
        ("coef_", np.array([object()] * 7), "refused_fitted"),
        ("coef_", [1.0] * 7, "refused_fitted"),
        ("coef_", np.zeros((2, 7)), "refused_schema_outputs"),
        ("intercept_", np.inf, "refused_not_finite"),
        ("intercept_", "1", "refused_fitted"),
        ("n_features_in_", 8, "refused_schema_width"),
        ("n_features_in_", "7", "refused_fitted"),
        ("feature_names_in_", np.array(["month"] * 6), "refused_schema_width"),
        ("feature_names_in_", np.array([None] * 7), "refused_schema"),
    ],
)
def test_a_linear_model_with_a_hostile_state_is_refused(name, value, reason):
    model = fitted(LinearRegression())
    setattr(model, name, value)
    refusal(model, reason)


def test_an_attribute_that_is_not_there_is_named():
    model = fitted(LinearRegression())
    del model.coef_
    assert refusal(model, "refused_fitted")["attribute"] == "LinearRegression.coef_"


def with_nodes(estimator, **changes):
    """A fitted tree whose nodes, by place, are changed in its state."""
    state = estimator.tree_.__getstate__()
    for name, (place, value) in changes.items():
        state["nodes" if name in state["nodes"].dtype.names else "values"][name if name != "values" else ...][place] = (
            value
        )
    estimator.tree_.__setstate__(state)
    return estimator


@pytest.mark.parametrize("forest", [False, True], ids=["tree", "forest"])
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"left_child": (0, 10_000)}, "refused_tree"),
        ({"right_child": (0, -5)}, "refused_tree"),
        ({"left_child": (1, 0)}, "refused_tree"),
        ({"left_child": (1, 1)}, "refused_tree"),
        ({"right_child": (0, 1)}, "refused_tree"),
        ({"feature": (0, 7)}, "refused_tree"),
        ({"feature": (0, -3)}, "refused_tree"),
        ({"threshold": (0, np.nan)}, "refused_not_finite"),
        ({"values": (..., np.nan)}, "refused_not_finite"),
    ],
    ids=str,
)
def test_trees_with_hostile_nodes_are_refused(changes, reason, forest):
    model = fitted(RandomForestRegressor(2, max_depth=3) if forest else DecisionTreeRegressor(max_depth=3))
    with_nodes(model.estimators_[1] if forest else model, **changes)
    refusal(model, reason)


def test_a_tree_of_more_nodes_than_it_has_is_refused():
    model = fitted(DecisionTreeRegressor(max_depth=3))
    state = model.tree_.__getstate__()
    model.tree_.__setstate__(state | {"node_count": 10**6})
    refusal(model, "refused_tree")


@pytest.mark.parametrize(
    ("name", "value"), [("left", 10_000), ("right", 0), ("feature_idx", 99), ("feature_idx", -2), ("is_categorical", 1)]
)
def test_boosting_with_hostile_nodes_is_refused(name, value):
    model = fitted(HistGradientBoostingRegressor(max_iter=3, max_leaf_nodes=4))
    model._predictors[1][0].nodes[name][0] = value
    refusal(model, "refused_tree")


def test_a_set_of_categories_out_of_range_is_refused():
    frame = TRAIN[[*CODES, "dep_delay"]].astype(dict.fromkeys(CODES, "category"))
    model = HistGradientBoostingRegressor(max_iter=5, categorical_features=CODES).fit(frame, target(TRAIN))
    nodes = next(own[0].nodes for own in model._predictors if own[0].nodes["is_categorical"].any())
    nodes["bitset_idx"][nodes["is_categorical"] == 1] = 1000
    refusal(model, "refused_tree")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("learning_rate", np.nan, "refused_not_finite"),
        ("learning_rate", "0.1", "refused_fitted"),
        ("init_", object(), "refused_setting"),
        ("n_trees_per_iteration_", 0, "refused_fitted"),
        ("estimators_", [], "refused_fitted"),
        ("estimators_", np.array([[Ridge()]]), "refused_tree"),
    ],
)
def test_gradient_boosting_with_a_hostile_state_is_refused(name, value, reason):
    model = fitted(GradientBoostingRegressor(n_estimators=2))
    setattr(model, name, value)
    refusal(model, reason)


@pytest.mark.parametrize(
    ("part", "name", "value", "reason"),
    [
        ("codes", "categories_", "abc", "refused_fitted"),
        ("codes", "categories_", [np.array(["AA"])] * 2, "refused_schema_width"),
        ("codes", "handle_unknown", ["ignore"], "refused_setting"),
        ("codes", "_drop_idx_after_grouping", np.array([0]), "refused_fitted"),
        ("codes", "categories_", [np.array(["AA"])] * 3, "refused_schema_width"),
        ("numbers", "mean_", np.zeros(3), "refused_schema_width"),
        ("numbers", "scale_", np.zeros(7), "refused_not_finite"),
        ("numbers", "scale_", None, "refused_fitted"),
        ("numbers", "with_mean", "yes", "refused_fitted"),
    ],
)
def test_transformers_with_a_hostile_state_are_refused(part, name, value, reason):
    model = make_pipeline(preprocessed(numbers=StandardScaler()), Ridge()).fit(TRAIN, target(TRAIN))
    setattr(model[0].named_transformers_[part], name, value)
    refusal(model, reason)


def test_places_of_columns_out_of_range_are_refused():
    model = make_pipeline(preprocessed(), Ridge()).fit(TRAIN, target(TRAIN))
    model[0]._transformer_to_input_indices["numbers"] = [0, 99]
    refusal(model, "refused_fitted")


def test_a_pipeline_within_itself_is_refused():
    model = make_pipeline(StandardScaler(), Ridge()).fit(TRAIN[NUMBERS], target(TRAIN))
    model.steps[1] = ("again", model)
    refusal(model, "refused_unreadable")


def test_parts_that_name_each_other_over_and_over_are_refused():
    model = make_pipeline("passthrough", "passthrough")
    for _ in range(30):
        model = make_pipeline(model, model)
    outer = Pipeline([("first", StandardScaler().fit(TRAIN[NUMBERS])), ("many", model), ("last", fitted(Ridge()))])
    refusal(outer, "refused_size")


def test_another_answer_than_its_own_is_refused(monkeypatch):
    model = fitted(Ridge())
    monkeypatch.setattr(Ridge, "predict", lambda _, rows: np.ones(len(rows)))
    assert refusal(model, "refused_golden")["own"] == "1"


def test_an_object_that_cannot_answer_here_is_refused(monkeypatch):
    def fails(*_):
        raise AttributeError("no such attribute in this version")

    model = fitted(Ridge())
    monkeypatch.setattr(Ridge, "predict", fails)
    assert "AttributeError" in refusal(model, "refused_predict")["problem"]


def test_the_check_tells_what_it_saw():
    model = make_pipeline(preprocessed(), HistGradientBoostingRegressor(max_iter=10)).fit(TRAIN, target(TRAIN))
    facts = foreign.check(model, foreign.convert(model, AIRPORTS, "", {}))
    assert facts.rows == 200
    assert facts.largest_difference < 1e-9
    assert facts.least < facts.greatest
