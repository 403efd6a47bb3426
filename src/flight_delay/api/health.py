"""Whether the service lives, and whether it can answer."""

from __future__ import annotations

from pydantic import BaseModel, Field

from flight_delay.api.errors import ProblemError
from flight_delay.api.live import LiveModel
from flight_delay.errors import FlightDelayError


class Health(BaseModel):
    """The process answers."""

    status: str = Field(examples=["API está funcionando corretamente"])


class Readiness(BaseModel):
    """The process has a model and a database."""

    status: str = Field(examples=["Pronta para prever"])
    model_version: int
    database: str = Field(examples=["ok"])


async def ready_version(live: LiveModel) -> int:
    """Return the version of the live model; raises `ProblemError` (503) without a model or a database."""
    try:
        return (await live.follow()).live.version
    except FlightDelayError as error:
        raise ProblemError.of(error) from error
