"""Every prediction that was answered: written before the answer leaves."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from flight_delay.errors import StoreBusy, StoreError, StoreUnavailable
from flight_delay.store.database import Database, Lasting, prove_writable
from flight_delay.store.rows import Prediction, insert_live
from flight_delay.store.spool import TAKEN_TOGETHER, Batch, Spool, forget_spool, note, orphans, take_up

MAX_WAITING = 1000
RETRY_S = 0.5
"""How often it is tried whether a database that went away is back."""
_log = logging.getLogger("uvicorn.error")


class Superseded(Exception):
    """Another model went live before the prediction could be committed: predict again."""


class _Waiting(NamedTuple):
    prediction: Prediction
    answer: asyncio.Future[int | None]


class PredictionLog:
    """Group commit: all predictions that wait are committed in one transaction, on a thread of its own.

    A prediction is committed only if the model that made it is still live, so that all processes
    on the database change models at the same commit. While the database is away, predictions are refused, or
    kept in a folder of the local disk where one is given, until it is back.
    """

    def __init__(
        self,
        database: Database,
        spool_folder: Path | None = None,
        most_spooled_mb: int = 0,
        max_waiting: int = MAX_WAITING,
        committed: Callable[[float, int], None] = lambda _seconds, _predictions: None,
    ) -> None:
        """Begin; raises `StoreUnavailable` where the folder cannot be written.

        `committed` is told, on the thread that commits, of each commit: how long it took, and of how many predictions.
        """
        self._database = database
        self._spool = None if spool_folder is None else Spool.new(spool_folder, most_spooled_mb * 2**20)
        self.max_waiting = max_waiting
        self._committed = committed
        self.problem: StoreUnavailable | None = None
        """Why the database is away; None where it is not known to be."""
        self.spooled = 0
        """Predictions that this process has kept on the local disk, and the database has not taken up yet."""
        self.waiting = 0
        """Predictions that wait for their commit."""
        self._next: list[_Waiting] = []
        self._is_committing = False
        self._queue: queue.SimpleQueue[list[_Waiting] | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._closed = threading.Event()
        self._spooling = threading.Lock()
        self._threads = [threading.Thread(target=self._write_until_closed, name="prediction-log")]
        self._threads[0].start()
        if self._spool is not None:
            self._recover_beside()

    @property
    def spools(self) -> bool:
        """Whether predictions are kept on the local disk while the database is away."""
        return self._spool is not None

    async def append(self, prediction: Prediction) -> int | None:
        """Return the prediction's id once it is on the disk; None where that is the local disk, and it has none yet.

        Raises
        ------
        Superseded
            The model is no longer the live one; nothing was written.
        StoreBusy
            Too many predictions wait already.
        StoreUnavailable
            The database cannot be written. Where its commit was under way, the history may have the prediction.
        SpoolFull
            Neither can the local disk.
        """
        if self.waiting >= self.max_waiting:
            raise StoreBusy(self.waiting)
        answer: asyncio.Future[int | None] = self._loop.create_future()
        if not self._next and not self._is_committing:
            # Once all requests that have come by now were looked at: they are committed together.
            self._loop.call_soon(self._hand_over)
        self._next.append(_Waiting(prediction, answer))
        self.waiting += 1
        return await answer

    def close(self) -> None:
        """Commit what waits, and stop."""
        if self._next:
            self._queue.put(self._next)
            self._next = []
        self._queue.put(None)
        self._closed.set()
        self._threads[0].join()
        for thread in self._threads[1:]:
            thread.join()
        if self._spool is not None:
            self._leave(self._spool)

    def _hand_over(self) -> None:
        """Let the thread commit what has come; what comes meanwhile is the next batch."""
        if self._next and not self._is_committing:
            self._is_committing = True
            self._queue.put(self._next)
            self._next = []

    def _write_until_closed(self) -> None:
        lasting = Lasting(self._database)
        while (batch := self._queue.get()) is not None:
            outcomes = self._keep(lasting, [waiting.prediction for waiting in batch])
            self._loop.call_soon_threadsafe(self._answer, batch, outcomes)
        lasting.close()

    def _answer(self, batch: list[_Waiting], outcomes: Sequence[int | Exception | None]) -> None:
        self._is_committing = False
        self._hand_over()
        self.waiting -= len(batch)
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if waiting.answer.done():  # the client went away; its row stays
                continue
            if isinstance(outcome, Exception):
                waiting.answer.set_exception(outcome)
            else:
                waiting.answer.set_result(outcome)

    def _keep(self, lasting: Lasting, predictions: Sequence[Prediction]) -> Sequence[int | Exception | None]:
        batch = Batch(self._spool.next_number() if self._spool is not None else 0, list(predictions))
        while True:
            failed = False
            if self.problem is None:
                try:
                    return self._commit(lasting, batch)
                except StoreUnavailable as error:
                    self.problem, failed = error, True
                except Exception as error:  # the edge of the thread: nobody waits for ever for an answer
                    _log.exception("%d predictions were not committed", len(predictions))
                    return [StoreUnavailable(f"{type(error).__name__}: {error}")] * len(predictions)
            outcomes = self._spool_or_refuse(batch)
            if failed:
                self._recover_beside()
            if outcomes is not None:
                return outcomes

    def _commit(self, lasting: Lasting, batch: Batch) -> Sequence[int | Exception | None]:
        if not batch.predictions:
            return []
        began = perf_counter()
        if self._spool is None:
            with lasting.alone() as connection:
                ids = insert_live(connection, batch.predictions)
        else:
            with lasting.transaction() as connection:
                ids = insert_live(connection, batch.predictions)
                note(connection, self._spool.id, batch.number)
        self._committed(perf_counter() - began, len(ids) - ids.count(None))
        return [Superseded() if one is None else one for one in ids]

    def _spool_or_refuse(self, batch: Batch) -> Sequence[int | Exception | None] | None:
        """Keep a batch while the database is away, or refuse it; None where the database has just come back."""
        with self._spooling:
            if self.problem is None:
                return None
            if self._spool is None:
                return [self.problem] * len(batch.predictions)
            try:
                self._spool.append(batch)
            except StoreError as error:
                return [error] * len(batch.predictions)
            self.spooled += len(batch.predictions)
            return [None] * len(batch.predictions)

    def _recover_beside(self) -> None:
        thread = threading.Thread(target=self._recover, name="prediction-log-recovery")
        self._threads = [*(one for one in self._threads if one.is_alive()), thread]
        thread.start()

    def _recover(self) -> None:
        """Try again and again until the database is back, and all that was spooled is taken up."""
        lasting = Lasting(self._database)
        back = False
        while not back:
            with suppress(StoreUnavailable):
                back = self._is_back(lasting)
            if not back and self._closed.wait(RETRY_S):
                break
        lasting.close()

    def _is_back(self, lasting: Lasting) -> bool:
        prove_writable(self._database)
        if self._spool is None:
            self.problem = None
            return True
        while take_up(self._spool, lasting) == TAKEN_TOGETHER:
            pass
        # The last ones while nobody adds to them, so that it comes to an end.
        with self._spooling:
            while take_up(self._spool, lasting):
                pass
            self.problem, self.spooled = None, 0
        self._take_up_orphans(self._spool, lasting)
        return True

    def _leave(self, spool: Spool) -> None:
        """Let go of the file; of one in which nothing is left the database need know no more."""
        if self.problem is None:
            lasting = Lasting(self._database)
            with suppress(StoreUnavailable):
                forget_spool(spool, lasting)
            lasting.close()
        spool.close()

    def _take_up_orphans(self, own: Spool, lasting: Lasting) -> None:
        """Take up what processes that have died left behind."""
        for orphan in orphans(own):
            try:
                while take_up(orphan, lasting):
                    pass
                forget_spool(orphan, lasting)
            finally:
                orphan.close()
