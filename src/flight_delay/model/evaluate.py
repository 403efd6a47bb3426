"""How good the model is on flights that it has not seen, beside answers that need no model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from flight_delay import __version__
from flight_delay.flight import Flight
from flight_delay.model import baselines
from flight_delay.model.dataset import Dataset
from flight_delay.model.features import Horizon, Specialist
from flight_delay.model.matrix import Floats
from flight_delay.model.means import LATE_MIN
from flight_delay.model.measures import (
    VERY_LATE_MIN,
    Bin,
    Booleans,
    Gain,
    Said,
    Score,
    Slice,
    Way,
    calibration_error,
    gains,
    reliability,
    score,
    score_slice,
)
from flight_delay.model.pipeline import DelayBySpecialist
from flight_delay.model.specialist import without_weather
from flight_delay.model.split import Dates, Periods, Span, Split, months_of
from flight_delay.model.views import Views

__all__ = [
    "METRICS_FILE", "Bin", "Gain", "Metrics", "Score", "Slice", "as_json", "calibration_error", "evaluate",
    "from_json", "reliability",
]  # fmt: skip

METRICS_FILE = "metrics.json"
MODEL = "model"
EVERYTHING = "all that is known"
WITHOUT_NETWORK = "without network state"
WITHOUT_WEATHER = "without weather"
DOCUMENTED = "documented ten fields"
OLD_HABITS = "habits as old as the model"
_FEWEST_FLIGHTS = {"carrier": 500, "origin": 500}
"""Slices of fewer flights say more of chance than of the model."""
_HOURS_IN_BLOCK = 3
_NOT_LEFT = {"dep_delay": None, "weather": None}
_NO_WEATHER_NOR_NUMBERS = {"weather": None, "flight": None, "tailnum": None}


class Counts(NamedTuple):
    """Flights of each part, those that did not arrive among them."""

    train: int
    calibrate: int
    test: int


@dataclass(frozen=True)
class Metrics:
    """The evaluation: on what, against what, and the scores, best informed first.

    Attributes
    ----------
    late_share, cancelled_share : of the test flights; 15 or more minutes late, of those that arrived
    slices : at each horizon, told all that is known then
    gains, reliability_15, reliability_30 : by horizon
    """

    source: str
    data_digest: str
    code_version: str
    periods: Periods
    counts: Counts
    late_share: float
    cancelled_share: float
    scores: list[Score]
    slices: list[Slice]
    gains: dict[str, list[Gain]]
    reliability_15: dict[str, list[Bin]]
    reliability_30: dict[str, list[Bin]]


def evaluate(pipeline: Pipeline, data: Dataset, split: Split, views: Views) -> Metrics:
    """Score a fitted pipeline and the baselines on the test flights; the baselines learn from the training flights.

    `views` are of all flights of the data, in their order.
    """
    matrices = {horizon: rows[split.test] for horizon, rows in views.matrices.items()}
    delay: DelayBySpecialist = pipeline.named_steps["delay"]
    tested = [flight for flight, tests in zip(data.flights, split.test, strict=True) if tests]
    documented = pipeline.named_steps["features"].transform(
        [flight.model_copy(update=_NO_WEATHER_NOR_NUMBERS) for flight in tested]
    )
    untold = pipeline.named_steps["features"].transform([flight.model_copy(update=_NOT_LEFT) for flight in tested])
    told = list(at_horizons(delay, matrices))
    alone = said_by(delay, Specialist.DEPARTED_ALONE, documented)
    everyone = [
        *told,
        *told_less(delay, matrices),
        (_way(Specialist.DEPARTED_ALONE, DOCUMENTED), alone),
        (_way(Specialist.SCHEDULE, OLD_HABITS), said_by(delay, Specialist.SCHEDULE, untold)),
        *baselines.answers(data, split),
    ]
    truth = data.arr_delay[split.test]
    return Metrics(
        source=data.source,
        data_digest=data.digest,
        code_version=__version__,
        periods=split.periods,
        counts=Counts(*(int(part.sum()) for part in (split.train, split.calibrate, split.test))),
        late_share=float((truth[~np.isnan(truth)] >= LATE_MIN).mean()),
        cancelled_share=float(np.isnan(truth).mean()),
        scores=scores(everyone, truth),
        slices=list(_slices(told, truth, _groups(tested, data.dates[split.test]))),
        gains={way.horizon: gains(*_lateness(said, truth, LATE_MIN)) for way, said in told},
        reliability_15={way.horizon: reliability(*_lateness(said, truth, LATE_MIN)) for way, said in told},
        reliability_30={way.horizon: reliability(*_lateness(said, truth, VERY_LATE_MIN)) for way, said in told},
    )


def as_json(metrics: Metrics) -> str:
    """Return the metrics as `metrics.json` holds them."""
    return json.dumps(named(asdict(metrics)), indent=2) + "\n"


def from_json(text: str) -> Metrics:
    """Return the metrics that `as_json` wrote; raises `ValueError`, `KeyError` or `TypeError` for anything else."""
    facts = json.loads(text)
    return Metrics(
        **facts
        | {
            "periods": Periods(**{part: Span(**span) for part, span in facts["periods"].items()}),
            "counts": Counts(**facts["counts"]),
            "scores": [Score(**one) for one in facts["scores"]],
            "slices": [Slice(**one) for one in facts["slices"]],
            "gains": _of_each_horizon(Gain, facts["gains"]),
            "reliability_15": _of_each_horizon(Bin, facts["reliability_15"]),
            "reliability_30": _of_each_horizon(Bin, facts["reliability_30"]),
        }
    )


def scores(everyone: Iterable[tuple[Way, Said]], arr_delay: Floats) -> list[Score]:
    """Score ways of answering, best informed first; of flights that did not arrive the delay is NaN."""
    found = [score(way, said, arr_delay) for way, said in everyone]
    horizons = [horizon.value for horizon in Horizon]
    return sorted(found, key=lambda one: -horizons.index(one.horizon))


def at_horizons(delay: DelayBySpecialist, matrices: Mapping[Horizon, Floats]) -> Iterator[tuple[Way, Said]]:
    """Yield what the model says at each horizon, told all that is known by then."""
    for specialist in (Specialist.DEPARTED, Specialist.PRE_DEPARTURE, Specialist.SCHEDULE):
        yield _way(specialist, EVERYTHING), said_by(delay, specialist, matrices[specialist.horizon])


def said_by(delay: DelayBySpecialist, specialist: Specialist, rows: Floats) -> Said:
    """Return what a specialist says; its minutes are NaN where it is for flights that have left and one has not."""
    return Said.by(delay.spread(specialist, rows))


def told_less(delay: DelayBySpecialist, matrices: Mapping[Horizon, Floats]) -> Iterator[tuple[Way, Said]]:
    """Yield what the model says of flights that have left when it is told less than is known."""
    rows = matrices[Horizon.DEPARTED]
    for specialist, inputs, told in (
        (Specialist.DEPARTED, WITHOUT_WEATHER, without_weather(rows)),
        (Specialist.DEPARTED_ALONE, WITHOUT_NETWORK, rows),
    ):
        yield _way(specialist, inputs), said_by(delay, specialist, told)


def _way(specialist: Specialist, inputs: str) -> Way:
    return Way(specialist.horizon.value, MODEL, inputs)


def _lateness(said: Said, arr_delay: Floats, minutes: float) -> tuple[Floats, Booleans]:
    """Return the chance of so many minutes or more, and whether it came to that, of those that arrived."""
    arrived = ~np.isnan(arr_delay)
    given = said.of(arrived).given.probabilities
    return given.late_15 if minutes == LATE_MIN else given.late_30, arr_delay[arrived] >= minutes


def _groups(flights: list[Flight], dates: Dates) -> dict[str, NDArray[np.str_]]:
    """Return in what flights may agree, and the value of each."""
    blocks = [flight.sched_dep_time // 100 % 24 // _HOURS_IN_BLOCK * _HOURS_IN_BLOCK for flight in flights]
    return {
        "month": months_of(dates).astype(str),
        "carrier": np.array([flight.carrier for flight in flights]),
        "origin": np.array([flight.origin for flight in flights]),
        "hours": np.array([f"{hour:02d}–{hour + _HOURS_IN_BLOCK - 1:02d}" for hour in blocks]),
    }


def _slices(told: list[tuple[Way, Said]], arr_delay: Floats, groups: dict[str, NDArray[np.str_]]) -> Iterator[Slice]:
    arrived = ~np.isnan(arr_delay)
    for by, values in groups.items():
        for value in np.unique(values[arrived]):
            mine = arrived & (values == value)
            if mine.sum() >= _FEWEST_FLIGHTS.get(by, 1):
                for way, said in told:
                    yield score_slice(way.horizon, by, str(value), said.of(mine), arr_delay[mine])


def named(value: Any) -> Any:
    """Return a value for JSON, its tuples with names as mappings."""
    if hasattr(value, "_asdict"):
        return named(value._asdict())
    if isinstance(value, dict):
        return {key: named(one) for key, one in value.items()}
    return [named(one) for one in value] if isinstance(value, list) else value


def _of_each_horizon(kind: Any, facts: dict[str, list[dict[str, Any]]]) -> dict[str, list[Any]]:
    return {horizon: [kind(**one) for one in found] for horizon, found in facts.items()}
