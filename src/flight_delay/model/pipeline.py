"""The model as scikit-learn knows it: features, then LightGBM ensembles, those of a specialist for each horizon."""

from __future__ import annotations

import datetime as dt
import math
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.pipeline import Pipeline

from flight_delay.airports import Airport
from flight_delay.flight import Flight, local_date
from flight_delay.model.artifact import Artifact, Expert, Manifest, feature_names
from flight_delay.model.compile import compile_boosters
from flight_delay.model.distribution import PERCENTS, Probabilities, Residuals
from flight_delay.model.features import Codes, Specialist, leg_of
from flight_delay.model.matrix import Floats, Played, by_specialist, columns, is_strange, matrix
from flight_delay.model.network_state import Habit, NetworkState
from flight_delay.model.specialist import RECIPES, Fitted, Seen, fit_specialist, known_delay, said


class Spread(NamedTuple):
    """What a specialist says of some flights: columns."""

    location: Floats
    scale: Floats
    cancelled: Floats
    residuals: Residuals

    @property
    def probabilities(self) -> Probabilities:
        """The chances of each flight."""
        return self.residuals.probabilities(self.location, self.scale, self.cancelled)

    def quantiles(self, percents: Sequence[float] = PERCENTS) -> Floats:
        """Return (flights, percents) minutes."""
        return self.residuals.quantiles(self.location, self.scale, percents)


class FlightFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Flights to numbers: one row a flight, one column a feature.

    Parameters
    ----------
    airports : where airports are, by IATA code
    holidays : proleptic ordinals of the holidays, ascending
    today : the date from which a flight without a year is understood; the day of the call if None
    """

    def __init__(self, airports: Mapping[str, Airport], holidays: Sequence[int], today: dt.date | None = None) -> None:
        self.airports = airports
        self.holidays = holidays
        self.today = today

    def fit(self, flights: Any, _: object = None) -> Self:
        """Learn the codes of carriers and airports."""
        known = as_flights(flights)
        self.codes_ = Codes(
            airports=self.airports,
            carriers=_numbered(flight.carrier for flight in known),
            origins=_numbered(flight.origin for flight in known),
            dests=_numbered(flight.dest for flight in known),
            holidays=tuple(self.holidays),
        )
        self.habits_: list[Habit] = []
        return self

    def transform(self, flights: Any) -> Floats:
        """Return (flights, features), float64, NaN where a value is missing; of the network only habits are known."""
        known, today = as_flights(flights), self.today or dt.date.today()
        state = NetworkState(self.habits_)
        recalled = [state.recall(leg_of(flight, local_date(flight, today), self.codes_), math.nan) for flight in known]
        return matrix(known, today, self.codes_, Played.of(recalled))


class DelayBySpecialist(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Minutes of arrival delay, and their distribution, by the specialist of each row.

    A row whose departure delay is missing is asked before departure, any other after it; one that is told what
    the network has been doing lately is answered by a specialist that learnt from that. After departure what
    is gained or lost on the way is learnt, and added to the departure delay.
    """

    def __init__(self, seed: int = 2013) -> None:
        self.seed = seed

    def fit(self, seen: Seen, _: object = None, on_tree: Callable[[], None] = lambda: None) -> Self:
        """Fit the specialists on the rows that have a fold, calibrate them on all; `on_tree` is told of each tree."""
        self.lineage_: dict[str, Any] = {}
        self.features_ = feature_names()
        stop = threading.Event()

        def grown(_: Any) -> None:
            if stop.is_set():
                raise _Stopped
            on_tree()

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            fits = {s: pool.submit(fit_specialist, s, seen, self.seed, grown) for s in RECIPES}
            try:
                self.specialists_ = {specialist: fits[specialist].result() for specialist in RECIPES}
            except BaseException:
                stop.set()
                raise
        return self

    def predict(self, rows: Floats) -> Floats:
        """Return minutes of arrival delay, negative is early."""
        result = np.empty(len(rows))
        for specialist, mine in by_specialist(rows):
            result[mine] = self.location(specialist, rows[mine])
        return result

    def location(self, specialist: Specialist, rows: Floats) -> Floats:
        """Return the minutes that a specialist answers."""
        seen = rows[:, columns(specialist)]
        locations = [said(booster, seen) for booster in self.specialists_[specialist].locations]
        return np.asarray(sum(locations)) / len(locations) + known_delay(specialist, rows)

    def spread(self, specialist: Specialist, rows: Floats) -> Spread:
        """Return the distributions that a specialist gives."""
        fitted = self.specialists_[specialist]
        seen = rows[:, columns(specialist)]
        location = self.location(specialist, rows)
        scale = np.exp(said(fitted.scale, seen)) * np.where(is_strange(rows), fitted.strangeness, 1.0)
        return Spread(location, scale, said(fitted.cancelled, seen), fitted.residuals)


class _Stopped(Exception):
    """The command was stopped while a booster grew."""


def as_flights(rows: Any) -> list[Flight]:
    """Return flights from flights, mappings, or a data frame (of which only the known columns are read).

    Raises `pydantic.ValidationError` for a row that is no flight.
    """
    if hasattr(rows, "to_dict"):
        known = [name for name in rows.columns if name in Flight.model_fields]
        rows = [_without_nulls(row) for row in rows[known].to_dict("records")]
    return [row if isinstance(row, Flight) else Flight.model_validate(row) for row in rows]


def to_artifact(pipeline: Pipeline, source_sha256: str) -> Artifact:
    """Return the form of a fitted pipeline that executes nothing; its answers are equal bit by bit."""
    features: FlightFeatures = pipeline.named_steps["features"]
    delay: DelayBySpecialist = pipeline.named_steps["delay"]
    return Artifact(
        manifest=Manifest(source_sha256=source_sha256, lineage=delay.lineage_),
        codes=features.codes_,
        habits=features.habits_,
        experts={specialist: _expert(fitted) for specialist, fitted in delay.specialists_.items()},
    )


def _expert(fitted: Fitted) -> Expert:
    boosters = [*fitted.locations, fitted.scale, fitted.cancelled]
    compiled = compile_boosters(boosters, explained=len(fitted.locations))
    return Expert(compiled.trees, compiled.paths, fitted.residuals, fitted.strangeness)


def _numbered(codes: Iterable[str]) -> dict[str, int]:
    return {code: number for number, code in enumerate(sorted(set(codes)))}


def _without_nulls(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in row.items()
        if value is not None and not (isinstance(value, float) and math.isnan(value))
    }
