"""A prediction as it is written, and how predictions get their ids: in the order of their commits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from flight_delay.store.database import ROWS_TOGETHER, Connection

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
    """Write predictions of any model, in a transaction; return their ids."""
    [(last_id,)] = connection.query(LAST_ID)
    ids = range(last_id + 1, last_id + 1 + len(predictions))
    connection.insert(INSERT, [(number, *_kept(one)) for number, one in zip(ids, predictions, strict=True)])
    return ids


def insert_live(connection: Connection, predictions: Sequence[Prediction]) -> list[int | None]:
    """Write predictions of the live model, in a transaction or within `Lasting.alone`; return their ids.

    None for one of a model that is no longer live: it is not written.
    """
    ids: list[int | None] = []
    for generation, of_one in groupby(predictions, key=lambda one: one.generation):
        kept = [_kept(one) for one in of_one]
        for first in range(0, len(kept), ROWS_TOGETHER):
            some = kept[first : first + ROWS_TOGETHER]
            ids += connection.keep(generation, some) or [None] * len(some)
    return ids


def _kept(one: Prediction) -> tuple[str, str, int, str, float]:
    return one.predicted_at, one.request_id, one.model_version, one.input, one.minutes
