"""The predictions that were answered, as history shows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, NamedTuple

from flight_delay.store.database import Connection

PAGE = 1000
"""How many predictions are read at a time where all are."""
_LAST_ID = 2**63 - 1


class Filter(NamedTuple):
    """Which predictions are meant: those that have every value that is given here.

    The codes are those of the flight; `since` is a moment and what comes after it, `until` what comes before it.
    """

    carrier: str | None = None
    origin: str | None = None
    dest: str | None = None
    model_version: int | None = None
    request_id: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


class Kept(NamedTuple):
    """A prediction as a page of the history holds it; `input` is JSON."""

    id: int
    input: str
    minutes: float


class Record(NamedTuple):
    """A prediction with all that is kept of it; `input` is JSON, `predicted_at` ISO 8601 in UTC."""

    id: int
    predicted_at: str
    request_id: str
    model_version: int
    input: str
    minutes: float


class Span(NamedTuple):
    """Ids from one to another, both of them included."""

    first: int
    last: int


EVERYTHING = Filter()


def page(
    connection: Connection,
    limit: int,
    before: int | None = None,
    after: int | None = None,
    chosen: Filter = EVERYTHING,
) -> list[Kept]:
    """Return up to `limit` predictions, oldest first.

    The newest ones; with `before`, the newest of those with a smaller id; with `after`, the oldest
    of those with a greater id.
    """
    order = "DESC" if after is None else "ASC"
    condition, values = _condition(chosen)
    found = connection.query(
        f"SELECT id, input, prediction FROM predictions WHERE id < ? AND id > ?{condition} ORDER BY id {order} LIMIT ?",
        (_LAST_ID if before is None else before, 0 if after is None else after, *values, limit),
    )
    return sorted(Kept(*row) for row in found)


def span(connection: Connection, before: int | None = None, after: int | None = None) -> Span:
    """Return the ids between two, up to the newest there is by now."""
    [(newest,)] = connection.query("SELECT coalesce(max(id), 0) FROM predictions")
    return Span((after or 0) + 1, newest if before is None else min(newest, before - 1))


def records(connection: Connection, within: Span, chosen: Filter = EVERYTHING) -> Iterator[list[Record]]:
    """Give the predictions within a span, oldest first, a page at a time.

    Nothing is held between two pages: what is deleted meanwhile is missing.
    """
    condition, values = _condition(chosen)
    statement = (
        "SELECT id, predicted_at, request_id, model_version, input, prediction FROM predictions "
        f"WHERE id >= ? AND id <= ?{condition} ORDER BY id LIMIT ?"
    )
    first = within.first
    while found := connection.query(statement, (first, within.last, *values, PAGE)):
        yield [Record(*row) for row in found]
        if len(found) < PAGE:
            return
        first = found[-1][0] + 1


def count(connection: Connection, chosen: Filter) -> int:
    """Return how many predictions are meant."""
    condition, values = _condition(chosen)
    [(number,)] = connection.query(f"SELECT count(*) FROM predictions WHERE id > 0{condition}", values)
    return int(number)


def instant(text: str) -> dt.datetime:
    """Return the moment that ISO 8601 names; a date is its beginning in UTC.

    Raises `ValueError`, also for a clock time without a zone.
    """
    try:
        return dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), dt.UTC)
    except ValueError:
        moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a zone is needed")
    try:
        return moment.astimezone(dt.UTC)
    except OverflowError as error:
        raise ValueError("a year from 1 to 9999 is needed") from error


def kept_moment(moment: dt.datetime) -> str:
    """Return a moment as it is kept, so that it compares as a text.

    Whole seconds are kept without a fraction: `+` of the zone comes before `.` of the fraction, as it should.
    """
    return moment.astimezone(dt.UTC).isoformat()


def _condition(chosen: Filter) -> tuple[str, list[Any]]:
    given = {
        "input ->> 'carrier' = ?": chosen.carrier,
        "input ->> 'origin' = ?": chosen.origin,
        "input ->> 'dest' = ?": chosen.dest,
        "model_version = ?": chosen.model_version,
        "request_id = ?": chosen.request_id,
        "predicted_at >= ?": chosen.since and kept_moment(chosen.since),
        "predicted_at < ?": chosen.until and kept_moment(chosen.until),
    }
    used = {condition: value for condition, value in given.items() if value is not None}
    return "".join(f" AND {condition}" for condition in used), list(used.values())
