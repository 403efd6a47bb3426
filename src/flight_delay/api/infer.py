"""An inference request of the Open Inference Protocol: tensors in, tensors out, in JSON or in binary after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from flight_delay.api.answer import Answer
from flight_delay.api.errors import ProblemError, refusal
from flight_delay.api.live import Loaded
from flight_delay.api.service import Service
from flight_delay.api.tables import FIELDS, Answers, Table, answer, decoded, in_turn
from flight_delay.api.tensors import DTYPES, UNSUPPORTED, Given, Made, Parameters, table
from flight_delay.model import artifact
from flight_delay.model.distribution import PERCENTS, Probabilities
from flight_delay.model.point import PointModel

MODEL = "flight-delay"
HEADER_LENGTH = "Inference-Header-Content-Length"
OUTPUTS: dict[str, tuple[str, list[int], dict[str, str]]] = {
    "prediction": ("FP64", [-1], {"unit": "min"}),
    "quantiles": ("FP64", [-1, len(PERCENTS)], {"unit": "min", "columns": ",".join(map(str, PERCENTS))}),
    "probabilities": ("FP64", [-1, len(Probabilities._fields)], {"columns": ",".join(Probabilities._fields)}),
    "horizon": ("BYTES", [-1], {}),
    "version": ("INT64", [-1], {}),
}
"""The tensors of an answer: datatype, shape, and what is to be known of them."""
_OF_DISTRIBUTION = frozenset({"quantiles", "probabilities"})


class Output(msgspec.Struct):
    """A tensor that is asked for."""

    name: str
    parameters: Parameters = None


class Inference(msgspec.Struct):
    """The JSON of a request."""

    inputs: list[Given]
    id: str | None = None
    parameters: Parameters = None
    outputs: list[Output] | None = None


class Inferred(NamedTuple):
    """What is sent, and the version of the model that said it."""

    body: bytes
    headers: dict[str, str]
    media_type: str
    version: int


def outputs_of(loaded: Loaded) -> list[str]:
    """Return what a model can say; one of another's making knows no distribution."""
    return [name for name in OUTPUTS if name not in _OF_DISTRIBUTION or not isinstance(loaded.model, PointModel)]


async def infer(
    service: Service, most_rows: int, body: bytes, headers: Mapping[str, str], request_id: str, loaded: Loaded
) -> Inferred:
    """Answer a request, of which the history has all before it is answered.

    Raises `ProblemError`: 413 where it has too many rows, 422 where it is no request, 503 without model or database.
    """
    inference, flights = await in_turn(len(body), _read, body, headers)
    flights.check_rows(most_rows)
    outputs = _asked(inference, loaded)
    distribution = outputs.keys() & _OF_DISTRIBUTION
    answers = await answer(service, flights, request_id, distribution)
    whole = await answers.whole() if distribution or "horizon" in outputs else []
    size = answers.minutes.nbytes * len(OUTPUTS)
    return await in_turn(size, _said, inference.id, outputs, answers, whole)


def _read(body: bytes, headers: Mapping[str, str]) -> tuple[Inference, Table]:
    length = headers.get(HEADER_LENGTH, str(len(body)))
    if not (length.isascii() and length.isdecimal() and len(length) < _LONGEST_NUMBER and int(length) <= len(body)):
        raise ProblemError(422, "wrong_binary", name=HEADER_LENGTH)
    inference = decoded(body[: int(length)], Inference)
    return inference, table(inference.inputs, memoryview(body)[int(length) :])


def _asked(inference: Inference, loaded: Loaded) -> dict[str, bool]:
    """Return the outputs that are to be answered, and whether in binary."""
    possible, binary = outputs_of(loaded), _flag(inference.parameters, "binary_data_output", MODEL, otherwise=False)
    asked = inference.outputs if inference.outputs is not None else [Output(name) for name in possible]
    for output in asked:
        if output.name not in OUTPUTS:
            raise ProblemError(422, "no_such_output", name=output.name, known=", ".join(possible))
        if output.name not in possible:
            raise ProblemError.of_fields([refusal("only_minutes", ("outputs",), None, given=output.name)])
        for name in UNSUPPORTED:
            if name in (output.parameters or {}):
                raise ProblemError(422, "unsupported_parameter", name=name, tensor=output.name)
    return {one.name: _flag(one.parameters, "binary_data", one.name, otherwise=binary) for one in asked}


