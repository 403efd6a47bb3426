"""Many flights answered at once, each exactly as `Artifact.answer` answers one."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from flight_delay.model.artifact import Artifact, Expert, mean
from flight_delay.model.dataset import MEASURES
from flight_delay.model.distribution import PERCENTS, Probabilities
from flight_delay.model.features import FEATURES, Horizon, Specialist
from flight_delay.model.flight_columns import FlightColumns
from flight_delay.model.flights_file import FlightsFile, Reports, Rows, told
from flight_delay.model.matrix import (
    COLUMN,
    Floats,
    Played,
    by_specialist,
    columns,
    habits,
    is_strange,
    sched_deps,
    situations,
    values_of_many,
)
from flight_delay.model.means import INBOUND, LATELY, Leg
from flight_delay.model.replay import History

QUANTILES = tuple(f"q{percent:02d}" for percent in PERCENTS)
_DEP_DELAY = COLUMN["dep_delay"]


@dataclass(frozen=True)
class Answers:
    """What a model says of some flights, in their order.

    Attributes
    ----------
    specialists : (flights,), who answers each
    minutes : (flights,), of arrival delay, negative is early
    further : by name, (flights,) each: `QUANTILES` in minutes, and the fields of `Probabilities`; none of a point
    """

    specialists: NDArray[np.object_]
    minutes: Floats
    further: dict[str, Floats]

    @classmethod
    def none(cls, flights: int, further: Sequence[str]) -> Self:
        """Return answers that are still to be given."""
        empty = np.empty((1 + len(further), flights))
        specialists = np.full(flights, Specialist.SCHEDULE, dtype=object)
        return cls(specialists, empty[0], dict(zip(further, empty[1:], strict=True)))


@dataclass(frozen=True)
class Question:
    """What is asked of all rows of a file: what is said of each with no more than is known at a horizon.

    `today` is what a flight without a year is understood from.
    """

    artifact: Artifact
    horizon: Horizon
    today: dt.date
    reports: Reports

    def cut_offs(self, rows: Rows) -> Floats:
        """Return from when on nothing is known of each flight, minutes UTC since 1970; NaN where that is not known.

        At `departed`, one that has not left is asked as before departure.
        """
        sched_dep = sched_deps(rows.flights, self.today, self.artifact.codes)
        if self.horizon is not Horizon.DEPARTED:
            return np.asarray(self.horizon.cut_off(sched_dep, np.nan))
        dep_delay = rows.flights.numbers["dep_delay"]
        before = Horizon.PRE_DEPARTURE.cut_off(sched_dep, np.nan)
        return np.where(np.isnan(dep_delay), before, sched_dep + dep_delay)

    def asked(self, rows: Rows) -> FlightColumns:
        """Return the flights as they are seen at the horizon."""
        numbers, nothing = dict(rows.flights.numbers), np.full(len(rows.flights), np.nan)
        if self.horizon is not Horizon.DEPARTED:
            numbers["dep_delay"] = nothing
        if self.horizon is Horizon.SCHEDULE:
            numbers |= dict.fromkeys(MEASURES, nothing)
        else:
            known = self.reports.last(rows.flights.codes["origin"], self.cut_offs(rows))
            is_told = told(rows)
            numbers |= {
                name: np.where(is_told, numbers[name], column) for name, column in zip(MEASURES, known.T, strict=True)
            }
        return FlightColumns(numbers, rows.flights.codes)

    def played(self, history: History, given: FlightsFile) -> Played:
        """Return what was known of the network before each flight's own cut-off, and may be known at the horizon.

        The past is played back once: all legs are held, and what was known of each.
        """
        legs, cut_offs = [], []
        for first in given.parts():
            rows = given.part(first)
            legs += rows.legs(self.artifact.codes, self.today)
            cut_offs.append(self.cut_offs(rows))
        minutes = np.concatenate(cut_offs)
        known = history.play(legs, np.where(np.isnan(minutes), -np.inf, minutes))[0]
        if self.horizon is Horizon.SCHEDULE:
            known.means[:, LATELY] = known.inbound[:] = np.nan
        return known

    def features(self, rows: Rows, network: Played | None) -> Floats:
        """Return (flights, `FEATURES`) of some rows, with what was known of the network by each of all rows.

        Where nothing was told of it, their habits are known.
        """
        flights = self.asked(rows)
        if network is None:
            means = habits(flights, self.artifact.at_rest)
            inbound = [np.full(len(flights), np.nan)] * len(INBOUND)
        else:
            mine = slice(rows.first, rows.first + len(flights))
            means, inbound = [*network.means[mine].T], [*network.inbound[mine].T]
        seen = situations(flights, self.today, self.artifact.codes, means, inbound)
        return values_of_many(FEATURES, seen)


def history_of(artifact: Artifact, legs: Sequence[Leg]) -> History | None:
    """Return the past, ready to be played back; None where no leg is known to have been scheduled at any time.

    It begins with what the model knows of habits, unless it reaches back into what the model learnt them from.
    """
    by_name = {(leg.sched_dep, leg.carrier, leg.flight or 0, leg.origin, leg.dest): leg for leg in legs}
    ordered = [by_name[name] for name in sorted(name for name in by_name if not math.isnan(name[0]))]
    if not ordered:
        return None
    learnt_until = artifact.manifest.lineage["learnt_until_min"]
    return History(ordered, artifact.habits if ordered[0].sched_dep >= learnt_until else ())


Answering = Callable[[Artifact, Floats], Answers]
"""How a matrix of features is answered: `point` or `whole`."""


def point(artifact: Artifact, rows: Floats) -> Answers:
    """Answer the minutes alone."""
    answers = Answers.none(len(rows), ())
    for specialist, mine in by_specialist(rows):
        expert = artifact.experts[specialist]
        heads = expert.trees.predict_many(rows[mine][:, columns(specialist)], expert.locations)
        answers.specialists[mine], answers.minutes[mine] = specialist, _location(heads, rows[mine])
    return answers


def whole(artifact: Artifact, rows: Floats) -> Answers:
    """Answer the minutes, their quantiles, and the chances."""
    answers = Answers.none(len(rows), (*QUANTILES, *Probabilities._fields))
    for specialist, mine in by_specialist(rows):
        expert = artifact.experts[specialist]
        heads = expert.trees.predict_many(rows[mine][:, columns(specialist)])
        location = _location(heads[:, : expert.locations], rows[mine])
        answers.specialists[mine], answers.minutes[mine] = specialist, location
        for name, column in _further(expert, location, heads, is_strange(rows[mine])).items():
            answers.further[name][mine] = column
    return answers


def _location(heads: Floats, rows: Floats) -> Floats:
    minutes: Floats = mean([*heads.T]) + np.nan_to_num(rows[:, _DEP_DELAY])
    return minutes


def _further(expert: Expert, location: Floats, heads: Floats, strange: NDArray[np.bool_]) -> dict[str, Floats]:
    scale = np.exp(heads[:, -2]) * np.where(strange, expert.strangeness, 1.0)
    quantiles = expert.residuals.quantiles(location, scale)
    chances = expert.residuals.probabilities(location, scale, 1.0 / (1.0 + np.exp(-heads[:, -1])))
    return dict(zip(QUANTILES, quantiles.T, strict=True)) | chances._asdict()
