"""A stranger's file: a model is read as joblib reads it, anything else is refused, and nothing of it ever runs."""

import io
import pickle
import re
import time
import warnings
from datetime import date
from importlib import import_module

import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
from calls import WITNESS
from hostile import FOUND_LATER, HOSTILE, bombs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn import dummy, ensemble, linear_model, svm, tree
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
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

from flight_delay.errors import ModelRefused, NotAModel
from flight_delay.model.distribution import LEVELS, Residuals
from flight_delay.model.features import Codes, Specialist
from flight_delay.model.network_state import Habit
from flight_delay.model.pipeline import DelayBySpecialist, FlightFeatures
from flight_delay.model.specialist import Fitted
from flight_delay.model.split import Span
from flight_delay.model.untrusted.allowed import (
    CALLS,
    CHECKING,
    CLASSES,
    ENCODE,
    FROM_BUFFER,
    RECONSTRUCT,
    SCALAR,
    STAND_INS,
    TYPES,
    allowed,
)
from flight_delay.model.untrusted.compression import opened
from flight_delay.model.untrusted.reader import examine, load

random = np.random.default_rng(5)
X = random.random((60, 3))
Y = X @ [1.0, 2.0, 3.0] + 1.0
WORDS = np.column_stack([random.choice(["a", "b", "c"], 60), random.choice(["x", "y"], 60)]).astype(object)
MIXED = np.column_stack([WORDS, X.astype(object)])
NUMERIC = [
    linear_model.LinearRegression(),
    linear_model.Ridge(),
    linear_model.RidgeCV(),
    linear_model.Lasso(),
    linear_model.LassoCV(cv=2),
    linear_model.ElasticNet(),
    linear_model.ElasticNetCV(cv=2),
    linear_model.BayesianRidge(),
    linear_model.ARDRegression(),
    linear_model.HuberRegressor(),
    linear_model.SGDRegressor(random_state=1),
    linear_model.TheilSenRegressor(random_state=np.random.RandomState(3)),
    linear_model.QuantileRegressor(),
    linear_model.Lars(),
    linear_model.LarsCV(cv=2),
    linear_model.LassoLars(),
    linear_model.LassoLarsCV(cv=2),
    linear_model.LassoLarsIC(),
    linear_model.OrthogonalMatchingPursuit(),
    linear_model.OrthogonalMatchingPursuitCV(cv=2),
    linear_model.PoissonRegressor(),
    linear_model.GammaRegressor(),
    linear_model.TweedieRegressor(),
    linear_model.TweedieRegressor(power=1.5),
    svm.LinearSVR(),
    dummy.DummyRegressor(),
    dummy.DummyRegressor(strategy="quantile", quantile=0.3),
    tree.DecisionTreeRegressor(),
    tree.ExtraTreeRegressor(max_depth=3, criterion="absolute_error"),
    ensemble.RandomForestRegressor(n_estimators=3, random_state=np.random.RandomState(3)),
    ensemble.ExtraTreesRegressor(n_estimators=3, bootstrap=True, oob_score=False),
    *(ensemble.GradientBoostingRegressor(n_estimators=3, loss=loss) for loss in ("squared_error", "huber", "quantile")),
    *(
        ensemble.HistGradientBoostingRegressor(max_iter=3, loss=loss, random_state=1)
        for loss in ("squared_error", "absolute_error", "gamma", "poisson")
    ),
    ensemble.HistGradientBoostingRegressor(max_iter=3, loss="quantile", quantile=0.5, early_stopping=True),
    ensemble.BaggingRegressor(linear_model.LinearRegression(), n_estimators=2),
    ensemble.VotingRegressor([("a", linear_model.Ridge()), ("b", tree.DecisionTreeRegressor())]),
    lightgbm.LGBMRegressor(n_estimators=3, verbose=-1),
    *(
        make_pipeline(step, linear_model.Ridge())
        for step in (
            StandardScaler(),
            MinMaxScaler(),
            MaxAbsScaler(),
            RobustScaler(),
            PolynomialFeatures(),
            FunctionTransformer(),
            SimpleImputer(strategy="median", add_indicator=True),
            FeatureUnion([("a", StandardScaler()), ("b", MinMaxScaler())]),
            ColumnTransformer([("a", StandardScaler(), slice(0, 2))], remainder="passthrough"),
        )
    ),
]
OF_WORDS = [
    make_pipeline(ColumnTransformer([("words", encoder, [0, 1])], remainder="passthrough"), regressor)
    for encoder, regressor in [
        (OneHotEncoder(handle_unknown="ignore"), linear_model.LinearRegression()),
        (OneHotEncoder(drop="first", sparse_output=False, dtype=np.float32), ensemble.RandomForestRegressor(3)),
        (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=25), linear_model.Ridge()),
        (OrdinalEncoder(), ensemble.HistGradientBoostingRegressor(max_iter=3)),
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, dtype=np.int64), svm.LinearSVR()),
        (TargetEncoder(), linear_model.Ridge()),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()), tree.DecisionTreeRegressor()),
    ]
]
LINEAR = linear_model.LinearRegression().fit(X, Y)
COMPRESSIONS = [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3), ("lz4", 3)]


