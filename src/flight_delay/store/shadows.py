"""A version that is scored beside the live one on real traffic, and how the two compare."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import NamedTuple

from flight_delay.errors import NoSuchVersion
from flight_delay.store.database import Connection, transaction


class Shadow(NamedTuple):
    """Which version is scored, since when (ISO 8601 in UTC), and who wished so."""

    version: int
    since: str
    set_by: str


class Scored(NamedTuple):
    """What the shadow would have answered to a prediction."""

    prediction_id: int
    model_version: int
    minutes: float


class Errors(NamedTuple):
    """How far off predictions were, in minutes."""

    mae: float
    rmse: float


class Comparison(NamedTuple):
    """A shadow's answers beside those that were given; differences are the shadow's less the live one's, minutes."""

    scored: int
    mean_difference: float | None
    mean_absolute_difference: float | None
    arrived: int
    """Of the predictions that were scored, those of which `prediction_id` told the arrival delay."""
    live: Errors | None
    shadow: Errors | None


def set_shadow(connection: Connection, version: int | None, by: str, now: dt.datetime) -> None:
    """Score a version from now on, or none; raises `NoSuchVersion`."""
    with transaction(connection):
        if version is not None and not connection.query(
            "SELECT 1 FROM models WHERE version = ? AND deleted_at IS NULL", (version,)
        ):
            raise NoSuchVersion(version)
        connection.change(
            "INSERT INTO shadows (version, since, set_by) VALUES (?, ?, ?)", (version, now.isoformat(), by)
        )


def current(connection: Connection) -> Shadow | None:
    """Return which version is scored, None where none is, or where it was deleted."""
    rows = connection.query(
        "SELECT shadows.version, since, set_by FROM shadows JOIN models ON models.version = shadows.version "
        "WHERE shadows.id = (SELECT max(id) FROM shadows) AND deleted_at IS NULL"
    )
    return Shadow(*rows[0]) if rows else None


def keep(connection: Connection, scored: Sequence[Scored]) -> None:
    """Keep what a shadow would have answered."""
    with transaction(connection):
        connection.insert(
            "INSERT INTO shadow_predictions (prediction_id, model_version, prediction) VALUES (?, ?, ?)", scored
        )


def comparison(connection: Connection, version: int) -> Comparison:
    """Return how a version's answers compare with those that were given instead."""
    [(scored, mean, absolute)] = connection.query(
        "SELECT count(*), avg(s.prediction - p.prediction), avg(abs(s.prediction - p.prediction)) "
        "FROM shadow_predictions AS s JOIN predictions AS p ON p.id = s.prediction_id WHERE s.model_version = ?",
        (version,),
    )
    delay = "CAST(o.outcome ->> 'arr_delay' AS DOUBLE PRECISION)"
    [(arrived, *errors)] = connection.query(
        f"SELECT count(*), avg(abs(p.prediction - {delay})), avg((p.prediction - {delay}) * (p.prediction - {delay})), "
        f"avg(abs(s.prediction - {delay})), avg((s.prediction - {delay}) * (s.prediction - {delay})) "
        "FROM shadow_predictions AS s JOIN predictions AS p ON p.id = s.prediction_id "
        "JOIN (SELECT max(id) AS id, prediction_id FROM outcomes WHERE outcome ->> 'arr_delay' IS NOT NULL "
        "GROUP BY prediction_id) AS newest ON newest.prediction_id = s.prediction_id "
        "JOIN outcomes AS o ON o.id = newest.id WHERE s.model_version = ?",
        (version,),
    )
    live, shadow = _errors(*errors[:2]), _errors(*errors[2:])
    return Comparison(scored, mean, absolute, arrived, live, shadow)


def _errors(mae: float | None, squared: float | None) -> Errors | None:
    return None if mae is None or squared is None else Errors(mae, math.sqrt(squared))
