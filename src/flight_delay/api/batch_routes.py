"""`POST /model/predict/batch/`: many flights in one request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from pydantic_core import ErrorDetails
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from flight_delay.api.batch import FEW, BatchAnswer
from flight_delay.api.errors import ProblemError, problems, refusal
from flight_delay.api.forms import json_rows
from flight_delay.api.forms.gathering import KNOWN, Gathering, Rows
from flight_delay.api.forms.media import FORMS, Answers, Form, answer_form_of, form_of
from flight_delay.api.service import Service
from flight_delay.messages import Language, from_accept_language

BATCH_PATH = "/model/predict/batch/"
MOST_REFUSALS = 100
"""So many problems are named."""
_SKIP = "skip"
_PARAMETER = "on_error"
T = TypeVar("T")
_OnError = Annotated[
    Literal["refuse", "skip"],
    Query(description="What becomes of a batch with rows that are no flights: nothing is answered, or the other rows"),
]


def router(service: Service, most_rows: int) -> APIRouter:
    """Return the route."""
    routes = APIRouter(tags=["model"])
    schema = {"type": "array", "items": {"$ref": "#/components/schemas/Flight"}}
    content = {form.media_type: {"schema": schema if form is FORMS[0] else {}} for form in FORMS}
    answered: dict[str, Any] = {form.media_type: {} for form in FORMS}

    @routes.post(
        BATCH_PATH,
        summary="How late will each of these flights arrive?",
        responses={200: {"content": answered}, **problems(406, 408, 413, 415, 422, 503)},
        openapi_extra={"requestBody": {"required": True, "content": content}},
    )
    async def predict_batch(request: Request, on_error: _OnError = "refuse") -> Response:
        """Answer all flights in their order, in the form in which they came, or the one that `Accept` names.

        The history has all of them, as one entry, before the answer is sent; the header `X-Batch-Id` names it.
        """
        _check_parameters(request)
        form = form_of(request.headers.get("content-type", ""))
        answer_form = answer_form_of(",".join(request.headers.getlist("accept")), form)
        _check_encoding(request)
        async with service.batches.receiving():
            rows = await _received(request, form, most_rows)
            if rows is None:  # nobody is there any more to be answered
                return Response(status_code=400)
            answers, answer = await _answered(service, rows, request, skips=on_error == _SKIP)
        return await _sent(answers, answer, answer_form)

    return routes


async def _received(request: Request, form: Form, most_rows: int) -> Rows | None:
    """Return the rows of a body, read as they come in; None where the client left."""
    gathering = Gathering(most_rows)
    reader = form.reader(gathering)
    try:
        async for body in request.stream():
            for piece in json_rows.pieces(body):
                await reader.feed(piece)
                await asyncio.sleep(0)
        await reader.finish()
    except ClientDisconnect:
        return None
    finally:
        reader.close()
    return gathering.whole()


async def _answered(
    service: Service, rows: Rows, request: Request, *, skips: bool
) -> tuple[Answers, BatchAnswer | None]:
    """Return what is answered; raises `ProblemError` (422) where rows have problems, and are not to be passed over."""
    found = rows.problems()
    if skips:
        language = from_accept_language(request.headers.get("accept-language", ""))
        errors = await _apart(rows, lambda: {row: _words(said, language) for row, said in found})
    else:
        await _apart(rows, lambda: _refuse(found))
        errors = {}
    columns = rows.columns
    if errors:
        right = np.ones(len(rows), np.bool_)
        right[list(errors)] = False
        columns = columns.take(right)
    if not len(columns):
        return Answers(np.full(len(rows), np.nan), rows.ids, errors, skips), None
    answer = await service.batches.answer(columns, request.state.request_id)
    minutes = answer.minutes
    if errors:
        minutes = np.full(len(rows), np.nan)
        minutes[right] = answer.minutes
    return Answers(minutes, rows.ids, errors, skips), answer


async def _apart(rows: Rows, work: Callable[[], T]) -> T:
    """Do work on rows in a thread, unless they are few."""
    return work() if len(rows) <= FEW else await run_in_threadpool(work)


def _refuse(found: Iterator[tuple[int, list[ErrorDetails]]]) -> None:
    count = 0
    shown: list[ErrorDetails] = []
    for row, said in found:
        count += 1
        if len(shown) < MOST_REFUSALS:
            shown += [{**one, "loc": (row, *one["loc"])} for one in said]
    if count:
        shown = shown[:MOST_REFUSALS]
        raise ProblemError(422, "invalid_rows", shown, KNOWN, rows=count, shown=len(shown))


def _words(said: list[ErrorDetails], language: Language) -> str:
    problem = ProblemError.of_fields(said, KNOWN).problem("", language)
    return "; ".join(f"{one.field}: {one.message}" if one.field else one.message for one in problem.errors)


async def _sent(answers: Answers, answer: BatchAnswer | None, form: Form) -> Response:
    headers = {"Vary": "Accept, Accept-Language"} | (answer.headers() if answer is not None else {})
    if len(answers.minutes) <= FEW:
        return Response(b"".join(form.write(answers)), media_type=form.media_type, headers=headers)
    return StreamingResponse(form.write(answers), media_type=form.media_type, headers=headers)


def _check_parameters(request: Request) -> None:
    unknown = [name for name in request.query_params if name != _PARAMETER]
    if unknown:
        raise ProblemError.of_fields([_unknown(name, request.query_params[name]) for name in unknown])


def _unknown(name: str, value: str) -> ErrorDetails:
    if get_close_matches(name, [_PARAMETER], n=1):
        return refusal("no_parameter_nearest", (name,), value, given=name, nearest=_PARAMETER)
    return refusal("no_parameter", (name,), value, given=name, known=_PARAMETER)


def _check_encoding(request: Request) -> None:
    given = request.headers.get("content-encoding", "identity").strip().lower()
    if given != "identity":
        raise ProblemError(415, "no_such_encoding", given=given[:100])
