"""How a specialist learns: from folds, from rows that say less, side by side with the others."""

import numpy as np
import pytest

from flight_delay.model import specialist as learning
from flight_delay.model.features import FEATURES, Horizon, Specialist
from flight_delay.model.matrix import COLUMN, columns
from flight_delay.model.pipeline import DelayBySpecialist
from flight_delay.model.specialist import RECIPES, Seen, fit_specialist, out_of_fold, thinned

ROWS = 6000
random = np.random.default_rng(2013)


@pytest.fixture(scope="module")
def seen():
    """Flights that leave late by chance and make up a third of it on the way; the last sixth calibrates."""
    rows = random.normal(size=(ROWS, len(FEATURES)))
    for feature in FEATURES:
        if feature.categorical:
            rows[:, COLUMN[feature.name]] = random.integers(0, 3, ROWS)
    dep_delay = rows[:, COLUMN["dep_delay"]] = random.exponential(20, ROWS).round()
    arr_delay = dep_delay * 2 / 3 + 5 * rows[:, COLUMN["gain_dest_60min"]] + random.normal(0, 3, ROWS)
    arr_delay[random.random(ROWS) < 0.05] = np.nan
    before = rows.copy()
    before[:, COLUMN["dep_delay"]] = np.nan
    folds = np.where(np.arange(ROWS) < ROWS * 5 // 6, np.arange(ROWS) % 4, -1)
    return Seen({Horizon.SCHEDULE: before, Horizon.PRE_DEPARTURE: before, Horizon.DEPARTED: rows}, arr_delay, folds)


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    for specialist, recipe in RECIPES.items():
        monkeypatch.setitem(RECIPES, specialist, recipe._replace(location_trees=20, scale_trees=8))


def test_side_by_side_they_are_as_alone(seen):
    grown = []
    together = DelayBySpecialist(7).fit(seen, on_tree=lambda: grown.append(1))
    for specialist in Specialist:
        alone = fit_specialist(specialist, seen, 7, lambda _: None)
        ours = together.specialists_[specialist]
        for one, other in zip(
            [*ours.locations, ours.scale, ours.cancelled], [*alone.locations, alone.scale, alone.cancelled], strict=True
        ):
            assert one.model_to_string() == other.model_to_string()
        assert (ours.residuals.table == alone.residuals.table).all()
    assert len(grown) == 4 * (4 * 20 + 8 + learning.CANCELLED_TREES)


def test_what_stops_one_stops_all(seen):
    """A stopped command does not wait for boosters to grow to their end."""
    grown = []

    def stop():
        grown.append(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        DelayBySpecialist(7).fit(seen, on_tree=stop)
    assert len(grown) <= 4


def test_no_flight_is_answered_by_a_model_that_has_seen_it(seen):
    fitted = fit_specialist(Specialist.DEPARTED, seen, 7, lambda _: None)
    rows = seen.matrices[Horizon.DEPARTED][:, columns(Specialist.DEPARTED)]
    each = np.array([booster.predict(rows) for booster in fitted.locations])
    answers = out_of_fold(fitted.locations, np.arange(4), seen.folds, rows)
    for fold in range(4):
        assert (answers[seen.folds == fold] == each[fold][seen.folds == fold]).all()
    np.testing.assert_allclose(answers[seen.folds < 0], each.mean(axis=0)[seen.folds < 0])


def test_the_chance_of_not_arriving_does_not_see_the_aircraft(seen):
    """The records lack the tail number of many cancelled flights, and of no other."""
    telling = seen.matrices[Horizon.PRE_DEPARTURE].copy()
    telling[:, COLUMN["inbound_phase"]] = np.where(np.isnan(seen.arr_delay), np.nan, 2.0)
    told = seen._replace(matrices=dict(seen.matrices) | {Horizon.PRE_DEPARTURE: telling})
    fitted = fit_specialist(Specialist.PRE_DEPARTURE, told, 7, lambda _: None)
    used = dict(zip(fitted.cancelled.feature_name(), fitted.cancelled.feature_importance(), strict=True))
    assert sum(used[name] for name in used if name.startswith("inbound_")) == 0


def test_what_a_request_may_leave_out_is_hidden_here_and_there(seen):
    rows = seen.matrices[Horizon.DEPARTED]
    copy = thinned(rows, Specialist.DEPARTED_ALONE, 7)
    hidden = np.isnan(copy)
    assert hidden[:, COLUMN["temp_c"]].mean() == pytest.approx(0.5, abs=0.03)
    assert (hidden[:, COLUMN["temp_c"]] == hidden[:, COLUMN["visib_km"]]).all()
    assert hidden[:, COLUMN["carrier"]].mean() == pytest.approx(0.05, abs=0.02)
    assert not hidden[:, COLUMN["dep_delay"]].any()
    assert (copy[~hidden] == rows[~hidden]).all()


def test_a_stranger_s_interval_is_wider(seen):
    delay = DelayBySpecialist(7).fit(seen)
    rows = seen.matrices[Horizon.DEPARTED][:200]
    strange = rows.copy()
    strange[:, COLUMN["dest"]] = np.nan
    known, unknown = (delay.spread(Specialist.DEPARTED, one) for one in (rows, strange))
    assert delay.specialists_[Specialist.DEPARTED].strangeness >= 1.1
    assert unknown.scale.mean() > known.scale.mean() * 1.05


def test_intervals_hold_what_they_are_to_hold(seen):
    delay = DelayBySpecialist(7).fit(seen)
    arrived = ~np.isnan(seen.arr_delay)
    spread = delay.spread(Specialist.DEPARTED, seen.matrices[Horizon.DEPARTED][arrived])
    low, high = spread.quantiles((10, 90)).T
    truth = seen.arr_delay[arrived]
    assert ((low <= truth) & (truth <= high)).mean() == pytest.approx(0.8, abs=0.04)
