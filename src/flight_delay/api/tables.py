"""Flights that come as named columns, as other protocols send them: understood, and answered in one go.

A field is named as `Flight` names it, a measure of the weather as `Weather` does. What is missing is None or NaN.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence, Set
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, ParamSpec, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import ClientDisconnect, Request

from flight_delay.api import include
from flight_delay.api.answer import Answer
from flight_delay.api.batch import BatchAnswer
from flight_delay.api.errors import ProblemError, refusal
from flight_delay.api.live import Loaded, Minutes
from flight_delay.api.service import Service
from flight_delay.errors import FlightDelayError
from flight_delay.flight import Flight, Weather
from flight_delay.model.features import Horizon
from flight_delay.model.flight_columns import CODES, OF_FLIGHT, OF_WEATHER, REQUIRED, Coded, FlightColumns
from flight_delay.model.point import PointModel

P = ParamSpec("P")
T = TypeVar("T")
Column = Sequence[Any] | NDArray[Any]
FIELDS = (*(name for name in Flight.model_fields if name != "weather"), *Weather.model_fields)
"""The columns that there may be; records may have their weather in one piece besides."""
_MOST_REFUSALS = 100
_LONGEST_REASON = 200
_LONGEST_LENGTH = 18
_SMALL = 64 * 1024
"""Bytes that take less than some milliseconds to be read."""
_BYTES_OF_ROW = 200
_AT_ONCE = 64
"""So many rows are answered in full at a time, after which others have their turn."""


@dataclass(frozen=True)
class Table:
    """Columns of so many rows each."""

    columns: Mapping[str, Column]
    rows: int

    def row(self, number: int) -> dict[str, Any]:
        """Return what is there of a row, as a request would say it."""
        said = {name: column[number] for name, column in self.columns.items()}
        said = {name: _plain(value) for name, value in said.items() if not _is_missing(value)}
        measured = {name: said.pop(name) for name in OF_WEATHER if name in said}
        whole = said.get("weather", {})
        return said | {"weather": whole | measured} if measured and isinstance(whole, dict) else said

    def check_rows(self, most: int) -> None:
        """Raise `ProblemError` (413) where there are too many."""
        if self.rows > most:
            raise ProblemError(413, "too_many_rows", limit=most)


@dataclass(frozen=True)
class Answers:
    """What is answered to the rows of a table; the history has it, if one is kept.

    Attributes
    ----------
    minutes : (rows,), of arrival delay, negative is early
    headers : the facts that travel beside the body
    """

    minutes: NDArray[np.float64]
    loaded: Loaded
    headers: Mapping[str, str]
    _of_row: Callable[[int], Answer]

    async def whole(self) -> list[Answer]:
        """Return each answer with all that was asked; raises `ProblemError` (422) where the model cannot say it."""
        answers = []
        for row in range(len(self.minutes)):
            answers.append(self._of_row(row))
            if row % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
        return answers


async def answer(service: Service, table: Table, request_id: str, asked: Set[str]) -> Answers:
    """Answer all rows, or none; `asked` is what will be said besides the minutes.

    Raises `ProblemError`: 422 where a row is no flight or the live model cannot say what is asked, 503 where there is
    no model or no database.
    """
    if table.rows == 1:
        one = await service.predictor.answer(_flight(table), request_id, asked)
        return Answers(np.array([one.minutes]), one.loaded, one.headers(), lambda _: one)
    flights = await in_turn(table.rows * _BYTES_OF_ROW, to_columns, table)
    loaded = await live(service)
    if isinstance(loaded.model, PointModel):
        include.check(asked, Minutes(0.0, Horizon.SCHEDULE))
    if not table.rows:
        return Answers(np.empty(0), loaded, {}, _no_row)
    many = await service.batches.answer(flights, request_id)
    return Answers(many.minutes, many.loaded, many.headers(), partial(_again, many, flights, asked))


def _no_row(row: int) -> Answer:
    raise IndexError(row)


def _again(many: BatchAnswer, flights: FlightColumns, asked: Set[str], row: int) -> Answer:
    """Return what the model says to a row of a batch, its minutes as they were committed."""
    flight = flights.flight(row)
    say = many.loaded.point if include.OF_DISTRIBUTION.isdisjoint(asked) else many.loaded.answer
    said = say(flight, many.predicted_at)
    include.check(asked, said)
    whole = said._replace(minutes=float(many.minutes[row]))
    return Answer(flight, whole, many.loaded, many.predicted_at, None, spooled=False)


async def live(service: Service) -> Loaded:
    """Return the live model; raises `ProblemError` (503)."""
    try:
        return service.live.current or await service.live.follow()
    except FlightDelayError as error:
        raise ProblemError.of(error) from error


@asynccontextmanager
async def received(service: Service, request: Request) -> AsyncIterator[bytes]:
    """Read a body, and hold a place among the batches until it is answered, where it is not a small one.

    Raises `ProblemError`: 415 where it is compressed, 503 where all places are taken.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise ProblemError(415, "no_such_encoding", given=encoding[:_LONGEST_REASON])
    length = request.headers.get("content-length", "")
    is_small = length.isascii() and length.isdecimal() and len(length) < _LONGEST_LENGTH and int(length) <= _SMALL
    async with nullcontext() if is_small else service.batches.receiving():
        yield await whole_body(request)


