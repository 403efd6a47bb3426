"""`/invocations`, `/ping` and `/version`: the protocol of MLflow's scoring server, versions 2 and 3.

https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from email.message import Message
from functools import partial
from typing import Any
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Request, Response

from flight_delay import __version__
from flight_delay.api import health, include
from flight_delay.api.answer import Answer
from flight_delay.api.errors import ProblemError, problems
from flight_delay.api.service import Service
from flight_delay.api.tables import FIELDS, Table, answer, decoded, in_turn, of_records, received
from flight_delay.messages import LANGUAGES, Language, from_accept_language, text
from flight_delay.model.flight_columns import CODES

SPLIT, RECORDS, INSTANCES, INPUTS = FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
_NO_VALUE = frozenset({"", "nan", "NaN", "null", "None"})
INVOCATIONS_PATH = "/invocations/"
_JSON, _CSV, _TEXT = "application/json", "text/csv", "text/plain"


def router(service: Service, most_rows: int) -> APIRouter:
    """Return the routes, each with and without a last slash: the protocol knows none."""
    routes = APIRouter(tags=["mlflow"])

    @routes.get("/ping/", include_in_schema=False)
    @routes.get(
        "/ping", summary="Can it answer predictions?", response_class=Response, responses={**_PLAIN, **problems(503)}
    )
    async def ping(request: Request) -> Response:
        await health.readiness(service, _language(request))
        return Response("\n", media_type=_TEXT)

    @routes.get("/version/", include_in_schema=False)
    @routes.get("/version", summary="Which version is it?", response_class=Response, responses=_PLAIN)
    async def version() -> Response:
        return Response(__version__, media_type=_TEXT)

    @routes.post(INVOCATIONS_PATH, include_in_schema=False)
    @routes.post(
        "/invocations",
        summary="How late will these flights arrive?",
        response_class=Response,
        responses={200: {"content": _ANSWERED}, **problems(400, 408, 413, 415, 503)},
        openapi_extra={"requestBody": {"required": True, "content": _ASKED}},
    )
    async def invocations(request: Request) -> Response:
        """Answer all flights, or none. With `params.include` each prediction is what `POST /model/predict/` answers."""
        return await _answer(service, most_rows, request)

    return routes


async def _answer(service: Service, most_rows: int, request: Request) -> Response:
    media_type = _media_type(request.headers.get("content-type", ""))
    async with received(service, request) as body:
        table, asked = await in_turn(len(body), _read, body, media_type)
        table.check_rows(most_rows)
        answers = await answer(service, table, request.state.request_id, asked)
        headers = dict(answers.headers)
        if not asked:
            said = await in_turn(answers.minutes.nbytes, msgspec.json.encode, {"predictions": answers.minutes.tolist()})
            return Response(said, headers=headers, media_type=_JSON)
        language = _language(request)
        if include.has_text(asked):
            headers |= {"Content-Language": language, "Vary": "Accept-Language"}
        whole = await answers.whole()
        bodies = await asyncio.to_thread(_bodies, whole, asked, language)
        return Response(b'{"predictions":[%s]}' % b",".join(bodies), headers=headers, media_type=_JSON)


def _bodies(answers: Sequence[Answer], asked: frozenset[str], language: Language) -> list[bytes]:
    return [include.body(one, asked, language) for one in answers]


def _media_type(given: str) -> str:
    """Return which of the two it is; raises `ProblemError` (415) for any other, and for another encoding than UTF-8."""
    header = Message()
    header["Content-Type"] = given or "none"
    parameters = {name.lower(): str(value).lower() for name, value in (header.get_params() or [])[1:]}
    if header.get_content_type() not in {_JSON, _CSV} or parameters.get("charset", "utf-8") not in {"utf-8", "utf8"}:
        raise ProblemError(415, "wrong_media_type", given=given[:100] or "—")
    return header.get_content_type()


def _read(body: bytes, media_type: str) -> tuple[Table, frozenset[str]]:
    """Return the flights of a body, and what is to be said of them besides the prediction."""
    if media_type == _CSV:
        return _of_csv(body), frozenset()
    whole = decoded(body, dict[str, Any])
    forms = [name for name in FORMS if name in whole]
    if len(forms) != 1:
        given = ", ".join(whole)[:100] or "{}"
        raise ProblemError(422, "one_form", known=", ".join(FORMS), given=given)
    return _READERS[forms[0]](whole[forms[0]]), _asked(whole.get("params"))


def _asked(params: Any) -> frozenset[str]:
    """Return what `params` ask to include, in a list or in one text with commas."""
    if params is None:
        return frozenset()
    given = params.get(include.PARAMETER, []) if isinstance(params, dict) else None
    words = given.split(",") if isinstance(given, str) else given
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise _wrong("params", "include_form")
    others = [(name, "") for name in params if name != include.PARAMETER]
    query = urlencode([*others, (include.PARAMETER, ",".join(words))] if words else others, errors="replace")
    return include.asked({"query_string": query.encode()})


def _of_split(split: Any) -> Table:
    columns, data = (split.get("columns"), split.get("data")) if isinstance(split, dict) else (None, None)
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise _wrong(SPLIT, "split_form")
    if not isinstance(data, list) or not all(isinstance(row, list) and len(row) == len(columns) for row in data):
        raise _wrong(SPLIT, "split_form")
    if len(set(columns)) < len(columns):
        raise _wrong(SPLIT, "split_form")
    transposed = zip(*data, strict=True) if data else ([] for _ in columns)
    return Table(dict(zip(columns, map(list, transposed), strict=True)), len(data))


def _of_records(records: Any) -> Table:
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise _wrong(RECORDS, "records_form")
    return of_records(records)


def _of_tensors(form: str, given: Any) -> Table:
    """Return the flights of TF Serving's forms: records, columns, or, as columns without lists, one flight."""
    if isinstance(given, list) and all(isinstance(record, dict) for record in given):
        return of_records(given)
    if not isinstance(given, dict):
        raise _wrong(form, "tensors_form")
    if not any(isinstance(column, list) for column in given.values()):
        return of_records([given])
    lengths = {len(column) if isinstance(column, list) else -1 for column in given.values()}
    if len(lengths) > 1 or -1 in lengths:
        raise _wrong(form, "tensors_form")
    return Table({name: _flat(column) for name, column in given.items()}, lengths.pop())


