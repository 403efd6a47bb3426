"""`POST /model/outcomes/`: what became of flights, or that they are scheduled."""

from __future__ import annotations

import datetime as dt
import json
import logging
from math import isnan, nan
from typing import Annotated, Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from flight_delay.api.errors import ProblemError, refusal
from flight_delay.errors import FlightDelayError
from flight_delay.flight import Flight, Number, Whole, local_date, minute_of_day
from flight_delay.model.features import Codes, leg_of
from flight_delay.model.means import Leg
from flight_delay.store import outcomes
from flight_delay.store.database import Database, opened

MAX_OUTCOMES = 10_000
MAX_BODY_BYTES = 8 * 1024 * 1024
_MOST_REFUSALS = 100
_LARGEST_ID = 2**63 - 1
_EASTERNMOST = dt.timedelta(hours=14)
"""How far the clocks that are furthest ahead are ahead of UTC."""
_CLOCKS_DIFFER_MIN = 5.0
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_log = logging.getLogger("uvicorn.error")

_Delay = Annotated[
    Number | None,
    Field(
        description="Arrival delay, minutes, early is negative; needs dep_delay", ge=-180, le=3000, allow_inf_nan=False
    ),
]
_AirTime = Annotated[
    Number | None, Field(description="Minutes in the air; needs arr_delay", ge=1, le=1500, allow_inf_nan=False)
]
_Cancelled = Annotated[bool, Field(description="It does not arrive: cancelled, or diverted", strict=True)]


class Outcome(Flight):
    """A flight and what became of it; with neither dep_delay nor arr_delay it says that the flight is scheduled."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "month": 7, "day": 23, "sched_dep_time": 1630, "sched_arr_time": 1930, "origin": "JFK",
                    "dest": "LAX", "carrier": "DL", "flight": 1609, "tailnum": "N713TW", "dep_delay": 10.0,
                    "arr_delay": 3.0, "air_time": 325.0,
                }
            ]
        }
    )  # fmt: skip

    arr_delay: _Delay = None
    air_time: _AirTime = None
    cancelled: _Cancelled = False

    @model_validator(mode="after")
    def _may_be(self) -> Self:
        if self.arr_delay is not None and self.dep_delay is None:
            raise PydanticCustomError("needs_dep_delay", "arr_delay needs dep_delay", {"field": "arr_delay"})
        if self.air_time is not None and self.arr_delay is None:
            raise PydanticCustomError("needs_arr_delay", "air_time needs arr_delay", {"field": "air_time"})
        if self.cancelled and self.arr_delay is not None:
            raise PydanticCustomError("cancelled_arrived", "it cannot have arrived", {"field": "cancelled"})
        return self


class OutcomeOfPrediction(BaseModel):
    """What became of a flight that was predicted; the rest of the flight is what the prediction was asked of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prediction_id: Annotated[
        Whole, Field(description="`X-Prediction-Id` of the answer, or `id` of its metadata", ge=1, le=_LARGEST_ID)
    ]
    dep_delay: Annotated[
        Number | None,
        Field(description="Departure delay, minutes; absent: as predicted with", ge=-180, le=3000, allow_inf_nan=False),
    ] = None
    arr_delay: _Delay = None
    air_time: _AirTime = None
    cancelled: _Cancelled = False

    @model_validator(mode="after")
    def _tells(self) -> Self:
        if self.arr_delay is None and not self.cancelled:
            raise PydanticCustomError("nothing_told", "arr_delay, or cancelled", {"field": "arr_delay"})
        return self


class Accepted(BaseModel):
    """All outcomes are kept."""

    accepted: Annotated[int, Field(description="How many", examples=[1])]


class _Given(NamedTuple):
    """What was sent, each with where it stands in the body."""

    items: list[Outcome | OutcomeOfPrediction]
    many: bool

    def place(self, number: int) -> tuple[int, ...]:
        return (number,) if self.many else ()


def _kind(item: Any) -> str:
    named = item if isinstance(item, dict) else getattr(item, "__dict__", {})
    return "prediction" if "prediction_id" in named else "flight"


_Item = Annotated[
    Annotated[Outcome, Tag("flight")] | Annotated[OutcomeOfPrediction, Tag("prediction")], Discriminator(_kind)
]
_one: TypeAdapter[Outcome | OutcomeOfPrediction] = TypeAdapter(_Item)
_several: TypeAdapter[list[Outcome | OutcomeOfPrediction]] = TypeAdapter(
    Annotated[list[_Item], Field(max_length=MAX_OUTCOMES)]
)
_FIELDS = tuple(dict.fromkeys([*Outcome.model_fields, *OutcomeOfPrediction.model_fields]))


