"""The walk from a source's raw tables to the processed table, checked against its contract."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from zoneinfo import available_timezones

from flight_delay import airports
from flight_delay.engines import Engine
from flight_delay.engines.embedded import DuckDB
from flight_delay.errors import ContractBroken, SourceUnreadable
from flight_delay.flight import Flight, Weather, ranges
from flight_delay.sources import Clocks, CsvTable, Source
from flight_delay.weather import REPORTS, Place
from flight_delay.weather.airportdb import AirportDb, Known
from flight_delay.weather.archive import Archive

STEPS = (
    "airports",
    "flights_typed",
    "instants",
    "weather",
    "weather_hours",
    "flights",
)
"""The transformations in their order; each is the file of that name in `sql/` and makes a table of that name."""

STEPS_IN_ALL = len(STEPS) + 4
"""The transformations, and reading, setting the clocks, checking and writing."""

MANIFEST = "dataset.json"
AIRPORTS = "airports.csv"
SET_ASIDE = "set_aside.csv"
_EXAMPLES = 5
_FLIGHT_RANGES = {name: bounds for name, bounds in ranges(Flight).items() if name not in ("hour", "distance")}
_YEARS = range(int(_FLIGHT_RANGES["year"].low), int(_FLIGHT_RANGES["year"].high) + 1)
_WANTED = {
    Clocks.LOCAL: ("id", "carrier_name", "cancelled", "diverted"),
    Clocks.BRASILIA: ("carrier_name",),
}
"""What the first transformation reads though some sources have it not."""
_WANTED_WEATHER = (
    *REPORTS.columns.values(),
    *("temp_f", "dewp_f", "wind_speed_mph", "wind_gust_mph", "precip_in", "visib_mi"),
)
"""Metric or not, the transformation reads both."""
_SQL = files("flight_delay.etl") / "sql"


@dataclass(frozen=True)
class Report:
    """What went in, what came out, and what was set aside, by reason.

    `weather` and `airports` name the providers; empty where they are the source's own.
    """

    source: str
    weather: str
    airports: str
    rows_in: int
    rows_out: int
    set_aside: dict[str, int]
    weather_values_discarded: int
    months: list[str]
    digest: str


@dataclass(frozen=True)
class Providers:
    """Who is asked for weather and airports in place of the source's own; `on_request` is told when and what for."""

    weather: Archive | None = None
    airports: AirportDb | None = None
    on_request: Callable[[str, str], None] = lambda _step, _what: None

    @property
    def names(self) -> tuple[str, str]:
        """What they are called; empty for the source's own."""
        return (self.weather.name if self.weather else "", self.airports.name if self.airports else "")


NOBODY = Providers()


class Rule(NamedTuple):
    """A rule of the contract; `statement` selects the rows that break it."""

    name: str
    meaning_en: str
    meaning_pt: str
    statement: str


def processed_digest(source: Source, providers: Providers = NOBODY) -> str:
    """Return the digest of all that decides what the processed table holds: raw files, providers, SQL and contract."""
    total = hashlib.sha256("/".join((source.digest(), *providers.names)).encode())
    for name in (f"clocks/{source.clocks}", *STEPS):
        total.update(_statement(name).encode())
    for rule in contract():
        total.update(rule.statement.encode())
    return total.hexdigest()


def read_report(folder: Path) -> Report | None:
    """Return the report of the table in `folder`, or None where there is none that is whole and of this version."""
    try:
        report = Report(**json.loads((folder / MANIFEST).read_text("utf-8")))
        months = {tuple(map(int, month.split("-"))) for month in report.months}
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None
    whole = all(any(folder.glob(f"year={year}/month={month}/*.parquet")) for year, month in months)
    return report if whole and (folder / AIRPORTS).is_file() else None


def current(source: Source, output: Path, providers: Providers = NOBODY) -> Report | None:
    """Return the report of the table in `output` if it is what `run` would write there now, and None if not."""
    report = read_report(output)
    return report if report and report.digest == processed_digest(source, providers) else None


def run(
    source: Source,
    output: Path,
    on_step: Callable[[str], None],
    open_engine: Callable[[], Engine] = DuckDB,
    providers: Providers = NOBODY,
) -> Report:
    """Make the processed table in the folder `output`; what was there stays until the new one is whole.

    `on_step` is told the name of each step as it starts. The table is the same with any engine.

    Raises
    ------
    SourceMissing, SourceUnreadable
        A raw file, or a provider's answer, is absent, or not what it should be.
    RemoteFailed, RemoteRefused
        A provider cannot be reached, or refuses.
    ContractBroken
        The table breaks a rule.
    """
    _check_replaceable(output)
    with open_engine() as engine:
        unreadable = transform(engine, source, on_step, providers)
        on_step("contract")
        check(engine)
        on_step("write")
        report = _report(engine, source, providers, unreadable)
        _write(engine, source, report, output)
    return report


