"""The live model and what it has been told of the network, as this process holds them; and the shadow beside it."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from flight_delay.api import memory
from flight_delay.api.outcomes import leg_told
from flight_delay.errors import BrokenArtifact, FieldsNeeded, NoModel
from flight_delay.model import artifact, kept
from flight_delay.model.any_flight import AnyFlight
from flight_delay.model.features import Horizon
from flight_delay.model.means import Leg
from flight_delay.model.network_state import NetworkState
from flight_delay.model.point import PointModel
from flight_delay.store import models, outcomes, shadows
from flight_delay.store.database import Connection, Database, Lasting

RECALLED = dt.timedelta(days=3)
"""Outcomes told longer ago are not read again when a model is loaded: what they said has faded."""
_LEGS_AT_A_TIME = 100
"""So many are told, which takes some milliseconds, before predictions have their turn."""


class Minutes(NamedTuple):
    """What a model says that knows no distribution."""

    minutes: float
    horizon: Horizon
    told: bool = False
    """Whether it counts what was heard lately; it never does."""


Said = artifact.Answer | artifact.Point | Minutes


@dataclass
class Network:
    """What a model has been told of the network, and the last outcome that it was told.

    It is read and told on the event loop alone, once it is published.
    """

    state: NetworkState
    last_id: int


@dataclass(frozen=True)
class Loaded:
    """A model in memory, the promotion that made it live, and what its predictions know of the network."""

    live: models.Live
    model: kept.Model
    network: Network

    def answer(self, flight: AnyFlight, now: dt.datetime) -> Said:
        """Answer one flight with all that is known of it; raises `FieldsNeeded` where it lacks what is needed."""
        if isinstance(self.model, PointModel):
            return self._minutes(self.model, flight, now)
        return self.model.answer(flight, now.date(), self.network.state, now.timestamp() / 60)

    def point(self, flight: AnyFlight, now: dt.datetime) -> Said:
        """Answer the minutes of one flight, which takes less; raises as `answer` does."""
        if isinstance(self.model, PointModel):
            return self._minutes(self.model, flight, now)
        return self.model.point(flight, now.date(), self.network.state, now.timestamp() / 60)

    def _minutes(self, model: PointModel, flight: AnyFlight, now: dt.datetime) -> Minutes:
        if lacking := model.needs(flight):
            raise FieldsNeeded(lacking)
        horizon = Horizon.SCHEDULE if flight.dep_delay is None else Horizon.DEPARTED
        return Minutes(model.answer(flight, now.date()), horizon)


class _Heard(NamedTuple):
    """An outcome, by its id; no leg where it says nothing to the model."""

    id: int
    leg: Leg | None


class _News(NamedTuple):
    """What a look into the database found: each model with what it is still to be told."""

    current: Loaded | None
    shadow: Loaded | None
    heard: list[tuple[Network, list[_Heard]]]


class LiveModel:
    """Follows the database: `current` is the model of the newest promotion that was seen here.

    The next model is loaded whole, and its state told of the last days, before the current one is let go.
    """

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        self._lasting = Lasting(database)
        self._now = now
        self._turn = asyncio.Lock()
        self._broken: dict[int, str] = {}
        self.current: Loaded | None = None
        self.shadow: Loaded | None = None

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
            self.current, self.shadow = news.current, news.shadow
            if self.current is None:
                raise NoModel
            for network, heard in news.heard:
                await _tell(network, heard)
            return self.current

    def _look(self) -> _News:
        connection = self._lasting.connection()
        live, chosen = models.live(connection), shadows.current(connection)
        if live is None:
            return _News(None, None, [])
        held = [loaded for loaded in (self.current, self.shadow) if loaded is not None]
        current = self._take(connection, live, held)
        shadow = None
        if chosen is not None and chosen.version != live.version:
            shadow = self._take_shadow(connection, models.Live(0, chosen.version), held)
        heard = [
            (loaded.network, _heard(connection, loaded.network.last_id, loaded.model))
            for loaded in (current, shadow)
            if loaded is not None and any(loaded.network is other.network for other in held)
        ]
        return _News(current, shadow, heard)

    def _take_shadow(self, connection: Connection, live: models.Live, held: list[Loaded]) -> Loaded | None:
        """Take up the shadow; one that is broken does not keep the live model from being followed."""
        try:
            return self._take(connection, live, held)
        except BrokenArtifact:
            return None

    def _take(self, connection: Connection, live: models.Live, held: list[Loaded]) -> Loaded:
        """Return a version: the one that is held, or loaded and told of the last days."""
        for loaded in held:
            if loaded.live.version == live.version:
                return Loaded(live, loaded.model, loaded.network) if loaded.live != live else loaded
        model = self._read(connection, live.version)
        if isinstance(model, PointModel):
            return Loaded(live, model, Network(NetworkState(), 0))
        network = Network(model.state(), outcomes.last_before(connection, self._now() - RECALLED))
        for outcome in _heard(connection, network.last_id, model):
            if outcome.leg is not None:
                network.state.tell(outcome.leg)
            network.last_id = outcome.id
        return Loaded(live, model, network)

    def _read(self, connection: Connection, version: int) -> kept.Model:
        """Return the model of a version; one that is broken is read once, not at every look."""
        if version in self._broken:
            raise BrokenArtifact(self._broken[version])
        try:
            return kept.from_bytes(models.artifact(connection, version))
        except BrokenArtifact as error:
            self._broken[version] = error.facts["problem"]
            raise
        finally:
            memory.give_back()


async def _tell(network: Network, heard: list[_Heard]) -> None:
    for start in range(0, len(heard), _LEGS_AT_A_TIME):
        for outcome in heard[start : start + _LEGS_AT_A_TIME]:
            if outcome.leg is not None:
                network.state.tell(outcome.leg)
            network.last_id = outcome.id
        await asyncio.sleep(0)


def _heard(connection: Connection, last_id: int, model: kept.Model) -> list[_Heard]:
    """Return what was told after an outcome; to a model of another's making it says nothing."""
    if isinstance(model, PointModel):
        return []
    return [_Heard(told.id, leg_told(told, model.codes)) for told in outcomes.since(connection, last_id)]
