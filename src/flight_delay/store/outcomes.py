"""What became of flights: every outcome that was told, in the order in which it was told."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from flight_delay.store.schema import transaction


class Told(NamedTuple):
    """An outcome as it is kept; `outcome` is JSON, `told_at` ISO 8601 in UTC."""

    id: int
    told_at: str
    outcome: str


class New(NamedTuple):
    """An outcome to be kept: JSON, and the prediction that it is of, where one was named."""

    outcome: str
    prediction_id: int | None


def add(connection: sqlite3.Connection, outcomes: Sequence[New], now: dt.datetime) -> None:
    """Keep outcomes, all of them or none."""
    with transaction(connection):
        connection.executemany(
            "INSERT INTO outcomes (told_at, outcome, prediction_id) VALUES (?, ?, ?)",
            [(now.isoformat(), outcome, prediction_id) for outcome, prediction_id in outcomes],
        )


def since(connection: sqlite3.Connection, last_id: int) -> list[Told]:
    """Return the outcomes that were told after one of them, in their order; after 0 all."""
    rows = connection.execute("SELECT id, told_at, outcome FROM outcomes WHERE id > ? ORDER BY id", (last_id,))
    return [Told(*row) for row in rows]


def last_before(connection: sqlite3.Connection, moment: dt.datetime) -> int:
    """Return the id of the last outcome that was told before a moment, 0 where there is none."""
    row = connection.execute(
        "SELECT id FROM outcomes WHERE told_at < ? ORDER BY told_at DESC, id DESC LIMIT 1", (moment.isoformat(),)
    ).fetchone()
    return 0 if row is None else int(row[0])


def flights_of(connection: sqlite3.Connection, prediction_ids: Iterable[int]) -> dict[int, str]:
    """Return the flights (JSON) that predictions were asked of; those that there are not are left out."""
    found = {}
    for prediction_id in prediction_ids:
        row = connection.execute("SELECT input FROM predictions WHERE id = ?", (prediction_id,)).fetchone()
        if row is not None:
            found[prediction_id] = str(row[0])
    return found
