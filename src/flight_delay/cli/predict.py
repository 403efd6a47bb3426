"""Answers on the spot: of one flight in words, of files of flights in a file."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flight_delay import __version__
from flight_delay.cli.commands import MODEL_FILE, app, explaining
from flight_delay.errors import ModelFileMissing
from flight_delay.flight import Flight
from flight_delay.model.features import Horizon
from flight_delay.settings import Settings
from flight_delay.terminal import err, out, progress, say

if TYPE_CHECKING:
    from flight_delay.model.artifact import Artifact
    from flight_delay.model.flights_file import FlightsFile, Reports
    from flight_delay.model.forecast import Answering, Question
    from flight_delay.model.means import Leg
    from flight_delay.model.parts import Count, Parts

Model = Annotated[Path | None, typer.Option(help=say("help_model"), show_default=f"model/{MODEL_FILE}")]
InputOption = Annotated[Path | None, typer.Option("--input", help=say("help_predict_input"))]
OutputOption = Annotated[Path | None, typer.Option(help=say("help_predict_output"))]
HorizonOption = Annotated[Horizon | None, typer.Option(help=say("help_horizon"))]
PointOption = Annotated[bool, typer.Option("--point", help=say("help_point"))]
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
    point: PointOption = False,
) -> None:
    fields = {
        "month": month, "day": day, "sched_dep_time": sched_dep_time, "sched_arr_time": sched_arr_time,
        "origin": origin and origin.upper(), "dest": dest and dest.upper(), "carrier": carrier and carrier.upper(),
        "distance": distance, "dep_delay": dep_delay, "year": year,
    }  # fmt: skip
    fields = {name: value for name, value in fields.items() if value is not None}
    of_files = {"input": where, "output": output, "horizon": horizon, "history": history, "point": point or None}
    if all(option is None for option in of_files.values()):
        _require(_NEEDED, fields)
        flight = Flight(**fields)
        _say_one(_artifact(_artifact_path(model)), flight)
        return
    if fields:
        raise typer.BadParameter(say("one_or_files"), param_hint=_option(next(iter(fields))))
    _require(("input", "output", "horizon"), {name: value for name, value in of_files.items() if value is not None})
    assert where is not None, "it is required"
    assert output is not None, "it is required"
    assert horizon is not None, "it is required"
    _answer_files(model, where, output, horizon, history, point=point)


def _answer_files(
    model: Path | None, where: Path, output: Path, horizon: Horizon, history: Path | None, *, point: bool
) -> None:
    from flight_delay.model import flights_file, forecast, parts

    parts.check_output(output)
    if any(
        output.resolve() == file.resolve() for path in (where, history) if path for file in flights_file.files_of(path)
    ):
        raise typer.BadParameter(say("output_is_input"), param_hint="--output")
    path, today = _artifact_path(model), dt.date.today()
    artifact, reports = _artifact(path), flights_file.Reports()
    with parts.folder_beside(output) as folder, flights_file.opened(where, folder) as given:
        with err.status(say("doing_read_flights")):
            for rows in given.checked():
                reports.add(rows)
            legs = _past(history, artifact, today, reports, folder)
            key = {
                "version": __version__,
                "model": parts.digest([path]),
                "input": parts.digest(flights_file.files_of(where)),
                "history": history and parts.digest(flights_file.files_of(history)),
                "horizon": horizon.value,
                "point": point,
                "today": None if given.says_years() else today.isoformat(),
            }
            kept = parts.Parts(folder, output, key)
        question = forecast.Question(artifact, horizon, today, reports)
        counts = _answer(question, given, legs, forecast.point if point else forecast.whole, kept)
    _say_many(counts, output)
    if not legs and horizon is not Horizon.SCHEDULE:
        err.print(say("no_history"), style="yellow")


def _answer(question: Question, given: FlightsFile, legs: list[Leg], answering: Answering, kept: Parts) -> list[Count]:
    """Answer what is not answered yet, and write the file; who is stopped meanwhile is told what is kept."""
    from flight_delay.model import forecast, parts

    if kept.kept:
        err.print(say("taken_up", done=kept.answered(given), total=len(given)))
    try:
        with progress(say("doing_predict"), total=len(given.parts())) as (step, advance):
            step("network")
            network = forecast.history_of(question.artifact, legs)
            step("answer")
            parts.answer(question, given, network, answering, kept, advance)
            step("write")
            return kept.join(named=given.named)
    except BaseException:
        if kept.kept:
            err.print(say("parts_kept", done=kept.answered(given), total=len(given)))
        raise


def _past(history: Path | None, artifact: Artifact, today: dt.date, reports: Reports, scratch: Path) -> list[Leg]:
    """Return the legs of the past, and add its weather reports; all else that was read of it leaves memory."""
    from flight_delay.model import flights_file

    legs: list[Leg] = []
    if history is not None:
        with flights_file.opened(history, scratch) as past:
            for rows in past.checked():
                reports.add(rows)
                legs += rows.legs(artifact.codes, today)
    return legs


def _say_one(artifact: Artifact, flight: Flight) -> None:
    answer = artifact.answer(flight, dt.date.today())
    low, high = answer.quantiles(_INTERVAL)
    chance = answer.probabilities().late_15
    horizon = say(f"asked_{answer.specialist.horizon.value}")
    out.print(say("predicted", minutes=answer.minutes, low=low, high=high, chance=chance, horizon=horizon))


def _say_many(counts: list[Count], output: Path) -> None:
    out.print(say("predicted_many", count=sum(count.flights for count in counts), path=output))
    for count in counts:
        network_told = say("network_told" if count.told else "network_not_told")
        out.print(say("predicted_by", count=count.flights, horizon=count.horizon, network=network_told))


def _artifact_path(model: Path | None) -> Path:
    """Return the artefact beside a model file; raises `ModelFileMissing` where there is none."""
    path = (model or Settings().model_dir / MODEL_FILE).with_suffix(".npz")
    if not path.is_file():
        raise ModelFileMissing(path)
    return path


def _artifact(path: Path) -> Artifact:
    from flight_delay.model.artifact import Artifact

    return Artifact.from_bytes(path.read_bytes())


def _require(names: tuple[str, ...], given: dict[str, Any]) -> None:
    if missing := [_option(name) for name in names if name not in given]:
        raise typer.BadParameter(say("options_missing"), param_hint=", ".join(missing))


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
