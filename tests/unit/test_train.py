"""Training and evaluation on the real flights."""

import dataclasses
import datetime as dt
import hashlib
import re
import shutil

import joblib
import numpy as np
import pytest
from conftest import without_tracing

from flight_delay.errors import (
    BrokenArtifact,
    DatasetMissing,
    DatasetUnreadable,
    ModelFileMissing,
    MonthsMissing,
    OutputUnusable,
    TooFewMonths,
    UntrustedModel,
)
from flight_delay.model import evaluate, specialist, split, trust
from flight_delay.model.train import MODEL_FILE, Progress, Until, open_trained, public_holidays, reevaluate, train

SILENT = Progress(lambda _: None, lambda: None)


def score(trained, horizon, model, inputs):
    (found,) = (s for s in trained.metrics.scores if (s.horizon, s.model, s.inputs) == (horizon, model, inputs))
    return found


BASELINES = (
    ("line a + b * dep_delay", "dep_delay"),
    ("dep_delay itself", "dep_delay"),
    ("the original's linear model", "ten fields"),
)


@pytest.mark.parametrize(
    ("inputs", "rmse"),
    [("all that is known", 13.0), ("without weather", 14.0), ("without network state", 16.5)],
)
def test_departed_beats_the_line_the_original_and_the_delay_itself(trained, inputs, rmse):
    ours = score(trained, "departed", "model", inputs)
    assert ours.rmse < rmse
    for name, told in BASELINES:
        other = score(trained, "departed", name, told)
        assert (ours.rmse, ours.mae) < (other.rmse, other.mae)
        assert ours.auc_15 > other.auc_15


def test_the_documented_fields_alone_are_worth_more_than_the_delay_itself(trained):
    """Nothing is known of the network, nor of the weather: the worst case when serving."""
    ours = score(trained, "departed", "model", "documented ten fields")
    for name, told in BASELINES:
        other = score(trained, "departed", name, told)
        assert ours.rmse < other.rmse
        assert ours.mae < other.mae
        assert ours.auc_15 > other.auc_15


def test_two_hours_before_it_knows_more_than_days_before_and_less_than_after(trained):
    schedule, before, after = (
        score(trained, horizon, "model", "all that is known") for horizon in ("schedule", "pre_departure", "departed")
    )
    assert after.mae <= 9.6
    assert after.auc_15 >= 0.937
    assert before.auc_15 >= 0.787
    assert before.mae <= 19.1
    assert schedule.mae > before.mae > after.mae
    assert schedule.auc_15 < before.auc_15 < after.auc_15
    assert before.mae < score(trained, "pre_departure", "constant median", "nothing").mae


def test_schedule_tells_late_flights_from_others(trained):
    ours = score(trained, "schedule", "model", "all that is known")
    assert ours.auc_15 >= 0.652
    for name, told in (("constant median", "nothing"), ("the original's linear model", "nine fields")):
        other = score(trained, "schedule", name, told)
        assert ours.mae < other.mae
        assert ours.auc_15 > other.auc_15


@pytest.mark.parametrize("horizon", ["schedule", "pre_departure", "departed"])
def test_the_chances_and_the_intervals_hold(trained, horizon):
    ours = score(trained, horizon, "model", "all that is known")
    assert ours.coverage_80 == pytest.approx(0.8, abs=0.02)
    assert ours.coverage_90 == pytest.approx(0.9, abs=0.02)
    assert ours.calibration_error_15 <= 0.015
    assert ours.calibration_error_30 <= 0.015
    assert ours.bucket_calibration_error <= 0.015
    assert ours.cancelled_calibration_error <= 0.015


@pytest.mark.parametrize("horizon", ["schedule", "pre_departure", "departed"])
@pytest.mark.parametrize("by", ["month", "carrier"])
def test_the_intervals_hold_in_every_month_and_for_every_carrier(trained, horizon, by):
    found = [one for one in trained.metrics.slices if (one.by, one.horizon) == (by, horizon)]
    assert len(found) == {"month": 2, "carrier": 10}[by]
    assert {one.value: one.coverage_80 for one in found if abs(one.coverage_80 - 0.8) > 0.06} == {}
    assert {one.value: one.coverage_90 for one in found if abs(one.coverage_90 - 0.9) > 0.06} == {}