def _flag(parameters: Parameters, name: str, tensor: str, *, otherwise: bool) -> bool:
    flag = (parameters or {}).get(name, otherwise)
    if type(flag) is not bool:
        raise ProblemError(422, "unsupported_parameter", name=name, tensor=tensor)
    return flag


def _said(id: str | None, outputs: Mapping[str, bool], answers: Answers, whole: Sequence[Answer]) -> Inferred:  # noqa: A002
    described = [_made(name, answers, whole).described(binary=binary) for name, binary in outputs.items()]
    version = answers.loaded.live.version
    head = msgspec.json.encode(
        {"model_name": MODEL, "model_version": str(version)}
        | ({} if id is None else {"id": id.encode("utf-8", "replace").decode()})
        | {"outputs": [output for output, _ in described]}
    )
    headers = dict(answers.headers)
    if not any(outputs.values()):
        return Inferred(head, headers, "application/json", version)
    body = b"".join([head, *(raw for _, raw in described)])
    return Inferred(body, headers | {HEADER_LENGTH: str(len(head))}, "application/octet-stream", version)


def _made(name: str, answers: Answers, whole: Sequence[Answer]) -> Made:
    """Return an output: a value, or a line of them, for each row."""
    datatype, shape, parameters = OUTPUTS[name]
    rows = len(answers.minutes)
    values: NDArray[Any] | list[str] = answers.minutes
    if name == "quantiles":
        values = np.array([_of(one).quantiles() for one in whole], np.float64)
    elif name == "probabilities":
        values = np.array([_of(one).probabilities() for one in whole], np.float64)
    elif name == "horizon":
        values = [one.said.horizon.value for one in whole]
    elif name == "version":
        values = np.full(rows, answers.loaded.live.version, np.int64)
    return Made(name, datatype, (rows, *shape[1:]), values, parameters)


def _of(answer: Answer) -> artifact.Answer:
    assert isinstance(answer.said, artifact.Answer), "checked before"
    return answer.said


_LONGEST_NUMBER = 18
_PARAMETERS = {"type": ["object", "null"]}
_TENSOR = {
    "type": "object",
    "required": ["name", "shape", "datatype"],
    "properties": {
        "name": {"enum": list(FIELDS)},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "maxItems": 2},
        "datatype": {"enum": [*DTYPES, "BYTES"]},
        "parameters": _PARAMETERS,
        "data": {"type": ["array", "null"], "description": "null for a value that is missing"},
    },
}
ASKED: dict[str, Any] = {
    "application/json": {
        "schema": {
            "type": "object",
            "required": ["inputs"],
            "properties": {
                "id": {"type": ["string", "null"]},
                "parameters": _PARAMETERS,
                "inputs": {"type": "array", "items": _TENSOR},
                "outputs": {
                    "type": ["array", "null"],
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {"name": {"enum": list(OUTPUTS)}, "parameters": _PARAMETERS},
                    },
                },
            },
        },
        "example": {
            "id": "42",
            "inputs": [
                {"name": "month", "shape": [2], "datatype": "INT64", "data": [7, 7]},
                {"name": "day", "shape": [2], "datatype": "INT64", "data": [23, 24]},
                {"name": "sched_dep_time", "shape": [2], "datatype": "INT64", "data": [1630, 800]},
                {"name": "origin", "shape": [2], "datatype": "BYTES", "data": ["JFK", "EWR"]},
                {"name": "dest", "shape": [2], "datatype": "BYTES", "data": ["LAX", "SFO"]},
                {"name": "carrier", "shape": [2], "datatype": "BYTES", "data": ["DL", "UA"]},
                {"name": "dep_delay", "shape": [2], "datatype": "FP64", "data": [10.0, None]},
            ],
            "outputs": [{"name": "prediction"}],
        },
    },
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
}
"""How OpenAPI documents a request; binary data come after the JSON, whose length a header tells."""
ANSWERED: dict[str, Any] = {
    "application/json": {
        "schema": {
            "type": "object",
            "required": ["model_name", "model_version", "outputs"],
            "properties": {
                "model_name": {"const": MODEL},
                "model_version": {"type": "string"},
                "id": {"type": "string"},
                "outputs": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["name", "datatype", "shape"],
                        "properties": {
                            "name": {"enum": list(OUTPUTS)},
                            "datatype": {"enum": ["FP64", "INT64", "BYTES"]},
                            "shape": {"type": "array", "items": {"type": "integer"}},
                            "parameters": {"type": "object"},
                            "data": {"type": "array"},
                        },
                    },
                },
            },
        }
    },
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
}
"""How OpenAPI documents an answer."""
