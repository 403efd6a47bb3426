"""`DELETE /model/history/`: taking predictions out of the history, and the record of what was taken."""

from __future__ import annotations

import datetime as dt
import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from flight_delay.api.errors import ProblemError
from flight_delay.api.history import LARGEST_ID, Instant, RequestId
from flight_delay.errors import StoreUnavailable
from flight_delay.store import retention
from flight_delay.store.database import Database, opened
from flight_delay.store.retention import Chosen

MOST_IDS = 1000
Id = Annotated[int, Field(ge=1, le=LARGEST_ID, description="`X-Prediction-Id` of the answer")]


def _parted(given: Any) -> Any:
    return [part for text in given for part in text.split(",")] if isinstance(given, list) else given


class Asked(BaseModel):
    """Which predictions are to be deleted: exactly one of these says it."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[
        list[Id] | None,
        BeforeValidator(_parted),
        Field(max_length=MOST_IDS, description="Those of these ids; repeated, or separated by commas"),
    ] = None
    request_id: RequestId | None = None
    until: Annotated[
        Instant | None, Field(description="All that were answered before this instant; a date begins in UTC")
    ] = None

    def chosen(self) -> Chosen:
        """Return what is chosen; raises `ProblemError` (422) where that is nothing, or is said in two ways."""
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ProblemError(422, "one_criterion", known=", ".join(Asked.model_fields))
        return Chosen(tuple(self.id or ()), self.request_id, self.until)


class Deleted(BaseModel):
    """Predictions were deleted."""

    deleted: Annotated[int, Field(description="How many, those of batches among them", examples=[1])]


class Deletion(BaseModel):
    """That predictions were deleted in one transaction."""

    id: int
    deleted_at: dt.datetime
    deleted_by: str
    criteria: Annotated[
        dict[str, Any],
        Field(description="By what they were chosen: `id`, `batch`, `until`, or the SHA-256 of the `request_id`"),
    ]
    deleted: Annotated[int, Field(description="How many, those of batches among them")]
    batches: Annotated[int, Field(description="How many batches they were in, those that were in one")] = 0


class Deletions(BaseModel):
    """The record of deletions, oldest first."""

    deletions: list[Deletion]


async def delete(database: Database, chosen: Chosen, by: str, now: dt.datetime) -> Deleted:
    """Delete what is chosen; raises `ProblemError` (503) without a database, what was deleted before then is."""
    batches = retention.delete(database, chosen, by, now)
    deleted = 0
    try:
        while (batch := await run_in_threadpool(next, batches, None)) is not None:
            deleted += batch
    except StoreUnavailable as error:
        raise ProblemError.of(error) from error
    return Deleted(deleted=deleted)


async def delete_one(database: Database, number: int, by: str, now: dt.datetime) -> Deleted:
    """Delete a prediction; raises `ProblemError`: 404 where there is none of that id, 503 without a database."""
    done = await delete(database, Chosen((number,)), by, now)
    if not done.deleted:
        raise ProblemError(404, "no_prediction", id=number)
    return done


def record(database: Database) -> Deletions:
    """Return the record; raises `ProblemError` (503) without a database."""
    try:
        with opened(database) as connection:
            kept = retention.deletions(connection)
    except StoreUnavailable as error:
        raise ProblemError.of(error) from error
    return Deletions(deletions=[_shown(one) for one in kept])


def _shown(kept: retention.Deletion) -> Deletion:
    return Deletion(
        id=kept.id,
        deleted_at=dt.datetime.fromisoformat(kept.deleted_at),
        deleted_by=kept.deleted_by,
        criteria=json.loads(kept.criteria),
        deleted=kept.predictions,
        batches=kept.batches,
    )