def read(content):
    """Examine and load a file."""
    examine(io.BytesIO(content), "model.joblib")
    return load(io.BytesIO(content), "model.joblib")


def dumped(model, **how):
    buffer = io.BytesIO()
    joblib.dump(model, buffer, **how)
    return buffer.getvalue()


def refusal(content):
    """Return the key with which a file is refused; None where it is loaded."""
    try:
        read(content)
    except (ModelRefused, NotAModel) as refused:
        return refused.key
    return None


def forms(model):
    """Return a model in each of the forms that it may be written in."""
    for protocol in range(2, 6):
        yield pickle.dumps(model, protocol)
        yield dumped(model, protocol=protocol)


def named(model):
    # Without the addresses of random generators: every process that runs tests must name them alike.
    return re.sub(r"at ?0x\w+|\s", "", str(model))[:60]


@pytest.mark.parametrize("model", NUMERIC, ids=named)
def test_a_model_answers_as_the_one_that_joblib_loads(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, Y)
    for content in forms(model):
        expected = joblib.load(io.BytesIO(content)).predict(X)
        np.testing.assert_array_equal(read(content).predict(X), expected)


@pytest.mark.parametrize("model", OF_WORDS, ids=named)
def test_a_model_of_words_answers_as_the_one_that_joblib_loads(model):
    model.fit(MIXED, Y)
    model[0].feature_names_in_ = np.array(["carrier", "origin", "a", "b", "c"], object)
    for content in forms(model):
        expected = joblib.load(io.BytesIO(content))
        found = read(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.testing.assert_array_equal(found.predict(MIXED), expected.predict(MIXED))
        assert found[0].feature_names_in_.tolist() == expected[0].feature_names_in_.tolist()


@pytest.mark.parametrize("compression", COMPRESSIONS, ids=str)
def test_it_may_be_compressed(tmp_path, compression):
    if "lz4" in str(compression):
        pytest.importorskip("lz4")
    path = tmp_path / "model"
    joblib.dump(OF_WORDS[0].fit(MIXED, Y), path, compress=compression)
    with opened(path, 2**20) as stream:
        examined = examine(stream, path.name)
    with opened(path, 2**20) as stream:
        np.testing.assert_array_equal(load(stream, path.name).predict(MIXED), OF_WORDS[0].predict(MIXED))
    assert examined.size == len(dumped(OF_WORDS[0]))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["f8", ">f8", "f4", "i1", ">u8", "?", "S5", "U3", ">f8,>i4", object])
def test_arrays_are_read_as_joblib_reads_them(order, kind):
    array = np.asarray(np.arange(24).reshape(2, 3, 4), order=order).astype(kind, order=order)
    for held in (array, array[:0], array[0, 0, 0:1].reshape(())):
        for content in forms([held, held.T]):
            found, expected = read(content), joblib.load(io.BytesIO(content))
            for one, other in zip(found, expected, strict=True):
                np.testing.assert_array_equal(one, other)
                assert (one.dtype, one.flags.f_contiguous) == (other.dtype, other.flags.f_contiguous)


@pytest.mark.parametrize("kind", [object, "category"])
def test_boosting_of_categories_answers_as_the_one_that_joblib_loads(kind):
    """scikit-learn binds a check of the numbers to it, the only function that a file may hold."""
    rows = pd.DataFrame(MIXED, columns=list("vwxyz")).astype({"v": kind, "w": kind, "x": float, "y": float, "z": float})
    model = ensemble.HistGradientBoostingRegressor(max_iter=3, categorical_features=["v", "w"]).fit(rows, Y)
    for content in forms(model):
        np.testing.assert_array_equal(read(content).predict(rows), joblib.load(io.BytesIO(content)).predict(rows))


