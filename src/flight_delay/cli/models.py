"""Training, measuring, and one answer on the spot."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from flight_delay.cli.commands import MODEL_FILE, Data, app, explaining
from flight_delay.errors import LibraryMissing, ModelFileMissing
from flight_delay.flight import Flight
from flight_delay.settings import Settings
from flight_delay.terminal import number, out, progress, say, table

if TYPE_CHECKING:
    from flight_delay.model.evaluate import Metrics, Score

ModelOutput = Annotated[Path | None, typer.Option(help=say("help_train_output"), show_default=f"model/{MODEL_FILE}")]
Model = Annotated[Path | None, typer.Option(help=say("help_model"), show_default=f"model/{MODEL_FILE}")]


@app.command(help=say("help_train"))
@explaining
def train(output: ModelOutput = None, data: Data = None) -> None:
    settings = Settings()
    make_model(settings, data or settings.processed_dir, output or settings.model_dir / MODEL_FILE)


@app.command(help=say("help_evaluate"))
@explaining
def evaluate(model: Model = None, data: Data = None) -> None:
    training = _training()
    settings = Settings()
    path = model or settings.model_dir / MODEL_FILE
    with progress(say("doing_evaluate"), total=2) as (step, advance):
        metrics = training.reevaluate(
            path, data or settings.processed_dir, settings.model_dir, training.Progress(step, advance)
        )
    _show(metrics)


@app.command(help=say("help_predict"))
@explaining
def predict(
    month: Annotated[int, typer.Option(help=say("help_field_month"))],
    day: Annotated[int, typer.Option(help=say("help_field_day"))],
    sched_dep_time: Annotated[int, typer.Option(help=say("help_field_sched_dep_time"))],
    origin: Annotated[str, typer.Option(help=say("help_field_origin"))],
    dest: Annotated[str, typer.Option(help=say("help_field_dest"))],
    carrier: Annotated[str, typer.Option(help=say("help_field_carrier"))],
    sched_arr_time: Annotated[int | None, typer.Option(help=say("help_field_sched_arr_time"))] = None,
    distance: Annotated[float | None, typer.Option(help=say("help_field_distance"))] = None,
    dep_delay: Annotated[float | None, typer.Option(help=say("help_field_dep_delay"))] = None,
    year: Annotated[int | None, typer.Option(help=say("help_field_year"))] = None,
    model: Model = None,
) -> None:
    from flight_delay.model.artifact import Artifact

    flight = Flight(
        month=month, day=day, sched_dep_time=sched_dep_time, origin=origin.upper(), dest=dest.upper(),
        carrier=carrier.upper(), sched_arr_time=sched_arr_time, distance=distance, dep_delay=dep_delay, year=year,
    )  # fmt: skip
    path = (model or Settings().model_dir / MODEL_FILE).with_suffix(".npz")
    if not path.is_file():
        raise ModelFileMissing(path)
    artifact = Artifact.from_bytes(path.read_bytes())
    today = dt.date.today()
    out.print(
        say("predicted", minutes=artifact.predict(flight, today), chance=artifact.probability_late(flight, today))
    )


def make_model(settings: Settings, data: Path, output: Path) -> None:
    training = _training()
    with progress(say("doing_train"), total=training.ALL_TREES) as (step, advance):
        trained = training.train(data, output, settings.model_dir, training.Progress(step, advance))
    _show(trained.metrics)
    out.print(say("trained", model=trained.model, metrics=trained.metrics_file, card=trained.card))


def _training() -> ModuleType:
    """Return the module that trains; raises `LibraryMissing` where LightGBM finds no OpenMP."""
    try:
        from flight_delay.model import train as training
    except OSError as error:
        raise LibraryMissing(str(error)) from error
    return training


def _show(metrics: Metrics) -> None:
    from flight_delay.model import card

    months = {part: card.span(names) for part, names in metrics.months._asdict().items()}
    title = say("tested_on", **months, flights=metrics.test_flights)
    headings = (say("horizon"), say("who answers"), "RMSE", "MAE", "AUC 15+")
    rows = [
        (score.horizon, _who(score), number(score.rmse, ".2f"), number(score.mae, ".2f"), number(score.auc_15, ".3f"))
        for score in sorted(metrics.scores, key=lambda score: score.horizon)
    ]
    table(title, headings, rows)


def _who(score: Score) -> str:
    """Return who answers, with what it is told unless its name says so."""
    told = "" if score.inputs in {"dep_delay", "nothing"} else f": {say(score.inputs)}"
    return say(score.model) + told
