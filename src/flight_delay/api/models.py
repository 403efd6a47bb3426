"""How a model becomes the live one: a file that was sent, a version that was promoted, what training left."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import threading
from pathlib import Path
from typing import BinaryIO, NamedTuple

from flight_delay.api import gate
from flight_delay.api.errors import ProblemError
from flight_delay.api.live import LiveModel, Loaded
from flight_delay.errors import BrokenArtifact, FlightDelayError, UntrustedModel
from flight_delay.model import convert, kept
from flight_delay.store import models
from flight_delay.store.database import Connection, Database, opened

EXTENSIONS = (".joblib", ".pkl")
TRAINER = "flight-delay train"
"""Who is said to have added what training left in the model folder."""


class Wish(NamedTuple):
    """Who wishes that a version goes live, why, and whether also where the gate refuses it."""

    by: str
    reason: str
    force: bool = False


class Policy(NamedTuple):
    """What may go live: digests of the only files that are taken, if any; how many percent worse it may be, if any."""

    only_sha256: frozenset[str]
    most_worse_pct: float | None


class ModelLoader:
    """Takes uploads, one at a time; the live model stays until the new one was loaded whole."""

    def __init__(self, live: LiveModel, database: Database, policy: Policy) -> None:
        self._live = live
        self._database = database
        self._policy = policy
        self._turn = asyncio.Lock()
        self._given_up = threading.Event()

    async def load(self, filename: str, file: BinaryIO, wish: Wish, now: dt.datetime, *, promote: bool) -> int:
        """Return the version that was made of a file; it is live, if it is to be promoted.

        Raises `ProblemError`: 415 for another kind of file, 400 for one that is no model, 422 for one that is
        refused, 409 where the gate keeps it from going live, 503 without a database.
        """
        if not filename.lower().endswith(EXTENSIONS):
            raise ProblemError(415, "wrong_extension", filename=filename)
        try:
            async with self._turn:
                version = await asyncio.to_thread(self._accept, filename, file, wish.by, now)
            if promote:
                await self.promote(version, models.UPLOAD, wish, now)
        except FlightDelayError as error:
            raise ProblemError.of(error) from error
        return version

    async def promote(self, version: int, action: str, wish: Wish, now: dt.datetime) -> Loaded:
        """Make a version live; raises `FlightDelayError`."""
        await asyncio.to_thread(promote, self._database, version, action, wish, self._policy.most_worse_pct, now)
        return await self._live.follow()

    async def roll_back(self, wish: Wish, now: dt.datetime) -> Loaded:
        """Make the version before live again; raises `FlightDelayError`."""
        await asyncio.to_thread(roll_back, self._database, wish, now)
        return await self._live.follow()

    def give_up(self) -> None:
        """End an examination that is under way."""
        self._given_up.set()

    def _accept(self, filename: str, file: BinaryIO, by: str, now: dt.datetime) -> int:
        digest = convert.sha256_of(file)
        if self._policy.only_sha256 and digest not in self._policy.only_sha256:
            raise UntrustedModel(digest)
        version = self._kept(digest)
        if version is not None:
            return version
        converted = convert.convert_apart(file, filename, self._given_up)
        made = models.Made(converted.content, digest, filename, by, json.dumps(convert.facts_of(converted)))
        with opened(self._database) as connection:
            return models.add(connection, made, now)

    def _kept(self, digest: str) -> int | None:
        """Return the version that was made of a file before, if this version of the service can still read it."""
        with opened(self._database) as connection:
            version = models.version_of_source(connection, digest)
            if version is None:
                return None
            return version if _is_readable(models.artifact(connection, version)) else None


def promote(
    database: Database, version: int, action: str, wish: Wish, most_worse_pct: float | None, now: dt.datetime
) -> models.Live:
    """Make a version live, if the gate lets it pass or is overruled.

    Raises `NoSuchVersion`, `BrokenArtifact` for one that this version of the service cannot read, `GateRefused`,
    `GateUnmeasured`.
    """
    with opened(database) as connection:
        kept.from_bytes(models.artifact(connection, version))
        overruled = _overruled(connection, version, wish.force, most_worse_pct)
        return models.promote(connection, version, models.Change(action, wish.by, wish.reason, overruled), now)


def roll_back(database: Database, wish: Wish, now: dt.datetime) -> models.Live:
    """Make the version before live again, if this version of the service can read it; raises `NothingBefore`."""
    with opened(database) as connection:
        return models.roll_back(connection, wish.by, wish.reason, now, _is_readable)


def _is_readable(content: bytes) -> bool:
    try:
        kept.from_bytes(content)
    except BrokenArtifact:
        return False
    return True


def _overruled(connection: Connection, version: int, force: bool, most_worse_pct: float | None) -> str | None:
    """Return what the gate says against a version that goes live all the same."""
    if most_worse_pct is None:
        return None
    try:
        gate.check(connection, version, most_worse_pct)
    except FlightDelayError as error:
        if not force or not isinstance(error, gate.REFUSALS):
            raise
        return str(error)
    return None


def adopt(database: Database, artifact_file: Path, now: dt.datetime) -> None:
    """Make a freshly trained artefact the live model, unless the database has met it before.

    What was uploaded since then stays live when the service restarts. Raises `BrokenArtifact`.
    """
    try:
        content = artifact_file.read_bytes()
    except FileNotFoundError:
        return
    model = kept.from_bytes(content)
    facts = json.dumps(kept.facts_of(model))
    made = models.Made(content, model.manifest.source_sha256, artifact_file.name, TRAINER, facts)
    with opened(database) as connection:
        models.adopt(connection, made, models.Change(models.TRAINING, TRAINER, artifact_file.name), now)
