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
    digest = hashlib.sha256(artifact).hexdigest()
    with transaction(connection):
        connection.execute(
            "INSERT INTO models (sha256, source_sha256, artifact, added_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (digest, source_sha256, artifact, now.isoformat()),
        )
        row = connection.execute("SELECT version FROM models WHERE sha256 = ?", (digest,)).fetchone()
    return int(row[0])


def version_of_source(connection: sqlite3.Connection, source_sha256: str) -> int | None:
    """Return the newest version that was made of a file with this digest."""
    row = connection.execute("SELECT max(version) FROM models WHERE source_sha256 = ?", (source_sha256,)).fetchone()
    return None if row[0] is None else int(row[0])


def promote(connection: sqlite3.Connection, version: int, reason: str, now: dt.datetime) -> Live:
    """Make a version the live one."""
    with transaction(connection):
        generation = connection.execute(
            "INSERT INTO promotions (version, promoted_at, reason) VALUES (?, ?, ?)", (version, now.isoformat(), reason)
        ).lastrowid
    assert generation is not None, "an insert has a row id"
    return Live(generation, version)


def live(connection: sqlite3.Connection) -> Live | None:
    """Return which version is live, or None where none ever was."""
    row = connection.execute("SELECT generation, version FROM promotions ORDER BY generation DESC LIMIT 1").fetchone()
    return None if row is None else Live(*row)


def artifact(connection: sqlite3.Connection, version: int) -> bytes:
    """Return the artefact of a version."""
    row = connection.execute("SELECT artifact FROM models WHERE version = ?", (version,)).fetchone()
    return bytes(row[0])
