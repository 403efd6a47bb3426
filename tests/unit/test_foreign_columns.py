"""The columns of others' regressors are known by their names, and made as their own transformers made them."""

import pickle
import subprocess
import sys

import lightgbm
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
    original,
    preprocessed,
    table,
    target,
)
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    LinearRegression,
    Ridge,
)
from sklearn.pipeline import Pipeline, make_pipeline
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
from flight_delay.flight import Flight
from flight_delay.model import foreign

ENCODERS = [
    OneHotEncoder(),
    OneHotEncoder(drop="first"),
    OneHotEncoder(drop="if_binary", handle_unknown="ignore", sparse_output=False),
    OneHotEncoder(min_frequency=450, handle_unknown="infrequent_if_exist"),
    OneHotEncoder(max_categories=2, handle_unknown="ignore"),
    OneHotEncoder(max_categories=3, drop="first", handle_unknown="warn"),
    OneHotEncoder(categories=[[*CARRIERS, "HA"], ORIGINS, DESTS]),
    OrdinalEncoder(),
    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    OrdinalEncoder(max_categories=3, handle_unknown="use_encoded_value", unknown_value=99),
    TargetEncoder(),
    make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")),
    make_pipeline(OrdinalEncoder(), StandardScaler()),
]


@pytest.mark.parametrize("encoder", ENCODERS, ids=str)
@pytest.mark.parametrize("regressor", [Ridge(), RandomForestRegressor(5, max_depth=6, random_state=0)], ids=name_of)
def test_every_encoder_encodes_as_it_did(encoder, regressor):
    model = make_pipeline(preprocessed(encoder), regressor).fit(TRAIN, target(TRAIN))
    assert_answers_alike(model, table(NEW), NEW)


SCALERS = [
    StandardScaler(with_mean=False),
    MinMaxScaler(feature_range=(-1, 2), clip=True),
    MaxAbsScaler(),
    RobustScaler(),
    RobustScaler(with_centering=False),
    make_pipeline(StandardScaler(), PolynomialFeatures(2)),
    make_pipeline(StandardScaler(), PolynomialFeatures(3, interaction_only=True, include_bias=False), StandardScaler()),
    make_pipeline(FunctionTransformer(), "passthrough", None, MinMaxScaler()),
]


@pytest.mark.parametrize("scaler", SCALERS, ids=str)
def test_every_scaler_scales_as_it_did(scaler):
    model = make_pipeline(preprocessed(numbers=scaler), Ridge()).fit(TRAIN, target(TRAIN))
    assert_answers_alike(model, table(NEW), NEW)


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent", "constant"])
@pytest.mark.parametrize("indicator", [False, True])
def test_what_is_missing_is_filled_in_as_it_was(strategy, indicator):
    imputer = SimpleImputer(strategy=strategy, add_indicator=indicator)
    model = make_pipeline(preprocessed(numbers=make_pipeline(imputer, StandardScaler())), Ridge())
    model.fit(TRAIN_WITH_GAPS, target(TRAIN_WITH_GAPS))
    assert_answers_alike(model, table(NEW_WITH_GAPS), NEW_WITH_GAPS)
    assert converted(model).needs(NEW_WITH_GAPS[0].model_copy(update={"dep_delay": None})) == []


@pytest.mark.parametrize("columns", [["month", "hour"], ["sched_dep_time"]])
def test_numbers_can_be_categories(columns):
    parts = [("numbers", OneHotEncoder(handle_unknown="ignore"), columns), ("rest", "passthrough", ["dep_delay"])]
    model = make_pipeline(ColumnTransformer(parts), Ridge()).fit(TRAIN, target(TRAIN))
    assert_answers_alike(model, table(NEW), NEW)


