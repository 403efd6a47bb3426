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

from flight_delay.api import accept
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


def form_of(accepted: str) -> Form | None:
    """Return the form that an `Accept` header (RFC 9110) likes best, None being the documented JSON.

    Raises `ProblemError` (406) where it takes none of them.
    """
    forms = {_JSON: None} | {form.media_type: form for form in FORMS}
    best = accept.best(accepted, list(forms))
    if best is None:
        raise ProblemError(406, "not_acceptable", accept=accepted[:_LONGEST_ACCEPT], known=", ".join(forms))
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


_FLIGHT = tuple(name for name in Flight.model_fields if name != "weather")
_WEATHER = tuple(Weather.model_fields)
ASKED = (*_FLIGHT, *(f"weather_{name}" for name in _WEATHER))
"""The columns of what was asked."""
_COLUMNS = (*("id", "predicted_at", "request_id", "model_version"), *ASKED, "prediction")


def csv_of(rows: Iterable[Sequence[Any]]) -> bytes:
    """Return lines of CSV."""
    text = io.StringIO()
    csv.writer(text).writerows(map(_cell, row) for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def asked_of(flight: Mapping[str, Any]) -> list[Any]:
    """Return what was asked as the columns of `ASKED` have it."""
    weather = flight.get("weather") or {}
    return [flight.get(name) for name in _FLIGHT] + [weather.get(name) for name in _WEATHER]


def _row(record: Record) -> list[Any]:
    return [*record[:4], *asked_of(json.loads(record.input)), record.minutes]


def _csv_lines(records: list[Record]) -> bytes:
    return csv_of(map(_row, records))


def _ndjson_lines(records: list[Record]) -> bytes:
    return "".join(map(_ndjson_line, records)).encode()


def _ndjson_line(record: Record) -> str:
    # What was asked is JSON already.
    return (
        f'{{"id":{record.id},"predicted_at":"{record.predicted_at}","request_id":{json.dumps(record.request_id)},'
        f'"model_version":{record.model_version},"input":{record.input},"prediction":{record.minutes!r}}}\n'
    )


CSV = Form("text/csv", csv_of([_COLUMNS]), _csv_lines)
NDJSON = Form("application/x-ndjson", b"", _ndjson_lines)
FORMS = (CSV, NDJSON)
