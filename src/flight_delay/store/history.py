"""The predictions that were answered, as history shows them."""

from __future__ import annotations

from typing import NamedTuple

from flight_delay.store.database import Connection

_LAST_ID = 2**63 - 1


class Kept(NamedTuple):
    """A prediction as history holds it; `input` is JSON."""

    id: int
    input: str
    minutes: float


def page(connection: Connection, limit: int, before: int | None = None, after: int | None = None) -> list[Kept]:
    """Return up to `limit` predictions, oldest first.

    The newest ones; with `before`, the newest of those with a smaller id; with `after`, the oldest
    of those with a greater id.
    """
    order = "DESC" if after is None else "ASC"
    found = connection.query(
        f"SELECT id, input, prediction FROM predictions WHERE id < ? AND id > ? ORDER BY id {order} LIMIT ?",
        (_LAST_ID if before is None else before, 0 if after is None else after, limit),
    )
    return sorted(Kept(*row) for row in found)
