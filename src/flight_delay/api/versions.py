"""`/model/` and below: the live model, all versions, what was live when, and how to change it."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Body, Path, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException

from flight_delay.api.errors import ProblemError, problems, refusal
from flight_delay.api.live import Loaded
from flight_delay.api.models import Wish
from flight_delay.api.service import Service
from flight_delay.errors import BrokenArtifact, FlightDelayError, NoModel
from flight_delay.flight import Whole
from flight_delay.model import kept
from flight_delay.store import models, shadows
from flight_delay.store.database import Connection, opened

T = TypeVar("T")
_LARGEST = 2**63 - 1
_Number = Annotated[int, Path(ge=1, le=_LARGEST, description="Of a version")]


class Metrics(BaseModel):
    """How a model did in the test of its training, from one horizon."""

    rmse: Annotated[float, Field(description="Minutes")]
    mae: Annotated[float, Field(description="Minutes")]
    auc_15: Annotated[float | None, Field(description="Of being 15 minutes late or more")] = None
    flights: int


class Version(BaseModel):
    """A model that was accepted."""

    version: int
    live: bool
    sha256: Annotated[str, Field(description="Of the model as it is kept")]
    source_sha256: Annotated[str, Field(description="Of the file that it was made of")]
    filename: str
    kind: Annotated[str, Field(examples=["specialists", "point"])]
    added_at: dt.datetime
    added_by: str
    data_digest: Annotated[str | None, Field(description="Of the table that it was trained on, where that is known")]
    code_version: Annotated[str | None, Field(description="Of the program that trained it, where that is known")]
    metrics: Annotated[dict[str, Metrics], Field(description="By horizon; none of a model of another's making")]
    deleted_at: dt.datetime | None = None
    deleted_by: str | None = None


class WholeVersion(Version):
    """A model, with all that is known of it."""

    horizons: list[str]
    features: dict[str, list[str]]
    lineage: Annotated[dict[str, Any], Field(description="What it was trained on, or what its examination found")]
    confined: Annotated[
        list[str] | None, Field(description="What the process that opened the file had given up; null if trained here")
    ] = None


class LiveVersion(WholeVersion):
    """The live model."""

    generation: Annotated[int, Field(description="Grows by one with every promotion")]
    promoted_at: dt.datetime
    promoted_by: str


class Versions(BaseModel):
    """Every model that was ever accepted, oldest first."""

    versions: list[Version]


class Deployment(BaseModel):
    """That a version went live."""

    generation: int
    version: int
    from_version: Annotated[int | None, Field(description="Which was live before")]
    at: dt.datetime
    action: Annotated[str, Field(examples=["training", "upload", "promotion", "rollback"])]
    by: str
    reason: str
    overruled: Annotated[str | None, Field(description="What the gate said against it")] = None


class Deployments(BaseModel):
    """What was live when, oldest first; it cannot be rewritten."""

    deployments: list[Deployment]


class Promoted(BaseModel):
    """Which version is live now."""

    version: int
    generation: int


class Promotion(BaseModel):
    """Why a version is to go live."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=500)] = ""
    force: Annotated[bool, Field(strict=True, description="Also where the gate refuses it; needs a reason")] = False

    @model_validator(mode="after")
    def _says_why(self) -> Promotion:
        if self.force and not self.reason.strip():
            raise PydanticCustomError("needs_reason", "force needs a reason", {"field": "reason"})
        return self


class ShadowWish(BaseModel):
    """Which version is to be scored beside the live one."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[Whole | None, Field(ge=1, le=_LARGEST, description="null: none")]


BODIES: dict[str, type[BaseModel]] = {"promote": Promotion, "rollback": Promotion, "shadow": ShadowWish}
"""By the last word of a path: the document of its body."""


class ErrorsOf(BaseModel):
    """How far off answers were, in minutes."""

    mae: float
    rmse: float


class Comparison(BaseModel):
    """A version's answers beside those that were given instead, on the same flights."""

    version: int
    since: dt.datetime | None
    scored: Annotated[int, Field(description="Predictions")]
    mean_difference: Annotated[float | None, Field(description="The shadow's minutes less the live model's")]
    mean_absolute_difference: float | None
    arrived: Annotated[int, Field(description="Of these, how many had their arrival told by `prediction_id`")]
    live: ErrorsOf | None
    shadow: ErrorsOf | None


