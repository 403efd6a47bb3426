"""One distribution, from which quantiles, intervals and chances are read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight_delay.errors import BrokenArtifact
from flight_delay.model.distribution import INTERVALS, LEVELS, MEDIAN, PERCENTS, Residuals

random = np.random.default_rng(2013)
SKEWED = random.gamma(2.0, 1.0, 50_000) - 1.5
RESIDUALS = Residuals.of(SKEWED, np.ones(50_000))
minutes = st.floats(-60, 400)
scales = st.floats(0.5, 120)
chances = st.floats(0, 1)


@given(location=minutes, scale=scales)
def test_quantiles_never_cross(location, scale):
    quantiles = RESIDUALS.quantiles(location, scale)
    assert quantiles.shape == (len(PERCENTS),)
    assert (np.diff(quantiles) >= 0).all()


@given(location=minutes, scale=scales, cancelled=chances)
def test_chances_are_chances_and_the_buckets_sum_to_one(location, scale, cancelled):
    found = RESIDUALS.probabilities(location, scale, cancelled)
    assert all(-1e-12 <= chance <= 1 + 1e-12 for chance in found)
    assert sum(found[3:7]) == pytest.approx(1.0)
    assert found.on_time + found.late_15 == pytest.approx(1.0)
    assert found.late_30 <= found.late_15
    assert found.under_30 == pytest.approx((1 - cancelled) * (1 - found.late_30))
    assert found.over_120_or_cancelled >= found.cancelled - 1e-12


@given(location=minutes, scale=scales, percent=st.integers(1, 99))
def test_chances_agree_with_quantiles(location, scale, percent):
    """Beyond the p-th quantile lie 1 - p of what may happen."""
    (quantile,) = RESIDUALS.quantiles(location, scale, (percent,))
    assert RESIDUALS.beyond(location, scale, [quantile])[0] == pytest.approx(1 - percent / 100, abs=1e-6)


def test_many_flights_are_answered_as_each_alone():
    locations, of_scale, cancelled = random.normal(0, 30, 40), random.uniform(1, 50, 40), random.uniform(0, 1, 40)
    many = RESIDUALS.probabilities(locations, of_scale, cancelled)
    each = [RESIDUALS.probabilities(*one) for one in zip(locations, of_scale, cancelled, strict=True)]
    np.testing.assert_allclose(np.array(many).T, each, atol=1e-12)
    alone = [RESIDUALS.quantiles(location, scale) for location, scale in zip(locations, of_scale, strict=True)]
    np.testing.assert_allclose(RESIDUALS.quantiles(locations, of_scale), alone)


def test_it_covers_what_it_was_learnt_from():
    for nominal, levels in INTERVALS.items():
        low, high = RESIDUALS.quantiles(0.0, 1.0, levels)
        assert ((low <= SKEWED) & (high >= SKEWED)).mean() == pytest.approx(nominal / 100, abs=0.005)


def test_residuals_that_count_more_draw_it_to_them():
    heavier = Residuals.of(np.array([0.0, 10.0]).repeat(500), np.array([1.0, 3.0]).repeat(500))
    assert heavier.beyond(0.0, 1.0, [5.0])[0] == pytest.approx(0.75, abs=0.01)


def test_its_middle_can_be_the_median_or_the_mean():
    assert RESIDUALS.around_median().table[MEDIAN] == 0.0
    centred = RESIDUALS.around_mean().table
    drawn = np.interp(random.uniform(size=200_000), LEVELS, centred)
    assert drawn.mean() == pytest.approx(0.0, abs=0.01)
    assert centred[MEDIAN] < 0  # a long tail of late flights draws the mean above the median


@pytest.mark.parametrize(
    "table",
    [
        np.zeros(3),
        np.zeros(len(LEVELS), np.float32),
        np.full(len(LEVELS), np.nan),
        np.arange(len(LEVELS), 0.0, -1.0),
    ],
)
def test_what_is_no_distribution_is_refused(table):
    with pytest.raises(BrokenArtifact):
        Residuals(table)
