"""Every model that was accepted, and which one is live."""

from __future__ import annotations

import datetime as dt
import hashlib
import sqlite3
from typing import NamedTuple

from flight_delay.store.schema import transaction


class Live(NamedTuple):
    """Which model is live. The generation grows by one at each promotion."""

    generation: int
    version: int


def add(connection: sqlite3.Connection, artifact: bytes, source_sha256: str, now: dt.datetime) -> int:
    """Keep an artefact; return its version. The same artefact twice is one version.

    `source_sha256` is the digest of the file that it was made of.
    """
    with transaction(connection):
        return _add(connection, artifact, source_sha256, now)


def adopt(
    connection: sqlite3.Connection, artifact: bytes, source_sha256: str, reason: str, now: dt.datetime
) -> Live | None:
    """Make an artefact the live one, unless one of the same source was ever kept; then do nothing.

    Any number of processes may start at once: it is added and promoted once.
    """
    with transaction(connection):
        if version_of_source(connection, source_sha256) is not None:
            return None
        return _promote(connection, _add(connection, artifact, source_sha256, now), reason, now)


def version_of_source(connection: sqlite3.Connection, source_sha256: str) -> int | None:
    """Return the newest version that was made of a file with this digest."""
    row = connection.execute("SELECT max(version) FROM models WHERE source_sha256 = ?", (source_sha256,)).fetchone()
    return None if row[0] is None else int(row[0])


def promote(connection: sqlite3.Connection, version: int, reason: str, now: dt.datetime) -> Live:
    """Make a version the live one."""
    with transaction(connection):
        return _promote(connection, version, reason, now)


def live(connection: sqlite3.Connection) -> Live | None:
    """Return which version is live, or None where none ever was."""
    row = connection.execute("SELECT generation, version FROM promotions ORDER BY generation DESC LIMIT 1").fetchone()
    return None if row is None else Live(*row)


def artifact(connection: sqlite3.Connection, version: int) -> bytes:
    """Return the artefact of a version."""
    row = connection.execute("SELECT artifact FROM models WHERE version = ?", (version,)).fetchone()
    return bytes(row[0])


def _add(connection: sqlite3.Connection, artifact: bytes, source_sha256: str, now: dt.datetime) -> int:
    digest = hashlib.sha256(artifact).hexdigest()
    known = connection.execute("SELECT version FROM models WHERE sha256 = ?", (digest,)).fetchone()
    if known is not None:
        return int(known[0])
    added = connection.execute(
        "INSERT INTO models (sha256, source_sha256, artifact, added_at) VALUES (?, ?, ?, ?) RETURNING version",
        (digest, source_sha256, artifact, now.isoformat()),
    ).fetchone()
    return int(added[0])


def _promote(connection: sqlite3.Connection, version: int, reason: str, now: dt.datetime) -> Live:
    added = connection.execute(
        "INSERT INTO promotions (version, promoted_at, reason) VALUES (?, ?, ?) RETURNING generation",
        (version, now.isoformat(), reason),
    ).fetchone()
    return Live(int(added[0]), version)
