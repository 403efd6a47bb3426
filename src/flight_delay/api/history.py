"""`GET /model/history/`: the predictions that were answered, oldest first."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from flight_delay.api.errors import ProblemError
from flight_delay.errors import StoreUnavailable
from flight_delay.flight import Flight
from flight_delay.store.predictions import Kept, history
from flight_delay.store.schema import opened

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 1000


class Entry(BaseModel):
    """One prediction: what was asked, and the minutes that were answered."""

    input: Flight
    prediction: float


class History(BaseModel):
    """A page of predictions, oldest first."""

    history: list[Entry]


def page(database: Path, limit: int, before: int | None, after: int | None) -> list[Kept]:
    """Return a page; raises `ProblemError` (503) without a database."""
    try:
        with opened(database) as connection:
            return history(connection, limit, before, after)
    except StoreUnavailable as error:
        raise ProblemError.of(error) from error


def body(kept: list[Kept]) -> str:
    """Return the documented JSON. What was asked is JSON already, and is not read again."""
    entries = ",".join(f'{{"input":{entry.input},"prediction":{entry.minutes!r}}}' for entry in kept)
    return f'{{"history":[{entries}]}}'


def links(path: str, kept: list[Kept], limit: int) -> str:
    """Return the `Link` header (RFC 8288): the page before the oldest entry, and the one after the newest."""
    if not kept:
        return ""
    return (
        f'<{path}?limit={limit}&before={kept[0].id}>; rel="prev", '
        f'<{path}?limit={limit}&after={kept[-1].id}>; rel="next"'
    )
