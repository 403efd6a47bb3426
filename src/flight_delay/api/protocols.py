"""The protocols beside our own: which paths are theirs, and how each says that something went wrong."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from pydantic_core import ErrorDetails

from flight_delay.api.errors import MEDIA_TYPE, Problem, ProblemError
from flight_delay.messages import Language

INFERENCE, MLFLOW, BUCKETS = ("/v2",), ("/invocations", "/ping", "/version"), ("/v1",)
"""Where the paths of the Open Inference Protocol, of MLflow and of the four buckets begin."""
INFERENCE_FOLDER = "/v2/models/"
BUCKETS_MEDIA_TYPE = "application/vnd.amadeus+json"
_JSON = "application/json"


class Code(NamedTuple):
    """How the four-bucket form names what went wrong."""

    number: int
    title: str


INVALID_FORMAT = Code(477, "INVALID FORMAT")
INVALID_OPTION = Code(572, "INVALID OPTION")
INVALID_DATA = Code(4926, "INVALID DATA RECEIVED")
MISSING = Code(32171, "MANDATORY DATA MISSING")
_SYSTEM_ERROR = Code(141, "SYSTEM ERROR HAS OCCURRED")
_OF_STATUS = {
    400: INVALID_DATA,
    401: Code(38190, "Invalid access token"),
    403: Code(38197, "Access forbidden"),
    404: Code(38196, "Resource not found"),
    405: Code(38195, "Method not allowed"),
    429: Code(38194, "Too many requests"),
}
_OF_KIND = {
    "missing": MISSING,
    "no_parameter": INVALID_OPTION,
    "no_parameter_nearest": INVALID_OPTION,
    "only_minutes": INVALID_OPTION,
    "given_twice": INVALID_DATA,
    "arrives_before": INVALID_DATA,
}
_MLFLOW_CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "ENDPOINT_NOT_FOUND",
    408: "BAD_REQUEST",
    413: "BAD_REQUEST",
    429: "REQUEST_LIMIT_EXCEEDED",
    503: "TEMPORARILY_UNAVAILABLE",
}


class Said(NamedTuple):
    """A problem in the form that the reader of a path understands."""

    status: int
    media_type: str
    body: bytes


def said(problem: ProblemError, path: str, language: Language) -> Said:
    """Return a problem as the protocol of a path says it; as our own says it where the path is of none."""
    if _is_of(path, INFERENCE):
        return _whole(problem, {"error": problem.problem(path, language).detail})
    if _is_of(path, MLFLOW):
        return _of_mlflow(problem, problem.problem(path, language).detail)
    if _is_of(path, BUCKETS):
        return _whole(problem, {"errors": _issues(problem, problem.problem(path, language))})
    return Said(problem.status, MEDIA_TYPE, problem.body(path, language))


def _is_of(path: str, beginnings: tuple[str, ...]) -> bool:
    return path.startswith(beginnings) and any(path == one or path.startswith(f"{one}/") for one in beginnings)


def _whole(problem: ProblemError, body: dict[str, Any]) -> Said:
    status = 400 if problem.status == 422 else problem.status
    return Said(status, _JSON, json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))


def _of_mlflow(problem: ProblemError, detail: str) -> Said:
    if problem.status == 415:
        return Said(415, "text/plain", detail.encode("utf-8", "replace"))
    status = 400 if problem.status == 422 else problem.status
    return _whole(problem, {"error_code": _MLFLOW_CODES.get(status, "INTERNAL_ERROR"), "message": detail})


def _issues(problem: ProblemError, told: Problem) -> list[dict[str, Any]]:
    status = 400 if problem.status == 422 else problem.status
    if not problem.fields:
        return [_issue(status, _OF_STATUS.get(status, _SYSTEM_ERROR), told.detail)]
    return [
        _issue(status, _OF_KIND.get(error["type"], INVALID_FORMAT), one.message)
        | {"source": {"parameter": one.field, **_example(error)}}
        for error, one in zip(problem.fields, told.errors, strict=True)
    ]


def _example(error: ErrorDetails) -> dict[str, str]:
    context = error.get("ctx", {})
    return {"example": context["example"]} if "example" in context else {}


def _issue(status: int, code: Code, detail: str) -> dict[str, Any]:
    return {"status": status, "code": code.number, "title": code.title, "detail": detail}


_TEXT = {"type": "string"}
_FORMS: dict[tuple[str, ...], dict[str, Any]] = {
    INFERENCE: {"type": "object", "required": ["error"], "properties": {"error": _TEXT}},
    MLFLOW: {
        "type": "object",
        "required": ["error_code", "message"],
        "properties": {"error_code": _TEXT, "message": _TEXT},
    },
    BUCKETS: {
        "type": "object",
        "required": ["errors"],
        "properties": {
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["status", "code", "title"],
                    "properties": {
                        "status": {"type": "integer"},
                        "code": {"type": "integer"},
                        "title": _TEXT,
                        "detail": _TEXT,
                        "source": {"type": "object", "properties": {"parameter": _TEXT, "example": _TEXT}},
                    },
                },
            }
        },
    },
}


def document(paths: dict[str, dict[str, Any]]) -> None:
    """Say in an OpenAPI document in which form the errors of these protocols come."""
    for path, operations in paths.items():
        for beginnings, schema in _FORMS.items():
            if _is_of(path, beginnings):
                for operation in operations.values():
                    _document(operation["responses"], schema)


def _document(responses: dict[str, Any], schema: dict[str, Any]) -> None:
    responses.pop("422", None)  # FastAPI documents it, and nothing answers it
    for status, response in responses.items():
        if int(status) >= 400:
            response["content"] = {_JSON: {"schema": schema}}
    if "415" in responses and schema is _FORMS[MLFLOW]:
        responses["415"]["content"] = {"text/plain": {"schema": _TEXT}}
