"""The live model and what it has been told of the network, as this process holds them."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from flight_delay.api.outcomes import leg_told
from flight_delay.errors import BrokenArtifact, NoModel
from flight_delay.model.artifact import Artifact
from flight_delay.model.means import Leg
from flight_delay.model.network_state import NetworkState
from flight_delay.store import models, outcomes
from flight_delay.store.database import Connection, Database, Lasting

RECALLED = dt.timedelta(days=3)
"""Outcomes told longer ago are not read again when a model is loaded: what they said has faded."""
_LEGS_AT_A_TIME = 100
"""So many are told, which takes some milliseconds, before predictions have their turn."""


@dataclass(frozen=True)
class Loaded:
    """A model in memory, the promotion that made it live, and the state that its predictions read.

    The state is read and told on the event loop alone, once it is published here.
    """

    live: models.Live
    artifact: Artifact
    state: NetworkState


class _Heard(NamedTuple):
    """An outcome, by its id; no leg where it says nothing of the network."""

    id: int
    leg: Leg | None


class _News(NamedTuple):
    loaded: Loaded | None
    heard: list[_Heard]
    """What the state of `loaded` is still to be told."""
    last_id: int
    """The last outcome that it was told."""


class LiveModel:
    """Follows the database: `current` is the model of the newest promotion that was seen here.

    The next model is loaded whole, and its state told of the last days, before the current one is let go.
    """

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        self._lasting = Lasting(database)
        self._now = now
        self._turn = asyncio.Lock()
        self._last_id = 0
        self._broken: tuple[models.Live, str] | None = None
        self.current: Loaded | None = None

    async def follow(self) -> Loaded:
        """Return the live model as the database has it now, told of all outcomes that are in it.

        Raises
        ------
        NoModel
            None was ever promoted.
        BrokenArtifact
            It cannot be loaded; `current` stays.
        StoreUnavailable
            The database cannot be read.
        """
        async with self._turn:
            news = await asyncio.to_thread(self._look)
            self.current, self._last_id = news.loaded, news.last_id
            if self.current is None:
                raise NoModel
            await self._tell(self.current.state, news.heard)
            return self.current

    async def _tell(self, state: NetworkState, heard: list[_Heard]) -> None:
        for start in range(0, len(heard), _LEGS_AT_A_TIME):
            for outcome in heard[start : start + _LEGS_AT_A_TIME]:
                if outcome.leg is not None:
                    state.tell(outcome.leg)
                self._last_id = outcome.id
            await asyncio.sleep(0)

    def _look(self) -> _News:
        connection = self._lasting.connection()
        live = models.live(connection)
        if live is not None and (self.current is None or live != self.current.live):
            return self._load(connection, live)
        if self.current is None:
            return _News(None, [], 0)
        return _News(self.current, _heard(connection, self._last_id, self.current.artifact), self._last_id)

    def _load(self, connection: Connection, live: models.Live) -> _News:
        artifact = self._artifact(connection, live)
        state = artifact.state()
        last_id = outcomes.last_before(connection, self._now() - RECALLED)
        heard = _heard(connection, last_id, artifact)
        for outcome in heard:
            if outcome.leg is not None:
                state.tell(outcome.leg)
        return _News(Loaded(live, artifact, state), [], heard[-1].id if heard else last_id)

    def _artifact(self, connection: Connection, live: models.Live) -> Artifact:
        """Return the artefact of a promotion; one that is broken is read once, not at every look."""
        if self._broken is not None and self._broken[0] == live:
            raise BrokenArtifact(self._broken[1])
        try:
            return Artifact.from_bytes(models.artifact(connection, live.version))
        except BrokenArtifact as error:
            self._broken = live, error.facts["problem"]
            raise


def _heard(connection: Connection, last_id: int, artifact: Artifact) -> list[_Heard]:
    return [_Heard(told.id, leg_told(told, artifact.codes)) for told in outcomes.since(connection, last_id)]
