"""The history as a file, CSV or NDJSON: all that is asked for, a page at a time, however much it is."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Send

from flight_delay.api.errors import ProblemError
from flight_delay.api.history import Page
from flight_delay.errors import StoreUnavailable
from flight_delay.flight import Flight, Weather
from flight_delay.store import history
from flight_delay.store.database import Connection, Database, opened
from flight_delay.store.history import Record, Span

_JSON = "application/json"
_LONGEST_ACCEPT = 100
_FORMULA = ("=", "+", "-", "@")
"""What a text begins with that a spreadsheet would take for a formula."""


class Form(NamedTuple):
    """How records are written."""

    media_type: str
    head: bytes
    lines: Callable[[list[Record]], bytes]


def form_of(accept: str) -> Form | None:
    """Return the form that an `Accept` header (RFC 9110) likes best, None being the documented JSON.

    Raises `ProblemError` (406) where it takes none of them.
    """
    qualities = dict(map(_range, accept.split(","))) if accept.strip() else {"*/*": 1.0}
    forms = {_JSON: None} | {form.media_type: form for form in FORMS}
    best = max(forms, key=lambda media_type: _quality(media_type, qualities))  # of equals the first, JSON
    if not _quality(best, qualities):
        raise ProblemError(406, "not_acceptable", accept=accept[:_LONGEST_ACCEPT], known=", ".join(forms))
    return forms[best]


async def response(database: Database, page: Page, form: Form, headers: Mapping[str, str]) -> StreamingResponse:
    """Return the answer that sends all that a page asks for, what comes in later left out.

    Without `limit` in the request it is not limited. Raises `ProblemError` (503) without a database; where the
    database is lost later, the answer breaks off, and whoever receives it notices.
    """
    chunks = _chunks(database, page, form)
    try:
        first = await run_in_threadpool(next, chunks)
    except StoreUnavailable as error:
        raise ProblemError.of(error) from error
    return _Streamed(first, chunks, form.media_type, headers)


def lines(connection: Connection, page: Page, form: Form) -> Iterator[bytes]:
    """Give the file in pieces: its head, and then a piece for each page of records."""
    yield form.head
    within = _span(connection, page)
    for records in history.records(connection, within, page.chosen()):
        yield form.lines(records)


class _Streamed(StreamingResponse):
    """Sends pieces that are made in a thread, each when the one before was taken; a client that leaves ends it."""

    def __init__(
        self, first: bytes, rest: Generator[bytes, None, None], media_type: str, headers: Mapping[str, str]
    ) -> None:
        super().__init__(_in_turn(first, rest), media_type=media_type, headers=headers)
        self._rest = rest

    async def stream_response(self, send: Send) -> None:
        """Send it, and let go of the database."""
        try:
            await super().stream_response(send)
        finally:
            with suppress(ValueError):  # a service that ends leaves a thread that still reads, and closes it itself
                self._rest.close()


async def _in_turn(first: bytes, rest: Generator[bytes, None, None]) -> AsyncIterator[bytes]:
    yield first
    while (chunk := await run_in_threadpool(next, rest, None)) is not None:
        yield chunk


def _chunks(database: Database, page: Page, form: Form) -> Generator[bytes, None, None]:
    """Give the file in pieces; the first comes when the database has answered."""
    with opened(database) as connection:
        pieces = lines(connection, page, form)
        yield next(pieces) + next(pieces, b"")
        yield from pieces


def _span(connection: Connection, page: Page) -> Span:
    if "limit" not in page.model_fields_set:
        return history.span(connection, page.before, page.after)
    kept = history.page(connection, page.limit, page.before, page.after, page.chosen())
    return Span(kept[0].id, kept[-1].id) if kept else Span(1, 0)


def _quality(media_type: str, qualities: Mapping[str, float]) -> float:
    """Return how much a type is liked: as the most specific range says that it is in."""
    kind = media_type.partition("/")[0]
    return next((qualities[name] for name in (media_type, f"{kind}/*", "*/*") if name in qualities), 0.0)


def _range(item: str) -> tuple[str, float]:
    media_range, *parameters = (part.strip().lower() for part in item.split(";"))
    given = [value for name, _, value in (one.partition("=") for one in parameters) if name == "q"]
    try:
        quality = float(given[0]) if given else 1.0
    except ValueError:
        quality = 0.0
    return media_range, quality if 0.0 <= quality <= 1.0 else 0.0


_FLIGHT = tuple(name for name in Flight.model_fields if name != "weather")
_WEATHER = tuple(Weather.model_fields)
_COLUMNS = (
    *("id", "predicted_at", "request_id", "model_version"),
    *_FLIGHT,
    *(f"weather_{name}" for name in _WEATHER),
    "prediction",
)


def _csv(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(map(_cell, row) for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _row(record: Record) -> list[Any]:
    flight = json.loads(record.input)
    weather = flight.get("weather") or {}
    asked = [flight.get(name) for name in _FLIGHT] + [weather.get(name) for name in _WEATHER]
    return [*record[:4], *asked, record.minutes]


def _csv_lines(records: list[Record]) -> bytes:
    return _csv(map(_row, records))


def _ndjson_lines(records: list[Record]) -> bytes:
    return "".join(map(_ndjson_line, records)).encode()


def _ndjson_line(record: Record) -> str:
    # What was asked is JSON already.
    return (
        f'{{"id":{record.id},"predicted_at":"{record.predicted_at}","request_id":{json.dumps(record.request_id)},'
        f'"model_version":{record.model_version},"input":{record.input},"prediction":{record.minutes!r}}}\n'
    )


CSV = Form("text/csv", _csv([_COLUMNS]), _csv_lines)
NDJSON = Form("application/x-ndjson", b"", _ndjson_lines)
FORMS = (CSV, NDJSON)
