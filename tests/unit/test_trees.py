"""Tables of bit masks answer as the trees that they were made of, to the last bit."""

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight_delay.errors import BrokenArtifact, ConversionFailed
from flight_delay.model import plain
from flight_delay.model import trees as tables
from flight_delay.model.compile import compile_boosters
from flight_delay.model.trees import Trees

CODES = 12


def booster(seed, leaves=32, missing=True, rows=3000, **parameters):
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, 5))
    matrix[:, 0] = random.integers(0, CODES, rows)
    if missing:
        matrix[random.random(matrix.shape) < 0.1] = np.nan
    target = np.nan_to_num(matrix[:, 0]) % 5 + np.nan_to_num(matrix[:, 1]) ** 2 + random.normal(size=rows)
    data = lightgbm.Dataset(matrix, target, categorical_feature=[0])
    given_parameters = {"num_leaves": leaves, "min_data_in_leaf": 5, "verbose": -1, "num_threads": 1} | parameters
    return lightgbm.train(given_parameters, data, 20)


@pytest.fixture(scope="module", params=["compiled", "plain"], autouse=True)
def ensembles(request):
    """Each test is run with both: what is compiled where there is a compiler, and numpy alone."""
    if request.param == "compiled" and not tables.COMPILED:
        pytest.skip("there was no compiler where the package was installed")
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "plain":
            patch.setattr(tables, "Ensemble", plain.Ensemble)
        yield


@pytest.fixture(scope="module", params=[True, False], ids=["missing seen", "missing never seen"])
def pair(request, ensembles):  # noqa: ARG001 - made anew for each
    original = booster(7, missing=request.param)
    return original, compile_boosters([original]).trees


values = st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")), st.just(0.0))
codes = st.one_of(st.integers(-3, CODES + 3).map(float), st.just(float("nan")))


@settings(max_examples=300)
@given(row=st.tuples(codes, values, values, values, values).map(list))
def test_any_row_is_answered_alike(pair, row):
    original, trees = pair
    expected = original.predict(np.array([row]))[0]
    assert trees.predict(row) == [expected]
    assert trees.predict_many(np.array([row])).tolist() == [[expected]]


def test_values_on_a_threshold_go_left(pair):
    original, trees = pair
    on_threshold = np.tile(np.nan, (len(trees.thresholds), 5))
    start = 0
    for feature, count in enumerate(trees.threshold_counts):
        on_threshold[start : start + count, feature] = trees.thresholds[start : start + count]
        start += count
    assert (trees.predict_many(on_threshold)[:, 0] == original.predict(on_threshold)).all()


def test_many_rows_span_chunks(pair):
    original, trees = pair
    rows = np.random.default_rng(1).normal(size=(5000, 5))
    assert (trees.predict_many(rows)[:, 0] == original.predict(rows)).all()


def test_several_ensembles_answer_side_by_side():
    """Heads share the tables of bins, and each is equal to its own booster."""
    originals = [booster(7), booster(8, leaves=4), booster(9, missing=False)]
    trees = compile_boosters(originals).trees
    rows = np.random.default_rng(1).normal(size=(500, 5))
    rows[::3, 2] = np.nan
    expected = np.array([original.predict(rows) for original in originals]).T
    assert trees.heads.tolist() == [20, 20, 20]
    np.testing.assert_array_equal(trees.predict_many(rows), expected)
    np.testing.assert_array_equal([trees.predict(row) for row in rows.tolist()], expected)
    for heads in (1, 2, 3):
        np.testing.assert_array_equal(trees.predict_many(rows, heads), expected[:, :heads])
        assert trees.predict_heads(rows[0].tolist(), heads) == expected[0, :heads].tolist()


@pytest.mark.parametrize("sizes", [(70,), (3, 3, 3, 3), (5, 5, 5, 5, 5, 2), (130, 64, 64, 64, 64, 1)], ids=str)
def test_heads_of_any_number_and_size_are_added_from_the_first_tree_to_the_last(sizes):
    random = np.random.default_rng(3)
    trees = Trees(
        heads=np.array(sizes),
        masks=1 << random.integers(0, 32, (4 + 7, sum(sizes)), np.uint32)
        | random.integers(0, 2**32, (11, sum(sizes)), np.uint32),
        leaves=random.normal(size=(sum(sizes), 32)) * 10.0 ** random.integers(-9, 9, (sum(sizes), 1)),
        thresholds=np.array([-1.0, 0.5, 2.0, 2.5, 9.0]),
        threshold_counts=np.array([0, 5]),
        categories=np.array([3, 0]),
    )
    rows = np.column_stack([random.integers(-2, 6, 300).astype(float), random.normal(size=300) * 4])
    rows[::7] = np.nan
    expected = np.empty((300, len(sizes)))
    arrays = (*trees.lines, trees.leaves, trees.thresholds, trees.threshold_counts, trees.categories, trees.heads)
    plain.Ensemble(*arrays).predict_many(rows, expected, len(sizes))
    np.testing.assert_array_equal(trees.predict_many(rows), expected)
    np.testing.assert_array_equal([trees.predict(row) for row in rows.tolist()], expected)


@pytest.mark.parametrize("values", [[1.0], [1.0] * 6, []])
def test_a_row_of_another_length_is_refused(pair, values):
    with pytest.raises(ValueError, match=r"features|zip"):
        pair[1].predict(values)


@pytest.mark.parametrize("value", [float("inf"), -float("inf"), 1e300, -1e300, -0.5, 2**63])
def test_a_code_that_is_no_code_is_as_good_as_missing(pair, value):
    missing, strange = ([code, 0.0, 0.0, 0.0, 0.0] for code in (float("nan"), value))
    expected = pair[1].predict([0.0, 0.0, 0.0, 0.0, 0.0] if value == -0.5 else missing)
    assert pair[1].predict(strange) == expected
    assert pair[1].predict_many(np.array([strange])).tolist() == [expected]


def test_arrays_are_all_there_is(pair):
    _, trees = pair
    again = Trees.from_arrays(trees.arrays())
    assert again.predict([1.0, 2.0, 3.0, 4.0, 5.0]) == trees.predict([1.0, 2.0, 3.0, 4.0, 5.0])


def test_more_than_32_leaves_are_refused():
    with pytest.raises(ConversionFailed, match="more than 32 leaves"):
        compile_boosters([booster(7, leaves=40)])


def test_zero_as_missing_is_refused():
    with pytest.raises(ConversionFailed, match="zero for a missing value"):
        compile_boosters([booster(7, zero_as_missing=True)])


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("masks", lambda array: array[:-1]),
        ("masks", lambda array: array.astype(np.uint64)),
        ("masks", lambda array: array[:, 0]),
        ("leaves", lambda array: array[:, :-1]),
        ("leaves", lambda array: array * np.nan),
        ("leaves", lambda array: array[:0]),
        ("thresholds", lambda array: array[:-1]),
        ("thresholds", lambda array: array * np.inf),
        ("threshold_counts", lambda array: -array),
        ("categories", lambda array: array[:-1]),
        ("heads", lambda array: array + 1),
        ("heads", lambda array: array[:0]),
        ("heads", lambda array: np.append(array, 0)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(pair, name, change):
    arrays = pair[1].arrays()
    with pytest.raises(BrokenArtifact):
        Trees.from_arrays(arrays | {name: change(arrays[name])})


def test_a_missing_array_is_named(pair):
    arrays = pair[1].arrays()
    del arrays["leaves"]
    with pytest.raises(BrokenArtifact, match="leaves"):
        Trees.from_arrays(arrays)
