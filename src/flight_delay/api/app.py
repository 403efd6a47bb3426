"""The service, put together: settings in, an ASGI application out."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.types import ASGIApp

from flight_delay import __version__
from flight_delay.api import routes, versions
from flight_delay.api.access import Access
from flight_delay.api.following import Follower
from flight_delay.api.front import Front
from flight_delay.api.models import ModelLoader, Policy
from flight_delay.api.predict import Predictor
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
    access = Access(Lasting(database), settings.api_keys.get_secret_value(), required=settings.require_keys)
    service = Service(database, access, now)

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        follower = Follower(service.live, access, database, settings.model_dir / ARTIFACT_FILE, now)
        await follower.step()
        spool = settings.spool_dir if settings.when_away == "spool" else None
        service.log = PredictionLog(database, spool, settings.spool_mb)
        scorer = Scorer(service.live, database)
        service.predictor = Predictor(service.live, service.log, scorer, now)
        policy = Policy(settings.trusted_model_sha256, settings.gate_worse_pct)
        service.loader = ModelLoader(service.live, database, policy)
        beside = [asyncio.create_task(follower.run()), asyncio.create_task(scorer.run())]
        try:
            yield
        finally:
            for task in beside:
                task.cancel()
            service.loader.give_up()
            await asyncio.to_thread(service.log.close)

    app: FastAPI = FastAPIOffline(
        title="flight-delay",
        version=__version__,
        summary="How late a flight will arrive",
        lifespan=running,
        redirect_slashes=False,
    )
    max_upload = settings.max_upload_mb * 1024 * 1024
    routes.add(app, service, max_upload, now)
    app.router.routes.extend(versions.router(service, now).routes)
    slashed = frozenset(path for route in app.routes if (path := getattr(route, "path", "")).endswith("/"))
    return Front(app, service, slashed, max_upload)


def now() -> dt.datetime:
    """Return the time in UTC; the service reads the clock only here."""
    return dt.datetime.now(dt.UTC)
