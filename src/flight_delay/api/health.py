"""Whether the service lives, and whether it can answer."""

from __future__ import annotations

import asyncio

from pydantic import BaseModel, Field

from flight_delay.api.errors import ProblemError
from flight_delay.api.live import LiveModel
from flight_delay.errors import FlightDelayError
from flight_delay.store.database import Database, prove_writable
from flight_delay.store.predictions import PredictionLog


class Health(BaseModel):
    """The process answers."""

    status: str = Field(examples=["API está funcionando corretamente"])


class Readiness(BaseModel):
    """The process has a model and a database."""

    status: str = Field(examples=["Pronta para prever"])
    model_version: int
    database: str = Field(examples=["ok"])


async def ready_version(live: LiveModel, log: PredictionLog, database: Database) -> int:
    """Return the version of the live model.

    Raises `ProblemError` (503) without a model, without a database, and with one that takes no rows.
    """
    try:
        loaded = await live.follow()
        if log.problem is not None:
            await asyncio.to_thread(prove_writable, database)
    except FlightDelayError as error:
        raise ProblemError.of(error) from error
    return loaded.live.version
