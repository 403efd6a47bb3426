"""The database behind the service, SQLite or PostgreSQL: how it is opened, written to and kept open.

All statements of this room are written once, with `?` for values, and mean the same on both. A transaction
holds the one write lock of the database, so that all that is numbered is numbered in the order of its commits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

from flight_delay.errors import DriverMissing, StoreUnavailable

Row = tuple[Any, ...]
SQLITE = "sqlite:///"
POSTGRESQL = ("postgresql://", "postgres://")
LOCK_TIMEOUT_S = 10.0
"""How long a transaction waits for the write lock."""
ROWS_TOGETHER = 250
"""More in one statement are no quicker, and each number of them is a statement that is prepared."""
_MIGRATIONS = files("flight_delay.store") / "migrations"


class Connection(Protocol):
    """A connection; outside of a transaction every statement is committed by itself.

    Every method raises `StoreUnavailable` where the database cannot be used.
    """

    def query(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return the rows that a statement gives."""

    def change(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Return how many rows a statement changed."""

    def insert(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run an `INSERT` that ends with the values of one row, for any number of rows."""

    def keep(self, generation: int, predictions: Sequence[Sequence[Any]]) -> range | None:
        """Write predictions, if theirs is the live generation, in one statement; return their ids, None if it is not.

        Each has the values of `Prediction` that are kept. To be used in a transaction, or within `Lasting.alone`.
        """

    def begin(self) -> None:
        """Take the write lock, and begin a transaction."""

    def commit(self) -> None:
        """End the transaction; what it wrote is on the disk."""

    def rollback(self) -> None:
        """Undo the transaction; a connection that is lost has undone it."""

    @property
    def locks_by_itself(self) -> bool:
        """Whether a statement outside of a transaction takes the write lock before it reads anything."""

    def erasing(self) -> AbstractContextManager[None]:
        """Let what is deleted in a block leave as little behind in the files as the database can."""

    def is_current(self) -> bool:
        """Whether the connection still leads to what the address names."""

    def close(self) -> None:
        """Let it go."""


class Database(Protocol):
    """Where a database is."""

    def connect(self) -> Connection:
        """Return a new connection; raises `StoreUnavailable`, also where there is no such database."""

    def migrate(self) -> None:
        """Bring it to the newest schema; any number of processes may do so at once.

        Raises `StoreUnavailable`.
        """


def database_at(url: str) -> Database:
    """Return the database that a URL names; raises `DriverMissing` for PostgreSQL without its driver."""
    if url.startswith(SQLITE):
        from flight_delay.store.sqlite import Sqlite

        return Sqlite(Path(url.removeprefix(SQLITE)))
    try:
        from flight_delay.store.postgresql import Postgresql
    except ImportError as error:
        raise DriverMissing(str(error)) from error
    return Postgresql(url)


def together(statement: str, rows: Sequence[Sequence[Any]]) -> Iterator[tuple[str, list[Any]]]:
    """Yield the statements, with their values, that insert as many rows at a time as is good.

    Each call into a database driver lets go of Python's lock, and has to wait for it again.
    """
    head, values = statement[: statement.rindex("(")], statement[statement.rindex("(") :]
    for first in range(0, len(rows), ROWS_TOGETHER):
        some = rows[first : first + ROWS_TOGETHER]
        yield head + ", ".join([values] * len(some)), [value for row in some for value in row]


@contextmanager
def opened(database: Database) -> Iterator[Connection]:
    """Open the database for a block."""
    connection = database.connect()
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Hold the write lock for a block; commit at its end, or undo all of it."""
    connection.begin()
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


class Lasting:
    """A connection that is kept, and replaced where it was lost or leads to a file that is no longer there."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None

    def connection(self) -> Connection:
        """Return it, after it has answered; raises `StoreUnavailable`."""
        connection = self._current()
        try:
            connection.query("SELECT 1")
        except StoreUnavailable:
            self.close()
            connection = self._current()
        return connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Hold the write lock for a block, as `transaction` does; raises `StoreUnavailable`.

        That the connection was lost since it was last used is noticed before anything is written.
        """
        connection = self._current()
        try:
            connection.begin()
        except StoreUnavailable:
            self.close()
            connection = self._current()
            connection.begin()
        try:
            yield connection
        except BaseException:
            connection.rollback()
            raise
        connection.commit()

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """Hold the write lock for one statement, which is committed with the block; raises `StoreUnavailable`."""
        connection = self._current()
        if connection.locks_by_itself:
            yield connection
        else:
            with self.transaction() as connection:
                yield connection

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _current(self) -> Connection:
        if self._connection is not None and not self._connection.is_current():
            self.close()
        if self._connection is None:
            self._connection = self._database.connect()
        return self._connection


def prove_writable(database: Database) -> None:
    """Write and commit what changes nothing; raises `StoreUnavailable`, as on a disk that is full."""
    with opened(database) as connection, transaction(connection):
        connection.change("INSERT INTO spools (id, batch) VALUES (?, ?)", ("", 0))
        connection.change("DELETE FROM spools WHERE id = ?", ("",))


def migrations(dialect: str) -> list[tuple[int, str]]:
    """Return the scripts that make the schema, numbered from 1, in their order."""
    scripts = [file for file in (_MIGRATIONS / dialect).iterdir() if file.name.endswith(".sql")]
    return sorted((int(file.name[:4]), file.read_text("utf-8")) for file in scripts)
