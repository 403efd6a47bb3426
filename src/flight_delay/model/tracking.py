"""A training or an evaluation as a run of MLflow, where it is installed."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from flight_delay.errors import TrackerMissing
from flight_delay.model.backtest import BACKTEST_FILE
from flight_delay.model.card import CARD_FILE
from flight_delay.model.evaluate import METRICS_FILE, Metrics
from flight_delay.model.measures import Score
from flight_delay.model.report import REPORT_FILE
from flight_delay.model.specialist import FOLDS, PARAMETERS, RECIPES

DEFAULT_STORE = "sqlite:///mlruns.db"
EXPERIMENT = "flight-delay"
_STORE_SETTING = "MLFLOW_TRACKING_URI"
_FILES = (METRICS_FILE, CARD_FILE, REPORT_FILE, BACKTEST_FILE)


class Run(NamedTuple):
    """A run that was logged, and where."""

    id: str
    store: str


def tracker() -> Any:
    """Return MLflow, set to its own setting `MLFLOW_TRACKING_URI` or else to a file here.

    Raises `TrackerMissing` where it is not installed.
    """
    try:
        mlflow: Any = importlib.import_module("mlflow")
    except ModuleNotFoundError as error:
        if error.name != "mlflow":
            raise
        raise TrackerMissing from error
    if not os.environ.get(_STORE_SETTING):
        mlflow.set_tracking_uri(DEFAULT_STORE)
    return mlflow


def log(mlflow: Any, name: str, metrics: Metrics, folder: Path) -> Run:
    """Log a run: where the model comes from, every figure of its scores, and the files that lie in a folder."""
    mlflow.set_experiment(EXPERIMENT)
    with mlflow.start_run(run_name=name) as run:
        mlflow.log_params(parameters(metrics))
        mlflow.log_metrics(figures(metrics.scores))
        for path in (folder / file for file in _FILES):
            if path.is_file():
                mlflow.log_artifact(str(path))
        return Run(run.info.run_id, mlflow.get_tracking_uri())


def parameters(metrics: Metrics) -> dict[str, Any]:
    """Return what a model was made of and with: its data, their periods, the code, and the settings of the trees."""
    recipes = {
        f"{specialist.value}/{name}": value
        for specialist, recipe in RECIPES.items()
        for name, value in recipe._asdict().items()
    }
    periods = {part: str(span) for part, span in metrics.periods._asdict().items()}
    own = {name: getattr(metrics, name) for name in ("source", "data_digest", "code_version")}
    return own | periods | PARAMETERS | {"folds": FOLDS} | recipes


def figures(scores: Iterable[Score]) -> dict[str, float]:
    """Return each figure of the scores under a name that MLflow takes: `departed/model/all_that_is_known/rmse`."""
    found = {}
    for score in scores:
        facts = vars(score).copy()
        way = [facts.pop(name) for name in ("horizon", "model", "inputs")]
        buckets = facts.pop("bucket_calibration_errors") or {}
        facts |= {f"calibration_error_{bucket}": value for bucket, value in buckets.items()}
        for measure, value in facts.items():
            if value is not None:
                found["/".join(re.sub(r"\W+", "_", part) for part in (*way, measure))] = float(value)
    return found
