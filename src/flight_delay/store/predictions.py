"""Every prediction that was answered: written before the answer leaves, read as history."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Sequence
from typing import NamedTuple

from flight_delay.errors import StoreBusy, StoreUnavailable
from flight_delay.store.database import Database, Lasting

MAX_WAITING = 10_000
LAST_ID = (
    "SELECT coalesce(max(id), 0) FROM "
    "(SELECT max(id) AS id FROM predictions UNION ALL SELECT max(last_id) FROM deletions) AS ids"
)
"""The greatest id that was ever given, also to a prediction that was deleted."""
_NOW = f"SELECT (SELECT max(generation) FROM promotions), ({LAST_ID})"
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


class Superseded(Exception):
    """Another model went live before the prediction could be committed: predict again."""


class _Waiting(NamedTuple):
    prediction: Prediction
    answer: asyncio.Future[int]


class PredictionLog:
    """Group commit: one thread takes all predictions that wait, and commits them in one transaction.

    A prediction is committed only if the model that made it is still live, so that all processes
    on the database change models at the same commit.
    """

    def __init__(self, database: Database, max_waiting: int = MAX_WAITING) -> None:
        self._database = database
        self._max_waiting = max_waiting
        self.problem: StoreUnavailable | None = None
        """Why the newest commit failed; None where it did not."""
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._write_until_closed, name="prediction-log")
        self._thread.start()

    async def append(self, prediction: Prediction) -> int:
        """Return the prediction's id once it is on the disk.

        Raises
        ------
        Superseded
            The model is no longer the live one; nothing was written.
        StoreBusy
            Too many predictions wait already.
        StoreUnavailable
            The database cannot be written.
        """
        waiting = self._queue.qsize()
        if waiting >= self._max_waiting:
            raise StoreBusy(waiting)
        answer: asyncio.Future[int] = self._loop.create_future()
        self._queue.put(_Waiting(prediction, answer))
        return await answer

    def close(self) -> None:
        """Commit what waits, and stop."""
        self._queue.put(None)
        self._thread.join()

    def _write_until_closed(self) -> None:
        lasting = Lasting(self._database)
        open_ = True
        while open_:
            batch = self._take_all()
            open_ = batch[-1] is not None
            rows = [waiting for waiting in batch if waiting is not None]
            try:
                outcomes = _commit(lasting, [row.prediction for row in rows])
                self.problem = None
            except StoreUnavailable as error:
                self.problem = error
                outcomes = [error] * len(rows)
            self._loop.call_soon_threadsafe(_resolve, [row.answer for row in rows], outcomes)
        lasting.close()

    def _take_all(self) -> list[_Waiting | None]:
        batch = [self._queue.get()]
        while batch[-1] is not None:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return batch


def _commit(lasting: Lasting, predictions: Sequence[Prediction]) -> list[int | Exception]:
    with lasting.transaction() as connection:
        [(generation, last_id)] = connection.query(_NOW)
        outcomes: list[int | Exception] = []
        rows = []
        for prediction in predictions:
            if prediction.generation != generation:
                outcomes.append(Superseded())
                continue
            last_id += 1
            outcomes.append(last_id)
            at, request_id, _, version, flight, minutes = prediction
            rows.append((last_id, at, request_id, version, flight, minutes))
        connection.insert(INSERT, rows)
    return outcomes


def _resolve(answers: list[asyncio.Future[int]], outcomes: Sequence[int | Exception]) -> None:
    for answer, outcome in zip(answers, outcomes, strict=True):
        if answer.done():  # the client went away; its row stays
            continue
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)
