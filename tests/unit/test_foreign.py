"""Regressors of others answer as their own `predict` does, once they are data."""

import lightgbm
import numpy as np
import pandas as pd
import pytest
from foreign_models import (
    AIRPORTS,
    CARRIERS,
    CODES,
    DESTS,
    NEW,
    NEW_WITH_GAPS,
    NUMBERS,
    ORIGINS,
    TODAY,
    TRAIN,
    TRAIN_WITH_GAPS,
    assert_answers_alike,
    converted,
    name_of,
    preprocessed,
    table,
    target,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
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
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from sklearn.svm import LinearSVR
from sklearn.tree import DecisionTreeRegressor, ExtraTreeRegressor

from flight_delay.flight import Flight
from flight_delay.model import foreign

LINEAR = [
    LinearRegression(),
    Ridge(),
    RidgeCV(),
    Lasso(alpha=0.1),
    LassoCV(cv=2, alphas=3),
    ElasticNet(alpha=0.1),
    ElasticNetCV(cv=2, alphas=3),
    BayesianRidge(),
    ARDRegression(max_iter=5),
    HuberRegressor(max_iter=1000),
    SGDRegressor(random_state=0),
    LinearSVR(random_state=0, max_iter=100, tol=1.0),
    DummyRegressor(),
]
TREES = [
    DecisionTreeRegressor(max_depth=8, random_state=0),
    ExtraTreeRegressor(max_depth=8, random_state=0),
    RandomForestRegressor(12, max_depth=9, random_state=0, n_jobs=2),
    ExtraTreesRegressor(12, max_depth=9, random_state=0),
    GradientBoostingRegressor(n_estimators=30, random_state=0),
    GradientBoostingRegressor(n_estimators=10, loss="huber", init="zero", random_state=0),
    HistGradientBoostingRegressor(max_iter=30, random_state=0),
    HistGradientBoostingRegressor(max_iter=10, loss="absolute_error", random_state=0),
    lightgbm.LGBMRegressor(n_estimators=30, verbose=-1, n_jobs=1),
    lightgbm.LGBMRegressor(
        boosting_type="rf", subsample=0.5, subsample_freq=1, n_estimators=9, verbose=-1, n_jobs=1, random_state=0
    ),
    BaggingRegressor(DecisionTreeRegressor(max_depth=5), 6, max_features=0.5, random_state=0),
    BaggingRegressor(Ridge(), 4, random_state=0),
    VotingRegressor([("a", Ridge()), ("b", DecisionTreeRegressor(max_depth=4))], weights=[1, 3]),
    VotingRegressor([("a", Ridge()), ("b", "drop"), ("c", HistGradientBoostingRegressor(max_iter=5))]),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("regressor", LINEAR + TREES, ids=name_of)
def test_every_regressor_answers_as_it_did(regressor):
    numbers = StandardScaler()
    model = make_pipeline(preprocessed(numbers=numbers), regressor).fit(TRAIN, target(TRAIN))
    assert_answers_alike(model, table(NEW), NEW)


@pytest.mark.parametrize(
    "regressor", [PoissonRegressor(), GammaRegressor(), TweedieRegressor(power=1.5), TweedieRegressor()], ids=name_of
)
def test_links_of_generalised_models_are_kept(regressor):
    model = make_pipeline(preprocessed(numbers=StandardScaler()), regressor).fit(TRAIN, np.maximum(target(TRAIN), 1.0))
    point = foreign.convert(model, AIRPORTS, "", {})
    expected = model.predict(table(NEW))
    np.testing.assert_allclose([point.answer(flight, TODAY) for flight in NEW], expected, rtol=1e-9)


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_links_of_boosting_are_kept(loss):
    answers = np.maximum(target(TRAIN), 1.0)
    for model in [
        HistGradientBoostingRegressor(loss=loss, max_iter=10),
        lightgbm.LGBMRegressor(objective=loss, n_estimators=10, verbose=-1, n_jobs=1),
    ]:
        assert_answers_alike(model.fit(TRAIN[NUMBERS], answers), table(NEW)[NUMBERS], NEW)


TAKING_MISSING = [
    DecisionTreeRegressor(max_depth=8, random_state=0),
    RandomForestRegressor(8, max_depth=8, random_state=0),
    HistGradientBoostingRegressor(max_iter=20),
    lightgbm.LGBMRegressor(n_estimators=20, verbose=-1, n_jobs=1),
    lightgbm.LGBMRegressor(n_estimators=20, zero_as_missing=True, verbose=-1, n_jobs=1),
    lightgbm.LGBMRegressor(n_estimators=20, use_missing=False, verbose=-1, n_jobs=1),
]


@pytest.mark.parametrize("regressor", TAKING_MISSING, ids=str)
@pytest.mark.parametrize("train", [TRAIN, TRAIN_WITH_GAPS], ids=["gaps never seen", "gaps seen"])
def test_trees_take_what_is_missing(regressor, train):
    model = make_pipeline(preprocessed(), regressor).fit(train, target(train))
    assert_answers_alike(model, table(NEW_WITH_GAPS), NEW_WITH_GAPS)


@pytest.mark.parametrize(
    "regressor", [Ridge(), GradientBoostingRegressor(n_estimators=3), PoissonRegressor(alpha=1e6)], ids=name_of
)
def test_others_ask_for_what_is_missing(regressor):
    model = make_pipeline(preprocessed(), regressor).fit(TRAIN, np.maximum(target(TRAIN), 1.0))
    point = foreign.convert(model, AIRPORTS, "", {})
    flight = NEW[0].model_copy(update={"dep_delay": None, "sched_arr_time": None})
    assert point.needs(flight) == ["dep_delay", "sched_arr_time"]
    assert point.needs(NEW[0].model_copy(update={"dest": "XXX"})) == ["distance"]


def test_a_forest_on_sparse_columns_asks_for_what_is_missing():
    few = make_column_transformer((OneHotEncoder(), [*CODES, "month"]), ("passthrough", ["dep_delay"]))
    model = make_pipeline(few, RandomForestRegressor(3, max_depth=4)).fit(TRAIN, target(TRAIN))
    assert few.sparse_output_
    assert converted(model).needs(NEW[0].model_copy(update={"dep_delay": None})) == ["dep_delay"]


def test_boosting_has_categories_of_its_own():
    frame = TRAIN_WITH_GAPS.astype(dict.fromkeys(CODES, "category"))
    columns = ["dep_delay", *CODES, "sched_arr_time", "month"]
    model = HistGradientBoostingRegressor(max_iter=30, categorical_features=[*CODES, "month"])
    model.fit(frame[columns], target(frame))
    new = table(NEW_WITH_GAPS)
    for name in CODES:
        new[name] = pd.Categorical(new[name], categories=frame[name].cat.categories)
    assert_answers_alike(model, new[columns], NEW_WITH_GAPS)


def test_boosting_numbers_categories_again_behind_an_encoder():
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    boosting = HistGradientBoostingRegressor(max_iter=20, categorical_features=[0, 1, 2])
    model = make_pipeline(preprocessed(encoder), boosting).fit(TRAIN_WITH_GAPS, target(TRAIN_WITH_GAPS))
    assert_answers_alike(model, table(NEW_WITH_GAPS), NEW_WITH_GAPS)


@pytest.mark.parametrize("bare", [False, True], ids=["LGBMRegressor", "Booster"])
def test_lightgbm_has_categories_of_pandas(bare):
    frame = TRAIN.astype(dict.fromkeys(CODES, "category"))[[*CODES, "dep_delay", "month"]]
    model = lightgbm.LGBMRegressor(n_estimators=30, min_child_samples=5, verbose=-1, n_jobs=1)
    model.fit(frame, target(TRAIN))
    new = table(NEW)[frame.columns]
    for name in CODES:
        new[name] = pd.Categorical(new[name], categories=frame[name].cat.categories)
    assert_answers_alike(model.booster_ if bare else model, new, NEW)
    assert converted(model).is_strange(NEW[0].model_copy(update={"carrier": "ZZ"}))


def test_a_vote_of_whole_pipelines():
    linear = make_pipeline(preprocessed(), Ridge())
    trees = make_pipeline(preprocessed(OrdinalEncoder()), RandomForestRegressor(4, max_depth=4, random_state=0))
    model = VotingRegressor([("linear", linear), ("trees", trees)]).fit(TRAIN, target(TRAIN))
    assert_answers_alike(model, table(NEW), NEW)


LINEAR_PROPERTY = make_pipeline(preprocessed(numbers=StandardScaler()), Ridge()).fit(TRAIN, target(TRAIN))
TREE_PROPERTY = make_pipeline(preprocessed(), RandomForestRegressor(5, random_state=0)).fit(TRAIN, target(TRAIN))
HIST_PROPERTY = make_pipeline(
    preprocessed(OrdinalEncoder()), HistGradientBoostingRegressor(categorical_features=[0, 1, 2], max_iter=30)
).fit(TRAIN, target(TRAIN))
PROPERTIES = [(m, foreign.convert(m, AIRPORTS, "", {})) for m in (LINEAR_PROPERTY, TREE_PROPERTY, HIST_PROPERTY)]
clocks = st.builds(lambda hour, minute: hour * 100 + minute, st.integers(0, 23), st.integers(0, 59))
any_flight = st.builds(
    Flight,
    month=st.integers(1, 12),
    day=st.integers(1, 28),
    sched_dep_time=st.one_of(clocks, st.just(2400)),
    sched_arr_time=st.one_of(clocks, st.just(2400)),
    origin=st.sampled_from(ORIGINS),
    dest=st.sampled_from(DESTS),
    carrier=st.sampled_from(CARRIERS),
    dep_delay=st.floats(-180, 3000),
)


@pytest.mark.parametrize("pair", PROPERTIES, ids=["linear", "forest", "boosting"])
@settings(max_examples=40, deadline=None)
@given(flight=any_flight)
def test_any_flight_is_answered_alike(pair, flight):
    own, point = pair
    assert point.answer(flight, TODAY) == pytest.approx(own.predict(table([flight]))[0], rel=1e-9, abs=1e-9)
