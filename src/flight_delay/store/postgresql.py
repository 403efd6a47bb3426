"""PostgreSQL: for processes on more than one machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cache
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.string import TextLoader

from flight_delay.errors import StoreUnavailable
from flight_delay.store.database import LOCK_TIMEOUT_S, Row, migrations, together
from flight_delay.store.rows import LAST_ID

_WRITE_LOCK = 0x666C6967
"""Key of the advisory lock that a transaction holds."""
_STATEMENT_TIMEOUT_S = 60.0
_IDLE_TIMEOUT_S = 10.0
"""A transaction whose process fell silent gives the write lock back after so long."""
_DEFAULTS = {
    "application_name": "flight-delay",
    "connect_timeout": "3",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    # A network that swallows packets is noticed after so many milliseconds.
    "tcp_user_timeout": "10000",
}
_OPTIONS = {
    "lock_timeout": LOCK_TIMEOUT_S,
    "statement_timeout": _STATEMENT_TIMEOUT_S,
    "idle_in_transaction_session_timeout": _IDLE_TIMEOUT_S,
}


class Postgresql:
    """A database that a URL names; what the URL says of time limits goes before what is the default here."""

    def __init__(self, url: str) -> None:
        self._url = url

    def connect(self) -> PostgresqlConnection:
        """Return a new connection."""
        with _unavailable():
            given = self._given()
            own = " ".join(f"-c {name}={seconds:.0f}s" for name, seconds in _OPTIONS.items())
            added = {name: value for name, value in _DEFAULTS.items() if name not in given}
            added["options"] = f"{own} {given.get('options') or ''}".strip()
            connection = psycopg.connect(make_conninfo(self._url, **added), autocommit=True)
        connection.adapters.register_loader("json", TextLoader)
        return PostgresqlConnection(connection)

    def _given(self) -> dict[str, Any]:
        try:
            return dict(conninfo_to_dict(self._url))
        except psycopg.Error:  # its text repeats the URL, and the password in it
            raise StoreUnavailable("the URL of the database is none that PostgreSQL understands") from None

    def migrate(self) -> None:
        """Bring the database to the newest schema."""
        connection = self.connect()
        try:
            connection.begin()
            connection.query("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
            [(done,)] = connection.query("SELECT coalesce(max(version), 0) FROM schema_version")
            for number, script in migrations("postgresql"):
                if number > done:
                    connection.query(script)
                    connection.change("INSERT INTO schema_version (version) VALUES (?)", (number,))
            connection.commit()
        finally:
            connection.close()


class PostgresqlConnection:
    """A connection; a commit is on the server's disk when it returns."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection

    def query(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return the rows that a statement gives."""
        with _unavailable():
            # Without values nothing is bound, and a script may hold several statements.
            cursor = self._connection.execute(_bound(statement), values or None)
            return cursor.fetchall() if cursor.description else []

    def change(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Return how many rows a statement changed."""
        with _unavailable():
            return self._connection.execute(_bound(statement), values or None).rowcount

    def insert(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run an `INSERT` that ends with the values of one row, for any number of rows."""
        with _unavailable():
            for some, values in together(statement, rows):
                self._connection.execute(_bound(some), values)

    def keep(self, generation: int, predictions: Sequence[Sequence[Any]]) -> range | None:
        """Write predictions in one statement, if their generation is live; return their ids, None if it is not."""
        values = [value for number, one in enumerate(predictions, 1) for value in (number, *one)]
        rows = self.query(_keeping(len(predictions)), [*values, generation])
        first, *_ = min(rows, default=(0,))
        return range(first, first + len(rows)) if rows else None

    def begin(self) -> None:
        """Take the write lock, and begin a transaction."""
        try:
            self.query(f"BEGIN; SELECT pg_advisory_xact_lock({_WRITE_LOCK})")
        except StoreUnavailable:
            self.rollback()
            raise

    def commit(self) -> None:
        """End the transaction."""
        self.query("COMMIT")

    def rollback(self) -> None:
        """Undo the transaction; the server does so itself where the connection is lost."""
        with suppress(psycopg.Error):
            self._connection.rollback()

    @property
    def locks_by_itself(self) -> bool:
        """The lock is one of this project, and taken by `begin`."""
        return False

    def erasing(self) -> AbstractContextManager[None]:
        """Do nothing more: what is deleted is gone once the server has vacuumed, and has let go of its log."""
        return nullcontext()

    def is_current(self) -> bool:
        """Whether the connection is not known to be lost."""
        return not self._connection.closed

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()


@cache
def _keeping(predictions: int) -> str:
    """Return the statement that writes so many predictions."""
    return (
        "WITH given (number, predicted_at, request_id, model_version, input, prediction) "
        f"AS (VALUES {', '.join(['(?, ?, ?, ?, ?, ?)'] * predictions)}) "
        "INSERT INTO predictions (id, predicted_at, request_id, model_version, input, prediction) "
        f"SELECT ({LAST_ID}) + number, predicted_at, request_id, model_version, input::json, prediction FROM given "
        "WHERE ? = (SELECT max(generation) FROM promotions) RETURNING id"
    )


@cache
def _bound(statement: str) -> bytes:
    """Return a statement with the driver's sign for a value."""
    return statement.replace("?", "%s").encode()


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise StoreUnavailable(" ".join(str(error).split())) from error
