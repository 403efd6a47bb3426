"""Training and measuring."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flight_delay.cli.commands import MODEL_FILE, Data, app, explaining
from flight_delay.errors import LibraryMissing
from flight_delay.settings import Settings
from flight_delay.terminal import language, number, out, progress, say, table

if TYPE_CHECKING:
    from flight_delay.model.backtest import Backtest
    from flight_delay.model.evaluate import Metrics, Score

ModelOutput = Annotated[Path | None, typer.Option(help=say("help_train_output"), show_default=f"model/{MODEL_FILE}")]
Model = Annotated[Path | None, typer.Option(help=say("help_model"), show_default=f"model/{MODEL_FILE}")]
_DAY = ["%Y-%m-%d"]
TrainUntil = Annotated[
    dt.datetime | None,
    typer.Option(help=say("help_train_until"), formats=_DAY, metavar="DATE", show_default=say("default_until")),
]
CalibrateUntil = Annotated[
    dt.datetime | None, typer.Option(help=say("help_calibrate_until"), formats=_DAY, metavar="DATE")
]
Track = Annotated[bool, typer.Option("--track", help=say("help_track"))]


@app.command(help=say("help_train"))
@explaining
def train(
    output: ModelOutput = None,
    data: Data = None,
    train_until: TrainUntil = None,
    calibrate_until: CalibrateUntil = None,
    track: Track = False,
) -> None:
    settings = Settings()
    until = _until(train_until, calibrate_until)
    make_model(settings, data or settings.processed_dir, output or settings.model_dir / MODEL_FILE, until, track=track)


@app.command(help=say("help_evaluate"))
@explaining
def evaluate(
    model: Model = None,
    data: Data = None,
    backtest: Annotated[bool, typer.Option("--backtest", help=say("help_backtest"))] = False,
    track: Track = False,
) -> None:
    training, tracker = _training(), _tracker(track)
    settings = Settings()
    path, processed = model or settings.model_dir / MODEL_FILE, data or settings.processed_dir
    with progress(say("doing_evaluate"), total=2) as (step, advance):
        metrics = training.reevaluate(path, processed, settings.model_dir, training.Progress(step, advance))
    _show(metrics)
    if backtest:
        _backtest(processed, path.parent)
    _report(metrics, path.parent)
    _track(tracker, "evaluate", metrics, path.parent)


def make_model(
    settings: Settings, data: Path, output: Path, until: tuple[dt.date, dt.date] | None = None, *, track: bool = False
) -> None:
    training, tracker = _training(), _tracker(track)
    from flight_delay.model.specialist import TREES

    with progress(say("doing_train"), total=TREES) as (step, advance):
        trained = training.train(
            data,
            output,
            settings.model_dir,
            training.Progress(step, advance),
            None if until is None else training.Until(*until),
        )
    _show(trained.metrics)
    out.print(say("trained", model=trained.model, metrics=trained.metrics_file, card=trained.card))
    _report(trained.metrics, output.parent)
    _track(tracker, "train", trained.metrics, output.parent)


def _until(train: dt.datetime | None, calibrate: dt.datetime | None) -> tuple[dt.date, dt.date] | None:
    if train is None and calibrate is None:
        return None
    if train is None or calibrate is None:
        raise typer.BadParameter(say("until_both"), param_hint="--train-until, --calibrate-until")
    if calibrate < train:
        raise typer.BadParameter(say("until_order"), param_hint="--calibrate-until")
    return train.date(), calibrate.date()


def _training() -> ModuleType:
    """Return the module that trains; raises `LibraryMissing` where LightGBM finds no OpenMP."""
    try:
        from flight_delay.model import train as training
    except OSError as error:
        raise LibraryMissing(str(error)) from error
    return training


def _tracker(track: bool) -> Any:
    """Return MLflow if it is asked for, before anything else is done; raises `TrackerMissing`."""
    if not track:
        return None
    from flight_delay.model import tracking

    return tracking.tracker()


def _track(tracker: Any, name: str, metrics: Metrics, folder: Path) -> None:
    if tracker is None:
        return
    from flight_delay.model import tracking

    run = tracking.log(tracker, name, metrics, folder)
    out.print(say("tracked", run=run.id, store=run.store))


def _report(metrics: Metrics, folder: Path) -> None:
    from flight_delay.model import evaluate, report

    path = report.write(folder, metrics)
    out.print(say("evaluated", metrics=folder / evaluate.METRICS_FILE, report=path))


def _backtest(processed: Path, folder: Path) -> None:
    from flight_delay.model import backtest
    from flight_delay.model.dataset import load

    data = load(processed)
    months = backtest.tested_months(data, processed)
    with progress(say("doing_backtest"), total=backtest.trees(months)) as (step, advance):
        found = backtest.run(data, processed, backtest.Progress(lambda month: step("backtest", month), advance))
    path = backtest.write(folder, found)
    _show_backtest(found)
    out.print(say("backtested", path=path))


def _show(metrics: Metrics) -> None:
    facts = {part: str(span) for part, span in metrics.periods._asdict().items()}
    title = say("tested_on", **facts, flights=metrics.counts.test)
    headings = (say("horizon"), say("who answers"), "RMSE", "MAE", "AUC 15+", "80 %")
    rows = [
        (score.horizon, _who(score), _shown(score.rmse, ".2f"), _shown(score.mae, ".2f"), *_shares(score))
        for score in metrics.scores
    ]
    table(title, headings, rows, say("scores_caption"))


def _show_backtest(backtest: Backtest) -> None:
    months = list(backtest.months)
    title = say("backtest_title", count=len(months), first=months[0], last=months[-1])
    headings = (say("horizon"), say("who answers"), "RMSE", "±", "AUC 15+", "80 %")
    deviations = {
        (one.horizon, one.model, one.inputs): one.standard_deviation for one in backtest.ranges if one.measure == "rmse"
    }
    rows = [
        (
            score.horizon,
            _who(score),
            _shown(score.rmse, ".2f"),
            _shown(deviations[score.horizon, score.model, score.inputs], ".2f"),
            *_shares(score),
        )
        for score in backtest.pooled
    ]
    table(title, headings, rows, say("backtest_caption"))
    _show_months(backtest)


def _show_months(backtest: Backtest) -> None:
    """Print the error of each month, of those ways of answering that are told most."""
    from flight_delay.model.baselines import LINE
    from flight_delay.model.evaluate import EVERYTHING

    ways = [score for score in backtest.pooled if score.inputs == EVERYTHING or score.model == LINE]
    names = [(score.horizon, score.model, score.inputs) for score in ways]
    rows = [
        (month, *(_shown(found.rmse, ".2f") for found in scores if (found.horizon, found.model, found.inputs) in names))
        for month, scores in backtest.months.items()
    ]
    headings = [score.horizon if score.inputs == EVERYTHING else _who(score) for score in ways]
    table(say("backtest_months"), (say("month"), *headings), rows)


def _shares(score: Score) -> tuple[str, str]:
    return _shown(score.auc_15, ".3f"), _shown(score.coverage_80, ".1%")


def _shown(value: float | None, form: str) -> str:
    return "" if value is None else number(value, form)


def _who(score: Score) -> str:
    from flight_delay.model import charts

    return charts.who(score, language())
