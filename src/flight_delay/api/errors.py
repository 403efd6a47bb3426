"""Errors as `application/problem+json` (RFC 9457), in the reader's language."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, Field
from pydantic_core import ErrorDetails

from flight_delay import errors
from flight_delay.flight import Flight, Weather
from flight_delay.messages import Language, known, text

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
_LONGEST_VALUE = 100
_MOST_FIELDS = 100
"""That a problem lists: a body of nothing but wrong keys would be answered with ten times its bytes."""

STATUS: dict[type[errors.FlightDelayError], int] = {
    errors.NotAModel: 400,
    errors.UntrustedModel: 422,
    errors.ModelRefused: 422,
    errors.ConversionFailed: 422,
    errors.BrokenArtifact: 503,
    errors.NoModel: 503,
    errors.StoreUnavailable: 503,
    errors.StoreBusy: 503,
    errors.SpoolFull: 503,
    errors.NoSuchVersion: 404,
    errors.GateRefused: 409,
    errors.GateUnmeasured: 409,
    errors.NothingBefore: 409,
    errors.VersionInUse: 409,
}


# Where a body was not read to its end, the rest of it is not waited for.
_LEAVE = {"Connection": "close"}
_HEADERS = {
    401: {"WWW-Authenticate": "Bearer"} | _LEAVE,
    403: _LEAVE,
    408: _LEAVE,
    413: _LEAVE,
    503: {"Retry-After": str(RETRY_AFTER_S)},
}
BODY_PROBLEMS = {408: "body_too_slow", 413: "body_too_large"}
"""What is said of a body that goes past a limit, by status."""


class FieldError(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(description="Name of the field; empty where the whole body is meant")
    message: str
    value: Any = Field(description="What was sent, shortened")


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str = Field(description="The path that was asked for")
    errors: list[FieldError] = []


class ProblemError(Exception):
    """A request that cannot be answered; `key` names the text of the detail, `facts` fill it."""

    def __init__(
        self,
        status: int,
        key: str,
        fields: Iterable[ErrorDetails] = (),
        known_fields: Collection[str] = tuple(Flight.model_fields),
        **facts: Any,
    ) -> None:
        super().__init__(key)
        self.status = status
        self.key = key
        self.facts = facts
        self.fields = list(fields)
        self.known_fields = known_fields

    @classmethod
    def of(cls, error: errors.FlightDelayError) -> ProblemError:
        """Return the problem that one of the project's own errors makes."""
        return cls(STATUS[type(error)], error.key, **error.facts)

    @classmethod
    def of_fields(
        cls, fields: Iterable[ErrorDetails], known_fields: Collection[str] = tuple(Flight.model_fields)
    ) -> ProblemError:
        """Return the problem that pydantic's errors make, `known_fields` being those that could have been meant."""
        return cls(422, "invalid_fields", fields, known_fields)

    def headers(self) -> dict[str, str]:
        """Return the headers that belong to it."""
        headers = _HEADERS.get(self.status, {})
        return headers | {"Retry-After": str(self.facts["retry_after"])} if "retry_after" in self.facts else headers

    def problem(self, path: str, language: Language) -> Problem:
        """Return it in words."""
        fields = [_field_error(error, language, self.known_fields) for error in self.fields[:_MOST_FIELDS]]
        facts = self.facts
        if self.key == "invalid_fields":
            summary = "; ".join(f"{error.field or 'body'}: {error.message}" for error in fields)
            facts = {"count": len(self.fields), "fields": summary}
        return Problem(
            type=f"urn:flight-delay:problem:{self.key.replace('_', '-')}",
            title=text(f"title_{self.status}", language),
            status=self.status,
            detail=text(self.key, language, **facts),
            instance=path,
            errors=fields,
        )

    def body(self, path: str, language: Language) -> bytes:
        """Return the JSON of the problem."""
        body = self.problem(path, language).model_dump(exclude=None if self.fields else {"errors"})
        return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of the errors that a route answers."""
    return {status: {"model": Problem, "description": text(f"title_{status}", "en")} for status in statuses}


def refusal(kind: str, location: Sequence[str | int], value: Any, **facts: Any) -> ErrorDetails:
    """Return what is wrong with a field, as pydantic would; the text of that name says it."""
    return {"type": kind, "loc": tuple(location), "msg": "", "input": value, "ctx": facts}


def _field_error(error: ErrorDetails, language: Language, known_fields: Collection[str]) -> FieldError:
    context: Mapping[str, Any] = error.get("ctx", {})
    location = [str(part) for part in error["loc"]] + ([str(context["field"])] if "field" in context else [])
    name = _short(".".join(location))
    key, facts = error["type"], dict(context)
    if key == "extra_forbidden" and len(location[-1]) <= _LONGEST_VALUE:
        fields = Weather.model_fields if location[-2:-1] == ["weather"] else known_fields
        nearest = get_close_matches(location[-1], fields, n=1)
        if nearest:
            key, facts = "extra_forbidden_nearest", {"nearest": nearest[0]}
    message = text(key, language, **facts) if known(key) else text("invalid", language)
    # A whole body is not repeated: it says nothing that the fields do not say, and may be long.
    value = None if key == "missing" or not name else _shortened(_value(error, context))
    return FieldError(field=name, message=message, value=value)


def _value(error: ErrorDetails, context: Mapping[str, Any]) -> Any:
    whole = error["input"]
    return whole.get(context["field"]) if "field" in context and isinstance(whole, Mapping) else whole


def _shortened(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 2**53:
        return value
    if isinstance(value, float) and abs(value) < float("inf"):
        return value
    return _short(value if isinstance(value, str) else _as_text(value))


def _short(shown: str) -> str:
    return shown if len(shown) <= _LONGEST_VALUE else shown[: _LONGEST_VALUE - 1] + "…"


def _as_text(value: Any) -> str:
    try:
        return str(value)
    except ValueError:  # Python gives no decimal text for an int of more than 4,300 digits
        return f"({type(value).__name__})"
