"""DuckDB, in this process: the default engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import duckdb

from flight_delay.errors import SourceUnreadable
from flight_delay.sources import NULLS, CsvTable
from flight_delay.sources.plain import Plain, plain


class DuckDB:
    """The engine that is there everywhere: one process, any size of data.

    Parameters
    ----------
    shared
        Where to put what does not fit in memory, and files that are unpacked; the system's own place without it.
    memory_mb
        How much of the data may be in memory at a time. The process needs some 400 MB besides.
    """

    def __init__(self, shared: Path | None = None, memory_mb: int = 1200) -> None:
        if shared:
            shared.mkdir(parents=True, exist_ok=True)
        self._scratch = TemporaryDirectory(prefix=".duckdb-", dir=shared)
        # In a file its tables are compressed, and leave memory without being written out first.
        self._connection = duckdb.connect(Path(self._scratch.name, "tables.duckdb"))
        self._connection.execute("SET TimeZone = 'UTC'")
        # In a Jupyter without ipywidgets it is off, and DuckDB refuses to set it (duckdb/duckdb#7590).
        if self.rows("SELECT current_setting('enable_progress_bar') AS shown")[0]["shown"]:
            self._connection.execute("SET enable_progress_bar = false")
        self._connection.execute("PRAGMA disable_checkpoint_on_shutdown")  # its tables go when it goes
        self._connection.execute(f"SET memory_limit = '{memory_mb}MB'")
        self._connection.execute(f"SET temp_directory = '{_quoted(Path(self._scratch.name, 'spilt'))}'")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._scratch.cleanup()

    def read_csv(self, name: str, table: CsvTable, wanted: Iterable[str] = ()) -> int:
        """Read CSV files with DuckDB's own reader; see `Engine.read_csv`."""
        columns = tuple(dict.fromkeys((*table.names, *wanted)))
        texts = ", ".join(f'"{column}" VARCHAR' for column in columns)
        self._connection.execute(f'CREATE TABLE "{name}" (line BIGINT, file VARCHAR, record BIGINT, {texts})')
        self._connection.execute(f'CREATE TABLE "{name}_broken" (file VARCHAR, record BIGINT, text VARCHAR)')
        for path in table.paths:
            with TemporaryDirectory(dir=self._scratch.name) as scratch:
                try:
                    self._append(name, columns, path.name, plain(path, table, Path(scratch)))
                except duckdb.InvalidInputException as error:
                    raise SourceUnreadable(path, str(error).partition("\n")[0]) from error
        return self.count(f'SELECT record FROM "{name}_broken"')

    def _append(self, name: str, columns: Sequence[str], file: str, csv: Plain) -> None:
        own = {f"column_{number}": column for number, column in enumerate(csv.columns)}
        position = {column: own_name for own_name, column in own.items() if column}
        values = ", ".join(position.get(column, "NULL") for column in columns)
        nulls = ", ".join(f"'{null}'" for null in NULLS)
        # Nothing is left to be guessed from the first lines.
        self._connection.execute(
            f"CREATE OR REPLACE VIEW lines AS SELECT * FROM read_csv('{_quoted(csv.path)}', auto_detect = false, "
            f"header = false, skip = {csv.skip}, delim = '{csv.delimiter}', quote = '\"', escape = '\"', "
            f"columns = {dict.fromkeys(own, 'VARCHAR')}, nullstr = [{nulls}], "
            "store_rejects = true, strict_mode = true)"
        )
        before = self.count(f'SELECT line FROM "{name}"')
        self._connection.execute(
            f'INSERT INTO "{name}" SELECT record + {before}, ?, record, {values} '
            "FROM (SELECT row_number() OVER () AS record, * FROM lines)",
            [file],
        )
        self._connection.execute(
            f'INSERT INTO "{name}_broken" SELECT ?, line, min(csv_line) FROM reject_errors GROUP BY line', [file]
        )
        self._connection.execute("DELETE FROM reject_errors")

    def open_parquet(self, name: str, folder: Path) -> None:
        """Make the table `name` of the Parquet files in a folder."""
        self._connection.execute(
            f'CREATE VIEW "{name}" AS SELECT * FROM '
            f"read_parquet('{_quoted(folder)}/**/*.parquet', hive_partitioning = true)"
        )

    def create(self, name: str, statement: str) -> None:
        """Make the table `name` from a SELECT."""
        # Rows have keys: to keep them in order would be to keep them in memory.
        self._connection.execute("SET preserve_insertion_order = false")
        self._connection.execute(f'CREATE TABLE "{name}" AS {statement}')
        self._connection.execute("SET preserve_insertion_order = true")

    def view(self, name: str, statement: str) -> None:
        """Give a SELECT a name."""
        self._connection.execute(f'CREATE VIEW "{name}" AS {statement}')

    def insert(self, name: str, columns: dict[str, str], rows: Iterable[Sequence[Any]]) -> None:
        """Make the table `name` from values; `columns` gives names and SQL types."""
        self._connection.execute(f'CREATE TABLE "{name}" ({", ".join(f"{c} {t}" for c, t in columns.items())})')
        # A list for each column: DuckDB takes rows one by one a thousand times more slowly.
        if values := [list(column) for column in zip(*rows, strict=True)]:
            lists = ", ".join(f"unnest(?::{kind}[])" for kind in columns.values())
            self._connection.execute(f'INSERT INTO "{name}" SELECT {lists}', values)

    def count(self, statement: str) -> int:
        """Return how many rows a SELECT gives."""
        return self._number(f"SELECT count(*) FROM ({statement}) AS counted")

    def counts(self, statements: Sequence[str]) -> list[int]:
        """Return how many rows each of some SELECTs gives; one after the other, so that none lacks memory."""
        return [self.count(statement) for statement in statements]

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


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
