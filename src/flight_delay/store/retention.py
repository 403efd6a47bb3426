"""Taking predictions out of the history, with a record of it that says nothing of what they were."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from flight_delay.store import batches, history
from flight_delay.store.database import Connection, Database, opened, transaction
from flight_delay.store.rows import LAST_ID

BATCH = 10_000
"""How many predictions are deleted in one transaction, during which no other is written."""
_PAUSE_S = 0.1
"""Between two transactions: SQLite makes those who wait for the lock ask again, every 0.1 s at the latest."""
_AT_ONCE = 1000
_PLACES = ", ".join("?" * _AT_ONCE)
# By the models first, as the key of the table is.
_DELETE_SHADOWS = (
    "DELETE FROM shadow_predictions WHERE model_version IN (SELECT version FROM models) "
    f"AND prediction_id IN ({_PLACES})"
)
_DELETE = f"DELETE FROM predictions WHERE id IN ({_PLACES})"
_RECORD = (
    "INSERT INTO deletions (deleted_at, deleted_by, criteria, predictions, last_id, batches, last_batch_id) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)


class Chosen(NamedTuple):
    """Which predictions are to be deleted: by exactly one of these. `until` means those before that moment.

    By request and by moment also those that were answered in batches, whole batches at a time.
    """

    ids: tuple[int, ...] = ()
    request_id: str | None = None
    until: dt.datetime | None = None
    batch_ids: tuple[int, ...] = ()

    def criteria(self) -> str:
        """Return the JSON that is recorded; a request's key is not to live on in it, its SHA-256 may."""
        if self.request_id is not None:
            return json.dumps({"request_id_sha256": hashlib.sha256(self.request_id.encode()).hexdigest()})
        if self.until is not None:
            return json.dumps({"until": history.kept_moment(self.until)})
        return json.dumps({"batch": list(self.batch_ids)} if self.batch_ids else {"id": list(self.ids)})


class Deletion(NamedTuple):
    """That predictions were deleted in one transaction; `criteria` is JSON, the time ISO 8601 in UTC."""

    id: int
    deleted_at: str
    deleted_by: str
    criteria: str
    predictions: int
    """Those of batches among them."""
    batches: int


def delete(database: Database, chosen: Chosen, by: str, now: dt.datetime) -> Iterator[int]:
    """Delete what is chosen; give how many after each transaction, which records them too.

    Those who predict come in between; what they add stays. What was committed stays deleted where it is ended before
    its time. Raises `StoreUnavailable`.
    """
    with opened(database) as connection, connection.erasing():
        newest = history.span(connection).last
        more = not chosen.batch_ids
        while more:
            ids = _find(connection, chosen, newest)
            if ids and (deleted := _delete(connection, ids, chosen, by, now)):
                yield deleted
            more = not chosen.ids and len(ids) == BATCH
            if more:
                time.sleep(_PAUSE_S)
        for number in _batches(connection, chosen):
            if deleted := _delete_batch(connection, number, chosen, by, now):
                yield deleted


def count(connection: Connection, chosen: Chosen) -> int:
    """Return how many predictions are chosen."""
    if chosen.ids:
        return sum(len(connection.query("SELECT 1 FROM predictions WHERE id = ?", (one,))) for one in set(chosen.ids))
    rows = [connection.query("SELECT rows FROM batches WHERE id = ?", (one,)) for one in _batches(connection, chosen)]
    of_batches = sum(int(found[0][0]) for found in rows if found)
    if chosen.batch_ids:
        return of_batches
    return of_batches + history.count(connection, history.Filter(request_id=chosen.request_id, until=chosen.until))


def deletions(connection: Connection) -> list[Deletion]:
    """Return what was deleted when and by whom, oldest first."""
    rows = connection.query(
        "SELECT id, deleted_at, deleted_by, criteria, predictions, batches FROM deletions ORDER BY id"
    )
    return [Deletion(*row) for row in rows]


def _find(connection: Connection, chosen: Chosen, newest: int) -> Sequence[int]:
    """Return the ids of the next ones, found before the lock is taken: the search for a request may take long."""
    if chosen.request_id is not None:
        condition, order, value = "request_id = ?", "id", chosen.request_id
    elif chosen.until is not None:
        condition, order, value = "predicted_at < ?", "predicted_at", history.kept_moment(chosen.until)
    else:
        return chosen.ids
    rows = connection.query(
        f"SELECT id FROM predictions WHERE {condition} AND id <= ? ORDER BY {order} LIMIT ?", (value, newest, BATCH)
    )
    return [row[0] for row in rows]


def _delete(connection: Connection, ids: Sequence[int], chosen: Chosen, by: str, now: dt.datetime) -> int:
    with transaction(connection):
        [(last_id,)] = connection.query(LAST_ID)
        deleted = 0
        for values in _filled(ids):
            connection.change(_DELETE_SHADOWS, values)
            deleted += connection.change(_DELETE, values)
        if deleted:
            connection.change(_RECORD, (now.isoformat(), by, chosen.criteria(), deleted, last_id, 0, 0))
    return deleted


def _batches(connection: Connection, chosen: Chosen) -> Sequence[int]:
    """Return the ids of the batches that are chosen."""
    if chosen.batch_ids or chosen.ids:
        return tuple(dict.fromkeys(chosen.batch_ids))
    if chosen.request_id is not None:
        condition, value = "request_id = ?", chosen.request_id
    elif chosen.until is not None:
        condition, value = "predicted_at < ?", history.kept_moment(chosen.until)
    else:
        return ()
    return [row[0] for row in connection.query(f"SELECT id FROM batches WHERE {condition} ORDER BY id", (value,))]


def _delete_batch(connection: Connection, number: int, chosen: Chosen, by: str, now: dt.datetime) -> int:
    """Delete a batch, which is some megabytes, in a transaction of its own; return how many predictions it had."""
    with transaction(connection):
        [(last_id,)] = connection.query(LAST_ID)
        [(last_batch_id,)] = connection.query(batches.LAST_ID)
        found = connection.query("SELECT rows FROM batches WHERE id = ?", (number,))
        if not found:
            return 0
        connection.change("DELETE FROM batches WHERE id = ?", (number,))
        rows = int(found[0][0])
        connection.change(_RECORD, (now.isoformat(), by, chosen.criteria(), rows, last_id, 1, last_batch_id))
    return rows


def _filled(ids: Sequence[int]) -> Iterator[list[Any]]:
    """Give the ids by the thousand, the last ones filled up with one of them: so that the statement is one."""
    for start in range(0, len(ids), _AT_ONCE):
        part = list(ids[start : start + _AT_ONCE])
        yield part + part[:1] * (_AT_ONCE - len(part))