def transform(engine: Engine, source: Source, on_step: Callable[[str], None], providers: Providers = NOBODY) -> int:
    """Read a source and make the tables of all steps; return how many lines could not be read.

    Raises as `run` does.
    """
    on_step("read")
    unreadable = _read(engine, source)
    _insert_bounds(engine)
    on_step("clocks")
    _insert_offsets(engine, source)
    # What is only renamed is not written down again.
    name_records = engine.view if source.clocks is Clocks.LOCAL else engine.create
    name_records("raw_flights", _statement(f"clocks/{source.clocks}"))
    read_before = {"airports": _read_airports, "weather": _read_weather}
    for step in STEPS:
        on_step(step)
        if step in read_before:
            read_before[step](engine, source, providers)
        engine.create(step, _statement(step))
    return unreadable


def contract() -> Iterator[Rule]:
    """Yield the rules: those in `sql/contract/`, and one for the range of each field of the vocabulary."""
    for file in sorted(_SQL.joinpath("contract").iterdir(), key=lambda file: file.name):
        english, portuguese, statement = file.read_text("utf-8").split("\n", 2)
        yield Rule(
            file.name.removesuffix(".sql"),
            english.removeprefix("-- en: "),
            portuguese.removeprefix("-- pt: "),
            statement,
        )
    for name, (low, high) in (_FLIGHT_RANGES | ranges(Weather)).items():
        yield Rule(
            f"{name}_in_range",
            f"{name} is from {low:g} to {high:g}",
            f"{name} vai de {low:g} a {high:g}",
            f"SELECT year, month, day, carrier, flight, origin, {name} FROM flights "
            f"WHERE {name} NOT BETWEEN {low} AND {high}",
        )


def check(engine: Engine) -> None:
    """Hold the engine's table `flights` against the contract.

    Raises `ContractBroken` at the first rule that is broken, with the count and some rows.
    """
    rules = list(contract())
    for rule, count in zip(rules, engine.counts([rule.statement for rule in rules]), strict=True):
        if count:
            examples = engine.rows(f"SELECT * FROM ({rule.statement}) AS broken LIMIT {_EXAMPLES}")
            raise ContractBroken(rule.name, {"en": rule.meaning_en, "pt": rule.meaning_pt}, count, examples)


def _statement(name: str) -> str:
    return _SQL.joinpath(f"{name}.sql").read_text("utf-8")


def _read(engine: Engine, source: Source) -> int:
    unreadable = engine.read_csv("raw_records", source.flights, wanted=_WANTED[source.clocks])
    if not engine.count("SELECT line FROM raw_records"):
        files = ", ".join(str(path) for path in source.flights.paths)
        raise SourceUnreadable(files, f"no line of flights in it that is whole, {unreadable} that are not")
    _read_whole(engine, "raw_planes", source.planes)
    _read_whole(engine, "raw_airlines", source.airlines)
    _read_whole(engine, "raw_reference_airports", source.reference_airports)
    return unreadable


def _read_airports(engine: Engine, source: Source, providers: Providers) -> None:
    with TemporaryDirectory(prefix="flight-delay-") as scratch:
        table = source.airports
        if providers.airports:
            known = (Known(**row) for row in engine.rows(_statement("needed/airports")))
            table = providers.airports.airports(
                known, Path(scratch, "airports.csv"), partial(providers.on_request, "airports")
            )
        _read_whole(engine, "raw_airports", table)


def _read_weather(engine: Engine, source: Source, providers: Providers) -> None:
    with TemporaryDirectory(prefix="flight-delay-") as scratch:
        table = source.weather
        if providers.weather:
            rows = engine.rows(_statement("needed/weather"))
            needed = ((Place(row["code"], row["icao"], row["lat"], row["lon"]), row["day_utc"]) for row in rows)
            table = providers.weather.reports(
                needed, Path(scratch, "weather.csv"), partial(providers.on_request, "weather")
            )
        _read_whole(engine, "raw_weather", table, wanted=_WANTED_WEATHER)


def _read_whole(engine: Engine, name: str, table: CsvTable, wanted: Iterable[str] = ()) -> None:
    if engine.read_csv(name, table, wanted):
        raise SourceUnreadable(table.paths[0], "some lines are not whole")


