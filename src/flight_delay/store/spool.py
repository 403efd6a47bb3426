"""Predictions kept on the local disk while the database is away, and taken up into it once each.

Every batch of a process has a number. The database notes, in the transaction that takes a batch up, how far it
has got (table `spools`): a batch that is offered again, because it was not known whether its commit had reached
the database or because the process died in between, is not taken twice.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from flight_delay.errors import SpoolFull, StoreUnavailable
from flight_delay.store.database import Connection, Lasting
from flight_delay.store.rows import Prediction, insert

TAKEN_TOGETHER = 100
"""Batches."""
_SUFFIX = ".spool"


class Batch(NamedTuple):
    """Predictions that were answered together."""

    number: int
    predictions: list[Prediction]


class Spool:
    """The file of one process, which is locked for as long as the process lives."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        """Open or make a file; raises `StoreUnavailable`, also where another process holds it."""
        self.id = path.stem
        self.path = path
        self._most_bytes = most_bytes
        self._number = 0
        with _unavailable():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
            try:
                self._connection.execute("PRAGMA synchronous = FULL")
                self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
                self._connection.execute("BEGIN EXCLUSIVE")
                self._connection.execute(
                    "CREATE TABLE IF NOT EXISTS batches (number INTEGER PRIMARY KEY, predictions TEXT NOT NULL)"
                )
                self._connection.execute("COMMIT")
            except sqlite3.Error:
                self._connection.close()
                raise

    @classmethod
    def new(cls, folder: Path, most_bytes: int) -> Spool:
        """Make a file in a folder; raises `StoreUnavailable` where it cannot be written."""
        return cls(folder / f"{secrets.token_hex(8)}{_SUFFIX}", most_bytes)

    def next_number(self) -> int:
        """Return the number of the next batch."""
        self._number += 1
        return self._number

    def append(self, batch: Batch) -> None:
        """Keep a batch: it is on the disk when this returns; raises `StoreUnavailable` and `SpoolFull`."""
        with _unavailable():
            if self.path.stat().st_size > self._most_bytes:
                raise SpoolFull(str(self.path.parent), self._most_bytes // 2**20)
            self._connection.execute(
                "INSERT INTO batches (number, predictions) VALUES (?, ?)", (batch.number, json.dumps(batch.predictions))
            )

    def oldest(self) -> list[Batch]:
        """Return the oldest batches, as many as are taken up together."""
        with _unavailable():
            rows = self._connection.execute(
                "SELECT number, predictions FROM batches ORDER BY number LIMIT ?", (TAKEN_TOGETHER,)
            ).fetchall()
        return [Batch(number, [Prediction(*one) for one in json.loads(rows)]) for number, rows in rows]

    def forget(self, number: int) -> None:
        """Let go of the batches up to a number, which the database has taken up."""
        with _unavailable():
            self._connection.execute("DELETE FROM batches WHERE number <= ?", (number,))

    def close(self) -> None:
        """Let go of the file, and delete it if nothing is in it."""
        with suppress(StoreUnavailable):
            if not self.oldest():
                self.path.unlink(missing_ok=True)
        self._connection.close()


def note(connection: Connection, spool_id: str, number: int) -> None:
    """Note, in the transaction that takes up a batch, that it was taken up."""
    if not connection.change("UPDATE spools SET batch = ? WHERE id = ?", (number, spool_id)):
        connection.change("INSERT INTO spools (id, batch) VALUES (?, ?)", (spool_id, number))


def take_up(spool: Spool, lasting: Lasting) -> int:
    """Take the oldest batches of a file up into the database; return how many there were.

    Raises `StoreUnavailable` where either cannot be used.
    """
    batches = spool.oldest()
    if not batches:
        return 0
    last = batches[-1].number
    with lasting.transaction() as connection:
        [(done,)] = connection.query("SELECT coalesce(max(batch), 0) FROM spools WHERE id = ?", (spool.id,))
        insert(connection, [one for batch in batches if batch.number > done for one in batch.predictions])
        note(connection, spool.id, max(done, last))
    spool.forget(last)
    return len(batches)


def forget_spool(spool: Spool, lasting: Lasting) -> None:
    """Let the database forget how far it got with a file in which nothing is left."""
    with lasting.transaction() as connection:
        connection.change("DELETE FROM spools WHERE id = ?", (spool.id,))


def orphans(own: Spool) -> list[Spool]:
    """Return the files beside a process's own whose processes have died; those of living ones are locked."""
    found = []
    for path in sorted(own.path.parent.glob(f"*{_SUFFIX}")):
        if path != own.path:
            with suppress(StoreUnavailable):
                found.append(Spool(path, 0))
    return found


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreUnavailable(str(error)) from error
