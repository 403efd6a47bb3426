"""Many flights answered together: one entry in the history, which has it before the answer is given."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flight_delay.api import packed
from flight_delay.api.errors import ProblemError, refusal
from flight_delay.api.live import LiveModel, Loaded
from flight_delay.api.metrics import Metrics
from flight_delay.errors import FieldsNeeded, FlightDelayError, StoreUnavailable
from flight_delay.model.features import Horizon
from flight_delay.model.flight_columns import FlightColumns
from flight_delay.model.point import PointModel
from flight_delay.store import batches
from flight_delay.store.database import Database, Lasting
from flight_delay.store.predictions import PredictionLog, Superseded

FEW = 64
"""So many rows take a millisecond or two, also one by one: they need no thread, and no turn."""
_RECEIVED_FOR_EACH = 4
_LOOKED_AT = 20
"""So many rows of a batch are looked at for drift."""
_MOST_PROMOTIONS_MET = 20


class BatchAnswer(NamedTuple):
    """The answer to many flights; the history has it."""

    minutes: NDArray[np.float64]
    """Of arrival delay, negative is early; in the order of the rows."""
    batch_id: int | None
    """None where no history is kept."""
    loaded: Loaded
    predicted_at: dt.datetime

    def headers(self) -> dict[str, str]:
        """Return the facts that travel beside the body."""
        version = {"X-Model-Version": str(self.loaded.live.version)}
        return version if self.batch_id is None else version | {"X-Batch-Id": str(self.batch_id)}


class Batches:
    """Answers many flights with the live model, a set number of batches at once, and keeps each before it is given."""

    def __init__(
        self,
        live: LiveModel,
        database: Database,
        log: PredictionLog,
        metrics: Metrics,
        now: Callable[[], dt.datetime],
        *,
        at_once: int,
        keep_history: bool = True,
    ) -> None:
        self._live = live
        self._log = log
        self._metrics = metrics
        self._now = now
        self._lasting = Lasting(database)
        self._writer = ThreadPoolExecutor(1, "batch-log")
        self._turns = asyncio.Semaphore(at_once)
        self._most_received = at_once * _RECEIVED_FOR_EACH
        self._received = 0
        self._keep_history = keep_history

    @asynccontextmanager
    async def receiving(self) -> AsyncIterator[None]:
        """Hold a place for a batch that comes in; raises `ProblemError` (503) where all are taken."""
        if self._received >= self._most_received:
            raise ProblemError(503, "too_many_batches", count=self._received)
        self._received += 1
        try:
            yield
        finally:
            self._received -= 1

    async def answer(self, columns: FlightColumns, request_id: str) -> BatchAnswer:
        """Predict, commit, return.

        Raises `ProblemError`: 422 where the live model has no answer without a field that is not there; 503 where
        there is no model or no database.
        """
        try:
            if len(columns) <= FEW:
                answer = await self._committed(columns, request_id)
            else:
                async with self._turns:
                    answer = await self._committed(columns, request_id)
        except FieldsNeeded as error:
            raise ProblemError.of_fields(
                [refusal("needed", (name,), None) for name in error.facts["fields"]]
            ) from error
        except StoreUnavailable as error:
            if self._log.spools:
                raise ProblemError(503, "batches_are_not_spooled", **error.facts) from error
            raise ProblemError.of(error) from error
        except FlightDelayError as error:
            raise ProblemError.of(error) from error
        self._count(columns)
        return answer

    def close(self) -> None:
        """Wait until what is under way is committed, and let go of the database."""
        self._writer.shutdown()
        self._lasting.close()

    async def _committed(self, columns: FlightColumns, request_id: str) -> BatchAnswer:
        loaded = self._live.current or await self._live.follow()
        now = self._now()
        for _ in range(_MOST_PROMOTIONS_MET):
            minutes = await _minutes(loaded, columns, now)
            if not self._keep_history:
                return BatchAnswer(minutes, None, loaded, now)
            try:
                batch_id = await self._keep(columns, minutes, request_id, loaded, now)
            except Superseded:
                loaded = await self._live.follow()
                continue
            return BatchAnswer(minutes, batch_id, loaded, now)
        raise StoreUnavailable("the live model changes faster than a batch can be committed")

    async def _keep(
        self, columns: FlightColumns, minutes: NDArray[np.float64], request_id: str, loaded: Loaded, now: dt.datetime
    ) -> int:
        if self._log.problem is not None:
            raise self._log.problem
        inputs, predictions = packed.of_columns, packed.of_minutes
        if len(columns) <= FEW:
            kept = inputs(columns), predictions(minutes)
        else:
            kept = await asyncio.to_thread(lambda: (inputs(columns), predictions(minutes)))
        generation, version = loaded.live
        new = batches.New(now.isoformat(), request_id, generation, version, len(columns), *kept)
        return await asyncio.get_running_loop().run_in_executor(self._writer, batches.keep, self._lasting, new)

    def _count(self, columns: FlightColumns) -> None:
        rows = len(columns)
        departed = int(np.count_nonzero(~np.isnan(columns.numbers["dep_delay"])))
        for horizon, count in ((Horizon.DEPARTED, departed), (Horizon.SCHEDULE, rows - departed)):
            if count:
                self._metrics.predicted(horizon.value, count)
        self._metrics.batched(rows)
        for row in range(0, rows, max(1, rows // _LOOKED_AT)):
            self._metrics.note(columns.flight(row))


async def _minutes(loaded: Loaded, columns: FlightColumns, now: dt.datetime) -> NDArray[np.float64]:
    """Return the answers: by arithmetic on columns in a thread, or row by row on the event loop, where it must be.

    What has been told of the network is read on the event loop alone. A model of another's making is no arithmetic on
    columns, and would hold up the event loop from a thread.
    """
    if isinstance(loaded.model, PointModel):
        model, today = loaded.model, now.date()
        return await _in_turns(columns, lambda rows: model.minutes(rows, today))
    artifact, state = loaded.model, loaded.network.state

    def answered(rows: FlightColumns) -> NDArray[np.float64]:
        return artifact.minutes(rows, now.date(), state, now.timestamp() / 60)

    if len(columns) <= FEW:
        return answered(columns)
    if any(map(state.is_told_of, columns.codes["origin"].values)):
        return await _in_turns(columns, answered)
    return await asyncio.to_thread(answered, columns)


async def _in_turns(
    columns: FlightColumns, answered: Callable[[FlightColumns], NDArray[np.float64]]
) -> NDArray[np.float64]:
    minutes = np.empty(len(columns))
    for start in range(0, len(columns), FEW):
        rows = np.arange(start, min(start + FEW, len(columns)))
        minutes[rows] = answered(columns.take(rows))
        await asyncio.sleep(0)
    return minutes
