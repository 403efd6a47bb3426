"""What runs SQL: one interface, DuckDB and Spark behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from flight_delay.sources import CsvTable


class Engine(Protocol):
    """Reads CSV, makes tables by one SQL statement each, gives rows back, writes Parquet.

    A context manager; what it holds is gone when it closes. SQL is of the subset that all engines
    understand alike.
    """

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def read_csv(self, name: str, table: CsvTable, wanted: Iterable[str] = ()) -> int:
        """Read CSV files as the text table `name`; return how many lines could not be read.

        Beside the table's own columns there are `line`, which numbers the rows over all the files, and
        `file` and `record`, which say where a row was. Lines that could not be read are in the table
        `name` + `_broken`, as `file`, `record` (here the line of the file) and `text`.

        `wanted` names columns that the transformations need though this source has them not: all NULL.

        Raises
        ------
        SourceMissing
            There is no such file.
        SourceUnreadable
            A file is in none of the forms of the source.
        """

    def open_parquet(self, name: str, folder: Path) -> None:
        """Make the table `name` of the Parquet files in a folder, with the partitions as columns."""

    def insert(self, name: str, columns: dict[str, str], rows: Iterable[Sequence[Any]]) -> None:
        """Make the table `name` from values; `columns` gives names and SQL types."""

    def create(self, name: str, statement: str) -> None:
        """Make the table `name` from a SELECT."""

    def view(self, name: str, statement: str) -> None:
        """Give a SELECT a name; it is worked out anew wherever the name is read."""

    def count(self, statement: str) -> int:
        """Return how many rows a SELECT gives."""

    def counts(self, statements: Sequence[str]) -> list[int]:
        """Return how many rows each of some SELECTs gives."""

    def rows(self, statement: str) -> list[dict[str, Any]]:
        """Return the rows of a SELECT."""

    def write_parquet(self, table: str, folder: Path, partition_by: Sequence[str], order_by: Sequence[str]) -> None:
        """Write a table as Parquet, a folder for each value of the partitioning columns."""

    def write_csv(self, statement: str, path: Path) -> None:
        """Write the rows of a SELECT as CSV with a header."""
