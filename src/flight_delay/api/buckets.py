"""`GET /v1/travel/predictions/flight-delay`: four buckets, as Amadeus's Flight Delay Prediction API answered them.

That API closed in July 2026; its specification, 1.0.6, is in amadeus4dev/amadeus-open-api-specification.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import numpy as np
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails

from flight_delay.airports import Airport, offset_minutes
from flight_delay.api.accept import best
from flight_delay.api.answer import Answer
from flight_delay.api.errors import ProblemError, problems, refusal
from flight_delay.api.protocols import BUCKETS_MEDIA_TYPE
from flight_delay.api.service import Service
from flight_delay.api.tables import live, whole_body
from flight_delay.flight import AIRPORT_PATTERN, CARRIER_PATTERN, Flight
from flight_delay.model import artifact
from flight_delay.model.artifact import Artifact
from flight_delay.model.point import PointModel

PATH = "/v1/travel/predictions/flight-delay"
TOKEN_PATH = "/v1/security/oauth2/token"  # noqa: S105 - a path
RESULTS = {
    "LESS_THAN_30_MINUTES": "under_30",
    "BETWEEN_30_AND_60_MINUTES": "from_30_to_60",
    "BETWEEN_60_AND_120_MINUTES": "from_60_to_120",
    "OVER_120_MINUTES_OR_CANCELLED": "over_120_or_cancelled",
}
"""Of each bucket the field of `Probabilities`."""
_FURTHEST_ZONES = dt.timedelta(hours=26)
"""By so much may local clocks differ, from UTC+14 to UTC-12."""


class Parameter(NamedTuple):
    """A parameter of the query: the form of its value, in words for a person and as a pattern, and one that has it."""

    form: str
    pattern: str
    example: str
    description: str


_DATE = r"^(19|20|21)\d{2}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"
_TIME = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$"
_DURATION = (
    r"^P(?=\d|T\d)(\d{1,4}Y)?(\d{1,4}M)?(\d{1,4}W)?(\d{1,4}D)?"
    r"(T(?=\d)(\d{1,4}H)?(\d{1,4}M)?(\d{1,4}(\.\d{1,6})?S)?)?$"
)
PARAMETERS = {
    "originLocationCode": Parameter("AAA", AIRPORT_PATTERN, "NCE", "IATA code of the airport of departure"),
    "destinationLocationCode": Parameter("AAA", AIRPORT_PATTERN, "IST", "IATA code of the airport of arrival"),
    "departureDate": Parameter("YYYY-MM-DD", _DATE, "2020-08-01", "Local date of departure"),
    "departureTime": Parameter("HH:MM:SS", _TIME, "18:20:00", "Local time of departure; seconds are passed over"),
    "arrivalDate": Parameter("YYYY-MM-DD", _DATE, "2020-08-01", "Local date of arrival"),
    "arrivalTime": Parameter("HH:MM:SS", _TIME, "22:15:00", "Local time of arrival; seconds are passed over"),
    "aircraftCode": Parameter("A1A", r"^[a-zA-Z0-9]{3}$", "321", "IATA code of the aircraft; it moves no answer"),
    "carrierCode": Parameter("AA", CARRIER_PATTERN, "TK", "IATA code of the airline"),
    "flightNumber": Parameter("1234", r"^[0-9]{1,4}$", "1816", "As the airline assigned it"),
    "duration": Parameter("PnYnMnDTnHnMnS", _DURATION, "PT2H10M", "ISO 8601; it moves no answer"),
}
_OF_FIELD = {
    "origin": "originLocationCode",
    "dest": "destinationLocationCode",
    "sched_dep_time": "departureTime",
    "sched_arr_time": "arrivalTime",
    "carrier": "carrierCode",
    "flight": "flightNumber",
}
"""Of each field of a flight the parameter that says it; the others are the date of departure."""


class Prediction(BaseModel):
    """One bucket."""

    id: str = Field(examples=["TK1816NCEIST20200801"])
    result: str = Field(json_schema_extra={"enum": list(RESULTS)})
    probability: str = Field(description="From 0 to 1; those of all buckets sum to 1", examples=["0.13336977"])
    subType: str = Field(examples=["flight-delay"])  # noqa: N815 - the name in the body
    type: str = Field(examples=["prediction"])


class Links(BaseModel):
    """Where this is."""

    self: str


class Meta(BaseModel):
    """What belongs to all buckets."""

    count: int
    links: Links


class Buckets(BaseModel):
    """The four buckets."""

    data: list[Prediction]
    meta: Meta


class Token(BaseModel):
    """How the requests of a client are to be signed: with the key that it came with."""

    type: str = "amadeusOAuth2Token"
    client_id: str
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme
    access_token: str = Field(description="The key itself")
    expires_in: int = Field(description="Seconds, after which a client asks again")
    state: str = "approved"
    scope: str = ""


def router(service: Service) -> APIRouter:
    """Return the routes, with and without a last slash: the protocol knows none."""
    routes = APIRouter(tags=["buckets"])
    _add_token(routes)

    @routes.get(f"{PATH}/", include_in_schema=False)
    @routes.get(
        PATH,
        summary="How likely is this flight to be how late?",
        responses={200: _ANSWERED, **problems(400, 503)},
        openapi_extra={"parameters": _PARAMETERS},
    )
    async def buckets(request: Request) -> Response:
        """Answer the chances of four buckets, from the same model as `POST /model/predict/`; the history has it."""
        given = _given(request.scope["query_string"])
        loaded = await live(service)
        if isinstance(loaded.model, PointModel):
            raise ProblemError(422, "no_buckets")
        answer = await service.predictor.answer(_flight(given, loaded.model), request.state.request_id, _ASKED)
        media_type = best(",".join(request.headers.getlist("accept")), _MEDIA_TYPES) or BUCKETS_MEDIA_TYPE
        body = _buckets(answer, given, str(request.url.replace(path=PATH))).model_dump_json()
        return Response(body, headers=answer.headers() | {"Vary": "Accept"}, media_type=media_type)

    return routes


def _add_token(routes: APIRouter) -> None:
    @routes.post(f"{TOKEN_PATH}/", include_in_schema=False)
    @routes.post(
        TOKEN_PATH,
        summary="What is a client to sign its requests with?",
        responses=problems(400, 408, 413),
        openapi_extra={"requestBody": {"required": True, "content": {_FORM: {"schema": _GRANT}}}},
    )
    async def token(request: Request, response: Response) -> Token:
        """Answer a key with itself (OAuth 2.0, client credentials): clients of the original ask for a token first.

        `client_secret` is a key of this service, which the next request proves; where it is open, anything.
        """
        given = dict(parse_qsl((await whole_body(request)).decode("latin-1")))
        name, secret = given.get("client_id"), given.get("client_secret")
        if given.get("grant_type") != "client_credentials" or not name or not secret:
            raise ProblemError(400, "no_grant")
        response.headers["Cache-Control"] = "no-store"
        return Token(client_id=name, access_token=secret, expires_in=_EXPIRES_S)


def _given(query: bytes) -> dict[str, str]:
    """Return the parameters of a query, each in its form; raises `ProblemError` (422), which names all that are not."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    given = dict(pairs)
    names = [name for name, _ in pairs]
    refused = [_unknown(name, given[name]) for name in given if name not in PARAMETERS]
    refused += [_refusal("missing", name, None) for name in PARAMETERS if name not in given]
    refused += [_refusal("given_twice", name, given[name]) for name in PARAMETERS if names.count(name) > 1]
    refused += [
        _refusal("parameter_form", name, given[name], form=parameter.form)
        for name, parameter in PARAMETERS.items()
        if name in given and not (re.fullmatch(parameter.pattern, given[name], re.ASCII) and _exists(name, given[name]))
    ]
    if refused:
        raise ProblemError.of_fields(refused[:_MOST_REFUSALS], PARAMETERS)
    return given


