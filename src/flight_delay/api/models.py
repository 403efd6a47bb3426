"""`POST /model/load/`: a trusted model file becomes the live model."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

from flight_delay.api.errors import ProblemError
from flight_delay.api.live import LiveModel, Loaded
from flight_delay.errors import BrokenArtifact, ConversionFailed, FlightDelayError
from flight_delay.model import trust
from flight_delay.model.artifact import Artifact
from flight_delay.model.convert import convert_apart
from flight_delay.store import models
from flight_delay.store.database import Database, opened

EXTENSIONS = (".joblib", ".pkl")


class ModelLoader:
    """Takes uploads, one at a time; the live model stays until the new one was loaded whole."""

    def __init__(self, live: LiveModel, database: Database, model_dir: Path, trusted: frozenset[str]) -> None:
        self._live = live
        self._database = database
        self._model_dir = model_dir
        self._trusted = trusted
        self._turn = asyncio.Lock()

    async def load(self, filename: str, content: bytes, now: dt.datetime) -> Loaded:
        """Make an uploaded file the live model.

        Raises `ProblemError`: 415 for another kind of file, 400 for one that is no model, 422 for one
        that is not trusted or cannot be converted, 503 without a database.
        """
        if not filename.lower().endswith(EXTENSIONS):
            raise ProblemError(415, "wrong_extension", filename=filename)
        try:
            async with self._turn:
                await asyncio.to_thread(self._accept, filename, content, now)
            return await self._live.follow()
        except FlightDelayError as error:
            raise ProblemError.of(error) from error

    def _accept(self, filename: str, content: bytes, now: dt.datetime) -> None:
        trusted = self._trusted | trust.recorded(self._model_dir)
        digest = trust.check(content, filename, trusted)
        version = self._kept(digest)
        if version is None:
            artifact = convert_apart(content)
            try:
                Artifact.from_bytes(artifact)
            except BrokenArtifact as error:
                raise ConversionFailed(error.facts["problem"]) from error
            with opened(self._database) as connection:
                version = models.add(connection, models.Made(artifact, digest, filename, "", "{}"), now)
        with opened(self._database) as connection:
            models.promote(connection, version, models.Change(models.UPLOAD, "", f"upload of {filename}"), now)

    def _kept(self, digest: str) -> int | None:
        """Return the version that was made of a file before, if this version of the service can still read it."""
        with opened(self._database) as connection:
            version = models.version_of_source(connection, digest)
            content = b"" if version is None else models.artifact(connection, version)
        try:
            return version if version is None or Artifact.from_bytes(content) else None
        except BrokenArtifact:
            return None


def adopt(database: Database, artifact_file: Path, now: dt.datetime) -> None:
    """Make a freshly trained artefact the live model, unless the database has met it before.

    What was uploaded since then stays live when the service restarts. Raises `BrokenArtifact`.
    """
    try:
        content = artifact_file.read_bytes()
    except FileNotFoundError:
        return
    source = Artifact.from_bytes(content).manifest.source_sha256
    with opened(database) as connection:
        made = models.Made(content, source, artifact_file.name, "", "{}")
        models.adopt(connection, made, models.Change(models.TRAINING, "", f"trained: {artifact_file.name}"), now)
