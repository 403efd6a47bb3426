"""Every model that was accepted, which one is live, and an append-only record of what was live when."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import NamedTuple

from flight_delay.errors import NoSuchVersion, NothingBefore, VersionInUse
from flight_delay.store.database import Connection, transaction

TRAINING, UPLOAD, PROMOTION, ROLLBACK = "training", "upload", "promotion", "rollback"
_VERSION = (
    "SELECT version, sha256, source_sha256, filename, added_at, added_by, facts, deleted_at, deleted_by FROM models"
)


class Live(NamedTuple):
    """Which model is live. The generation grows by one at each promotion."""

    generation: int
    version: int


class Made(NamedTuple):
    """A model to be kept, and where it came from; `facts` is JSON."""

    artifact: bytes
    source_sha256: str
    """Of the file that it was made of."""
    filename: str
    added_by: str
    facts: str


class Version(NamedTuple):
    """A model that was accepted; `facts` is JSON, times are ISO 8601 in UTC. A deleted one has no artefact."""

    version: int
    sha256: str
    source_sha256: str
    filename: str
    added_at: str
    added_by: str
    facts: str
    deleted_at: str | None
    deleted_by: str | None


class Change(NamedTuple):
    """What makes a version live, who does it, why, and what the gate said where it was overruled."""

    action: str
    by: str
    reason: str
    overruled: str | None = None


class Deployment(NamedTuple):
    """That a version went live."""

    generation: int
    version: int
    promoted_at: str
    action: str
    promoted_by: str
    reason: str
    overruled: str | None


def add(connection: Connection, made: Made, now: dt.datetime) -> int:
    """Keep a model; return its version. The same artefact twice is one version, also after it was deleted."""
    with transaction(connection):
        return _add(connection, made, now)


def adopt(connection: Connection, made: Made, change: Change, now: dt.datetime) -> Live | None:
    """Make a model the live one, unless one of the same source was ever kept; then do nothing.

    Any number of processes may start at once: it is added and promoted once.
    """
    with transaction(connection):
        if connection.query("SELECT 1 FROM models WHERE source_sha256 = ? LIMIT 1", (made.source_sha256,)):
            return None
        return _promote(connection, _add(connection, made, now), change, now)


def version_of_source(connection: Connection, source_sha256: str) -> int | None:
    """Return the newest version, not deleted, that was made of a file with this digest."""
    [(version,)] = connection.query(
        "SELECT max(version) FROM models WHERE source_sha256 = ? AND deleted_at IS NULL", (source_sha256,)
    )
    return None if version is None else int(version)


def promote(connection: Connection, version: int, change: Change, now: dt.datetime) -> Live:
    """Make a version the live one; raises `NoSuchVersion`, also for one that was deleted."""
    with transaction(connection):
        return _promote(connection, version, change, now)


def roll_back(
    connection: Connection, by: str, reason: str, now: dt.datetime, is_usable: Callable[[bytes], bool]
) -> Live:
    """Make the version live that was before the live one was put there; raises `NothingBefore`.

    Rolled back again, it goes further back: what was rolled back does not come again. A version that was deleted,
    or whose artefact is of no use, is passed over.
    """
    with transaction(connection):
        kept = {version.version for version in versions(connection) if version.deleted_at is None}
        stack: list[int] = []
        for deployment in deployments(connection):
            if deployment.action == ROLLBACK:
                while stack and stack[-1] != deployment.version:
                    stack.pop()
            elif not stack or stack[-1] != deployment.version:
                stack.append(deployment.version)
        before = (version for version in reversed(stack[:-1]) if version in kept and version != stack[-1])
        for version_before in before:
            if is_usable(artifact(connection, version_before)):
                return _promote(connection, version_before, Change(ROLLBACK, by, reason), now)
        raise NothingBefore


def live(connection: Connection) -> Live | None:
    """Return which version is live, or None where none ever was."""
    rows = connection.query("SELECT generation, version FROM promotions ORDER BY generation DESC LIMIT 1")
    return Live(*rows[0]) if rows else None


def artifact(connection: Connection, version: int) -> bytes:
    """Return the artefact of a version; raises `NoSuchVersion`."""
    rows = connection.query("SELECT artifact FROM models WHERE version = ? AND deleted_at IS NULL", (version,))
    if not rows:
        raise NoSuchVersion(version)
    return bytes(rows[0][0])


def versions(connection: Connection) -> list[Version]:
    """Return every model that was ever accepted, oldest first."""
    return [Version(*row) for row in connection.query(f"{_VERSION} ORDER BY version")]


def version(connection: Connection, number: int) -> Version:
    """Return one of them; raises `NoSuchVersion`."""
    rows = connection.query(f"{_VERSION} WHERE version = ?", (number,))
    if not rows:
        raise NoSuchVersion(number)
    return Version(*rows[0])


def deployments(connection: Connection) -> list[Deployment]:
    """Return what was live when, oldest first."""
    rows = connection.query(
        "SELECT generation, version, promoted_at, action, promoted_by, reason, overruled FROM promotions "
        "ORDER BY generation"
    )
    return [Deployment(*row) for row in rows]


def delete(connection: Connection, number: int, by: str, now: dt.datetime) -> None:
    """Let go of a version's artefact; raises `NoSuchVersion`, and `VersionInUse` for the live one."""
    with transaction(connection):
        now_live = live(connection)
        if now_live is not None and now_live.version == number:
            raise VersionInUse(number)
        deleted = connection.change(
            "UPDATE models SET artifact = ?, deleted_at = ?, deleted_by = ? WHERE version = ? AND deleted_at IS NULL",
            (b"", now.isoformat(), by, number),
        )
        if not deleted:
            raise NoSuchVersion(number)


def _add(connection: Connection, made: Made, now: dt.datetime) -> int:
    digest = hashlib.sha256(made.artifact).hexdigest()
    for number, deleted_at in connection.query("SELECT version, deleted_at FROM models WHERE sha256 = ?", (digest,)):
        if deleted_at is not None:
            connection.change(
                "UPDATE models SET artifact = ?, deleted_at = NULL, deleted_by = NULL WHERE version = ?",
                (made.artifact, number),
            )
        return int(number)
    [(number,)] = connection.query(
        "INSERT INTO models (sha256, source_sha256, artifact, filename, added_by, facts, added_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING version",
        (digest, made.source_sha256, made.artifact, made.filename, made.added_by, made.facts, now.isoformat()),
    )
    return int(number)


def _promote(connection: Connection, number: int, change: Change, now: dt.datetime) -> Live:
    if not connection.query("SELECT 1 FROM models WHERE version = ? AND deleted_at IS NULL", (number,)):
        raise NoSuchVersion(number)
    [(generation,)] = connection.query(
        "INSERT INTO promotions (version, promoted_at, action, promoted_by, reason, overruled) "
        "VALUES (?, ?, ?, ?, ?, ?) RETURNING generation",
        (number, now.isoformat(), *change),
    )
    return Live(int(generation), number)
