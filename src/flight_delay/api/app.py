"""The service, put together: settings in, an ASGI application out."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.types import ASGIApp

from flight_delay import __version__
from flight_delay.api import routes
from flight_delay.api.front import Front
from flight_delay.api.live import LiveModel
from flight_delay.api.models import ModelLoader, adopt
from flight_delay.api.predict import Predictor
from flight_delay.errors import FlightDelayError
from flight_delay.settings import Settings
from flight_delay.store.predictions import PredictionLog
from flight_delay.store.schema import migrate

ARTIFACT_FILE = "flight_delay_model.npz"
_log = logging.getLogger("uvicorn.error")


def create_app() -> ASGIApp:
    """Return the service as the settings have it; nothing is opened before it starts."""
    settings = Settings()
    service = routes.Service(settings.database_path)

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(migrate, settings.database_path)
        await _take_up(service.live, settings)
        log = PredictionLog(settings.database_path)
        service.predictor = Predictor(service.live, log, now)
        service.loader = ModelLoader(
            service.live, settings.database_path, settings.model_dir, settings.trusted_model_sha256
        )
        try:
            yield
        finally:
            await asyncio.to_thread(log.close)

    app: FastAPI = FastAPIOffline(
        title="flight-delay",
        version=__version__,
        summary="How late a flight will arrive",
        lifespan=running,
        redirect_slashes=False,
    )
    max_upload = settings.max_upload_mb * 1024 * 1024
    routes.add(app, service, max_upload, now)
    slashed = frozenset(path for route in app.routes if (path := getattr(route, "path", "")).endswith("/"))
    return Front(app, service, slashed, max_upload)


def now() -> dt.datetime:
    """Return the time in UTC; the service reads the clock only here."""
    return dt.datetime.now(dt.UTC)


async def _take_up(live: LiveModel, settings: Settings) -> None:
    """Load the live model. A broken file or none keeps the service from being ready, not from starting."""
    try:
        await asyncio.to_thread(adopt, settings.database_path, settings.model_dir / ARTIFACT_FILE, now())
        await live.follow()
    except FlightDelayError as error:
        _log.warning("not ready: %s", error)