def test_columns_may_be_chosen_in_any_way():
    parts = [
        ("codes", OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
        ("scaled", StandardScaler(), slice("month", "sched_arr_time")),
        ("dropped", "drop", ["flight"]),
    ]
    chosen = TRAIN[["month", "day", "sched_dep_time", "sched_arr_time", *CODES, "dep_delay", "flight", "distance"]]
    model = Pipeline([("columns", ColumnTransformer(parts, remainder=MinMaxScaler())), ("ridge", Ridge())])
    model.fit(chosen, target(TRAIN))
    assert_answers_alike(model, table(NEW)[chosen.columns], NEW)


def test_output_as_data_frames_is_no_hindrance():
    model = make_pipeline(preprocessed().set_output(transform="pandas"), Ridge()).fit(TRAIN, target(TRAIN))
    assert_answers_alike(model, table(NEW), NEW)


def one_hot(frame, drop_first):
    columns = ["month", "day", "hour", "sched_dep_time", "sched_arr_time", "distance", "dep_delay", *CODES]
    return pd.get_dummies(frame[columns], columns=CODES, drop_first=drop_first)


@pytest.mark.parametrize("drop_first", [False, True])
@pytest.mark.parametrize("regressor", [LinearRegression(), make_pipeline(StandardScaler(), Ridge())], ids=name_of)
def test_bare_one_hot_columns_are_known_by_their_names(drop_first, regressor):
    model = regressor.fit(one_hot(TRAIN, drop_first), target(TRAIN))
    assert_answers_alike(model, one_hot(table(NEW), drop_first)[model.feature_names_in_], NEW)


@pytest.mark.parametrize("columns", [["month", "hour"], ["hour"], ["sched_dep_time"]])
def test_numbers_can_be_one_hot_too(columns):
    """Where the encoder is strict, only flights that it can encode are asked for."""
    chosen = TRAIN[[*columns, "dep_delay"]]
    strict = make_pipeline(make_column_transformer((OneHotEncoder(), columns), remainder="passthrough"), Ridge())
    strict.fit(chosen, target(TRAIN))
    assert foreign.check(strict, foreign.convert(strict, AIRPORTS, "", {})).rows == 200
    named = pd.get_dummies(chosen, columns=columns)
    model = Ridge().fit(named, target(TRAIN))
    new = pd.get_dummies(table(NEW)[chosen.columns], columns=columns).reindex(columns=named.columns, fill_value=0)
    assert_answers_alike(model, new, NEW)


@pytest.mark.parametrize("name", ["month_x", "month_inf", "gate_7", "origin_"])
def test_names_that_are_no_field_and_value(name):
    with pytest.raises(ModelRefused) as caught:
        converted(original({name: 1.0}))
    assert caught.value.key == "refused_schema"


def test_a_column_for_what_is_missing_is_known_by_its_name():
    point = converted(original({"tailnum_N1": 1.0, "tailnum_nan": 5.0}))
    answers = [point.answer(DOCUMENTED.model_copy(update={"tailnum": own}), TODAY) for own in ("N1", "N2", None)]
    assert answers == [-2.0, -3.0, 2.0]


DOCUMENTED = Flight(
    month=7, day=23, hour=16, sched_dep_time=1630, sched_arr_time=1930,
    origin="JFK", dest="LAX", carrier="DL", distance=3983.0, dep_delay=10.0,
)  # fmt: skip


WEIGHTS = {
    "month": 0.5, "day": 0.1, "hour": 0.25, "sched_dep_time": 0.01, "sched_arr_time": 0.002, "distance": 0.004,
    "dep_delay": 0.9, "carrier_AA": 2.0, "carrier_DL": -7.0, "origin_JFK": 1.5, "origin_LGA": 4.0, "dest_BOS": 3.0,
    "dest_LAX": 6.0,
}  # fmt: skip


def test_the_documented_request_is_encoded_rightly():
    """Its distance is 3983 km, and the model's is in miles; its codes have an effect."""
    expected = -3.0 + 3.5 + 2.3 + 4.0 + 16.3 + 3.86 + 9.0 - 7.0 + 1.5 + 6.0
    answer = converted(original(WEIGHTS)).answer(DOCUMENTED, TODAY)
    assert answer - expected == pytest.approx(2475 * 0.004, abs=0.03)


@pytest.mark.parametrize(
    ("change", "minutes"),
    [({"carrier": "AA"}, 9.0), ({"carrier": "9E"}, 7.0), ({"origin": "LGA"}, 2.5), ({"hour": None}, 0.0)],
)
def test_every_code_has_its_effect(change, minutes):
    point = converted(original(WEIGHTS | {"distance": 0.0}))
    changed = point.answer(DOCUMENTED.model_copy(update=change), TODAY)
    assert changed - point.answer(DOCUMENTED, TODAY) == pytest.approx(minutes)


@pytest.mark.parametrize(
    ("change", "strange"),
    [
        ({}, False),
        ({"carrier": "ZZ"}, True),
        ({"carrier": "9E"}, False),
        ({"origin": "EWR"}, False),
        ({"dest": "XYZ"}, True),
    ],
)
def test_the_first_category_that_was_left_out_is_not_strange(change, strange):
    assert converted(original(WEIGHTS)).is_strange(DOCUMENTED.model_copy(update=change)) is strange


def test_an_unknown_category_is_none_of_those_known():
    known = make_pipeline(preprocessed(), Ridge()).fit(TRAIN, target(TRAIN))
    strict = make_pipeline(preprocessed(OneHotEncoder()), Ridge()).fit(TRAIN, target(TRAIN))
    flight = DOCUMENTED.model_copy(update={"carrier": "ZZ"})
    ignoring, refusing = converted(known), converted(strict)
    assert refusing.answer(flight, TODAY) == pytest.approx(ignoring.answer(flight, TODAY))
    assert refusing.is_strange(flight)
    assert not refusing.is_strange(DOCUMENTED)


def test_columns_that_an_older_version_passes_through_are_passed_through():
    model = make_pipeline(preprocessed(), Ridge()).fit(TRAIN, target(TRAIN))
    columns = model[0]
    columns.transformers_[1] = ("numbers", "passthrough", NUMBERS)
    assert foreign.check(model, foreign.convert(model, AIRPORTS, "", {})).rows == 200


_WITHOUT_PANDAS = """
import pickle, sys

class Absent:
    def find_spec(self, name, *_):
        if name.partition(".")[0] == "pandas":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
from flight_delay.model import foreign

for model in pickle.load(sys.stdin.buffer):
    print(foreign.check(model, foreign.convert(model, {}, "", {})).rows)
"""


def test_pandas_is_not_needed():
    frame = TRAIN.astype(dict.fromkeys(CODES, "category"))[[*CODES, "dep_delay"]]
    models = [
        make_pipeline(preprocessed().set_output(transform="pandas"), Ridge()).fit(TRAIN, target(TRAIN)),
        LinearRegression().fit(one_hot(TRAIN, drop_first=True), target(TRAIN)),
        HistGradientBoostingRegressor(max_iter=2).fit(frame, target(TRAIN)),
        lightgbm.LGBMRegressor(n_estimators=2, verbose=-1).fit(frame, target(TRAIN)),
    ]
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_PANDAS], input=pickle.dumps(models), capture_output=True, check=False
    )
    assert done.stdout.split() == [b"200"] * len(models), done.stderr.decode()