def test_the_test_is_on_november_and_december(trained):
    metrics = trained.metrics
    assert metrics.periods == (
        ("2013-01-01", "2013-09-30"),
        ("2013-10-01", "2013-10-31"),
        ("2013-11-01", "2013-12-31"),
    )
    assert sum(metrics.counts) == 336_776
    assert {score.flights for score in metrics.scores} == {53_991}
    assert metrics.late_share == pytest.approx(0.258, abs=0.001)
    assert {one.value for one in metrics.slices if one.by == "month"} == {"2013-11", "2013-12"}


def test_slices_of_a_kind_are_all_the_flights_but_those_of_small_carriers(trained):
    for by in ("month", "origin", "hours"):
        assert sum(one.flights for one in trained.metrics.slices if (one.by, one.horizon) == (by, "departed")) == 53_991
    of_carriers = [one.flights for one in trained.metrics.slices if (one.by, one.horizon) == ("carrier", "departed")]
    assert min(of_carriers) >= 500
    assert 50_000 < sum(of_carriers) < 53_991


def test_metrics_and_card_lie_beside_the_model(trained):
    folder = trained.model.parent
    assert evaluate.from_json((folder / "metrics.json").read_text("utf-8")) == trained.metrics
    card = (folder / "MODEL_CARD.md").read_text("utf-8")
    for found in trained.metrics.scores:
        assert f"{found.rmse:.2f}" in card
    assert "2013-11-01 – 2013-12-31" in card


def test_the_digest_is_recorded(trained):
    digest = hashlib.sha256(trained.model.read_bytes()).hexdigest()
    assert (trained.model.parent / "trusted.sha256").read_text() == f"{digest}  {MODEL_FILE}\n"


def test_a_model_that_was_trained_here_is_opened(trained, dataset, artifact):
    pipeline = open_trained(trained.model, trained.model.parent)
    flight = dataset.flights[0]
    assert pipeline.predict([flight])[0] == artifact.answer(flight, dt.date(2013, 1, 1)).minutes


def test_a_model_of_other_features_is_refused(trained, tmp_path):
    pipeline = open_trained(trained.model, trained.model.parent)
    pipeline.named_steps["delay"].features_ = {"schedule": ["of", "another", "version"]}
    joblib.dump(pipeline, tmp_path / MODEL_FILE)
    trust.record(tmp_path, (tmp_path / MODEL_FILE).read_bytes(), MODEL_FILE)
    with pytest.raises(BrokenArtifact, match="train again"):
        open_trained(tmp_path / MODEL_FILE, tmp_path)


def test_an_untrusted_model_is_not_opened(trained, processed, tmp_path):
    with pytest.raises(UntrustedModel):
        reevaluate(trained.model, processed, tmp_path, SILENT)
    with pytest.raises(ModelFileMissing):
        reevaluate(tmp_path / "no.joblib", processed, tmp_path, SILENT)


def test_it_is_tested_on_its_own_months_or_not_at_all(trained, processed, tmp_path):
    """A table that ends in August does not turn months that it learnt from into months that it has not seen."""
    before = trained.card.read_bytes()
    shutil.copytree(processed, tmp_path / "short")
    for month in (9, 10, 11, 12):
        shutil.rmtree(tmp_path / "short" / "year=2013" / f"month={month}")
    with without_tracing(), pytest.raises(MonthsMissing) as caught:
        reevaluate(trained.model, tmp_path / "short", trained.model.parent, SILENT)
    assert caught.value.facts["months"] == "2013-09, 2013-10, 2013-11, 2013-12"
    assert trained.card.read_bytes() == before


def test_a_damaged_table(processed, tmp_path):
    shutil.copytree(processed, tmp_path / "table")
    next((tmp_path / "table").rglob("*.parquet")).write_bytes(b"PAR1 and no more")
    with pytest.raises(DatasetUnreadable):
        train(tmp_path / "table", tmp_path / MODEL_FILE, tmp_path, SILENT)


@pytest.mark.parametrize("name", ["model.npz", "model", "folder.joblib", "file.txt/model.joblib"])
def test_where_no_model_can_be_written(processed, tmp_path, name):
    (tmp_path / "folder.joblib").mkdir()
    (tmp_path / "file.txt").write_text("")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OutputUnusable):
        train(processed, tmp_path / name, tmp_path, SILENT)
    assert sorted(tmp_path.rglob("*")) == before


