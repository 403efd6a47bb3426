"""DuckDB, in this process: the default engine."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import duckdb

from flight_delay.errors import SourceMissing, SourceUnreadable
from flight_delay.sources import NULLS, CsvTable


class DuckDB:
    """The engine that is there everywhere: one process, any size of data."""

    def __init__(self) -> None:
        self._scratch = TemporaryDirectory(prefix="flight-delay-")
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET enable_progress_bar = false")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._scratch.cleanup()

    def read_csv(self, name: str, table: CsvTable, wanted: Iterable[str] = ()) -> int:
        """Read a CSV with DuckDB's own reader; see `Engine.read_csv`."""
        path = self._plain_csv(table.path)
        _check_header(path, table)
        columns = dict.fromkeys(table.columns, "VARCHAR")
        relation = self._connection.read_csv(
            str(path), header=True, columns=columns, na_values=list(NULLS), store_rejects=True, strict_mode=True
        )
        renamed = [f'"{own}" AS "{name}"' for own, name in table.columns.items()]
        absent = [f'CAST(NULL AS VARCHAR) AS "{name}"' for name in wanted if name not in table.columns.values()]
        lines = relation.project(", ".join([*renamed, *absent]))
        lines.create_view("lines", replace=True)
        self.create(name, "SELECT row_number() OVER () AS line, * FROM lines")
        self.create(f"{name}_broken", "SELECT line, min(csv_line) AS text FROM reject_errors GROUP BY line")
        self._connection.execute("DELETE FROM reject_errors")
        return self.count(f"SELECT line FROM {name}_broken")

    def open_parquet(self, name: str, folder: Path) -> None:
        """Make the table `name` of the Parquet files in a folder."""
        self._connection.execute(
            f'CREATE VIEW "{name}" AS SELECT * FROM '
            f"read_parquet('{_quoted(folder)}/**/*.parquet', hive_partitioning = true)"
        )

    def create(self, name: str, statement: str) -> None:
        """Make the table `name` from a SELECT."""
        self._connection.execute(f'CREATE TABLE "{name}" AS {statement}')

    def insert(self, name: str, columns: dict[str, str], rows: Iterable[Sequence[Any]]) -> None:
        """Make the table `name` from values; `columns` gives names and SQL types."""
        self._connection.execute(f'CREATE TABLE "{name}" ({", ".join(f"{c} {t}" for c, t in columns.items())})')
        if values := [list(row) for row in rows]:
            places = ", ".join("?" * len(columns))
            self._connection.executemany(f'INSERT INTO "{name}" VALUES ({places})', values)

    def count(self, statement: str) -> int:
        """Return how many rows a SELECT gives."""
        return self._number(f"SELECT count(*) FROM ({statement}) AS counted")

    def rows(self, statement: str) -> list[dict[str, Any]]:
        """Return the rows of a SELECT."""
        cursor = self._connection.execute(statement)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def write_parquet(self, table: str, folder: Path, partition_by: Sequence[str], order_by: Sequence[str]) -> None:
        """Write a table as Parquet, a folder for each value of the partitioning columns."""
        self._connection.execute(
            f"COPY (SELECT * FROM {table} ORDER BY {', '.join(order_by)}) TO '{_quoted(folder)}' "
            f"(FORMAT parquet, COMPRESSION zstd, "
            f"PARTITION_BY ({', '.join(partition_by)}), FILENAME_PATTERN 'flights_{{i}}')"
        )

    def export(self, table: str, path: Path) -> None:
        """Write a table as one Parquet file."""
        self._connection.execute(f"COPY {table} TO '{_quoted(path)}' (FORMAT parquet)")

    def write_csv(self, statement: str, path: Path) -> None:
        """Write the rows of a SELECT as CSV with a header."""
        self._connection.execute(f"COPY ({statement}) TO '{_quoted(path)}' (FORMAT csv, HEADER true)")

    def _number(self, statement: str) -> int:
        ((number,),) = self._connection.execute(statement).fetchall()
        return int(number)

    def _plain_csv(self, path: Path) -> Path:
        if not path.is_file():
            raise SourceMissing("csv", path)
        if path.suffix != ".zip":
            return path
        try:
            with zipfile.ZipFile(path) as archive:
                members = [name for name in archive.namelist() if _is_table(name)]
                if len(members) != 1:
                    raise SourceUnreadable(path, f"{len(members)} CSV files in it, 1 is needed")
                return Path(archive.extract(members[0], self._scratch.name))
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            # RuntimeError is how an encrypted member is reported.
            raise SourceUnreadable(path, str(error)) from error


def _is_table(name: str) -> bool:
    return name.lower().endswith(".csv") and not name.startswith("__MACOSX/")


def _check_header(path: Path, table: CsvTable) -> None:
    with path.open("rb") as file:
        try:
            first = file.readline().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise SourceUnreadable(table.path, "it is not UTF-8") from error
    header = next(csv.reader(io.StringIO(first)), [])
    expected = list(table.columns)
    if header != expected:
        missing = [name for name in expected if name not in header]
        unknown = [name for name in header if name not in expected]
        raise SourceUnreadable(table.path, f"columns missing: {missing}, unknown: {unknown}; in this order: {expected}")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
