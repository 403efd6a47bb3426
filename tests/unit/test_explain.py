"""What moved an answer: exact, and adding up."""

import itertools
import math

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight_delay.errors import BrokenArtifact
from flight_delay.model.compile import compile_boosters
from flight_delay.model.explain import check, explain

FEATURES = 4


def grown(seed, trees=12, **parameters):
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(4000, FEATURES))
    matrix[:, 0] = random.integers(0, 8, 4000)
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    target = np.nan_to_num(matrix[:, 0]) % 3 + np.nan_to_num(matrix[:, 1]) * np.nan_to_num(matrix[:, 2])
    data = lightgbm.Dataset(matrix, target + random.normal(size=4000) / 9, categorical_feature=[0])
    given_parameters = {"num_leaves": 12, "min_data_in_leaf": 20, "verbose": -1, "num_threads": 1} | parameters
    return lightgbm.train(given_parameters, data, trees)


@pytest.fixture(scope="module")
def ensemble():
    boosters = [grown(1), grown(2)]
    return boosters, *compile_boosters([*boosters, grown(3)], explained=2)


values = st.one_of(st.floats(-4, 4), st.just(math.nan))


@settings(max_examples=100, deadline=None)
@given(row=st.tuples(st.one_of(st.integers(-1, 9).map(float), st.just(math.nan)), values, values, values))
def test_base_and_contributions_add_up_to_the_answer(ensemble, row):
    boosters, trees, paths = ensemble
    base, contributions = explain(trees, paths, 2, row)
    answer = np.mean([booster.predict(np.array([row]))[0] for booster in boosters])
    assert base + contributions.sum() == pytest.approx(answer, abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(row=st.tuples(st.integers(0, 7).map(float), values, values, values))
def test_they_are_those_of_lightgbm(ensemble, row):
    """Two implementations of one definition: ours over paths and an integral, theirs down the tree."""
    boosters, trees, paths = ensemble
    theirs = np.mean([booster.predict(np.array([row]), pred_contrib=True)[0] for booster in boosters], axis=0)
    base, contributions = explain(trees, paths, 2, row)
    np.testing.assert_allclose([*contributions, base], theirs, atol=1e-5)


def test_they_are_shapley_s_by_definition(ensemble):
    """Every order of the features, each with the value that the trees have when only some are known."""
    (booster, _), _, _ = ensemble
    row = (3.0, 0.4, -1.2, 0.9)
    tree_tables, paths = compile_boosters([booster], explained=1)

    def worth(known):
        return sum(_expected(info["tree_structure"], row, known) for info in booster.dump_model()["tree_info"])

    by_hand = np.zeros(FEATURES)
    for order in itertools.permutations(range(FEATURES)):
        for place, feature in enumerate(order):
            by_hand[feature] += worth(set(order[: place + 1])) - worth(set(order[:place]))
    _, contributions = explain(tree_tables, paths, 1, row)
    np.testing.assert_allclose(contributions, by_hand / math.factorial(FEATURES), atol=1e-6)


def _expected(node, row, known):
    if "split_feature" not in node:
        return node["leaf_value"]
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        value = row[node["split_feature"]]
        if node["decision_type"] == "==":
            goes_left = int(value) in [int(code) for code in node["threshold"].split("||")]
        else:
            goes_left = value <= node["threshold"]
        return _expected(left if goes_left else right, row, known)
    share = left.get("internal_count", left.get("leaf_count")) / node["internal_count"]
    return share * _expected(left, row, known) + (1 - share) * _expected(right, row, known)


def test_trees_without_a_split_are_part_of_the_base():
    boosters = [grown(1, trees=3, min_gain_to_split=1e9), grown(2)]
    row = (1.0, 0.3, np.nan, -0.2)
    base, contributions = explain(*compile_boosters(boosters, explained=2), 2, row)
    answer = np.mean([booster.predict(np.array([row]))[0] for booster in boosters])
    assert base + contributions.sum() == pytest.approx(answer, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("leaves", lambda array: array[::-1]),
        ("leaves", lambda array: array + 32 * 24),
        ("leaves", lambda array: array[:-1]),
        ("leaves", lambda array: array[:0]),
        ("features", lambda array: array + FEATURES),
        ("features", lambda array: array - FEATURES),
        ("shares", lambda array: array * 0),
        ("shares", lambda array: array + 1),
        ("shares", lambda array: array * np.nan),
    ],
)
def test_paths_that_do_not_fit_are_refused(ensemble, name, change):
    _, trees, paths = ensemble
    with pytest.raises(BrokenArtifact):
        check(trees, paths._replace(**{name: change(getattr(paths, name))}), 2)