def test_whatever_a_file_says_of_that_check_the_check_is_scikit_learn_s_own():
    rows = pd.DataFrame(MIXED, columns=list("vwxyz")).astype({"x": float, "y": float, "z": float})
    model = ensemble.HistGradientBoostingRegressor(max_iter=3, categorical_features=["v", "w"]).fit(rows, Y)
    check = model._preprocessor.named_transformers_["numerical"].func
    older = pickle.dumps(model, 2).replace(b"\x11\x00\x00\x00ensure_all_finite", b"\x10\x00\x00\x00force_all_finite")
    # The settings are kept in the memo, so that what was examined can still be changed.
    late = pickle.dumps([model, check.keywords], 2)
    late = late[: late.rindex(b"e")] + b"X\x05\x00\x00\x00dtypeNse."
    for content in (older, late):
        found = read(content)
        own = (found[0] if type(found) is list else found)._preprocessor.named_transformers_["numerical"].func
        assert (own.func, own.args, own.keywords) == (check.func, (), check.keywords)
    assert found[1]["dtype"] is None


def test_a_booster_alone_is_read():
    booster = lightgbm.train({"verbose": -1}, lightgbm.Dataset(X, Y), 3)
    for content in forms(booster):
        np.testing.assert_array_equal(read(content).predict(X), booster.predict(X))


def test_a_model_of_this_project_is_read():
    features = FlightFeatures({}, [], date(2013, 12, 31))
    features.codes_, features.habits_ = Codes({}, {"DL": 0}, {}, {}, (1, 2)), [Habit(0, ("JFK", 1), 1.0, 2.0, 3.0)]
    booster = lightgbm.train({"verbose": -1}, lightgbm.Dataset(X, Y), 3)
    delay = DelayBySpecialist()
    delay.lineage_ = {"train": Span("2013-01-01", "2013-02-01"), "rows": 3}
    fitted = Fitted([booster], booster, booster, Residuals(np.zeros(LEVELS.shape)), 1.5)
    delay.specialists_ = dict.fromkeys(Specialist, fitted)
    for content in forms(make_pipeline(features, delay)):
        found = read(content)
        assert found[0].get_params() == features.get_params()
        assert (found[0].codes_, found[0].habits_) == (features.codes_, features.habits_)
        assert found[1].lineage_ == delay.lineage_
        assert list(found[1].specialists_) == list(Specialist)


def test_what_train_writes_is_read_in_seconds(trained):
    started = time.monotonic()
    with opened(trained.model, 2**28) as stream:
        examined = examine(stream, "model.joblib")
    with opened(trained.model, 2**28) as stream:
        model = load(stream, "model.joblib")
    assert time.monotonic() - started < 10
    assert examined.size == trained.model.stat().st_size
    assert set(model[-1].specialists_) == set(Specialist)


def test_what_an_examination_finds():
    examined = examine(io.BytesIO(dumped(LINEAR)), "model.joblib")
    assert "sklearn.linear_model._base.LinearRegression" in examined.names
    assert len(examined.sklearn_versions) == 1


def test_another_version_of_scikit_learn_is_noted_and_no_error():
    content = pickle.dumps(LINEAR).replace(b"1.", b"0.")
    assert examine(io.BytesIO(content), "m").sklearn_versions[0].startswith("0.")
    np.testing.assert_array_equal(read(content).predict(X), LINEAR.predict(X))


def test_numpy_may_be_spelt_as_it_was():
    content = pickle.dumps(LINEAR, 2).replace(b"numpy._core.", b"numpy.core.")
    assert b"numpy.core.multiarray" in content
    np.testing.assert_array_equal(read(content).predict(X), LINEAR.predict(X))


@pytest.mark.parametrize("name", sorted(CALLS | CLASSES | TYPES | STAND_INS | CHECKING, key=str), ids=str)
def test_every_allowed_name_is_there_and_is_no_way_further(name):
    assert hasattr(import_module(name.module), name.attribute)
    assert allowed(name.module, name.attribute) == name
    assert allowed(name.module, f"{name.attribute}.__init__") is None


