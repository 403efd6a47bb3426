"""`GET /model/history/`: the predictions that were answered, oldest first."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from flight_delay.api.errors import ProblemError
from flight_delay.errors import StoreUnavailable
from flight_delay.flight import AIRPORT_PATTERN, CARRIER_PATTERN, Flight
from flight_delay.store import history
from flight_delay.store.database import Database, opened
from flight_delay.store.history import Filter, Kept

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 1000
LARGEST_ID = 2**63 - 1


class Entry(BaseModel):
    """One prediction: what was asked, and the minutes that were answered."""

    input: Flight
    prediction: float


class History(BaseModel):
    """A page of predictions, oldest first."""

    history: list[Entry]


def _instant(value: str) -> dt.datetime:
    # In a URL a `+` that is not written as %2B means a space; there is none before a zone.
    written = value.replace(" ", "+") if "T" in value else value
    try:
        return history.instant(written)
    except ValueError:
        raise PydanticCustomError("instant", "an instant with its zone, or a date, is needed") from None


Instant = Annotated[
    dt.datetime,
    PlainValidator(_instant),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}),
]
RequestId = Annotated[str, Field(pattern="^[!-~]{1,128}$", description="`X-Request-Id` of the answer")]


class Page(BaseModel):
    """Which predictions are asked for."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[
        int, Field(ge=1, le=LARGEST_LIMIT, description="How many at most; as CSV or NDJSON all, unless it is given")
    ] = DEFAULT_LIMIT
    before: Annotated[int | None, Field(ge=1, le=LARGEST_ID, description="Older than this id")] = None
    after: Annotated[int | None, Field(ge=0, le=LARGEST_ID, description="Newer than this id")] = None
    carrier: Annotated[str | None, Field(pattern=CARRIER_PATTERN, description="Of this airline")] = None
    origin: Annotated[str | None, Field(pattern=AIRPORT_PATTERN, description="Of flights from this airport")] = None
    dest: Annotated[str | None, Field(pattern=AIRPORT_PATTERN, description="Of flights to this airport")] = None
    model_version: Annotated[int | None, Field(ge=1, le=LARGEST_ID, description="Answered by this version")] = None
    request_id: RequestId | None = None
    since: Annotated[Instant | None, Field(description="Answered at this instant or later; a date begins in UTC")] = (
        None
    )
    until: Annotated[Instant | None, Field(description="Answered before this instant; a date begins in UTC")] = None

    def chosen(self) -> Filter:
        """Return the filter among it."""
        return Filter(**self.model_dump(include=set(Filter._fields)))


def read(database: Database, page: Page) -> list[Kept]:
    """Return a page; raises `ProblemError` (503) without a database."""
    try:
        with opened(database) as connection:
            return history.page(connection, page.limit, page.before, page.after, page.chosen())
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
    filters = page.model_dump(mode="json", include=set(Filter._fields), exclude_none=True)
    return cursors(path, [entry.id for entry in kept], page.after, {"limit": page.limit} | filters)


def cursors(path: str, ids: list[int], after: int | None, parameters: dict[str, Any]) -> str:
    """Return the same of entries of these ids, asked for after one of them, with parameters that are kept."""

    def link(cursor: str, value: int, relation: str) -> str:
        return f'<{path}?{urlencode(parameters | {cursor: value})}>; rel="{relation}"'

    if not ids:
        return link("after", after or 0, "next")
    return f"{link('before', ids[0], 'prev')}, {link('after', ids[-1], 'next')}"
