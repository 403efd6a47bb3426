"""How inputs are spread: a model carries the shares that it was taught with, the service counts by the same bins."""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, NamedTuple, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from flight_delay.flight import date_of
from flight_delay.model.any_flight import AnyFlight
from flight_delay.model.features import Codes, distance_km

ABSENT = "absent"
"""The bin of what a flight does not say. It has no share in training, where all is known: only `weather` has."""
OTHER, UNKNOWN = "other", "unknown"
"""The bins of values that were rare in training, and of those that it never met."""
_OWN_BIN = 0.01
"""A value of a smaller share has no bin of its own."""
_MOST_BINS = 20
_PARTS = 10
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_Share = Annotated[FiniteFloat, Field(ge=0, le=1)]


class _Asked(NamedTuple):
    flight: AnyFlight
    date: dt.date
    distance_km: float


VALUES: Mapping[str, Callable[[_Asked], str]] = {
    "carrier": lambda asked: asked.flight.carrier,
    "origin": lambda asked: asked.flight.origin,
    "dest": lambda asked: asked.flight.dest,
    "month": lambda asked: str(asked.flight.month),
    "weekday": lambda asked: _WEEKDAYS[asked.date.weekday()],
    "weather": lambda asked: ABSENT if asked.flight.weather is None else "given",
}
"""Fields whose bins are their values."""
NUMBERS: Mapping[str, Callable[[_Asked], float | None]] = {
    "hour": lambda asked: asked.flight.sched_dep_time // 100 % 24,
    "distance": lambda asked: None if math.isnan(asked.distance_km) else asked.distance_km,
    "dep_delay": lambda asked: asked.flight.dep_delay,
}
"""Fields whose bins held a tenth of the flights of training each, as far as equal values let them."""


class _Cut(BaseModel):
    model_config = ConfigDict(frozen=True)

    cuts: Annotated[tuple[FiniteFloat, ...], Field(max_length=_PARTS)]
    shares: tuple[_Share, ...]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.shares) != len(self.cuts) + 1 or any(low >= high for low, high in pairwise(self.cuts)):
            raise ValueError("cuts ascend, and there is one share more")
        return self


class Learnt(BaseModel):
    """What a model tells of the flights that taught it: their number, and how each field was spread."""

    model_config = ConfigDict(frozen=True)

    flights: Annotated[int, Field(ge=1)]
    values: dict[str, dict[str, _Share]]
    numbers: dict[str, _Cut]


class Spread(NamedTuple):
    """The bins of a field: the share that each had in training, and into which one a value falls."""

    shares: Mapping[str, float]
    bin_of: Callable[[Any], str]


class Reference:
    """The bins of all fields, of one model."""

    def __init__(self, learnt: Learnt, codes: Codes) -> None:
        self._codes = codes
        self.flights = learnt.flights
        """How many taught the model."""
        self.spreads = {name: _by_value(learnt.values[name]) for name in VALUES if name in learnt.values} | {
            name: _by_number(learnt.numbers[name]) for name in NUMBERS if name in learnt.numbers
        }

    @classmethod
    def of(cls, lineage: Mapping[str, Any], codes: Codes) -> Reference | None:
        """Return what a model's lineage tells; None of a model that was trained before it did, or elsewhere."""
        try:
            return cls(Learnt.model_validate(lineage.get("inputs")), codes)
        except ValidationError:
            return None

    def bins(self, flight: AnyFlight, today: dt.date) -> Iterator[tuple[str, str]]:
        """Return the bin of each field of a flight; `today` is what one without a year is understood from."""
        asked = _asked(flight, today, self._codes)
        for name, spread in self.spreads.items():
            yield name, spread.bin_of(_value(name, asked))


def learn(flights: Sequence[AnyFlight], codes: Codes) -> dict[str, Any]:
    """Return what a model is to tell of the flights that teach it, as JSON; each has a year."""
    asked = [_asked(flight, dt.date.min, codes) for flight in flights]
    learnt = Learnt(
        flights=len(flights),
        values={name: _shares([_value(name, one) for one in asked]) for name in VALUES},
        numbers={name: _cut([_value(name, one) for one in asked]) for name in NUMBERS},
    )
    return learnt.model_dump(mode="json")


def _asked(flight: AnyFlight, today: dt.date, codes: Codes) -> _Asked:
    return _Asked(flight, date_of(flight.year, flight.month, flight.day, today), distance_km(flight, codes))


def _value(name: str, asked: _Asked) -> Any:
    return VALUES[name](asked) if name in VALUES else NUMBERS[name](asked)


def _shares(values: Sequence[str]) -> dict[str, float]:
    return {value: round(count / len(values), 6) for value, count in sorted(Counter(values).items())}


def _cut(values: Sequence[float | None]) -> _Cut:
    """Cut numbers into parts of equal size, at values that are short to read; what is absent is left out."""
    numbers = np.array([value for value in values if value is not None], np.float64)
    parts = np.arange(1, _PARTS) / _PARTS
    cuts = np.unique(np.quantile(numbers, parts, method="inverted_cdf").round(1)) if len(numbers) else np.empty(0)
    counts = np.bincount(np.searchsorted(cuts, numbers), minlength=len(cuts) + 1)
    return _Cut(cuts=cuts.tolist(), shares=(counts / max(len(numbers), 1)).round(6).tolist())


def _by_value(met: Mapping[str, float]) -> Spread:
    often = sorted((value for value in met if met[value] >= _OWN_BIN), key=lambda value: (-met[value], value))
    own = {value: met[value] for value in often[:_MOST_BINS]}
    rare = sum(share for value, share in met.items() if value not in own)

    def bin_of(value: str) -> str:
        return value if value in own else OTHER if value in met else UNKNOWN

    return Spread(own | {OTHER: rare, UNKNOWN: 0.0}, bin_of)


def _by_number(cut: _Cut) -> Spread:
    ends = [-math.inf, *cut.cuts, math.inf]
    names = [f"({low:.15g}, {high:.15g}]".replace("inf]", "inf)") for low, high in pairwise(ends)]

    def bin_of(value: float | None) -> str:
        return ABSENT if value is None else names[bisect_left(cut.cuts, value)]

    return Spread(dict(zip(names, cut.shares, strict=True)), bin_of)
