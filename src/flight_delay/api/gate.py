"""Whether a version may go live: not where it has been worse than the live one on flights that have arrived."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import ValidationError

from flight_delay.errors import BrokenArtifact, GateRefused, GateUnmeasured
from flight_delay.flight import Flight
from flight_delay.model import kept
from flight_delay.model.features import Horizon
from flight_delay.model.point import PointModel
from flight_delay.store import models, outcomes
from flight_delay.store.database import Connection

FEWEST_FLIGHTS = 100
"""On fewer flights that have arrived, a difference says nothing."""
MOST_FLIGHTS = 1000
REFUSALS = (GateRefused, GateUnmeasured)
_FIELDS = frozenset(Flight.model_fields)


class Arrived(NamedTuple):
    """A flight that has arrived, the day on which that was told, and its arrival delay in minutes."""

    flight: Flight
    told: dt.date
    arr_delay: float


class Side(NamedTuple):
    """One of two versions that are compared."""

    version: int
    model: kept.Model


class Verdict(NamedTuple):
    """The mean absolute errors of two versions on the same flights, in minutes."""

    candidate: float
    live: float
    flights: int


def check(connection: Connection, candidate: int, most_worse_pct: float) -> None:
    """Let a version pass that is not worse than the live one by more than so many percent.

    Where the live one cannot be read by this version of the service, and so answers nothing, any passes.

    Raises `GateRefused`, `GateUnmeasured` where neither flights that have arrived nor the models' own tests
    compare them, `NoSuchVersion`, and `BrokenArtifact` for a version that cannot be read.
    """
    live = models.live(connection)
    if live is None or live.version == candidate:
        return
    side = _side(connection, candidate)
    try:
        against = _side(connection, live.version)
    except BrokenArtifact:
        return
    verdict = measure(connection, side, against)
    if verdict.candidate > verdict.live * (1 + most_worse_pct / 100):
        raise GateRefused(candidate, live.version, *verdict, most_worse_pct)


def measure(connection: Connection, candidate: Side, live: Side) -> Verdict:
    """Compare two versions on the flights that arrived last; or by their tests, if these were on the same flights."""
    both = (candidate.model, live.model)
    flights = [one for one in arrived(connection) if all(_has_answer(model, one.flight) for model in both)]
    if len(flights) >= FEWEST_FLIGHTS:
        return Verdict(_mae(candidate.model, flights), _mae(live.model, flights), len(flights))
    own, other = map(_tested, both)
    if own is None or other is None or own[:2] != other[:2]:
        raise GateUnmeasured(candidate.version, live.version, len(flights), FEWEST_FLIGHTS)
    return Verdict(own.mae, other.mae, own.flights)


def arrived(connection: Connection) -> list[Arrived]:
    """Return the flights whose arrival was told last."""
    told = map(_arrived, outcomes.arrived(connection, MOST_FLIGHTS))
    return [one for one in told if one is not None]


def _arrived(told: outcomes.Told) -> Arrived | None:
    """Return a flight that has arrived; None for one that another version of the service took, and this would not."""
    fields = json.loads(told.outcome)
    try:
        flight = Flight.model_validate({name: value for name, value in fields.items() if name in _FIELDS})
    except ValidationError:
        return None
    return Arrived(flight, dt.datetime.fromisoformat(told.told_at).date(), float(fields["arr_delay"]))


def _side(connection: Connection, version: int) -> Side:
    return Side(version, kept.from_bytes(models.artifact(connection, version)))


class _Tested(NamedTuple):
    data_digest: str
    flights: int
    mae: float


def _tested(model: kept.Model) -> _Tested | None:
    """Return how a model did in the test of its training, once flights had left."""
    lineage = kept.lineage_of(model.manifest.lineage)
    tests = [one for one in lineage.tests if one.horizon == Horizon.DEPARTED.value]
    if not tests or lineage.data_digest is None:
        return None
    return _Tested(lineage.data_digest, tests[0].flights, tests[0].mae)


def _has_answer(model: kept.Model, flight: Flight) -> bool:
    return not isinstance(model, PointModel) or not model.needs(flight)


def _mae(model: kept.Model, flights: Sequence[Arrived]) -> float:
    return sum(abs(_minutes(model, one) - one.arr_delay) for one in flights) / len(flights)


def _minutes(model: kept.Model, one: Arrived) -> float:
    """Return the answer of a model that knows nothing of the hours before: so both are asked alike."""
    if isinstance(model, PointModel):
        return model.answer(one.flight, one.told)
    return model.answer(one.flight, one.told).minutes
