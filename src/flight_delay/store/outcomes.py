"""What became of flights: every outcome that was told, in the order in which it was told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from flight_delay.store.database import Connection, transaction


class Told(NamedTuple):
    """An outcome as it is kept; `outcome` is JSON, `told_at` ISO 8601 in UTC."""

    id: int
    told_at: str
    outcome: str


class New(NamedTuple):
    """An outcome to be kept: JSON, and the prediction that it is of, where one was named."""

    outcome: str
    prediction_id: int | None


def add(connection: Connection, outcomes: Sequence[New], now: dt.datetime) -> None:
    """Keep outcomes, all of them or none."""
    with transaction(connection):
        connection.insert(
            "INSERT INTO outcomes (told_at, outcome, prediction_id) VALUES (?, ?, ?)",
            [(now.isoformat(), outcome, prediction_id) for outcome, prediction_id in outcomes],
        )


def since(connection: Connection, last_id: int) -> list[Told]:
    """Return the outcomes that were told after one of them, in their order; after 0 all."""
    rows = connection.query("SELECT id, told_at, outcome FROM outcomes WHERE id > ? ORDER BY id", (last_id,))
    return [Told(*row) for row in rows]


def arrived(connection: Connection, most: int) -> list[Told]:
    """Return the newest outcomes that tell an arrival delay, newest first."""
    rows = connection.query(
        "SELECT id, told_at, outcome FROM outcomes WHERE outcome ->> 'arr_delay' IS NOT NULL ORDER BY id DESC LIMIT ?",
        (most,),
    )
    return [Told(*row) for row in rows]


def last_before(connection: Connection, moment: dt.datetime) -> int:
    """Return the id of the last outcome that was told before a moment, 0 where there is none."""
    rows = connection.query(
        "SELECT id FROM outcomes WHERE told_at < ? ORDER BY told_at DESC, id DESC LIMIT 1", (moment.isoformat(),)
    )
    return int(rows[0][0]) if rows else 0


def flights_of(connection: Connection, prediction_ids: Iterable[int]) -> dict[int, str]:
    """Return the flights (JSON) that predictions were asked of; those that there are not are left out."""
    found = {}
    for prediction_id in prediction_ids:
        for (flight,) in connection.query("SELECT input FROM predictions WHERE id = ?", (prediction_id,)):
            found[prediction_id] = str(flight)
    return found
