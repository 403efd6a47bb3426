"""Answers on the spot: of one flight in words, of files of flights in a file."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flight_delay.cli.commands import MODEL_FILE, app, explaining
from flight_delay.errors import ModelFileMissing
from flight_delay.flight import Flight
from flight_delay.model.features import Horizon
from flight_delay.settings import Settings
from flight_delay.terminal import err, out, progress, say

if TYPE_CHECKING:
    from flight_delay.model.artifact import Artifact
    from flight_delay.model.flights_file import Report
    from flight_delay.model.forecast import Answers
    from flight_delay.model.means import Leg
    from flight_delay.model.replay import History

Model = Annotated[Path | None, typer.Option(help=say("help_model"), show_default=f"model/{MODEL_FILE}")]
InputOption = Annotated[Path | None, typer.Option("--input", help=say("help_predict_input"))]
OutputOption = Annotated[Path | None, typer.Option(help=say("help_predict_output"))]
HorizonOption = Annotated[Horizon | None, typer.Option(help=say("help_horizon"))]
HistoryOption = Annotated[Path | None, typer.Option(help=say("help_history"))]
_NEEDED = ("month", "day", "sched_dep_time", "origin", "dest", "carrier")
_INTERVAL = (10, 90)


@app.command(help=say("help_predict"))
@explaining
def predict(
    month: Annotated[int | None, typer.Option(help=say("help_field_month"))] = None,
    day: Annotated[int | None, typer.Option(help=say("help_field_day"))] = None,
    sched_dep_time: Annotated[int | None, typer.Option(help=say("help_field_sched_dep_time"))] = None,
    origin: Annotated[str | None, typer.Option(help=say("help_field_origin"))] = None,
    dest: Annotated[str | None, typer.Option(help=say("help_field_dest"))] = None,
    carrier: Annotated[str | None, typer.Option(help=say("help_field_carrier"))] = None,
    sched_arr_time: Annotated[int | None, typer.Option(help=say("help_field_sched_arr_time"))] = None,
    distance: Annotated[float | None, typer.Option(help=say("help_field_distance"))] = None,
    dep_delay: Annotated[float | None, typer.Option(help=say("help_field_dep_delay"))] = None,
    year: Annotated[int | None, typer.Option(help=say("help_field_year"))] = None,
    model: Model = None,
    where: InputOption = None,
    output: OutputOption = None,
    horizon: HorizonOption = None,
    history: HistoryOption = None,
) -> None:
    fields = {
        "month": month, "day": day, "sched_dep_time": sched_dep_time, "sched_arr_time": sched_arr_time,
        "origin": origin and origin.upper(), "dest": dest and dest.upper(), "carrier": carrier and carrier.upper(),
        "distance": distance, "dep_delay": dep_delay, "year": year,
    }  # fmt: skip
    fields = {name: value for name, value in fields.items() if value is not None}
    of_files = {"input": where, "output": output, "horizon": horizon, "history": history}
    if all(option is None for option in of_files.values()):
        _require(_NEEDED, fields)
        flight = Flight(**fields)
        _say_one(_artifact(model), flight)
        return
    if fields:
        raise typer.BadParameter(say("one_or_files"), param_hint=_option(next(iter(fields))))
    _require(("input", "output", "horizon"), {name: value for name, value in of_files.items() if value is not None})
    assert where is not None, "it is required"
    assert output is not None, "it is required"
    assert horizon is not None, "it is required"
    _answer_files(model, where, output, horizon, history)


def _answer_files(model: Path | None, where: Path, output: Path, horizon: Horizon, history: Path | None) -> None:
    from flight_delay.model import flights_file, forecast

    forecast.check_output(output)
    if any(
        output.resolve() == file.resolve() for path in (where, history) if path for file in flights_file.files_of(path)
    ):
        raise typer.BadParameter(say("output_is_input"), param_hint="--output")
    artifact, today = _artifact(model), dt.date.today()
    with err.status(say("doing_read_flights")):
        rows = flights_file.read(where, artifact.codes, today)
        legs, reports = _past(history, artifact, today)
        known = rows.known(flights_file.Reports([*rows.reports, *reports]))
    with progress(say("doing_predict"), total=forecast.chunks(len(known.flights))) as (step, advance):
        step("network")
        network = forecast.history_of(artifact, legs)
        step("answer")
        answers = forecast.forecast(artifact, known, horizon, network, today, advance)
        step("write")
        forecast.write(answers, rows, output)
    _say_many(answers, output, horizon, network)


def _past(history: Path | None, artifact: Artifact, today: dt.date) -> tuple[list[Leg], list[Report]]:
    """Return the legs and the weather reports of the past; all else that was read of it leaves memory."""
    from flight_delay.model import flights_file

    if history is None:
        return [], []
    past = flights_file.read(history, artifact.codes, today)
    return past.legs, past.reports


def _say_one(artifact: Artifact, flight: Flight) -> None:
    answer = artifact.answer(flight, dt.date.today())
    low, high = answer.quantiles(_INTERVAL)
    chance = answer.probabilities().late_15
    horizon = say(f"asked_{answer.specialist.horizon.value}")
    out.print(say("predicted", minutes=answer.minutes, low=low, high=high, chance=chance, horizon=horizon))


def _say_many(answers: Answers, output: Path, horizon: Horizon, network: History | None) -> None:
    out.print(say("predicted_many", count=len(answers.minutes), path=output))
    for specialist, count in sorted(Counter(answers.specialists).items(), key=lambda item: -item[1]):
        network_told = say("network_told" if specialist.sees_network else "network_not_told")
        out.print(say("predicted_by", count=count, horizon=specialist.horizon.value, network=network_told))
    if network is None and horizon is not Horizon.SCHEDULE:
        err.print(say("no_history"), style="yellow")


def _artifact(model: Path | None) -> Artifact:
    """Read the artefact beside a model file; raises `ModelFileMissing` where there is none."""
    from flight_delay.model.artifact import Artifact

    path = (model or Settings().model_dir / MODEL_FILE).with_suffix(".npz")
    if not path.is_file():
        raise ModelFileMissing(path)
    return Artifact.from_bytes(path.read_bytes())


def _require(names: tuple[str, ...], given: dict[str, Any]) -> None:
    if missing := [_option(name) for name in names if name not in given]:
        raise typer.BadParameter(say("options_missing"), param_hint=", ".join(missing))


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
