"""The keys that open the service: what one looks like, what is kept of it, and which were given out.

A key is `fd_<id>_<secret>`. Its secret is 256 random bits: nobody can try them all, so that one SHA-256 hides it
as well as a slow hash would, which is there for passwords that people choose.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from flight_delay.errors import NotOneKey
from flight_delay.store.database import Connection, transaction

_FORM = re.compile(r"fd_([0-9a-f]{8})_.*", re.S)
_ID_BYTES, _SECRET_BYTES = 4, 32


class Scope(StrEnum):
    """What a key may be used for."""

    PREDICT = "predict"
    READ = "read"
    MANAGE = "manage"


@dataclass(frozen=True)
class Key:
    """What is known of a key; times are ISO 8601 in UTC. One of the settings has no id and no times."""

    id: str
    name: str
    sha256: str = field(repr=False)
    """Of the whole key, in hexadecimal digits."""
    scopes: frozenset[Scope]
    created_at: str = ""
    created_by: str = ""
    revoked_at: str | None = None
    revoked_by: str | None = None
    requests_per_minute: int | None = None
    """None: as many as the setting says."""


def issue(
    name: str, scopes: Iterable[Scope], by: str, now: dt.datetime, requests_per_minute: int | None = None
) -> tuple[str, Key]:
    """Make a key; return it, which nobody can do a second time, and what is to be kept of it."""
    public = secrets.token_hex(_ID_BYTES)
    whole = f"fd_{public}_{secrets.token_hex(_SECRET_BYTES)}"
    key = Key(
        public, name, digest(whole), frozenset(scopes), now.isoformat(), by, requests_per_minute=requests_per_minute
    )
    return whole, key


def digest(whole: str) -> str:
    """Return the SHA-256 of a key as it came in a header."""
    return hashlib.sha256(whole.encode("latin-1", "replace")).hexdigest()


def id_of(whole: str) -> str:
    """Return the id that a key names, "" where it has not the form of one."""
    found = _FORM.fullmatch(whole)
    return found[1] if found else ""


def entry(key: Key) -> str:
    """Return a key as `FLIGHT_DELAY_API_KEYS` has it: `name:scope+scope:sha256`."""
    return f"{key.name}:{'+'.join(_ordered(key.scopes))}:{key.sha256}"


def of_entries(setting: str) -> tuple[Key, ...]:
    """Return the keys of `FLIGHT_DELAY_API_KEYS`, which the settings have checked."""
    parts = (one.strip().split(":") for one in setting.split(",") if one.strip())
    return tuple(
        Key("", name, sha256.lower(), frozenset(map(Scope, scopes.split("+")))) for name, scopes, sha256 in parts
    )


def add(connection: Connection, key: Key) -> None:
    """Keep a key."""
    with transaction(connection):
        connection.insert(
            "INSERT INTO keys (id, name, sha256, scopes, created_at, created_by, requests_per_minute) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    key.id,
                    key.name,
                    key.sha256,
                    " ".join(_ordered(key.scopes)),
                    key.created_at,
                    key.created_by,
                    key.requests_per_minute,
                )
            ],
        )


def revoke(connection: Connection, named: str, by: str, now: dt.datetime) -> Key:
    """Take a key out of use, named by its id, its name, or itself; return what it was.

    Raises `NotOneKey`: several may have a name, while the old and the new one are both in use.
    """
    named = id_of(named) or named
    with transaction(connection):
        used = [key for key in all_of(connection) if key.revoked_at is None]
        meant = [key for key in used if key.id == named] or [key for key in used if key.name == named]
        if len(meant) != 1:
            raise NotOneKey(named, (key.id for key in meant))
        connection.change(
            "UPDATE keys SET revoked_at = ?, revoked_by = ? WHERE id = ?", (now.isoformat(), by, meant[0].id)
        )
    return meant[0]


def all_of(connection: Connection) -> list[Key]:
    """Return every key that was ever given out, also those that were revoked, oldest first."""
    rows = connection.query(
        "SELECT id, name, sha256, scopes, created_at, created_by, revoked_at, revoked_by, requests_per_minute "
        "FROM keys ORDER BY created_at, id"
    )
    return [
        Key(public, name, sha256, frozenset(map(Scope, scopes.split())), *rest)
        for public, name, sha256, scopes, *rest in rows
    ]


def _ordered(scopes: frozenset[Scope]) -> list[Scope]:
    return [scope for scope in Scope if scope in scopes]
