"""Taking predictions out of the history, with a record of it that says nothing of what they were."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from flight_delay.store import history
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
_RECORD = "INSERT INTO deletions (deleted_at, deleted_by, criteria, predictions, last_id) VALUES (?, ?, ?, ?, ?)"


class Chosen(NamedTuple):
    """Which predictions are to be deleted: by exactly one of these. `until` means those before that moment."""

    ids: tuple[int, ...] = ()
    request_id: str | None = None
    until: dt.datetime | None = None

    def criteria(self) -> str:
        """Return the JSON that is recorded; a request's key is not to live on in it, its SHA-256 may."""
        if self.request_id is not None:
            return json.dumps({"request_id_sha256": hashlib.sha256(self.request_id.encode()).hexdigest()})
        if self.until is not None:
            return json.dumps({"until": history.kept_moment(self.until)})
        return json.dumps({"id": list(self.ids)})


class Deletion(NamedTuple):
    """That predictions were deleted in one transaction; `criteria` is JSON, the time ISO 8601 in UTC."""

    id: int
    deleted_at: str
    deleted_by: str
    criteria: str
    predictions: int


def delete(database: Database, chosen: Chosen, by: str, now: dt.datetime) -> Iterator[int]:
    """Delete what is chosen; give how many after each transaction, which records them too.

    Those who predict come in between; what they add stays. What was committed stays deleted where it is ended before
    its time. Raises `StoreUnavailable`.
    """
    with opened(database) as connection, connection.erasing():
        newest = history.span(connection).last
        more = True
        while more:
            ids = _find(connection, chosen, newest)
            if ids and (deleted := _delete(connection, ids, chosen, by, now)):
                yield deleted
            more = not chosen.ids and len(ids) == BATCH
            if more:
                time.sleep(_PAUSE_S)


def count(connection: Connection, chosen: Chosen) -> int:
    """Return how many predictions are chosen."""
    if chosen.ids:
        return sum(len(connection.query("SELECT 1 FROM predictions WHERE id = ?", (one,))) for one in set(chosen.ids))
    return history.count(connection, history.Filter(request_id=chosen.request_id, until=chosen.until))


def deletions(connection: Connection) -> list[Deletion]:
    """Return what was deleted when and by whom, oldest first."""
    rows = connection.query("SELECT id, deleted_at, deleted_by, criteria, predictions FROM deletions ORDER BY id")
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
            connection.change(_RECORD, (now.isoformat(), by, chosen.criteria(), deleted, last_id))
    return deleted


def _filled(ids: Sequence[int]) -> Iterator[list[Any]]:
    """Give the ids by the thousand, the last ones filled up with one of them: so that the statement is one."""
    for start in range(0, len(ids), _AT_ONCE):
        part = list(ids[start : start + _AT_ONCE])
        yield part + part[:1] * (_AT_ONCE - len(part))