def test_no_table_no_training(tmp_path):
    with pytest.raises(DatasetMissing):
        train(tmp_path / "nowhere", tmp_path / MODEL_FILE, tmp_path, SILENT)
    assert not list(tmp_path.iterdir())


def some(dataset, rows):
    """Return a data set of some of its flights."""
    numbers = np.flatnonzero(rows)
    lists = {
        name: [getattr(dataset, name)[number] for number in numbers] for name in ("flights", "weather_before", "legs")
    }
    return dataclasses.replace(dataset, **lists, arr_delay=dataset.arr_delay[rows], dates=dataset.dates[rows])


def test_four_months_are_too_few(dataset, processed, tmp_path, monkeypatch):
    few = some(dataset, dataset.dates < np.datetime64("2013-05-01"))
    monkeypatch.setattr("flight_delay.model.train.load", lambda _: few)
    with pytest.raises(TooFewMonths) as caught:
        train(processed, tmp_path / MODEL_FILE, tmp_path, SILENT)
    assert (caught.value.facts["months"], caught.value.facts["needed"]) == (4, 5)


class TestDaysThatWereAskedFor:
    @pytest.fixture
    def few(self, dataset, monkeypatch):
        """Every fiftieth flight of five months, and specialists of few trees."""
        rows = (dataset.dates < np.datetime64("2013-06-01")) & (np.arange(len(dataset.dates)) % 50 == 0)
        monkeypatch.setattr("flight_delay.model.train.load", lambda _: some(dataset, rows))
        recipes = {
            name: recipe._replace(location_trees=3, scale_trees=2) for name, recipe in specialist.RECIPES.items()
        }
        monkeypatch.setattr(specialist, "RECIPES", recipes)
        monkeypatch.setattr(specialist, "CANCELLED_TREES", 2)
        monkeypatch.setitem(specialist.PARAMETERS, "min_data_in_leaf", 20)

    @pytest.mark.usefixtures("few")
    def test_they_split_the_flights_and_are_remembered(self, processed, tmp_path):
        grown = []
        until = Until(dt.date(2013, 4, 15), dt.date(2013, 4, 30))
        progress = Progress(lambda _: None, lambda: grown.append(1))
        made = train(processed, tmp_path / MODEL_FILE, tmp_path, progress, until)
        assert made.metrics.periods == (
            ("2013-01-01", "2013-04-15"),
            ("2013-04-16", "2013-04-30"),
            ("2013-05-01", "2013-05-31"),
        )
        assert len(grown) == len(specialist.RECIPES) * (specialist.FOLDS * 3 + 2 + 2)
        assert reevaluate(made.model, processed, tmp_path, SILENT) == made.metrics
        again = train(processed, tmp_path / "again" / MODEL_FILE, tmp_path, SILENT, until)
        assert again.model.read_bytes() == made.model.read_bytes()
        assert again.artifact.read_bytes() == made.artifact.read_bytes()

    @pytest.mark.usefixtures("few")
    def test_one_month_is_too_little_to_learn_from(self, processed, tmp_path):
        with pytest.raises(TooFewMonths) as caught:
            train(
                processed,
                tmp_path / MODEL_FILE,
                tmp_path,
                SILENT,
                Until(dt.date(2013, 1, 31), dt.date(2013, 4, 30)),
            )
        assert (caught.value.facts["months"], caught.value.facts["needed"]) == (1, 2)


def test_no_row_of_a_part_is_earlier_than_the_part_before():
    months = ["2013-11", "2014-01", "2013-12", "2014-03", "2014-02", "2014-03"]
    dates = np.array([f"{month}-{day}" for month, day in zip(months, range(10, 16), strict=True)], "datetime64[D]")
    parts = split.temporal(dates)
    assert parts.periods == (
        ("2013-11-10", "2013-12-12"),
        ("2014-01-11", "2014-01-11"),
        ("2014-02-14", "2014-03-15"),
    )
    assert (parts.train.astype(int) + parts.calibrate + parts.test == 1).all()


def test_holidays_are_those_of_the_country():
    assert dt.date(2013, 11, 28).toordinal() in public_holidays()
    assert public_holidays() == sorted(public_holidays())


def test_the_card_names_every_feature(trained):
    from flight_delay.model.features import FEATURES

    card = trained.card.read_text()
    assert all(re.search(rf"\b{feature.name}\b", card) for feature in FEATURES)
