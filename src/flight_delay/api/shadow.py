"""Scores the shadow on a sample of the predictions, after they were answered."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections import deque
from typing import NamedTuple

from flight_delay.api.live import LiveModel
from flight_delay.api.metrics import Metrics
from flight_delay.errors import FlightDelayError
from flight_delay.model.any_flight import AnyFlight
from flight_delay.store import shadows
from flight_delay.store.database import Database, opened

EVERY_S = 0.01
"""One prediction is scored so often: a hundred a second take less than a hundredth of a processor."""
WAITING = 100
"""So many wait to be scored; where more come, the older ones are left out."""
_KEPT_TOGETHER = 100
_REST_S = 1.0
"""The database is written to no more often."""
_log = logging.getLogger("uvicorn.error")


class Answered(NamedTuple):
    """A prediction that was answered."""

    prediction_id: int
    flight: AnyFlight
    at: dt.datetime


class Scorer:
    """Asks the shadow what it would have answered, on the event loop, whose state it shares with the predictions."""

    def __init__(self, live: LiveModel, database: Database, metrics: Metrics) -> None:
        self._live = live
        self._metrics = metrics
        self._database = database
        self._waiting: deque[Answered] = deque(maxlen=WAITING)
        self._scored: list[shadows.Scored] = []

    def note(self, answered: Answered) -> None:
        """Score a prediction later, if there is a shadow then and time."""
        if self._live.shadow is not None:
            self._waiting.append(answered)

    async def run(self) -> None:
        """Score for as long as the service runs; what is scored is kept together, and when nothing more waits."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self._step()
            except Exception:  # the edge of the task: it goes on whatever it is, and the log has the reason
                _log.exception("the shadow was not scored")

    async def _step(self) -> None:
        if self._waiting:
            self._score(self._waiting.popleft())
        if len(self._scored) >= _KEPT_TOGETHER or (self._scored and not self._waiting):
            await self._keep()
            await asyncio.sleep(_REST_S)

    def _score(self, answered: Answered) -> None:
        shadow = self._live.shadow
        if shadow is None:
            return
        try:
            said = shadow.answer(answered.flight, answered.at)
        except FlightDelayError:  # it has no answer to this flight
            return
        self._scored.append(shadows.Scored(answered.prediction_id, shadow.live.version, said.minutes))
        self._metrics.scored()

    async def _keep(self) -> None:
        scored, self._scored = self._scored, []
        try:
            await asyncio.to_thread(self._write, scored)
        except FlightDelayError as error:  # it is a sample: what is lost is made up for by the next ones
            _log.warning("%d answers of the shadow were not kept: %s", len(scored), error)

    def _write(self, scored: list[shadows.Scored]) -> None:
        with opened(self._database) as connection:
            shadows.keep(connection, scored)
