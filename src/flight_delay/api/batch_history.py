"""`/model/history/batches/`: the batches that were answered, what is in each, and how one is deleted."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Annotated, Any

import msgspec
import numpy as np
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from flight_delay.api import accept, export, packed, retention
from flight_delay.api.errors import ProblemError, problems
from flight_delay.api.history import LARGEST_ID, LARGEST_LIMIT, History, cursors
from flight_delay.api.service import Service
from flight_delay.errors import FlightDelayError, StoreUnavailable
from flight_delay.model.flight_columns import Row
from flight_delay.store import batches
from flight_delay.store.database import Database, opened
from flight_delay.store.retention import Chosen

PATH = "/model/history/batches/"
_ROWS_AT_A_TIME = 1000
_JSON = "application/json"
_LONGEST_ACCEPT = 100
_Id = Annotated[int, Path(ge=1, le=LARGEST_ID, description="`X-Batch-Id` of the answer")]


class Batch(BaseModel):
    """Flights that were answered together."""

    id: Annotated[int, Field(description="`X-Batch-Id` of the answer")]
    predicted_at: dt.datetime
    request_id: str
    model_version: int
    rows: Annotated[int, Field(description="How many flights")]


class Batches(BaseModel):
    """A page of batches, oldest first."""

    batches: list[Batch]


class Page(BaseModel):
    """Which batches are asked for."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=LARGEST_LIMIT, description="How many at most")] = 100
    before: Annotated[int | None, Field(ge=1, le=LARGEST_ID, description="Older than this id")] = None
    after: Annotated[int | None, Field(ge=0, le=LARGEST_ID, description="Newer than this id")] = None


def router(service: Service, now: Callable[[], dt.datetime]) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["model"])
    _add_reading(routes, service)
    one = f"{PATH}{{id:int}}"

    @routes.delete(one, include_in_schema=False)
    @routes.delete(f"{one}/", summary="Delete a batch from the history", responses=problems(404, 422, 503))
    async def forget(request: Request, id: _Id) -> retention.Deleted:  # noqa: A002 - the name in the path
        """Delete all of its flights; that it was done is recorded, and what is deleted is gone."""
        done = await retention.delete(service.database, Chosen(batch_ids=(id,)), request.state.caller, now())
        if not done.deleted:
            raise ProblemError(404, "no_batch", id=id)
        return done

    return routes


def _add_reading(routes: APIRouter, service: Service) -> None:
    @routes.get(PATH, summary="Which batches were answered?", responses=problems(422, 503))
    async def past(request: Request, response: Response, page: Annotated[Page, Query()]) -> Batches:
        """List the newest, oldest first; the header `Link` leads to the pages before and after."""
        kept = await asyncio.to_thread(_page, service.database, page)
        response.headers["Link"] = cursors(
            request.url.path, [one.id for one in kept], page.after, {"limit": page.limit}
        )
        return Batches(batches=[Batch.model_validate(one._asdict()) for one in kept])

    files = {form.media_type: {"schema": {"type": "string"}} for form in export.FORMS}
    one = f"{PATH}{{id:int}}"

    @routes.get(one, include_in_schema=False)
    @routes.get(
        f"{one}/",
        summary="What was asked and answered in a batch?",
        response_model=History,
        responses={200: {"content": files}, **problems(404, 406, 422, 503)},
    )
    async def content(request: Request, id: _Id) -> Response:  # noqa: A002 - the name in the path
        """All its flights in their order; as CSV or NDJSON where `Accept` asks for that."""
        accepted = ",".join(request.headers.getlist("accept"))
        form = accept.best(accepted, list(_FORMS))
        if form is None:
            known = ", ".join(_FORMS)
            raise ProblemError(406, "not_acceptable", accept=accepted[:_LONGEST_ACCEPT], known=known)
        with suppress(FlightDelayError):  # for the header that says which model is live, where one is
            await service.live.follow()
        kept = await asyncio.to_thread(_content, service.database, id)
        return StreamingResponse(_FORMS[form](kept), media_type=form, headers={"Vary": "Accept"})


def _page(database: Database, page: Page) -> list[batches.Batch]:
    try:
        with opened(database) as connection:
            return batches.page(connection, page.limit, page.before, page.after)
    except StoreUnavailable as error:
        raise ProblemError.of(error) from error


def _content(database: Database, number: int) -> batches.Content:
    try:
        with opened(database) as connection:
            found = batches.content(connection, number)
    except StoreUnavailable as error:
        raise ProblemError.of(error) from error
    if found is None:
        raise ProblemError(404, "no_batch", id=number)
    return found


def _written_json(kept: batches.Content) -> Iterator[bytes]:
    before = b'{"history":['
    for entries in _entries(kept):
        yield before + msgspec.json.encode(entries)[1:-1]
        before = b","
    yield b"]}"


def _written_lines(kept: batches.Content) -> Iterator[bytes]:
    return map(msgspec.json.Encoder().encode_lines, _entries(kept))


def _written_csv(kept: batches.Content) -> Iterator[bytes]:
    yield export.csv_of([(*export.ASKED, "prediction")])
    for entries in _entries(kept):
        yield export.csv_of([*export.asked_of(one["input"]), one["prediction"]] for one in entries)


_FORMS: dict[str, Callable[[batches.Content], Iterator[bytes]]] = {
    _JSON: _written_json,
    export.CSV.media_type: _written_csv,
    export.NDJSON.media_type: _written_lines,
}


def _entries(kept: batches.Content) -> Iterator[list[dict[str, Any]]]:
    """Yield what was asked and answered, some rows at a time."""
    columns, minutes = packed.to_columns(kept.inputs), packed.to_minutes(kept.predictions)
    for start in range(0, len(columns), _ROWS_AT_A_TIME):
        rows = np.arange(start, min(start + _ROWS_AT_A_TIME, len(columns)))
        asked = map(_input, columns.take(rows).rows())
        answered = minutes[rows].tolist()
        yield [{"input": one, "prediction": number} for one, number in zip(asked, answered, strict=True)]


def _input(row: Row) -> dict[str, Any]:
    """Return a flight as a request says it."""
    said = _there(row)
    return said if row.weather is None else said | {"weather": _there(row.weather)}


def _there(fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields._asdict().items() if value is not None}
