"""Whether the service lives, and whether it can answer."""

from __future__ import annotations

import asyncio
from typing import Literal

from pydantic import BaseModel, Field

from flight_delay.api.access import KEYS, OPEN
from flight_delay.api.errors import ProblemError
from flight_delay.api.service import Service
from flight_delay.errors import FlightDelayError, StoreUnavailable
from flight_delay.messages import Language, text
from flight_delay.store.database import prove_writable


class Health(BaseModel):
    """The process answers."""

    status: str = Field(examples=["API está funcionando corretamente"])


class Readiness(BaseModel):
    """The process has a model and a database, or spools while the database is away."""

    status: str = Field(examples=["Pronta para prever"])
    model_version: int
    database: Literal["ok", "spooling"] = Field(
        description="`spooling`: the database is away, and predictions are kept on the local disk until it is back"
    )
    access: str = Field(examples=[OPEN, KEYS], description="Whether requests need a key")


async def readiness(service: Service, language: Language) -> Readiness:
    """Say that the process can answer.

    Raises `ProblemError` (503) without a model, without a database, with one that takes no rows, without a key
    where keys are required, and once the process was told to end.
    """
    if service.draining.begun:
        raise ProblemError(503, "draining")
    log, database = service.log, "ok"
    try:
        await _follow(service)
        if log.problem is not None:
            await asyncio.to_thread(prove_writable, service.database)
    except StoreUnavailable as error:
        if not log.spools or service.live.current is None:
            raise ProblemError.of(error) from error
        database = "spooling"
    except FlightDelayError as error:
        raise ProblemError.of(error) from error
    assert service.live.current is not None, "else it has raised"
    return Readiness(
        status=text("ready" if database == "ok" else "ready_spooling", language),
        model_version=service.live.current.live.version,
        database=database,
        access=service.access.state,
    )


async def _follow(service: Service) -> None:
    await service.access.follow()
    service.access.prove_usable()
    await service.live.follow()