def _insert_bounds(engine: Engine) -> None:
    """Make the table `bounds`, of one row: the lowest and the highest value of each field of the vocabulary."""
    bounds = {
        f"{name}_{side}": limit for name, limits in _FLIGHT_RANGES.items() for side, limit in limits._asdict().items()
    }
    engine.insert("bounds", dict.fromkeys(bounds, "DOUBLE"), [list(bounds.values())])


def _insert_offsets(engine: Engine, source: Source) -> None:
    """Make the table `offsets`: the clocks of all zones, over the years flown and one on either side."""
    years = engine.rows(f"SELECT DISTINCT regexp_extract({source.dated_by}, '[0-9]{{4}}', 0) AS year FROM raw_records")
    known = [int(row["year"]) for row in years if row["year"] and int(row["year"]) in _YEARS]
    span = range(min(known) - 1, max(known) + 2) if known else range(0)
    engine.insert(
        "offsets",
        {
            "year": "INTEGER",
            "tz": "VARCHAR",
            "local_from": "TIMESTAMP",
            "local_until": "TIMESTAMP",
            "utc_from": "TIMESTAMP",
            "utc_until": "TIMESTAMP",
            "offset_min": "INTEGER",
        },
        airports.offsets(sorted(available_timezones()), span) if known else (),
    )


def _report(engine: Engine, source: Source, providers: Providers, unreadable: int) -> Report:
    reasons = engine.rows(
        "SELECT reason, count(*) AS lines FROM flights_typed WHERE reason IS NOT NULL GROUP BY reason ORDER BY reason"
    )
    set_aside = {row["reason"]: row["lines"] for row in reasons}
    if unreadable:
        set_aside["broken_line"] = unreadable
    months = engine.rows("SELECT DISTINCT year, month FROM flights ORDER BY year, month")
    weather, located = providers.names
    return Report(
        source=source.name,
        weather=weather,
        airports=located,
        rows_in=engine.count("SELECT line FROM raw_records") + unreadable,
        rows_out=engine.count("SELECT id FROM flights"),
        set_aside=set_aside,
        weather_values_discarded=sum(
            row["discarded"] for row in engine.rows("SELECT discarded FROM weather WHERE discarded > 0")
        ),
        months=[f"{row['year']:04d}-{row['month']:02d}" for row in months],
        digest=processed_digest(source, providers),
    )


def _check_replaceable(output: Path) -> None:
    """Refuse to replace what this pipeline did not write, and a place where nothing can be written."""
    if output.exists() and not output.is_dir():
        raise SourceUnreadable(output, "it is a file; name a folder")
    if output.is_dir() and any(output.iterdir()) and not (output / MANIFEST).is_file():
        raise SourceUnreadable(output, f"it is not empty and has no {MANIFEST}; name another folder")
    output.parent.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent).cleanup()


def _write(engine: Engine, source: Source, report: Report, output: Path) -> None:
    scratch = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    try:
        new = scratch / "new"
        engine.write_parquet("flights", new, ("year", "month"), ("sched_dep_utc", "carrier", "flight", "origin"))
        engine.write_csv("SELECT * FROM airports ORDER BY code", new / AIRPORTS)
        if report.set_aside:
            engine.write_csv(_set_aside(source), new / SET_ASIDE)
        (new / MANIFEST).write_text(json.dumps(asdict(report), indent=2) + "\n", "utf-8")
        new.chmod(0o755)
        _replace(output, new, scratch / "old")
    finally:
        shutil.rmtree(scratch)


def _set_aside(source: Source) -> str:
    """Return the SELECT of what was set aside: where, why and the values, or the text of a broken line."""
    columns = source.flights.names
    values = ", ".join(f"r.{name}" for name in columns)
    none = ", ".join(f"cast(NULL AS string) AS {name}" for name in columns)
    return (
        f"SELECT r.file, r.record, t.reason, cast(NULL AS string) AS text, {values} "
        "FROM raw_records AS r JOIN flights_typed AS t ON t.line = r.line WHERE t.reason IS NOT NULL "
        f"UNION ALL SELECT file, record, 'broken_line' AS reason, text, {none} FROM raw_records_broken "
        "ORDER BY reason, file, record"
    )


def _replace(output: Path, new: Path, old: Path) -> None:
    """Put a folder in the place of another; whatever stops it, one of the two is there."""
    if output.exists():
        output.rename(old)
    try:
        new.rename(output)
    except BaseException:
        if old.exists():
            old.rename(output)
        raise