async def whole_body(request: Request) -> bytes:
    """Return a body; raises `ProblemError` (408), which nobody will read, where the client left before its end."""
    try:
        return await request.body()
    except ClientDisconnect as error:
        raise ProblemError(408, "body_too_slow") from error


async def in_turn(size: int, do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do work on so many bytes, beside the event loop where it takes milliseconds."""
    return await asyncio.to_thread(do, *args, **kwargs) if size > _SMALL else do(*args, **kwargs)


def decoded(body: bytes, kind: type[T]) -> T:
    """Return the JSON of a body as a kind of things; NaN, as pandas writes what is missing, is understood.

    Raises `ProblemError` (422).
    """
    try:
        if b"NaN" in body or b"Infinity" in body:
            return msgspec.convert(json.loads(body), kind)
        return msgspec.json.decode(body, type=kind)
    # json raises ValueError for what is no JSON, msgspec for what is not of the kind; either, where it is too deep.
    except (ValueError, RecursionError) as error:
        raise ProblemError(422, "not_json", problem=str(error).partition("\n")[0][:_LONGEST_REASON]) from error


def of_records(records: Sequence[Mapping[str, Any]]) -> Table:
    """Return the table of some rows, each with what is there of it."""
    names = dict.fromkeys(name for record in records for name in record)
    return Table({name: [record.get(name) for record in records] for name in names}, len(records))


def to_columns(table: Table) -> FlightColumns:
    """Return the columns as the model takes them; raises `ProblemError` (422) where a row is no flight."""
    _check_names(table)
    flights = _read(table) or _one_by_one(table)
    refused = [_placed(one, row) for row, errors in islice(flights.problems(), _MOST_REFUSALS) for one in errors]
    if refused:
        raise ProblemError.of_fields(refused[:_MOST_REFUSALS], FIELDS)
    return flights


def _flight(table: Table) -> Flight:
    _check_names(table)
    try:
        return Flight.model_validate(table.row(0))
    except ValidationError as error:
        raise ProblemError.of_fields(error.errors(include_url=False), FIELDS) from error


def _check_names(table: Table) -> None:
    unknown = [name for name in table.columns if name not in FIELDS and name != "weather"]
    missing = [name for name in REQUIRED if name not in table.columns] if table.rows else []
    refused = [refusal("extra_forbidden", (name,), None) for name in unknown]
    refused += [refusal("missing", (name,), None) for name in missing]
    if refused:
        raise ProblemError.of_fields(refused[:_MOST_REFUSALS], FIELDS)


def _read(table: Table) -> FlightColumns | None:
    """Return the columns, not yet checked; None where a value is not even of its column's type."""
    columns = dict(table.columns)
    reports = columns.pop("weather", None)
    if reports is not None:
        if not all(report is None or (type(report) is dict and report.keys() <= _MEASURES) for report in reports):
            return None
        columns = _measured(reports) | columns
    nothing = np.full(table.rows, np.nan)
    numbers = {name: _numbers(columns[name]) if name in columns else nothing for name in (*OF_FLIGHT, *OF_WEATHER)}
    texts = {name: _texts(columns.get(name, [None] * table.rows)) for name in CODES}
    if any(column is None for column in (*numbers.values(), *texts.values())):
        return None
    return FlightColumns(
        {name: column for name, column in numbers.items() if column is not None},
        {name: column for name, column in texts.items() if column is not None},
    )


def _measured(reports: Column) -> dict[str, Column]:
    there = {name for report in reports if report for name in report}
    return {name: [report.get(name) if report else None for report in reports] for name in there}


def _numbers(column: Column) -> NDArray[np.float64] | None:
    if isinstance(column, np.ndarray):
        return column.astype(np.float64) if column.dtype.kind in "iuf" else None
    if not _OF_NUMBERS.issuperset(map(type, column)):
        return None
    try:
        return np.array(column, np.float64)
    except OverflowError:  # a whole number beyond all floats
        return None


def _texts(column: Column) -> Coded | None:
    return Coded.of(list(column)) if _OF_TEXTS.issuperset(map(type, column)) else None


def _one_by_one(table: Table) -> FlightColumns:
    """Return the columns of rows that are looked at one after the other, to say what is wrong with each."""
    flights: list[Flight] = []
    refused: list[ErrorDetails] = []
    for row in range(table.rows):
        try:
            flights.append(Flight.model_validate(table.row(row)))
        except ValidationError as error:
            refused += [_placed(one, row) for one in error.errors(include_url=False)]
        if len(refused) >= _MOST_REFUSALS:
            break
    if refused:
        raise ProblemError.of_fields(refused[:_MOST_REFUSALS], FIELDS)
    return FlightColumns.of(flights)


def _placed(error: ErrorDetails, row: int) -> ErrorDetails:
    return {**error, "loc": (row, *error["loc"])}


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float | np.floating) and bool(np.isnan(value)))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


_MEASURES = frozenset(OF_WEATHER)
_OF_NUMBERS = frozenset({int, float, type(None)})
_OF_TEXTS = frozenset({str, type(None)})
