"""`/v2/`: the Open Inference Protocol over REST, as KServe and Triton speak it, with Triton's binary tensor data.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from flight_delay import __version__
from flight_delay.api import health
from flight_delay.api.errors import ProblemError, problems
from flight_delay.api.infer import ANSWERED, ASKED, MODEL, OUTPUTS, infer, outputs_of
from flight_delay.api.live import Loaded
from flight_delay.api.service import Service
from flight_delay.api.tables import FIELDS, live, received
from flight_delay.api.tensors import datatype_of
from flight_delay.errors import FlightDelayError
from flight_delay.messages import from_accept_language
from flight_delay.model.flight_columns import REQUIRED
from flight_delay.model.point import PointModel
from flight_delay.store import models
from flight_delay.store.database import opened

_EXTENSIONS = ["binary_tensor_data"]
_LONGEST_NUMBER = 18


class Live(BaseModel):
    """The process answers."""

    live: bool


class Ready(Live):
    """It can answer predictions."""

    ready: bool


class ServerMetadata(BaseModel):
    """Which server this is."""

    name: str
    version: str
    extensions: list[str]


class Tensor(BaseModel):
    """A tensor that is taken or answered."""

    name: str
    datatype: str
    shape: list[int] = Field(description="-1: any number of flights")
    parameters: dict[str, str | bool] = {}


class ModelMetadata(BaseModel):
    """Which model this is, and its tensors."""

    name: str
    versions: list[str] = Field(description="Which may be asked for: the live one")
    platform: str
    inputs: list[Tensor]
    outputs: list[Tensor]


class ModelReady(BaseModel):
    """The model can answer."""

    name: str
    ready: bool


_Model = Annotated[str, Path(json_schema_extra={"enum": [MODEL]})]
_Version = Annotated[str, Path(description="A number", json_schema_extra={"pattern": "^[1-9][0-9]*$"})]


def router(service: Service, most_rows: int) -> APIRouter:
    """Return the routes, each with and without a last slash: the protocol knows none."""
    routes = APIRouter(tags=["inference"])
    _add_health(routes, service)
    _add_metadata(routes, service)
    _add_inference(routes, service, most_rows)
    return routes


def _add_health(routes: APIRouter, service: Service) -> None:
    @routes.get("/v2/health/live/", include_in_schema=False)
    @routes.get("/v2/health/live", summary="Is the server alive?")
    async def alive() -> Live:
        return Live(live=True)

    @routes.get("/v2/health/ready/", include_in_schema=False)
    @routes.get("/v2/health/ready", summary="Can the server answer predictions?", responses=problems(503))
    async def ready(request: Request) -> Ready:
        await _readiness(service, request)
        return Ready(live=True, ready=True)

    @routes.get("/v2/models/{model}/ready/", include_in_schema=False)
    @routes.get("/v2/models/{model}/ready", summary="Can the model answer?", responses=problems(404, 503))
    async def model_ready(model: _Model, request: Request) -> ModelReady:
        await _loaded(service, model)
        await _readiness(service, request)
        return ModelReady(name=model, ready=True)

    @routes.get("/v2/models/{model}/versions/{version}/ready/", include_in_schema=False)
    @routes.get(
        "/v2/models/{model}/versions/{version}/ready",
        summary="Can a version answer?",
        responses=problems(400, 404, 503),
    )
    async def version_ready(model: _Model, version: _Version, request: Request) -> ModelReady:
        await _loaded(service, model, version)
        await _readiness(service, request)
        return ModelReady(name=model, ready=True)


async def _readiness(service: Service, request: Request) -> None:
    await health.readiness(service, from_accept_language(request.headers.get("accept-language", "")))


def _add_metadata(routes: APIRouter, service: Service) -> None:
    @routes.get("/v2/", include_in_schema=False)
    @routes.get("/v2", summary="Which server is this?")
    async def server() -> ServerMetadata:
        return ServerMetadata(name=MODEL, version=__version__, extensions=_EXTENSIONS)

    @routes.get("/v2/models/{model}/", include_in_schema=False)
    @routes.get("/v2/models/{model}", summary="Which tensors does the model take?", responses=problems(404, 503))
    async def model(model: _Model) -> ModelMetadata:
        return _metadata(await _loaded(service, model))

    @routes.get("/v2/models/{model}/versions/{version}/", include_in_schema=False)
    @routes.get(
        "/v2/models/{model}/versions/{version}",
        summary="Which tensors does a version take?",
        responses=problems(400, 404, 503),
    )
    async def version(model: _Model, version: _Version) -> ModelMetadata:
        return _metadata(await _loaded(service, model, version))


def _add_inference(routes: APIRouter, service: Service, most_rows: int) -> None:
    documented: dict[str, Any] = {
        "response_class": Response,
        "responses": {200: {"content": ANSWERED}, **problems(400, 404, 408, 413, 415, 503)},
        "openapi_extra": {"requestBody": {"required": True, "content": ASKED}},
    }

    async def answered(request: Request, model: str, version: str | None = None) -> Response:
        loaded = await _loaded(service, model, version)
        async with received(service, request) as body:
            said = await infer(service, most_rows, body, request.headers, request.state.request_id, loaded)
        if version is not None and version != str(said.version):  # another one went live in the meantime
            raise ProblemError(400, "version_not_live", version=version, live=said.version)
        return Response(said.body, headers=said.headers, media_type=said.media_type)

    @routes.post("/v2/models/{model}/infer/", include_in_schema=False)
    @routes.post("/v2/models/{model}/infer", summary="How late will these flights arrive?", **documented)
    async def infer_live(model: _Model, request: Request) -> Response:
        """Answer all flights, or none, by the live version; without `outputs` all tensors are answered."""
        return await answered(request, model)

    @routes.post("/v2/models/{model}/versions/{version}/infer/", include_in_schema=False)
    @routes.post("/v2/models/{model}/versions/{version}/infer", summary="The same of a version", **documented)
    async def infer_version(model: _Model, version: _Version, request: Request) -> Response:
        """Answer as without a version; it must be the live one."""
        return await answered(request, model, version)


async def _loaded(service: Service, model: str, version: str | None = None) -> Loaded:
    """Return the live model where it is meant; raises `ProblemError`: 404 for what there is not, 400, 503."""
    if model != MODEL:
        raise ProblemError(404, "no_such_model", model=model, known=MODEL)
    loaded = await live(service)
    if version is not None and version != str(loaded.live.version):
        await _prove_there(service, version)
        raise ProblemError(400, "version_not_live", version=version, live=loaded.live.version)
    return loaded


async def _prove_there(service: Service, version: str) -> None:
    if not (version.isascii() and version.isdecimal() and len(version) <= _LONGEST_NUMBER and version[0] != "0"):
        raise ProblemError(404, "no_such_version", version=version)

    def look() -> None:
        with opened(service.database) as connection:
            models.version(connection, int(version))

    try:
        await asyncio.to_thread(look)
    except FlightDelayError as error:
        raise ProblemError.of(error) from error


def _metadata(loaded: Loaded) -> ModelMetadata:
    kind = "point" if isinstance(loaded.model, PointModel) else "specialists"
    inputs = [
        Tensor(name=name, datatype=datatype_of(name), shape=[-1], parameters={"optional": name not in REQUIRED})
        for name in FIELDS
    ]
    outputs = [
        Tensor(name=name, datatype=datatype, shape=shape, parameters=dict(parameters))
        for name, (datatype, shape, parameters) in OUTPUTS.items()
        if name in outputs_of(loaded)
    ]
    return ModelMetadata(
        name=MODEL, versions=[str(loaded.live.version)], platform=f"flight_delay_{kind}", inputs=inputs, outputs=outputs
    )
