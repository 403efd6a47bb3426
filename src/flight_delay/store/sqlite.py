"""SQLite: one file, for any number of processes on one machine."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from flight_delay.errors import StoreUnavailable
from flight_delay.store.database import LOCK_TIMEOUT_S, Row, migrations, together, transaction

_STATEMENTS_KEPT = 300
"""An `INSERT` of each number of rows is prepared once."""
_TRIES_TO_TRUNCATE = 20
_TRY_AGAIN_S = 0.05
"""The log is emptied only while nobody reads it."""


class Sqlite:
    """A file; it is made where there is none only by `migrate`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def connect(self) -> SqliteConnection:
        """Return a new connection; an empty database in the place of a lost one would help nobody."""
        return SqliteConnection(self.path, "rw")

    def migrate(self) -> None:
        """Bring the file to the newest schema, making it where there is none."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(str(error)) from error
        connection = SqliteConnection(self.path, "rwc")
        try:
            _use_write_ahead_log(connection)
            with transaction(connection):
                _migrate(connection)
        finally:
            connection.close()


class SqliteConnection:
    """A connection to a file; a commit is on the disk when it returns."""

    def __init__(self, path: Path, mode: str) -> None:
        self._path = path
        with _unavailable():
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}",
                uri=True,
                timeout=LOCK_TIMEOUT_S,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=_STATEMENTS_KEPT,
            )
        try:
            self.query("PRAGMA synchronous = FULL")
            self.query("PRAGMA foreign_keys = ON")
            # What is written is appended, and needs few pages at hand.
            self.query("PRAGMA cache_size = -500")
            self._file = _identity(path)
        except (OSError, StoreUnavailable) as error:
            self.close()
            raise StoreUnavailable(str(error)) from error

    def query(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return the rows that a statement gives."""
        with _unavailable():
            return self._connection.execute(statement, values).fetchall()

    def change(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Return how many rows a statement changed."""
        with _unavailable():
            return self._connection.execute(statement, values).rowcount

    def insert(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run an `INSERT` that ends with the values of one row, for any number of rows."""
        # One that fails undoes the transaction: to undo itself alone, it would first keep aside each page it changes.
        whole = statement.replace("INSERT INTO", "INSERT OR ROLLBACK INTO", 1)
        with _unavailable():
            for some, values in together(whole, rows):
                self._connection.execute(some, values)

    def keep(self, generation: int, predictions: Sequence[Sequence[Any]]) -> range | None:
        """Write predictions in one statement, if their generation is live; return their ids, None if it is not."""
        values = [value for prediction in predictions for value in prediction]
        with _unavailable():
            cursor = self._connection.execute(_keeping(len(predictions)), [*values, generation])
        last = cursor.lastrowid
        # The ids of AUTOINCREMENT follow each other, and none is given again.
        return range(last - len(predictions) + 1, last + 1) if cursor.rowcount and last is not None else None

    def begin(self) -> None:
        """Take the write lock, and begin a transaction."""
        self.query("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """End the transaction; one that cannot be committed is undone."""
        try:
            self.query("COMMIT")
        except StoreUnavailable:
            self.rollback()
            raise

    def rollback(self) -> None:
        """Undo the transaction; on a full disk SQLite has done so itself."""
        with suppress(sqlite3.Error):
            self._connection.rollback()

    @property
    def locks_by_itself(self) -> bool:
        """A statement that writes takes the lock before anything else."""
        return True

    @contextmanager
    def erasing(self) -> Iterator[None]:
        """Let what is deleted in a block leave no trace in the file, nor in the log beside it."""
        self.query("PRAGMA secure_delete = ON")
        yield
        # Without waiting: while a checkpoint waits for readers, nothing can be written.
        self.query("PRAGMA busy_timeout = 0")
        for _ in range(_TRIES_TO_TRUNCATE):
            [(busy, *_)] = self.query("PRAGMA wal_checkpoint(TRUNCATE)")
            if not busy:
                break
            time.sleep(_TRY_AGAIN_S)
        self.query(f"PRAGMA busy_timeout = {LOCK_TIMEOUT_S * 1000:.0f}")

    def is_current(self) -> bool:
        """Whether the file that is open is the one that has the path: what is written to a deleted one is lost."""
        with suppress(OSError):
            return _identity(self._path) == self._file
        return False

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()


@cache
def _keeping(predictions: int) -> str:
    """Return the statement that writes so many predictions; one that fails undoes the whole transaction."""
    return (
        "INSERT OR ROLLBACK INTO predictions (predicted_at, request_id, model_version, input, prediction) "
        f"SELECT * FROM (VALUES {', '.join(['(?, ?, ?, ?, ?)'] * predictions)}) "
        "WHERE ? = (SELECT max(generation) FROM promotions)"
    )


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreUnavailable(str(error)) from error


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _use_write_ahead_log(connection: SqliteConnection) -> None:
    # Changing the mode needs the file for itself; the transaction makes the second process wait its turn.
    if connection.query("PRAGMA journal_mode") != [("wal",)]:
        connection.query("PRAGMA journal_mode = WAL")


def _migrate(connection: SqliteConnection) -> None:
    [(done,)] = connection.query("PRAGMA user_version")
    for number, script in migrations("sqlite"):
        if number > done:
            for statement in _statements(script, sqlite3.complete_statement):
                connection.query(statement)
            connection.query(f"PRAGMA user_version = {number}")


def _statements(script: str, is_complete: Callable[[str], bool]) -> Iterator[str]:
    """Split a script; `sqlite3` runs a whole one only outside of a transaction."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if is_complete(pending):
            yield pending
            pending = ""