def test_only_what_makes_arrays_numbers_and_bytes_is_called_without_being_a_class():
    functions = {name for name in CALLS if not isinstance(getattr(import_module(name.module), name.attribute), type)}
    assert functions == {RECONSTRUCT, FROM_BUFFER, SCALAR, ENCODE}


def test_random_generators_are_never_made():
    model = ensemble.RandomForestRegressor(2, random_state=np.random.RandomState(1)).fit(X, Y)
    assert not isinstance(read(dumped(model)).random_state, np.random.RandomState)


@pytest.mark.parametrize("hostile", [one for one in HOSTILE if one.reason not in FOUND_LATER], ids=lambda one: one.name)
def test_a_hostile_file_is_refused_and_nothing_of_it_runs(tmp_path, monkeypatch, hostile):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").write_bytes(hostile.content)
    started = time.monotonic()
    with pytest.raises((ModelRefused, NotAModel)) as refused, opened(tmp_path / "model", 2**27) as stream:
        examine(stream, hostile.filename)
    assert refused.value.key == hostile.reason
    assert time.monotonic() - started < 10
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("hostile", [one for one in HOSTILE if one.reason == "refused_names"], ids=lambda one: one.name)
def test_what_was_not_examined_does_not_run_either(tmp_path, monkeypatch, hostile):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ModelRefused, NotAModel)):
        load(io.BytesIO(hostile.content), hostile.filename)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("hostile", [one for one in HOSTILE if one.reason in FOUND_LATER], ids=lambda one: one.name)
def test_what_only_the_model_shows_is_left_to_its_conversion(hostile):
    assert refusal(hostile.content) is None


@pytest.mark.parametrize("bomb", bombs(), ids=lambda bomb: bomb.name)
def test_a_bomb_is_refused(tmp_path, bomb):
    if "lz4" in bomb.name:
        pytest.importorskip("lz4")
    (tmp_path / "model").write_bytes(bomb.content)
    with pytest.raises(ModelRefused, match="refused_size_inside"), opened(tmp_path / "model", 2**25) as stream:
        examine(stream, bomb.filename)


@pytest.mark.parametrize("name", ["calls os.system", "getattr of an import", "stack global of the memo", "in an array"])
def test_the_hostile_files_would_run_if_they_were_opened(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    joblib.load(io.BytesIO(next(one.content for one in HOSTILE if one.name == name)))
    assert (tmp_path / WITNESS).exists()


def test_all_foreign_names_are_told_at_once_and_may_be_shown():
    content = b"\x80\x02(cos\nsystem\ncsub\x1bprocess\nPopen\xc3\xa9\ncos\nsystem\ntcpty\nspawn\n0."
    with pytest.raises(ModelRefused) as refused:
        read(content)
    assert refused.value.facts == {"names": r"os.system, sub?process.Popen\xe9, pty.spawn"}


@pytest.mark.parametrize("model", [LINEAR, tree.DecisionTreeRegressor(max_depth=2).fit(X, Y)], ids=named)
def test_a_file_that_is_cut_anywhere_is_refused(model):
    content = dumped(model)
    for length in range(len(content)):
        assert refusal(content[:length]) in {"refused_damaged", "not_a_model"}


@pytest.mark.parametrize("content", [pickle.dumps(LINEAR, 2), dumped(LINEAR)], ids=["pickle", "joblib"])
def test_a_file_of_which_any_bit_is_turned_is_refused_or_loaded(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for place in range(len(content)):
        for bit in range(8):
            refusal(content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :])
    assert list(tmp_path.iterdir()) == []


TREES = dumped(ensemble.RandomForestRegressor(2, max_depth=2).fit(X, Y), protocol=4)
changes = st.lists(
    st.tuples(
        st.floats(0, 1), st.integers(0, 8), st.binary(max_size=8) | st.sampled_from([b"cos\nsystem\n", b"R", b"b"])
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes=changes, content=st.sampled_from([TREES, pickle.dumps(LINEAR)]))
def test_whatever_is_changed_nothing_but_a_refusal_or_an_object_comes_of_it(changes, content):
    for place, removed, added in changes:
        start = int(place * len(content))
        content = content[:start] + added + content[start + removed :]
    refusal(content)
