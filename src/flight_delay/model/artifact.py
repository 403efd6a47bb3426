"""A trained model in a form that executes nothing: arrays and a manifest, in one `.npz`.

Members: `manifest` (JSON, as bytes), the habits of the network, and for each specialist the arrays of its
trees, of the paths to their leaves, and of its residuals. Reading it never unpickles.
"""

from __future__ import annotations

import datetime as dt
import functools
import io
import json
import math
import operator
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flight_delay.airports import Airport
from flight_delay.errors import BrokenArtifact
from flight_delay.flight import date_of
from flight_delay.model import explain
from flight_delay.model.any_flight import AnyFlight
from flight_delay.model.distribution import PERCENTS, Probabilities, Residuals
from flight_delay.model.features import (
    Codes,
    Feature,
    Horizon,
    Specialist,
    computes_of,
    features_of,
    leg_of,
    situation,
)
from flight_delay.model.flight_columns import Coded, FlightColumns
from flight_delay.model.habits import Habits
from flight_delay.model.matrix import Floats, habits, situations, values_of_many
from flight_delay.model.means import INBOUND, MEANS
from flight_delay.model.network_state import NOTHING_RECALLED, Habit, NetworkState
from flight_delay.model.trees import Paths, Trees

FORMAT = 2
AHEAD_WITHIN_MIN = 240.0
"""What goes on now is asked of a flight up to so long before its own cut-off; earlier, it belongs to `schedule`."""
_ZIP = b"PK\x03\x04"
_FEW = 32
"""So many flights are answered sooner one by one than as columns."""
_BESIDE_LOCATION = 2
"""Heads of an expert's trees: the locations, then the logarithm of the scale, then the log-odds of not arriving."""


class Manifest(NamedTuple):
    """What a model was made of: the digest of its `.joblib`, and where it comes from."""

    source_sha256: str
    lineage: dict[str, Any]


@dataclass(frozen=True)
class Expert:
    """A specialist's part of a model."""

    trees: Trees
    paths: Paths
    residuals: Residuals
    strangeness: float

    def __post_init__(self) -> None:
        if self.locations < 1 or not (math.isfinite(self.strangeness) and self.strangeness >= 1.0):
            raise BrokenArtifact("an expert has no location, or no strangeness")
        explain.check(self.trees, self.paths, self.locations)

    @property
    def locations(self) -> int:
        """How many heads answer the minutes, with their mean."""
        return len(self.trees.heads) - _BESIDE_LOCATION


class Answer(NamedTuple):
    """What a model says of one flight."""

    specialist: Specialist
    minutes: float
    """Of arrival delay, negative is early."""
    scale: float
    cancelled: float
    residuals: Residuals
    values: list[float]
    """Of the specialist's features."""
    known_delay: float
    """What of the minutes is no prediction: the departure delay, or 0."""

    @property
    def horizon(self) -> Horizon:
        """The moment that it is for."""
        return self.specialist.horizon

    @property
    def told(self) -> bool:
        """Whether it counts what was heard lately of flights from the origin."""
        return self.specialist.sees_network

    def quantiles(self, percents: Sequence[float] = PERCENTS) -> list[float]:
        """Return minutes; they never cross."""
        found: list[float] = self.residuals.quantiles(self.minutes, self.scale, percents).tolist()
        return found

    def probabilities(self) -> Probabilities:
        """Return the chances, that of being cancelled among them."""
        return Probabilities(*map(float, self.residuals.probabilities(self.minutes, self.scale, self.cancelled)))


class Point(NamedTuple):
    """The minutes that a model answers of a flight, and who in it does."""

    minutes: float
    specialist: Specialist

    @property
    def horizon(self) -> Horizon:
        """The moment that it is for."""
        return self.specialist.horizon

    @property
    def told(self) -> bool:
        """Whether it counts what was heard lately of flights from the origin."""
        return self.specialist.sees_network


class Moved(NamedTuple):
    """A feature, its value, and by how many minutes it moved an answer."""

    feature: Feature
    value: float
    minutes: float


class Explained(NamedTuple):
    """An answer taken apart: what is answered when nothing is known, and what each feature adds; largest first."""

    base: float
    moved: list[Moved]


