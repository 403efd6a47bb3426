"""The live model, as this process holds it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from flight_delay.errors import NoModel
from flight_delay.model.artifact import Artifact
from flight_delay.store import models
from flight_delay.store.schema import opened


@dataclass(frozen=True)
class Loaded:
    """A model in memory, and the promotion that made it live."""

    live: models.Live
    artifact: Artifact


class LiveModel:
    """Follows the database: `current` is the model of the newest promotion that was seen here.

    The next model is loaded whole before the current one is let go.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = asyncio.Lock()
        self.current: Loaded | None = None

    async def follow(self) -> Loaded:
        """Return the live model as the database has it now.

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
            self.current = await asyncio.to_thread(self._load_if_changed)
        if self.current is None:
            raise NoModel
        return self.current

    def _load_if_changed(self) -> Loaded | None:
        with opened(self._path) as connection:
            live = models.live(connection)
            if live is None or (self.current is not None and live == self.current.live):
                return self.current
            return Loaded(live, Artifact.from_bytes(models.artifact(connection, live.version)))
