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
from flight_delay.errors import FlightDelayError, StoreUnavailable
from flight_delay.settings import Settings
from flight_delay.store.predictions import PredictionLog
from flight_delay.store.schema import migrate

ARTIFACT_FILE = "flight_delay_model.npz"
_RETRY_S = 2.0
_log = logging.getLogger("uvicorn.error")


def create_app() -> ASGIApp:
    """Return the service as the settings have it; nothing is opened before it starts."""
    settings = Settings()
    service = routes.Service(settings.database_path)

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        retrying = (
            None if await _take_up(service.live, settings) else asyncio.create_task(_retry(service.live, settings))
        )
        service.log = PredictionLog(settings.database_path)
        service.predictor = Predictor(service.live, service.log, now)
        service.loader = ModelLoader(
            service.live, settings.database_path, settings.model_dir, settings.trusted_model_sha256
        )
        try:
            yield
        finally:
            if retrying is not None:
                retrying.cancel()
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
    slashed = frozenset(path for route in app.routes if (path := getattr(route, "path", "")).endswith("/"))
    return Front(app, service, slashed, max_upload)


def now() -> dt.datetime:
    """Return the time in UTC; the service reads the clock only here."""
    return dt.datetime.now(dt.UTC)


async def _take_up(live: LiveModel, settings: Settings) -> bool:
    """Make the database ready and load the live model; return whether there is a database.

    Neither a database that cannot be used nor a broken file keeps the service from starting: it is
    not ready, and says why.
    """
    try:
        await asyncio.to_thread(migrate, settings.database_path)
    except StoreUnavailable as error:
        _log.warning("not ready: %s", error)
        return False
    try:
        await asyncio.to_thread(adopt, settings.database_path, settings.model_dir / ARTIFACT_FILE, now())
    except FlightDelayError as error:
        _log.warning("%s was not taken up: %s", settings.model_dir / ARTIFACT_FILE, error)
    try:
        await live.follow()
    except FlightDelayError as error:
        _log.warning("not ready: %s", error)
    return True


async def _retry(live: LiveModel, settings: Settings) -> None:
    """Go on trying, until there is a database."""
    await asyncio.sleep(_RETRY_S)
    while not await _take_up(live, settings):
        await asyncio.sleep(_RETRY_S)