def _exists(name: str, value: str) -> bool:
    if not name.endswith("Date"):
        return True
    try:
        dt.date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _flight(given: Mapping[str, str], model: Artifact) -> Flight:
    departs = _moment(given["departureDate"], given["departureTime"])
    arrives = _moment(given["arrivalDate"], given["arrivalTime"])
    try:
        flight = Flight(
            year=departs.year,
            month=departs.month,
            day=departs.day,
            sched_dep_time=departs.hour * 100 + departs.minute,
            sched_arr_time=arrives.hour * 100 + arrives.minute,
            origin=given["originLocationCode"],
            dest=given["destinationLocationCode"],
            carrier=given["carrierCode"],
            flight=int(given["flightNumber"]),
        )
    except ValidationError as error:
        refused = [_of_parameter(one, given) for one in error.errors(include_url=False)]
        raise ProblemError.of_fields(refused, PARAMETERS) from error
    origin, dest = model.codes.airports.get(flight.origin), model.codes.airports.get(flight.dest)
    if _took_off(departs, arrives, origin, dest) <= dt.timedelta(0):
        raise ProblemError.of_fields([_refusal("arrives_before", "arrivalTime", given["arrivalTime"])], PARAMETERS)
    return flight


def _moment(date: str, time: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"{date}T{time[:5]}")