def _flat(column: list[Any]) -> list[Any]:
    """Return a column that may come as a matrix of one column."""
    is_matrix = bool(column) and all(isinstance(row, list) and len(row) == 1 for row in column)
    return [row[0] for row in column] if is_matrix else column


def _of_csv(body: bytes) -> Table:
    """Return the flights of a CSV; a column without a name is the index that pandas writes."""
    try:
        rows = [row for row in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True) if row]
    except (csv.Error, UnicodeDecodeError) as error:
        raise ProblemError(422, "not_csv", problem=str(error)[:200]) from error
    names, cells = (rows[0], rows[1:]) if rows else ([], [])
    short = [number for number, row in enumerate(cells) if len(row) != len(names)]
    if not names or short or len(set(names)) < len(names):
        raise ProblemError(422, "not_csv", problem=str(short[0] + 1) if short else ",".join(names)[:200])
    columns = zip(*cells, strict=True) if cells else ([] for _ in names)
    read = {name: _values(name, column) for name, column in zip(names, columns, strict=True) if name}
    return Table(read, len(cells))


def _values(name: str, cells: Iterable[str]) -> list[Any]:
    if name in CODES:
        return [None if cell in _NO_VALUE else cell for cell in cells]
    return [_number(cell) for cell in cells]


def _number(cell: str) -> float | str | None:
    """Return what a cell says; a text that is no number stays one, to be refused by its name."""
    if cell.strip() in _NO_VALUE:
        return None
    try:
        return float(cell) if "_" not in cell else cell
    except ValueError:
        return cell


def _language(request: Request) -> Language:
    return from_accept_language(request.headers.get("accept-language", ""))


def _wrong(form: str, expected: str) -> ProblemError:
    meaning = {language: text(expected, language) for language in LANGUAGES}
    return ProblemError(422, "wrong_form", form=form, meaning=meaning)


_READERS: Mapping[str, Callable[[Any], Table]] = {
    SPLIT: _of_split,
    RECORDS: _of_records,
    INSTANCES: partial(_of_tensors, INSTANCES),
    INPUTS: partial(_of_tensors, INPUTS),
}
_PLAIN: dict[int | str, dict[str, Any]] = {200: {"content": {_TEXT: {"schema": {"type": "string"}}}}}
_RECORDS = {"type": "array", "items": {"$ref": "#/components/schemas/Flight"}}
_ROW = {"month": 7, "day": 23, "sched_dep_time": 1630, "origin": "JFK", "dest": "LAX", "carrier": "DL"}
_ASKED: dict[str, Any] = {
    _JSON: {
        "schema": {
            "type": "object",
            "properties": {
                SPLIT: {
                    "type": "object",
                    "required": ["columns", "data"],
                    "properties": {
                        "columns": {"type": "array", "items": {"enum": list(FIELDS)}, "uniqueItems": True},
                        "data": {"type": "array", "items": {"type": "array"}},
                    },
                },
                RECORDS: _RECORDS,
                INSTANCES: {"anyOf": [_RECORDS, {"type": "object"}]},
                INPUTS: {"anyOf": [{"type": "object"}, _RECORDS]},
                "params": {
                    "type": ["object", "null"],
                    "properties": {include.PARAMETER: {"type": ["array", "string"]}},
                },
            },
            "oneOf": [{"required": [form]} for form in FORMS],
        },
        "example": {SPLIT: {"columns": list(_ROW), "data": [list(_ROW.values())]}},
    },
    _CSV: {"schema": {"type": "string"}, "example": "\n".join([",".join(_ROW), ",".join(map(str, _ROW.values()))])},
}
_ANSWERED: dict[str, Any] = {
    _JSON: {
        "schema": {
            "type": "object",
            "required": ["predictions"],
            "properties": {"predictions": {"type": "array", "items": {"type": ["number", "object"]}}},
        }
    }
}
