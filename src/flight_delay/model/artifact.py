"""A trained model in a form that executes nothing: arrays and a manifest, in one `.npz`.

Members: `manifest` (JSON, as bytes), the habits of the network, and for each specialist the arrays of its
trees, of the paths to their leaves, and of its residuals. Reading it never unpickles.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flight_delay.airports import Airport
from flight_delay.errors import BrokenArtifact
from flight_delay.flight import Flight, local_date
from flight_delay.model import explain
from flight_delay.model.distribution import PERCENTS, Probabilities, Residuals
from flight_delay.model.features import Codes, Feature, Horizon, Specialist, features_of, leg_of, situation, values
from flight_delay.model.means import MEANS
from flight_delay.model.network_state import Habit, NetworkState
from flight_delay.model.trees import Paths, Trees

FORMAT = 2
AHEAD_WITHIN_MIN = 240.0
"""What goes on now is asked of a flight up to so long before its own cut-off; earlier, it belongs to `schedule`."""
_ZIP = b"PK\x03\x04"
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
        self, flight: Flight, today: dt.date, state: NetworkState | None = None, now: float = math.inf
    ) -> Answer:
        """Answer one flight.

        `today` is what a flight without a year is understood from, `state` what the network has been doing
        lately, where that is known, and `now` the minute (UTC, since 1970) at which it is asked.
        """
        date = local_date(flight, today)
        leg = leg_of(flight, date, self.codes)
        horizon = Horizon.PRE_DEPARTURE if flight.dep_delay is None else Horizon.DEPARTED
        recalled = (state or self.at_rest).recall(leg, _known_until(horizon.cut_off(leg.sched_dep, leg.dep), now))
        specialist = Specialist.of(flight, fresh=recalled.fresh)
        row = values(features_of(specialist), situation(flight, date, self.codes, recalled))
        expert = self.experts[specialist]
        *locations, log_scale, log_odds = expert.trees.predict(row)
        known_delay = flight.dep_delay or 0.0
        return Answer(
            specialist=specialist,
            minutes=sum(locations) / len(locations) + known_delay,
            scale=math.exp(log_scale) * (expert.strangeness if self.is_strange(flight) else 1.0),
            cancelled=1.0 / (1.0 + math.exp(-log_odds)),
            residuals=expert.residuals,
            values=row,
            known_delay=known_delay,
        )

    def is_strange(self, flight: Flight) -> bool:
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
                arrays = {name: file[name] for name in file.files}
            facts = json.loads(arrays.pop("manifest").tobytes())
            if facts["format"] != FORMAT:
                raise BrokenArtifact(f"format {facts['format']}, this version reads {FORMAT}; train again")
            if facts["features"] != feature_names() or facts["means"] != [mean.name for mean in MEANS]:
                raise BrokenArtifact("it was made for other features; train again")
            return cls(
                manifest=Manifest(facts["source_sha256"], facts["lineage"]),
                codes=_codes(facts["codes"]),
                habits=_habits(arrays["habits"], facts["habits_of"]),
                experts={s: _expert(_part(arrays, f"{s.value}."), facts["strangeness"][s.value]) for s in Specialist},
            )
        except BrokenArtifact:
            raise
        # numpy, zipfile and json raise whatever damaged bytes lead them to, tokenize.TokenError among it.
        except Exception as error:
            raise BrokenArtifact(f"{type(error).__name__}: {error}") from error

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


def _known_until(cut_off: float, now: float) -> float:
    """Return the minute from which on the network is not known; NaN for a flight too far ahead for it to matter."""
    return min(cut_off, now) if cut_off - now <= AHEAD_WITHIN_MIN else math.nan


def feature_names() -> dict[str, list[str]]:
    """Return the names of the features that each specialist sees."""
    return {specialist.value: [feature.name for feature in features_of(specialist)] for specialist in Specialist}


def _part(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _expert(arrays: Mapping[str, NDArray[Any]], strangeness: float) -> Expert:
    return Expert(
        trees=Trees.from_arrays(arrays),
        paths=Paths(*(arrays[f"paths_{name}"] for name in Paths._fields)),
        residuals=Residuals(arrays["residuals"]),
        strangeness=strangeness,
    )


def _habits(numbers: NDArray[np.float64], values: Sequence[Any]) -> list[Habit]:
    if numbers.shape != (len(values), 4) or not np.isfinite(numbers).all() or (numbers[:, 2] <= 0).any():
        raise BrokenArtifact("the habits are not finite numbers, four for each")
    if (~np.isin(numbers[:, 0], [n for n, mean in enumerate(MEANS) if mean.is_habit])).any():
        raise BrokenArtifact("a habit is of no mean that is one")
    return [
        Habit(int(number), _hashable(value), mean, weight, minute)
        for (number, mean, weight, minute), value in zip(numbers.tolist(), values, strict=True)
    ]


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _codes(facts: Mapping[str, Any]) -> Codes:
    return Codes(
        airports={code: Airport(*place) for code, place in facts["airports"].items()},
        carriers=facts["carriers"],
        origins=facts["origins"],
        dests=facts["dests"],
        holidays=tuple(facts["holidays"]),
    )