class _Route(APIRoute):
    """Refuses a body that is not even text as one that is no JSON; FastAPI answers 400, which here is of uploads."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except HTTPException as error:
                if error.status_code != 400:
                    raise
                problem = type(error.__cause__).__name__
                raise ProblemError.of_fields([refusal("json_invalid", (), None, error=problem)]) from error

        return handled


def router(service: Service, now: Callable[[], dt.datetime]) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/model", tags=["versions"], route_class=_Route)
    _add_reading(routes, service)
    _add_changing(routes, service, now)
    _add_shadow(routes, service, now)
    return routes


def _add_reading(routes: APIRouter, service: Service) -> None:
    @routes.get("/", summary="Which model is live?", responses=problems(503))
    async def live() -> LiveVersion:
        return await _asked(service, _live)

    @routes.get("/versions/", summary="Which models are there?", responses=problems(503))
    async def versions() -> Versions:
        return await _asked(service, all_versions)

    @routes.get("/versions/{version}", include_in_schema=False)
    @routes.get("/versions/{version}/", summary="What is known of a model?", responses=problems(404, 422, 503))
    async def version(version: _Number) -> WholeVersion:
        return await _asked(service, lambda connection: whole_version(connection, version))

    @routes.get("/deployments/", summary="What was live when?", responses=problems(503))
    async def deployments() -> Deployments:
        return await _asked(service, all_deployments)


def _add_changing(routes: APIRouter, service: Service, now: Callable[[], dt.datetime]) -> None:
    @routes.post("/versions/{version}/promote", include_in_schema=False)
    @routes.post(
        "/versions/{version}/promote/", summary="Make a version live", responses=problems(404, 408, 409, 413, 422, 503)
    )
    async def promote(
        version: _Number, request: Request, promotion: Annotated[Promotion | None, Body()] = None
    ) -> Promoted:
        """Every process of the service answers with it from the moment that it is answered here."""
        reason, force = (promotion.reason, promotion.force) if promotion else ("", False)
        wish = Wish(request.state.caller, reason, force)
        return await _promoted(service.loader.promote(version, models.PROMOTION, wish, now()))

    @routes.post(
        "/rollback/", summary="Make the version before live again", responses=problems(408, 409, 413, 422, 503)
    )
    async def rollback(request: Request, promotion: Annotated[Promotion | None, Body()] = None) -> Promoted:
        """Go back to what was live before the live version was promoted; asked again, it goes further back."""
        wish = Wish(request.state.caller, promotion.reason if promotion else "")
        return await _promoted(service.loader.roll_back(wish, now()))

    @routes.delete("/versions/{version}", include_in_schema=False)
    @routes.delete(
        "/versions/{version}/", summary="Delete a version that is not live", responses=problems(404, 409, 422, 503)
    )
    async def delete(version: _Number, request: Request) -> Response:
        """Its record stays, with who deleted it; the same file sent again brings it back."""
        await _asked(service, lambda one: models.delete(one, version, request.state.caller, now()))
        return Response(status_code=204)


def _add_shadow(routes: APIRouter, service: Service, now: Callable[[], dt.datetime]) -> None:
    @routes.post("/shadow/", summary="Score a version beside the live one", responses=problems(404, 408, 413, 422, 503))
    async def set_shadow(wish: ShadowWish, request: Request) -> ShadowWish:
        """Score it on a sample of the predictions, after they were answered; nobody waits for it."""
        await _asked(service, lambda one: shadows.set_shadow(one, wish.version, request.state.caller, now()))
        with suppress(FlightDelayError):  # it is set, and each process takes it up when it can
            await service.live.follow()
        return wish

    @routes.get("/shadow/", summary="How does the scored version compare?", responses=problems(404, 503))
    async def shadow() -> Comparison:
        found = await _asked(service, comparison)
        if found is None:
            raise ProblemError(404, "no_shadow")
        return found

    @routes.get("/shadow/{version}", include_in_schema=False)
    @routes.get("/shadow/{version}/", summary="How did a version compare?", responses=problems(404, 422, 503))
    async def compared(version: _Number) -> Comparison:
        found = await _asked(service, lambda connection: comparison(connection, version))
        assert found is not None, "only what is not there has no comparison"
        return found


def all_versions(connection: Connection) -> Versions:
    """Return every model that was ever accepted."""
    live = models.live(connection)
    return Versions(versions=[Version(**_described(one, live)) for one in models.versions(connection)])


def whole_version(connection: Connection, number: int) -> WholeVersion:
    """Return what is known of one of them; raises `NoSuchVersion`."""
    return WholeVersion(**_described(models.version(connection, number), models.live(connection)))


def all_deployments(connection: Connection) -> Deployments:
    """Return what was live when."""
    told = models.deployments(connection)
    before = [None, *(one.version for one in told)]
    return Deployments(
        deployments=[
            Deployment(
                generation=one.generation,
                version=one.version,
                from_version=previous,
                at=one.promoted_at,
                action=one.action,
                by=one.promoted_by,
                reason=one.reason,
                overruled=one.overruled,
            )
            for one, previous in zip(told, before, strict=False)
        ]
    )


def comparison(connection: Connection, version: int | None = None) -> Comparison | None:
    """Return how a version compared, or the one that is scored now, None where none is; raises `NoSuchVersion`."""
    scored = shadows.current(connection)
    number = version if version is not None else scored and scored.version
    if number is None:
        return None
    models.version(connection, number)
    found = shadows.comparison(connection, number)
    return Comparison(
        version=number,
        since=scored.since if scored is not None and scored.version == number else None,
        scored=found.scored,
        mean_difference=found.mean_difference,
        mean_absolute_difference=found.mean_absolute_difference,
        arrived=found.arrived,
        live=found.live and ErrorsOf(**found.live._asdict()),
        shadow=found.shadow and ErrorsOf(**found.shadow._asdict()),
    )


async def _asked(service: Service, ask: Callable[[Connection], T]) -> T:
    """Return what the database answers; raises `ProblemError`."""

    def answer() -> T:
        with opened(service.database) as connection:
            return ask(connection)

    try:
        return await asyncio.to_thread(answer)
    except FlightDelayError as error:
        raise ProblemError.of(error) from error


async def _promoted(change: Awaitable[Loaded]) -> Promoted:
    try:
        live = (await change).live
    except BrokenArtifact as error:  # asked again it is no better
        raise ProblemError(409, error.key, **error.facts) from error
    except FlightDelayError as error:
        raise ProblemError.of(error) from error
    return Promoted(version=live.version, generation=live.generation)


def _live(connection: Connection) -> LiveVersion:
    deployed = models.deployments(connection)
    if not deployed:
        raise NoModel
    newest = deployed[-1]
    whole = whole_version(connection, newest.version).model_dump()
    return LiveVersion(
        **whole, generation=newest.generation, promoted_at=newest.promoted_at, promoted_by=newest.promoted_by
    )


def _described(version: models.Version, live: models.Live | None) -> dict[str, Any]:
    """Return the documented facts of a version; the model of a service of before told none."""
    facts = {"kind": "", "horizons": [], "features": {}, "lineage": {}} | json.loads(version.facts)
    lineage = kept.lineage_of(facts["lineage"])
    return {
        **version._asdict(),
        **facts,
        "live": live is not None and live.version == version.version,
        "data_digest": lineage.data_digest,
        "code_version": lineage.code_version,
        "metrics": {one.horizon: one.model_dump(include=set(Metrics.model_fields)) for one in lineage.tests},
    }