def _took_off(departs: dt.datetime, arrives: dt.datetime, origin: Airport | None, dest: Airport | None) -> dt.timedelta:
    """Return how long it takes from one local time to the other; the longest, where a zone is not known."""
    if origin is None or dest is None:
        return arrives - departs + _FURTHEST_ZONES
    ahead = offset_minutes(dest.tz, arrives) - offset_minutes(origin.tz, departs)
    return arrives - departs - dt.timedelta(minutes=ahead)


def _buckets(answer: Answer, given: Mapping[str, str], url: str) -> Buckets:
    assert isinstance(answer.said, artifact.Answer), "the chances were asked for"
    chances = answer.said.probabilities()._asdict()
    route = given["originLocationCode"] + given["destinationLocationCode"]
    name = f"{given['carrierCode']}{given['flightNumber']}{route}{given['departureDate'].replace('-', '')}"
    data = [
        Prediction(
            id=name,
            result=result,
            probability=np.format_float_positional(chances[field]),
            subType="flight-delay",
            type="prediction",
        )
        for result, field in RESULTS.items()
    ]
    return Buckets(data=data, meta=Meta(count=len(data), links=Links(self=url)))


def _refusal(kind: str, name: str, value: str | None, **facts: str) -> ErrorDetails:
    return refusal(kind, (name,), value, example=PARAMETERS[name].example, **facts)


def _unknown(name: str, value: str) -> ErrorDetails:
    nearest = get_close_matches(name, PARAMETERS, n=1)
    if nearest:
        return refusal("no_parameter_nearest", (name,), value, nearest=nearest[0])
    return refusal("no_parameter", (name,), value, known=", ".join(PARAMETERS))


def _of_parameter(error: ErrorDetails, given: Mapping[str, str]) -> ErrorDetails:
    """Return what is wrong with a field as what is wrong with the parameter that it came of."""
    name = _OF_FIELD.get(str(error["loc"][0]) if error["loc"] else "", "departureDate")
    return {**error, "loc": (name,), "input": given[name]}


_EXPIRES_S = 1799
_FORM = "application/x-www-form-urlencoded"
_TEXT = {"type": "string", "minLength": 1}
_GRANT = {
    "type": "object",
    "required": ["grant_type", "client_id", "client_secret"],
    "properties": {
        "grant_type": {"type": "string", "enum": ["client_credentials"]},
        "client_id": _TEXT,
        "client_secret": _TEXT,
    },
}
_ASKED = frozenset({"probabilities"})
_MOST_REFUSALS = 100
_MEDIA_TYPES = (BUCKETS_MEDIA_TYPE, "application/json")
_SCHEMA = {"schema": {"$ref": "#/components/schemas/Buckets"}}
_ANSWERED: dict[str, Any] = {"model": Buckets, "content": {BUCKETS_MEDIA_TYPE: _SCHEMA}}
_PARAMETERS = [
    {
        "name": name,
        "in": "query",
        "required": True,
        "description": one.description,
        "schema": {"type": "string", "pattern": one.pattern},
        "example": one.example,
    }
    for name, one in PARAMETERS.items()
]
