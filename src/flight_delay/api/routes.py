"""The routes, their documentation, and the errors that they answer."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any

from fastapi import Depends, FastAPI, File, Query, Request, Response, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from flight_delay.api import health, history, include, outcomes
from flight_delay.api.answer import Answered
from flight_delay.api.errors import BODY_PROBLEMS, MEDIA_TYPE, Problem, ProblemError
from flight_delay.api.live import LiveModel
from flight_delay.api.models import ModelLoader
from flight_delay.api.predict import Predictor, reply
from flight_delay.errors import FlightDelayError
from flight_delay.flight import Flight
from flight_delay.messages import Language, from_accept_language, text
from flight_delay.store.database import Database
from flight_delay.store.predictions import PredictionLog

PREDICT_PATH = "/model/predict/"
OUTCOMES_PATH = "/model/outcomes/"
_SCHEMAS = "#/components/schemas/{model}"
_log = logging.getLogger("uvicorn.error")


class Service:
    """What the routes need. All but the live model is there from the start of the service to its end."""

    log: PredictionLog
    predictor: Predictor
    loader: ModelLoader

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        self.database = database
        self.live = LiveModel(database, now)


class Loaded(BaseModel):
    """A model was loaded."""

    status: str = Field(examples=["Modelo carregado com sucesso"])


def add(app: FastAPI, service: Service, max_upload: int, now: Callable[[], dt.datetime]) -> None:
    """Give the application its routes and its errors."""

    @app.get("/health/", tags=["health"], summary="Is the process alive?")
    async def alive(request: Request) -> health.Health:
        return health.Health(status=text("healthy", _language(request)))

    @app.get("/health/ready/", tags=["health"], summary="Can it answer predictions?", responses=_problems(503))
    async def ready(request: Request) -> health.Readiness:
        version = await health.ready_version(service.live, service.log, service.database)
        return health.Readiness(status=text("ready", _language(request)), model_version=version, database="ok")

    @app.post(
        "/model/load/",
        tags=["model"],
        summary="Make a model file the live model",
        responses=_problems(400, 408, 413, 415, 422, 503),
    )
    async def load(request: Request, response: Response, file: Annotated[UploadFile, File()]) -> Loaded:
        """Take a `.joblib` or `.pkl` trained here, or whose SHA-256 is in `FLIGHT_DELAY_TRUSTED_MODEL_SHA256`."""
        if len((await request.form()).getlist("file")) > 1:
            raise ProblemError(422, "one_file")
        loaded = await service.loader.load(file.filename or "", await file.read(), now())
        response.headers["X-Model-Version"] = str(loaded.live.version)
        return Loaded(status=text("model_loaded", _language(request)))

    @app.get(
        "/model/history/",
        tags=["model"],
        summary="Which predictions were answered?",
        response_model=history.History,
        responses=_problems(422, 503),
    )
    async def past(request: Request, page: Annotated[history.Page, Query()]) -> Response:
        """List the newest, oldest first; the header `Link` leads to the pages before and after."""
        with suppress(FlightDelayError):  # for the header that says which model is live, where one is
            await service.live.follow()
        kept = await asyncio.to_thread(history.read, service.database, page)
        headers = {"Link": history.links(request.url.path, kept, page)}
        return Response(history.body(kept), media_type="application/json", headers=headers)

    _add_predict(app, service)
    _add_outcomes(app, service, now)
    _add_errors(app, max_upload)
    _document(app)


def _add_predict(app: FastAPI, service: Service) -> None:
    @app.post(
        PREDICT_PATH,
        tags=["model"],
        summary="How late will this flight arrive?",
        response_model=Answered,
        response_model_exclude_unset=True,
        responses=_problems(408, 413, 422, 503),
        openapi_extra={"parameters": [_INCLUDE]},
    )
    async def predict(flight: Flight, request: Request, asked: Annotated[frozenset[str], Depends(_asked)]) -> Response:
        """Answer by the horizon `departed` where `dep_delay` is given; else `pre_departure` or `schedule`.

        It is `pre_departure` where the service has lately been told of departures from the origin
        (`POST /model/outcomes/`). The history has the answer before it is sent.
        """
        answer = await service.predictor.answer(flight, request.state.request_id)
        said = await reply(answer, asked, request.headers.get("accept-language", ""))
        return Response(said.body, headers=said.headers, media_type="application/json")


def _asked(request: Request) -> frozenset[str]:
    return include.asked(request.scope)


_INCLUDE = {
    "name": include.PARAMETER,
    "in": "query",
    "required": False,
    "description": "What is answered besides the prediction; repeated, or separated by commas",
    "schema": {"type": "array", "items": {"type": "string", "enum": list(include.INCLUDES)}},
}


def _add_outcomes(app: FastAPI, service: Service, now: Callable[[], dt.datetime]) -> None:
    body, _ = outcomes.document(_SCHEMAS)

    @app.post(
        OUTCOMES_PATH,
        tags=["model"],
        summary="What became of flights?",
        responses=_problems(408, 413, 422, 503),
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}},
    )
    async def tell(request: Request) -> outcomes.Accepted:
        """Keep outcomes, all or none; every process of the service answers by them within a second."""
        accepted = await asyncio.to_thread(outcomes.record, service.database, await request.body(), now())
        with suppress(FlightDelayError):  # they are kept; that no model is there to be told of them, readiness says
            await service.live.follow()
        return outcomes.Accepted(accepted=accepted)


def largest_body(path: str, max_upload: int) -> int:
    """Return how many bytes a body for a path may have."""
    return outcomes.MAX_BODY_BYTES if path == OUTCOMES_PATH else max_upload


def _add_errors(app: FastAPI, max_upload: int) -> None:
    @app.exception_handler(ProblemError)
    async def refused(request: Request, error: ProblemError) -> Response:
        return _response(request, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        if any(item["loc"] == ("body", "file") and item["type"] == "value_error" for item in error.errors()):
            return _response(request, ProblemError(422, "malformed_upload"))
        parameters = any(item["loc"][0] == "query" for item in error.errors())
        known_fields = tuple(history.Page.model_fields if parameters else Flight.model_fields)
        return _response(request, ProblemError.of_fields(map(_placed, error.errors()), known_fields))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        path = request.url.path
        if error.status_code == 404:
            problem = ProblemError(404, "no_route", path=path)
        elif error.status_code == 405:
            allowed = (error.headers or {}).get("Allow", "")
            problem = ProblemError(405, "wrong_method", path=path, method=request.method, allowed=allowed)
        elif error.status_code in BODY_PROBLEMS:
            problem = ProblemError(
                error.status_code, BODY_PROBLEMS[error.status_code], limit=largest_body(path, max_upload)
            )
        else:
            problem = ProblemError(400, "malformed_upload")
        return _response(request, problem, error.headers)

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        _log.error("request %s failed", request.state.request_id, exc_info=error)
        return _response(request, ProblemError(500, "internal"))


def _placed(error: Any) -> Any:
    """Return an error placed within the body or the query that FastAPI says it is of."""
    return {**error, "loc": error["loc"][1:]}


def _response(request: Request, problem: ProblemError, headers: Any = None) -> Response:
    language = _language(request)
    return Response(
        problem.body(request.url.path, language),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={**(headers or {}), **problem.headers(), "Content-Language": language, "Vary": "Accept-Language"},
    )


def _language(request: Request) -> Language:
    return from_accept_language(request.headers.get("accept-language", ""))


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": Problem, "description": text(f"title_{status}", "en")} for status in statuses}


def _document(app: FastAPI) -> None:
    """Document errors under the media type that they have, and bodies that FastAPI does not read itself."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
            for operations in schema["paths"].values():
                for operation in operations.values():
                    for status, response in operation["responses"].items():
                        if int(status) >= 400:
                            response["content"] = {MEDIA_TYPE: response["content"]["application/json"]}
            schema["components"]["schemas"] |= outcomes.document(_SCHEMAS)[1]
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
