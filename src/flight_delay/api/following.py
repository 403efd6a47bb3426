"""What a process does beside answering: it makes the database ready, and keeps in step with it."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Callable
from pathlib import Path

from flight_delay.api.access import Access
from flight_delay.api.live import LiveModel
from flight_delay.api.models import adopt
from flight_delay.errors import FlightDelayError, StoreUnavailable
from flight_delay.store.database import Database

RETRY_S = 2.0
FOLLOW_S = 0.5
"""How often the database is asked what is new: each process knows of it within a second."""
_log = logging.getLogger("uvicorn.error")


class Follower:
    """Takes up the database and the trained model once there is one, then hears of promotions, outcomes and keys."""

    def __init__(
        self, live: LiveModel, access: Access, database: Database, trained: Path, now: Callable[[], dt.datetime]
    ) -> None:
        self._live = live
        self._access = access
        self._database = database
        self._trained = trained
        self._now = now
        self._ready = False
        self._problem = ""
        self.followed_at: dt.datetime | None = None
        """When all that was new in the database was last known."""

    async def step(self) -> None:
        """Do once what is to be done again and again.

        Neither a database that cannot be used nor a broken file keeps the service from starting: it is
        not ready, and says why; the log says it when it changes.
        """
        try:
            if not self._ready:
                await self._take_up()
            await self._access.follow()
            await self._live.follow()
        except FlightDelayError as error:
            self._say(f"not ready: {error}")
        except Exception as error:  # the edge of the task: it goes on whatever it is, and the log has the reason
            if self._say(f"{type(error).__name__}: {error}"):
                _log.exception("the database was not followed")
        else:
            self._problem = ""
            self.followed_at = self._now()

    async def run(self) -> None:
        """Follow for as long as the service runs."""
        while True:
            await asyncio.sleep(FOLLOW_S if self._ready else RETRY_S)
            await self.step()

    async def _take_up(self) -> None:
        await asyncio.to_thread(self._database.migrate)
        self._ready = True
        try:
            await asyncio.to_thread(adopt, self._database, self._trained, self._now())
        except StoreUnavailable:
            self._ready = False
            raise
        except FlightDelayError as error:
            _log.warning("%s was not taken up: %s", self._trained, error)

    def _say(self, problem: str) -> bool:
        """Log a problem, unless it is the one that was logged last; return whether it was."""
        new = problem != self._problem
        if new:
            _log.warning("%s", problem)
        self._problem = problem
        return new
