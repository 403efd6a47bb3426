"""Training and evaluation on the real flights."""

import datetime as dt
import hashlib
import json
import re
import shutil

import numpy as np
import pytest

from flight_delay.errors import (
    DatasetMissing,
    DatasetUnreadable,
    ModelFileMissing,
    MonthsMissing,
    OutputUnusable,
    TooFewMonths,
    UntrustedModel,
)
from flight_delay.model import evaluate, split
from flight_delay.model.dataset import Dataset
from flight_delay.model.train import MODEL_FILE, Progress, open_trained, public_holidays, reevaluate, train

SILENT = Progress(lambda _: None, lambda: None)


def score(trained, horizon, model, inputs):
    (found,) = (s for s in trained.metrics.scores if (s.horizon, s.model, s.inputs) == (horizon, model, inputs))
    return found


@pytest.mark.parametrize("inputs", ["ten fields", "ten fields and weather"])
def test_departed_beats_the_line_the_original_and_the_delay_itself(trained, inputs):
    ours = score(trained, "departed", "model", inputs)
    assert ours.rmse < 16.83
    assert ours.mae < 12.34
    for name, told in (
        ("line a + b * dep_delay", "dep_delay"),
        ("dep_delay itself", "dep_delay"),
        ("the original's linear model", "ten fields"),
    ):
        other = score(trained, "departed", name, told)
        assert (ours.rmse, ours.mae) < (other.rmse, other.mae)
        assert ours.auc_15 > other.auc_15


def test_schedule_tells_late_flights_from_others(trained):
    ours = score(trained, "schedule", "model", "nine fields")
    assert ours.auc_15 >= 0.64
    for name, told in (("constant median", "nothing"), ("the original's linear model", "nine fields")):
        other = score(trained, "schedule", name, told)
        assert ours.rmse < other.rmse
        assert ours.mae < other.mae
        assert ours.auc_15 > other.auc_15


def test_the_test_is_on_november_and_december(trained):
    metrics = trained.metrics
    assert metrics.months.train == tuple(f"2013-0{month}" for month in range(1, 10))
    assert (metrics.months.calibrate, metrics.months.test) == (("2013-10",), ("2013-11", "2013-12"))
    assert metrics.test_flights == 53_991
    assert metrics.late_share == pytest.approx(0.258, abs=0.001)
    assert set(metrics.by_month) == {"2013-11", "2013-12"}


def test_metrics_and_card_lie_beside_the_model(trained):
    folder = trained.model.parent
    assert json.loads((folder / "metrics.json").read_text())["scores"][0]["rmse"] == trained.metrics.scores[0].rmse
    card = (folder / "MODEL_CARD.md").read_text()
    for found in trained.metrics.scores:
        assert f"{found.rmse:.2f}" in card
    assert "2013-11 – 2013-12" in card


def test_the_digest_is_recorded(trained):
    digest = hashlib.sha256(trained.model.read_bytes()).hexdigest()
    assert (trained.model.parent / "trusted.sha256").read_text() == f"{digest}  {MODEL_FILE}\n"


def test_evaluating_again_gives_the_same(trained, processed):
    before = trained.metrics_file.read_bytes()
    again = reevaluate(trained.model, processed, trained.model.parent, SILENT)
    assert again == trained.metrics
    assert trained.metrics_file.read_bytes() == before


def test_a_model_that_was_trained_here_is_opened(trained, dataset, artifact):
    pipeline = open_trained(trained.model, trained.model.parent)
    assert pipeline.predict(dataset.flights[:1])[0] == artifact.predict(dataset.flights[0], dt.date(2013, 1, 1))


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
    with pytest.raises(MonthsMissing) as caught:
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


def test_three_months_are_too_few(dataset, processed, tmp_path, monkeypatch):
    few = dataset.months < "2013-04"
    small = Dataset(
        [flight for flight, keep in zip(dataset.flights, few, strict=True) if keep],
        dataset.arr_delay[few], dataset.months[few], dataset.airports, dataset.source, dataset.digest,
    )  # fmt: skip
    monkeypatch.setattr("flight_delay.model.train.load", lambda _: small)
    with pytest.raises(TooFewMonths, match="3"):
        train(processed, tmp_path / MODEL_FILE, tmp_path, SILENT)


def test_no_row_of_a_part_is_earlier_than_the_part_before():
    months = np.array(["2013-11", "2014-01", "2013-12", "2014-03", "2014-02", "2014-03"])
    parts = split.temporal(months)
    assert parts.months == (("2013-11", "2013-12"), ("2014-01",), ("2014-02", "2014-03"))
    assert (parts.train.astype(int) + parts.calibrate + parts.test == 1).all()


def test_holidays_are_those_of_the_country():
    assert dt.date(2013, 11, 28).toordinal() in public_holidays()
    assert public_holidays() == sorted(public_holidays())


def test_reliability_puts_what_was_said_beside_what_happened():
    chance = np.array([0.0, 0.04, 0.5, 0.97, 1.0])
    happened = np.array([False, True, True, True, True])
    assert evaluate.reliability(chance, happened) == [(2, 0.02, 0.5), (1, 0.5, 1.0), (2, 0.985, 1.0)]


def test_calibration_error():
    chance = np.array([0.05, 0.05, 0.95, 0.95])
    assert evaluate.calibration_error(chance, np.array([False, False, True, True])) == pytest.approx(0.05)
    assert evaluate.calibration_error(np.array([1.0]), np.array([False])) == 1.0


def test_the_card_names_every_feature(trained):
    from flight_delay.model.features import FEATURES

    card = trained.card.read_text()
    assert all(re.search(rf"\b{feature.name}\b", card) for feature in FEATURES)
