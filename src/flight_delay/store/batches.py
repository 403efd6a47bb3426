"""Batches of predictions that were answered together: one row each, written before the answer leaves."""

from __future__ import annotations

from typing import NamedTuple

from flight_delay.store.database import Connection, Lasting
from flight_delay.store.predictions import Superseded

LAST_ID = (
    "SELECT coalesce(max(id), 0) FROM "
    "(SELECT max(id) AS id FROM batches UNION ALL SELECT max(last_batch_id) FROM deletions) AS ids"
)
"""The greatest id that was ever given, also to a batch that was deleted."""
_INSERT = (
    "INSERT INTO batches (id, predicted_at, request_id, model_version, rows, inputs, predictions) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_LARGEST_ID = 2**63 - 1


class New(NamedTuple):
    """A batch to be kept; `generation` is that of the model that answered it, the columns are compressed."""

    predicted_at: str
    request_id: str
    generation: int
    model_version: int
    rows: int
    inputs: bytes
    predictions: bytes


class Batch(NamedTuple):
    """A batch as the list of batches shows it; the time is ISO 8601 in UTC."""

    id: int
    predicted_at: str
    request_id: str
    model_version: int
    rows: int


class Content(NamedTuple):
    """What was asked and answered, as compressed columns."""

    inputs: bytes
    predictions: bytes


def keep(lasting: Lasting, new: New) -> int:
    """Return the id of a batch once it is on the disk.

    Raises
    ------
    Superseded
        The model is no longer the live one; nothing was written.
    StoreUnavailable
        The database cannot be written. Where its commit was under way, the history may have the batch.
    """
    with lasting.transaction() as connection:
        [(generation,)] = connection.query("SELECT max(generation) FROM promotions")
        if generation != new.generation:
            raise Superseded
        [(last_id,)] = connection.query(LAST_ID)
        connection.change(
            _INSERT,
            (last_id + 1, new.predicted_at, new.request_id, new.model_version, new.rows, new.inputs, new.predictions),
        )
    return int(last_id) + 1


def page(connection: Connection, limit: int, before: int | None = None, after: int | None = None) -> list[Batch]:
    """Return up to `limit` batches, oldest first.

    The newest ones; with `before`, the newest of those with a smaller id; with `after`, the oldest of those with a
    greater id.
    """
    order = "DESC" if after is None else "ASC"
    found = connection.query(
        "SELECT id, predicted_at, request_id, model_version, rows FROM batches WHERE id < ? AND id > ? "
        f"ORDER BY id {order} LIMIT ?",
        (_LARGEST_ID if before is None else before, 0 if after is None else after, limit),
    )
    return sorted(Batch(*row) for row in found)


def content(connection: Connection, number: int) -> Content | None:
    """Return what a batch holds, None where there is none of that id."""
    rows = connection.query("SELECT inputs, predictions FROM batches WHERE id = ?", (number,))
    return Content(*map(bytes, rows[0])) if rows else None