@dataclass(frozen=True)
class Artifact:
    """A model that answers; its answers equal the pipeline's own."""

    manifest: Manifest
    codes: Codes
    habits: Sequence[Habit]
    experts: Mapping[Specialist, Expert]

    def state(self) -> NetworkState:
        """Return the network as it was when the model had learnt, to be told what has happened since."""
        return NetworkState(self.habits)

    @cached_property
    def at_rest(self) -> NetworkState:
        """The network of whom nothing is heard."""
        return self.state()

    def answer(
        self, flight: AnyFlight, today: dt.date, state: NetworkState | None = None, now: float = math.inf
    ) -> Answer:
        """Answer one flight.

        `today` is what a flight without a year is understood from, `state` what the network has been doing
        lately, where that is known, and `now` the minute (UTC, since 1970) at which it is asked.
        """
        specialist, row = self._asked(flight, today, state, now)
        expert = self.experts[specialist]
        *locations, log_scale, log_odds = expert.trees.predict(row)
        known_delay = flight.dep_delay or 0.0
        return Answer(
            specialist=specialist,
            minutes=mean(locations) + known_delay,
            scale=math.exp(log_scale) * (expert.strangeness if self.is_strange(flight) else 1.0),
            cancelled=1.0 / (1.0 + math.exp(-log_odds)),
            residuals=expert.residuals,
            values=row,
            known_delay=known_delay,
        )

    def point(
        self, flight: AnyFlight, today: dt.date, state: NetworkState | None = None, now: float = math.inf
    ) -> Point:
        """Answer the minutes of one flight and nothing else: those of `answer`."""
        specialist, row = self._asked(flight, today, state, now)
        expert = self.experts[specialist]
        minutes = mean(expert.trees.predict_heads(row, expert.locations)) + (flight.dep_delay or 0.0)
        return Point(minutes, specialist)

    def minutes(
        self, flights: FlightColumns, today: dt.date, state: NetworkState | None = None, now: float = math.inf
    ) -> Floats:
        """Answer the minutes of many flights, each as `point` does."""
        if len(flights) <= _FEW:
            return self._one_by_one(flights, today, state, now)
        result = np.empty(len(flights))
        told = self._told(flights.codes["origin"], state)
        departed = ~np.isnan(flights.numbers["dep_delay"])
        for specialist, asked in ((Specialist.DEPARTED_ALONE, departed), (Specialist.SCHEDULE, ~departed)):
            mine = asked & ~told
            if mine.all():
                return self._minutes(specialist, flights, today, state or self.at_rest)
            if mine.any():
                result[mine] = self._minutes(specialist, flights.take(mine), today, state or self.at_rest)
        result[told] = self._one_by_one(flights.take(told), today, state, now)
        return result

    def _asked(
        self, flight: AnyFlight, today: dt.date, state: NetworkState | None, now: float
    ) -> tuple[Specialist, list[float]]:
        """Return who answers a flight, and the features that are seen of it."""
        date = date_of(flight.year, flight.month, flight.day, today)
        recalled, fresh = NOTHING_RECALLED, False
        if state is not None and state.is_told_of(flight.origin):
            leg = leg_of(flight, date, self.codes)
            horizon = Horizon.PRE_DEPARTURE if flight.dep_delay is None else Horizon.DEPARTED
            cut_off = _known_until(horizon.cut_off(leg.sched_dep, leg.dep), now)
            if state.is_fresh(flight.origin, cut_off):
                recalled = state.recall(leg, cut_off)
                fresh = recalled.fresh
        specialist = Specialist.of(flight, fresh=fresh)
        if specialist is Specialist.SCHEDULE:
            known = state or self.at_rest
            recalled = known.recall_habits(flight.carrier, flight.flight, flight.origin, flight.dest)
        seen = situation(flight, date, self.codes, recalled)
        return specialist, [compute(seen) for compute in computes_of(specialist)]

    def _one_by_one(self, flights: FlightColumns, today: dt.date, state: NetworkState | None, now: float) -> Floats:
        return np.array([self.point(flight, today, state, now).minutes for flight in flights.rows()], np.float64)

    def _told(self, origins: Coded, state: NetworkState | None) -> NDArray[np.bool_]:
        """Return which flights leave from where the state was told of: the others are answered all at once."""
        told = [state is not None and state.is_told_of(origin) for origin in origins.values]
        return np.array([*told, False])[origins.indices]

    def _minutes(self, specialist: Specialist, flights: FlightColumns, today: dt.date, state: NetworkState) -> Floats:
        """Return the minutes that a specialist answers who is told nothing of the hours just gone."""
        nothing = np.full(len(flights), np.nan)
        means = habits(flights, state) if specialist.sees_habits else [nothing] * len(MEANS)
        seen = situations(flights, today, self.codes, means, [nothing] * len(INBOUND))
        rows = values_of_many(features_of(specialist), seen)
        expert = self.experts[specialist]
        heads = [*expert.trees.predict_many(rows, expert.locations).T]
        known_delay = seen.dep_delay if specialist.horizon is Horizon.DEPARTED else 0.0
        minutes: Floats = mean(heads) + known_delay
        return minutes

    def is_strange(self, flight: AnyFlight) -> bool:
        """Whether its airports or its airline were never met."""
        return not (
            flight.carrier in self.codes.carriers
            and flight.origin in self.codes.origins
            and flight.dest in self.codes.dests
        )

    def explain(self, answer: Answer) -> Explained:
        """Take an answer apart: base and minutes of the features add up to its minutes."""
        expert = self.experts[answer.specialist]
        base, minutes = explain.explain(expert.trees, expert.paths, expert.locations, answer.values)
        moved = [
            Moved(feature, value, by + (answer.known_delay if feature.name == "dep_delay" else 0.0))
            for feature, value, by in zip(features_of(answer.specialist), answer.values, minutes.tolist(), strict=True)
        ]
        return Explained(base, sorted(moved, key=lambda one: -abs(one.minutes)))

    def to_bytes(self) -> bytes:
        """Return the file; the same model gives the same bytes."""
        arrays: dict[str, Any] = {
            "manifest": np.frombuffer(json.dumps(self._facts(), sort_keys=True).encode(), np.uint8),
            "habits": np.array([habit.numbers() for habit in self.habits], np.float64).reshape(-1, 4),
        }
        for specialist in Specialist:
            expert = self.experts[specialist]
            parts = expert.trees.arrays() | {f"paths_{name}": array for name, array in expert.paths._asdict().items()}
            parts["residuals"] = expert.residuals.table
            arrays |= {f"{specialist.value}.{name}": array for name, array in parts.items()}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Artifact:
        """Read a file; raises `BrokenArtifact` for anything but a whole artefact of this format."""
        if not content.startswith(_ZIP):  # numpy would recommend to open it as a pickle
            raise BrokenArtifact("it is no .npz file")
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                return cls._from_file(file)
        except BrokenArtifact:
            raise
        # numpy, zipfile and json raise whatever damaged bytes lead them to, tokenize.TokenError among it.
        except Exception as error:
            raise BrokenArtifact(f"{type(error).__name__}: {error}") from error

    @classmethod
    def _from_file(cls, file: Mapping[str, NDArray[Any]]) -> Artifact:
        """Read the parts one after the other: all of them at once would take as much memory again."""
        facts = json.loads(file["manifest"].tobytes())
        if facts["format"] != FORMAT:
            raise BrokenArtifact(f"format {facts['format']}, this version reads {FORMAT}; train again")
        if facts["features"] != feature_names() or facts["means"] != [mean.name for mean in MEANS]:
            raise BrokenArtifact("it was made for other features; train again")
        return cls(
            manifest=Manifest(facts["source_sha256"], facts["lineage"]),
            codes=_codes(facts["codes"]),
            habits=Habits(file["habits"], facts["habits_of"]),
            experts={s: _expert(_part(file, f"{s.value}."), facts["strangeness"][s.value]) for s in Specialist},
        )

    def _facts(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "source_sha256": self.manifest.source_sha256,
            "lineage": self.manifest.lineage,
            "features": feature_names(),
            "means": [mean.name for mean in MEANS],
            "habits_of": [habit.value for habit in self.habits],
            "strangeness": {specialist.value: expert.strangeness for specialist, expert in self.experts.items()},
            "codes": {
                "airports": dict(self.codes.airports),
                "carriers": dict(self.codes.carriers),
                "origins": dict(self.codes.origins),
                "dests": dict(self.codes.dests),
                "holidays": list(self.codes.holidays),
            },
        }


