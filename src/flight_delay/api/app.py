"""The service, put together: settings in, an ASGI application out."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi_offline import FastAPIOffline
from starlette.types import ASGIApp

from flight_delay import __version__
from flight_delay.api import (
    batch_history,
    batch_routes,
    buckets,
    inference,
    invocations,
    memory,
    outcomes,
    routes,
    versions,
)
from flight_delay.api.access import Access
from flight_delay.api.batch import Batches
from flight_delay.api.batch_routes import BATCH_PATH
from flight_delay.api.drift import Drift
from flight_delay.api.exposition import Exposition
from flight_delay.api.exposition import router as metrics_router
from flight_delay.api.following import Follower
from flight_delay.api.front import Front
from flight_delay.api.invocations import INVOCATIONS_PATH
from flight_delay.api.limits import Limits
from flight_delay.api.models import ModelLoader, Policy
from flight_delay.api.predict import Predictor
from flight_delay.api.protocols import INFERENCE_FOLDER
from flight_delay.api.service import Service
from flight_delay.api.shadow import Scorer
from flight_delay.settings import Settings
from flight_delay.store.database import Lasting, database_at
from flight_delay.store.predictions import PredictionLog

ARTIFACT_FILE = "flight_delay_model.npz"


def create_app() -> ASGIApp:
    """Return the service as the settings have it; nothing is opened before it starts."""
    settings = Settings()
    database = database_at(settings.database_url)
    limits = Limits(settings.requests_per_minute)
    entries = settings.api_keys.get_secret_value()
    access = Access(Lasting(database), entries, required=settings.require_keys, limits=limits)
    service = Service(database, access, now, limits)
    exposition = Exposition(service)

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        beside = [
            asyncio.create_task(one) for one in (*await _begin(service, settings), exposition.run(settings.metrics_dir))
        ]
        try:
            yield
        finally:
            for task in beside:
                task.cancel()
            service.loader.give_up()
            await asyncio.to_thread(service.batches.close)
            await asyncio.to_thread(service.log.close)

    app: FastAPI = FastAPIOffline(
        title="flight-delay",
        version=__version__,
        summary="How late a flight will arrive",
        lifespan=running,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # its own traces tell what was asked for
    )
    largest = {
        routes.LOAD_PATH: settings.max_upload_mb * 2**20,
        routes.OUTCOMES_PATH: outcomes.MAX_BODY_BYTES,
        **dict.fromkeys((BATCH_PATH, INFERENCE_FOLDER, INVOCATIONS_PATH), settings.batch_mb * 2**20),
    }
    routes.add(app, service, largest, now)
    for router in _routers(service, settings.batch_rows, exposition):
        app.router.routes.extend(router.routes)
    slashed = frozenset(path for route in app.routes if (path := getattr(route, "path", "")).endswith("/"))
    front = Front(app, service, slashed, largest)
    if settings.traces:
        from flight_delay.api.tracing import Tracing, provider

        return Tracing(front, front.template, provider())
    return front


async def _begin(service: Service, settings: Settings) -> Iterator[Coroutine[Any, Any, None]]:
    """Give the service all that it needs to answer; return what is to run beside it."""
    live, database, metrics = service.live, service.database, service.metrics
    follower = Follower(live, service.access, database, settings.model_dir / ARTIFACT_FILE, now)
    service.follower = follower
    await follower.step()
    spool = settings.spool_dir if settings.when_away == "spool" else None
    service.log = PredictionLog(database, spool, settings.spool_mb, settings.max_waiting, metrics.committed)
    scorer = Scorer(live, database, metrics)
    service.predictor = Predictor(live, service.log if settings.keep_history else None, scorer, metrics, now)
    service.loader = ModelLoader(live, database, Policy(settings.trusted_model_sha256, settings.gate_worse_pct))
    service.batches = Batches(
        live, database, service.log, metrics, now,
        at_once=settings.batches_at_once, keep_history=settings.keep_history,
    )  # fmt: skip
    service.draining.watch(settings.drain_s)
    memory.settle()
    return iter((follower.run(), scorer.run(), Drift(live, metrics, now).run()))


def _routers(service: Service, batch_rows: int, exposition: Exposition) -> Iterator[APIRouter]:
    """Yield the routes that are not `routes`' own."""
    yield batch_routes.router(service, batch_rows)
    yield batch_history.router(service, now)
    yield versions.router(service, now)
    yield inference.router(service, batch_rows)
    yield invocations.router(service, batch_rows)
    yield buckets.router(service)
    yield metrics_router(exposition)


def now() -> dt.datetime:
    """Return the time in UTC; the service reads the clock only here."""
    return dt.datetime.now(dt.UTC)
