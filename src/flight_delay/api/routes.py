"""The routes, their documentation, and the errors that they answer."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Annotated, Any

from fastapi import Depends, FastAPI, File, Query, Request, Response, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from flight_delay.api import access, export, health, history, include, outcomes, protocols, retention, versions
from flight_delay.api.answer import Answered
from flight_delay.api.errors import BODY_PROBLEMS, MEDIA_TYPE, ProblemError, problems
from flight_delay.api.models import Wish
from flight_delay.api.predict import MAX_BODY_BYTES, reply
from flight_delay.api.protocols import INFERENCE_FOLDER
from flight_delay.api.service import Service
from flight_delay.errors import FlightDelayError
from flight_delay.flight import Flight
from flight_delay.messages import Language, from_accept_language, text

PREDICT_PATH = "/model/predict/"
LOAD_PATH = "/model/load/"
OUTCOMES_PATH = "/model/outcomes/"
HISTORY_PATH = "/model/history/"
_SCHEMAS = "#/components/schemas/{model}"
_log = logging.getLogger("uvicorn.error")


class Loaded(BaseModel):
    """A model was loaded."""

    status: str = Field(examples=["Modelo carregado com sucesso"])


def add(app: FastAPI, service: Service, largest: Mapping[str, int], now: Callable[[], dt.datetime]) -> None:
    """Give the application its routes and its errors; `largest` is how many bytes a body may have, by path."""

    @app.get("/health/", tags=["health"], summary="Is the process alive?")
    async def alive(request: Request) -> health.Health:
        return health.Health(status=text("healthy", _language(request)))

    @app.get("/health/ready/", tags=["health"], summary="Can it answer predictions?", responses=problems(503))
    async def ready(request: Request) -> health.Readiness:
        return await health.readiness(service, _language(request))

    @app.post(
        LOAD_PATH,
        tags=["model"],
        summary="Make a model file the live model",
        responses=problems(400, 408, 409, 413, 415, 422, 503),
    )
    async def load(
        request: Request, response: Response, file: Annotated[UploadFile, File()], promote: bool = True
    ) -> Loaded:
        """Take a `.joblib` or `.pkl` with a scikit-learn or LightGBM regressor; `promote=false` only keeps it.

        Nothing in the file is run here: a confined process examines it, converts it to a form that executes
        nothing, and proves that this answers alike. The header `Location` leads to its version.
        """
        if len((await request.form()).getlist("file")) > 1:
            raise ProblemError(422, "one_file")
        wish = Wish(request.state.caller, f"upload of {file.filename}")
        version = await service.loader.load(file.filename or "", file.file, wish, now(), promote=promote)
        response.headers["Location"] = f"/model/versions/{version}/"
        return Loaded(status=text("model_loaded", _language(request)))

    _add_history(app, service)
    _add_retention(app, service, now)
    _add_predict(app, service)
    _add_outcomes(app, service, now)
    _add_errors(app, largest)
    _document(app, service.access)


def _add_history(app: FastAPI, service: Service) -> None:
    files = {form.media_type: {"schema": {"type": "string"}} for form in export.FORMS}

    @app.get(
        HISTORY_PATH,
        tags=["model"],
        summary="Which predictions were answered?",
        response_model=history.History,
        responses={200: {"content": files}, **problems(406, 422, 503)},
    )
    async def past(request: Request, page: Annotated[history.Page, Query()]) -> Response:
        """List the newest, oldest first; the header `Link` leads to the pages before and after.

        With `Accept: text/csv` or `application/x-ndjson` all come that the filters let pass.
        """
        form = export.form_of(",".join(request.headers.getlist("accept")))
        with suppress(FlightDelayError):  # for the header that says which model is live, where one is
            await service.live.follow()
        headers = {"Vary": "Accept"}
        if form:
            return await export.response(service.database, page, form, headers)
        kept = await asyncio.to_thread(history.read, service.database, page)
        headers["Link"] = history.links(request.url.path, kept, page)
        return Response(history.body(kept), media_type="application/json", headers=headers)


def _add_retention(app: FastAPI, service: Service, now: Callable[[], dt.datetime]) -> None:
    @app.delete(
        HISTORY_PATH, tags=["model"], summary="Delete predictions from the history", responses=problems(422, 503)
    )
    async def forget(request: Request, asked: Annotated[retention.Asked, Query()]) -> retention.Deleted:
        """Delete by exactly one criterion; that it was done is recorded, and what is deleted is gone."""
        return await retention.delete(service.database, asked.chosen(), request.state.caller, now())

    one = f"{HISTORY_PATH}{{id:int}}"

    @app.delete(one, include_in_schema=False)
    @app.delete(
        f"{one}/", tags=["model"], summary="Delete a prediction from the history", responses=problems(404, 422, 503)
    )
    async def forget_one(request: Request, id: retention.Id) -> retention.Deleted:  # noqa: A002 - the name in the path
        return await retention.delete_one(service.database, id, request.state.caller, now())

    @app.get(
        f"{HISTORY_PATH}deletions/",
        tags=["model"],
        summary="What was deleted from the history, when and by whom?",
        responses=problems(503),
    )
    async def forgotten() -> retention.Deletions:
        """List the deletions, oldest first. One of many predictions is done, and recorded, in several transactions."""
        return await asyncio.to_thread(retention.record, service.database)


def _add_predict(app: FastAPI, service: Service) -> None:
    @app.post(
        PREDICT_PATH,
        tags=["model"],
        summary="How late will this flight arrive?",
        response_model=Answered,
        response_model_exclude_unset=True,
        responses=problems(408, 413, 422, 503),
        openapi_extra={"parameters": [_INCLUDE]},
    )
    async def predict(flight: Flight, request: Request, asked: Annotated[frozenset[str], Depends(_asked)]) -> Response:
        """Answer by the horizon `departed` where `dep_delay` is given; else `pre_departure` or `schedule`.

        It is `pre_departure` where the service has lately been told of departures from the origin
        (`POST /model/outcomes/`). The history has the answer before it is sent.
        """
        answer = await service.predictor.answer(flight, request.state.request_id, asked)
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
        responses=problems(408, 413, 422, 503),
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}},
    )
    async def tell(request: Request) -> outcomes.Accepted:
        """Keep outcomes, all or none; every process of the service answers by them within a second."""
        accepted = await asyncio.to_thread(outcomes.record, service.database, await request.body(), now())
        service.metrics.told(accepted)
        with suppress(FlightDelayError):  # they are kept; that no model is there to be told of them, readiness says
            await service.live.follow()
        return outcomes.Accepted(accepted=accepted)


def largest_body(path: str, largest: Mapping[str, int]) -> int:
    """Return how many bytes a body for a path may have."""
    return largest.get(INFERENCE_FOLDER if path.startswith(INFERENCE_FOLDER) else path, MAX_BODY_BYTES)


def _add_errors(app: FastAPI, largest: Mapping[str, int]) -> None:
    @app.exception_handler(ProblemError)
    async def refused(request: Request, error: ProblemError) -> Response:
        return _response(request, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        if any(item["loc"] == ("body", "file") and item["type"] == "value_error" for item in error.errors()):
            return _response(request, ProblemError(422, "malformed_upload"))
        parameters = any(item["loc"][0] == "query" for item in error.errors())
        of_query = retention.Asked if request.method == "DELETE" else history.Page
        of_body = versions.BODIES.get(request.url.path.rstrip("/").rpartition("/")[2], Flight)
        known_fields = tuple((of_query if parameters else of_body).model_fields)
        return _response(request, ProblemError.of_fields(map(_placed, error.errors()), known_fields))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        path = request.url.path
        if error.status_code == 404:
            problem = ProblemError(404, "no_route", path=path)
        elif error.status_code == 405:
            allowed = _allowed(app, request)
            problem = ProblemError(405, "wrong_method", path=path, method=request.method, allowed=allowed)
            return _response(request, problem, {"Allow": allowed})
        elif error.status_code in BODY_PROBLEMS:
            problem = ProblemError(
                error.status_code, BODY_PROBLEMS[error.status_code], limit=largest_body(path, largest)
            )
        else:
            problem = ProblemError(400, "malformed_upload")
        return _response(request, problem, error.headers)

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        _log.error("request %s failed", request.state.request_id, exc_info=error)
        return _response(request, ProblemError(500, "internal"))


def _allowed(app: FastAPI, request: Request) -> str:
    """Return the methods of all routes that a path has; Starlette names those of the first one."""
    found = [getattr(route, "methods", ()) for route in app.routes if route.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for methods in found for method in methods}))


def _placed(error: Any) -> Any:
    """Return an error placed within the body or the query that FastAPI says it is of."""
    return {**error, "loc": error["loc"][1:]}


def _response(request: Request, problem: ProblemError, headers: Any = None) -> Response:
    language = _language(request)
    request.state.problem = problem.key  # for the log and the metrics
    said = protocols.said(problem, request.url.path, language)
    return Response(
        said.body,
        status_code=said.status,
        media_type=said.media_type,
        headers={**(headers or {}), **problem.headers(), "Content-Language": language, "Vary": "Accept-Language"},
    )


def _language(request: Request) -> Language:
    return from_accept_language(request.headers.get("accept-language", ""))


def _document(app: FastAPI, known: access.Access) -> None:
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
            access.document(schema)
            protocols.document(schema["paths"])
            app.openapi_schema = schema
        app.openapi_schema["info"]["description"] = text(f"described_{known.state}", "en")
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