def mean(heads: Sequence[Any]) -> Any:
    """Return the mean of numbers, or of columns of them."""
    return added(heads) / len(heads)


def added(numbers: Sequence[Any]) -> Any:
    """Return the sum of numbers, or of columns of them, added in their order: `sum` compensates numbers since 3.12."""
    return functools.reduce(operator.add, numbers)


def _known_until(cut_off: float, now: float) -> float:
    """Return the minute from which on the network is not known; NaN for a flight too far ahead for it to matter."""
    return min(cut_off, now) if cut_off - now <= AHEAD_WITHIN_MIN else math.nan


def feature_names() -> dict[str, list[str]]:
    """Return the names of the features that each specialist sees."""
    return {specialist.value: [feature.name for feature in features_of(specialist)] for specialist in Specialist}


def _part(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): arrays[name] for name in arrays if name.startswith(prefix)}


def _expert(arrays: Mapping[str, NDArray[Any]], strangeness: float) -> Expert:
    return Expert(
        trees=Trees.from_arrays(arrays),
        paths=Paths(*(arrays[f"paths_{name}"] for name in Paths._fields)),
        residuals=Residuals(arrays["residuals"]),
        strangeness=strangeness,
    )


def _codes(facts: Mapping[str, Any]) -> Codes:
    return Codes(
        # Zones are few, and their names would be in memory once for each airport.
        airports={code: Airport(lat, lon, sys.intern(tz)) for code, (lat, lon, tz) in facts["airports"].items()},
        carriers=facts["carriers"],
        origins=facts["origins"],
        dests=facts["dests"],
        holidays=tuple(facts["holidays"]),
    )
