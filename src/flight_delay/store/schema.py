"""The SQLite file: how it is opened, and how its schema moves forward."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from flight_delay.errors import StoreUnavailable

BUSY_TIMEOUT_S = 10.0
_MIGRATIONS = files("flight_delay.store") / "migrations"


def connect(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """Open the database; a commit is on the disk when it returns.

    Transactions are begun and ended by hand. Raises `StoreUnavailable`, also where there is no
    such file, unless it is to be created: an empty database in the place of a lost one helps nobody.
    """
    uri = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
    try:
        connection = sqlite3.connect(
            uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise StoreUnavailable(str(error)) from error
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
    except sqlite3.Error as error:
        connection.close()
        raise StoreUnavailable(str(error)) from error
    return connection


@contextmanager
def opened(path: Path, *, create: bool = False) -> Iterator[sqlite3.Connection]:
    """Open the database for a block; its errors become `StoreUnavailable`."""
    connection = connect(path, create=create)
    try:
        yield connection
    except sqlite3.Error as error:
        raise StoreUnavailable(str(error)) from error
    finally:
        connection.close()


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the write lock for a block; commit at its end, or undo all of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def migrate(path: Path) -> None:
    """Bring the database to the newest schema, making it where there is none.

    Any number of processes may do so at once: one works, the others wait. Raises `StoreUnavailable`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(str(error)) from error
    with opened(path, create=True) as connection:
        _use_write_ahead_log(connection)
        with transaction(connection):
            done = connection.execute("PRAGMA user_version").fetchone()[0]
            for number, script in _migrations():
                if number > done:
                    for statement in _statements(script):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {number}")


def prove_writable(path: Path) -> None:
    """Write and commit what changes nothing; raises `StoreUnavailable`, as on a disk that is full."""
    with opened(path) as connection, transaction(connection):
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        connection.execute(f"PRAGMA user_version = {version}")


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    # Changing the mode needs the file for itself; the transaction makes the second process wait its turn.
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode = WAL")


def _migrations() -> Iterator[tuple[int, str]]:
    for file in sorted(_MIGRATIONS.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".sql"):
            yield int(file.name[:4]), file.read_text("utf-8")


def _statements(script: str) -> Iterator[str]:
    """Split a script; `sqlite3` runs a whole one only outside of a transaction."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
