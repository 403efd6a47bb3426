"""Runs of MLflow: what is logged, and what is said where it is not installed."""

import sys
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from flight_delay.errors import TrackerMissing
from flight_delay.model import tracking
from flight_delay.model.measures import Score
from flight_delay.model.split import Periods, Span

SCORES = [
    Score("departed", "the original's linear model", "ten fields", 9, 3.0, 2.0, 1.0, 0.5, 0.75, None),
    Score("departed", "model", "all that is known", 9, 1.0, 1.0, 0.0, 0.9, 0.9, 0.9,
          bucket_calibration_errors={"under_30": 0.25}),
]  # fmt: skip


def test_every_figure_has_a_name_that_mlflow_takes():
    found = tracking.figures(SCORES)
    assert found["departed/model/all_that_is_known/rmse"] == 1.0
    assert found["departed/model/all_that_is_known/calibration_error_under_30"] == 0.25
    assert found["departed/the_original_s_linear_model/ten_fields/auc_15"] == 0.75
    assert "departed/the_original_s_linear_model/ten_fields/auc_30" not in found


def test_without_mlflow(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(TrackerMissing):
        tracking.tracker()


@pytest.mark.parametrize(("setting", "store"), [(None, ["sqlite:///mlruns.db"]), ("http://mlflow:5000", [])])
def test_where_runs_go(monkeypatch, setting, store):
    asked = []
    monkeypatch.setitem(sys.modules, "mlflow", SimpleNamespace(set_tracking_uri=asked.append))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if setting:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", setting)
    tracking.tracker()
    assert asked == store


def test_a_run_has_parameters_figures_and_those_files_that_are_there(tmp_path):
    logged = {}
    files = []

    @contextmanager
    def start_run(run_name):
        yield SimpleNamespace(info=SimpleNamespace(run_id=run_name))

    mlflow = SimpleNamespace(
        set_experiment=lambda _: None,
        start_run=start_run,
        log_params=logged.update,
        log_metrics=logged.update,
        log_artifact=files.append,
        get_tracking_uri=lambda: "here",
    )
    (tmp_path / "metrics.json").write_text("{}")
    (tmp_path / "flight_delay_model.joblib").write_text("")
    periods = Periods(Span("2013-01-01", "2013-09-30"), Span("", ""), Span("2013-10-01", "2013-10-31"))
    metrics = SimpleNamespace(source="bts", data_digest="d", code_version="v", periods=periods, scores=SCORES)
    assert tracking.log(mlflow, "train", metrics, tmp_path) == ("train", "here")
    assert logged["source"] == "bts"
    assert logged["train"] == "2013-01-01 – 2013-09-30"
    assert logged["departed/objective"] == "l2"
    assert logged["departed/model/all_that_is_known/rmse"] == 1.0
    assert files == [str(tmp_path / "metrics.json")]
