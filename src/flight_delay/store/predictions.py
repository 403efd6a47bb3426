"""Every prediction that was answered: written before the answer leaves, read as history."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from flight_delay.errors import StoreBusy, StoreUnavailable
from flight_delay.store.schema import connect, transaction

MAX_WAITING = 10_000
_LAST_ID = 2**63 - 1
_INSERT = (
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


class Kept(NamedTuple):
    """A prediction as history holds it; `input` is JSON."""

    id: int
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

    def __init__(self, path: Path, max_waiting: int = MAX_WAITING) -> None:
        self._path = path
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
        database = _SameFile(self._path)
        open_ = True
        while open_:
            batch = self._take_all()
            open_ = batch[-1] is not None
            rows = [waiting for waiting in batch if waiting is not None]
            try:
                outcomes = _commit(database.connection(), [row.prediction for row in rows])
                self.problem = None
            except (sqlite3.Error, StoreUnavailable) as error:
                problem = error if isinstance(error, StoreUnavailable) else StoreUnavailable(str(error))
                self.problem = problem
                outcomes = [problem] * len(rows)
            self._loop.call_soon_threadsafe(_resolve, [row.answer for row in rows], outcomes)
        database.close()

    def _take_all(self) -> list[_Waiting | None]:
        batch = [self._queue.get()]
        while batch[-1] is not None:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return batch


class _SameFile:
    """A connection to the file that has the path now: one that was deleted or replaced is let go.

    SQLite would go on writing to a deleted file, and what it commits there is lost.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    def connection(self) -> sqlite3.Connection:
        """Return it, opened anew if need be; raises `StoreUnavailable` where there is no such file."""
        try:
            found = self._path.stat()
        except OSError as error:
            self.close()
            raise StoreUnavailable(str(error)) from error
        if self._connection is None or self._file != (found.st_dev, found.st_ino):
            self.close()
            self._connection = connect(self._path)
            self._file = (found.st_dev, found.st_ino)
        return self._connection

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _commit(connection: sqlite3.Connection, predictions: Sequence[Prediction]) -> list[int | Exception]:
    with transaction(connection):
        generation, last_id = connection.execute(
            "SELECT (SELECT max(generation) FROM promotions), (SELECT coalesce(max(id), 0) FROM predictions)"
        ).fetchone()
        outcomes: list[int | Exception] = []
        rows = []
        for prediction in predictions:
            if prediction.generation != generation:
                outcomes.append(Superseded())
                continue
            last_id += 1
            outcomes.append(last_id)
            rows.append(
                (
                    last_id,
                    prediction.predicted_at,
                    prediction.request_id,
                    prediction.model_version,
                    prediction.input,
                    prediction.minutes,
                )
            )
        connection.executemany(
            _INSERT,
            rows,
        )
    return outcomes


def _resolve(answers: list[asyncio.Future[int]], outcomes: Sequence[int | Exception]) -> None:
    for answer, outcome in zip(answers, outcomes, strict=True):
        if answer.done():  # the client went away; its row stays
            continue
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)


def history(
    connection: sqlite3.Connection, limit: int, before: int | None = None, after: int | None = None
) -> list[Kept]:
    """Return up to `limit` predictions, oldest first.

    The newest ones; with `before`, the newest of those with a smaller id; with `after`, the oldest
    of those with a greater id.
    """
    order = "DESC" if after is None else "ASC"
    found = connection.execute(
        f"SELECT id, input, prediction FROM predictions WHERE id < ? AND id > ? ORDER BY id {order} LIMIT ?",
        (_LAST_ID if before is None else before, 0 if after is None else after, limit),
    ).fetchall()
    return sorted(Kept(*row) for row in found)
