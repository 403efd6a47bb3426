"""A prediction as it is written, and how predictions get their ids: in the order of their commits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flight_delay.store.database import Connection

LAST_ID = (
    "SELECT coalesce(max(id), 0) FROM "
    "(SELECT max(id) AS id FROM predictions UNION ALL SELECT max(last_id) FROM deletions) AS ids"
)
"""The greatest id that was ever given, also to a prediction that was deleted."""
INSERT = (
    "INSERT INTO predictions (id, predicted_at, request_id, model_version, input, prediction) VALUES (?, ?, ?, ?, ?, ?)"
)


class Prediction(NamedTuple):
    """A prediction to be kept. `input` is JSON, `generation` that of the model that made it."""

    predicted_at: str
    request_id: str
    generation: int
    model_version: int
    input: str
    minutes: float


def insert(connection: Connection, predictions: Sequence[Prediction]) -> range:
    """Write predictions, in a transaction; return their ids."""
    [(last_id,)] = connection.query(LAST_ID)
    return insert_after(connection, last_id, predictions)


def insert_after(connection: Connection, last_id: int, predictions: Sequence[Prediction]) -> range:
    """Write predictions, in the transaction in which `LAST_ID` was read; return their ids."""
    ids = range(last_id + 1, last_id + 1 + len(predictions))
    connection.insert(
        INSERT,
        [
            (number, one.predicted_at, one.request_id, one.model_version, one.input, one.minutes)
            for number, one in zip(ids, predictions, strict=True)
        ],
    )
    return ids