def document(reference: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the JSON schema of a body, and the schemas that it names by `reference`, a template."""
    body: TypeAdapter[Any] = TypeAdapter(_Item | Annotated[list[_Item], Field(max_length=MAX_OUTCOMES)])
    schema = body.json_schema(ref_template=reference)
    return schema, schema.pop("$defs")


def record(database: Database, body: bytes, now: dt.datetime) -> int:
    """Keep the outcomes that the bytes of a body tell, all or none; return how many.

    Raises `ProblemError`: 422 where one cannot be, 503 without a database.
    """
    given = _read(body)
    try:
        with opened(database) as connection:
            ids = {item.prediction_id for item in given.items if isinstance(item, OutcomeOfPrediction)}
            whole = _whole(given, outcomes.flights_of(connection, ids), now)
            outcomes.add(connection, whole, now)
    except FlightDelayError as error:
        raise ProblemError.of(error) from error
    return len(whole)


def leg_told(told: outcomes.Told, codes: Codes) -> Leg | None:
    """Return what the network's state is to be told; None where it is not known where the flight leaves from."""
    try:
        outcome = Outcome.model_validate_json(told.outcome)
    except ValidationError as error:  # written by another version of the service
        _log.warning("outcome %d is not understood: %s", told.id, error)
        return None
    told_at = dt.datetime.fromisoformat(told.told_at)
    leg = leg_of(outcome, local_date(outcome, told_at.date()), codes)
    if isnan(leg.sched_dep):
        return None
    return _until((told_at - _EPOCH).total_seconds() / 60 + _CLOCKS_DIFFER_MIN, leg, outcome)


def _until(minute: float, leg: Leg, outcome: Outcome) -> Leg:
    """Add what became of a leg; what would have been after the minute at which it was told has not been."""
    if outcome.arr_delay is None or not leg.dep <= minute:
        return leg if leg.dep <= minute else leg._replace(dep=nan)
    arr = leg.sched_arr + outcome.arr_delay
    if not leg.dep < arr <= minute:
        return leg
    return leg._replace(arr=arr, air_time=nan if outcome.air_time is None else outcome.air_time)


def _read(body: bytes) -> _Given:
    many = body.lstrip()[:1] == b"["
    try:
        return _Given(_several.validate_json(body) if many else [_one.validate_json(body)], many)
    except ValidationError as error:
        raise _refused([_untagged(one, many) for one in error.errors(include_url=False)]) from error


def _untagged(error: ErrorDetails, many: bool) -> ErrorDetails:
    """Return an error placed where the sender sees it: by index and field, without the name of the alternative."""
    place = error["loc"]
    error["loc"] = place[:1] + place[2:] if many else place[1:]
    return error


def _refused(problems: list[ErrorDetails]) -> ProblemError:
    return ProblemError.of_fields(problems[:_MOST_REFUSALS], _FIELDS)


def _whole(given: _Given, flights: dict[int, str], now: dt.datetime) -> list[outcomes.New]:
    """Return the outcomes to be kept, each with its whole flight; raises `ProblemError` for those that cannot be."""
    whole: list[outcomes.New] = []
    problems: list[ErrorDetails] = []
    for number, item in enumerate(given.items):
        try:
            outcome = item if isinstance(item, Outcome) else _of_prediction(item, flights)
            _check_past(outcome, now)
        except ValidationError as error:
            problems += [{**one, "loc": (*given.place(number), *one["loc"])} for one in error.errors(include_url=False)]
        except _Impossible as error:
            problems.append(refusal(error.kind, (*given.place(number), error.field), error.value))
        else:
            prediction_id = None if isinstance(item, Outcome) else item.prediction_id
            whole.append(outcomes.New(outcome.model_dump_json(exclude_unset=True), prediction_id))
    if problems:
        raise _refused(problems)
    return whole


class _Impossible(Exception):
    def __init__(self, kind: str, field: str, value: Any) -> None:
        super().__init__(kind)
        self.kind, self.field, self.value = kind, field, value


def _of_prediction(told: OutcomeOfPrediction, flights: dict[int, str]) -> Outcome:
    if told.prediction_id not in flights:
        raise _Impossible("no_such_prediction", "prediction_id", told.prediction_id)
    flight = json.loads(flights[told.prediction_id])
    return Outcome.model_validate(
        flight | told.model_dump(exclude={"prediction_id"}, exclude_unset=True, exclude_none=True)
    )


def _check_past(outcome: Outcome, now: dt.datetime) -> None:
    """Refuse a departure that is still to come, wherever its clock is: it would stand for the present of all others."""
    if outcome.dep_delay is None:
        return
    day = dt.datetime.combine(local_date(outcome, now.date()), dt.time(), dt.UTC)
    left = day + dt.timedelta(minutes=minute_of_day(outcome.sched_dep_time) + outcome.dep_delay)
    if left - _EASTERNMOST > now:
        raise _Impossible("in_the_future", "dep_delay", outcome.dep_delay)
