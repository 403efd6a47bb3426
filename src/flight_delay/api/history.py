"""`GET /model/history/`: the predictions that were answered, oldest first."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from flight_delay.api.errors import ProblemError
from flight_delay.errors import StoreUnavailable
from flight_delay.flight import Flight
from flight_delay.store import history
from flight_delay.store.database import Database, opened
from flight_delay.store.history import Kept

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 1000
_LARGEST_ID = 2**63 - 1


class Entry(BaseModel):
    """One prediction: what was asked, and the minutes that were answered."""

    input: Flight
    prediction: float


class History(BaseModel):
    """A page of predictions, oldest first."""

    history: list[Entry]


class Page(BaseModel):
    """Which predictions are asked for."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=LARGEST_LIMIT)] = DEFAULT_LIMIT
    before: Annotated[int | None, Field(ge=1, le=_LARGEST_ID, description="Older than this id")] = None
    after: Annotated[int | None, Field(ge=0, le=_LARGEST_ID, description="Newer than this id")] = None


def read(database: Database, page: Page) -> list[Kept]:
    """Return a page; raises `ProblemError` (503) without a database."""
    try:
        with opened(database) as connection:
            return history.page(connection, page.limit, page.before, page.after)
    except StoreUnavailable as error:
        raise ProblemError.of(error) from error


def body(kept: list[Kept]) -> str:
    """Return the documented JSON. What was asked is JSON already, and is not read again."""
    entries = ",".join(f'{{"input":{entry.input},"prediction":{entry.minutes!r}}}' for entry in kept)
    return f'{{"history":[{entries}]}}'


def links(path: str, kept: list[Kept], page: Page) -> str:
    """Return the `Link` header (RFC 8288): the page before the oldest entry, and the one after the newest.

    Where there is nothing newer yet, the latter leads to the same place again.
    """
    if not kept:
        return f'<{path}?limit={page.limit}&after={page.after or 0}>; rel="next"'
    return (
        f'<{path}?limit={page.limit}&before={kept[0].id}>; rel="prev", '
        f'<{path}?limit={page.limit}&after={kept[-1].id}>; rel="next"'
    )
