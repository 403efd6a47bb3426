"""The network's past, played back in the order of time: what was known of it before each cut-off.

The functions of `network_state` run here compiled, over columns: some hundred thousand flights a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from flight_delay.model.matrix import Floats, Played
from flight_delay.model.means import (
    FRESH_WITHIN_MIN,
    INBOUND,
    INBOUND_WITHIN_MIN,
    LATELY,
    MEANS,
    Event,
    Leg,
    measures_of,
)
from flight_delay.model.network_state import Habit, Places, Plan, Sums, plan_of, program

_ASKED = -1
"""Comes before the events of its minute: only what happened before the cut-off is known."""


class History:
    """Legs of the past as columns, ready to be played back.

    Raises nothing: what is not known of a leg is NaN, and is no event.
    """

    def __init__(self, legs: Sequence[Leg], habits: Sequence[Habit] = ()) -> None:
        """Begin with habits that were learnt before the first of the legs, or with none."""
        self._places = Places(MEANS)
        plan = plan_of(MEANS)
        self._begin = [
            (self._places.of_value(plan.keys[habit.number], habit.value) + plan.offsets[habit.number], habit)
            for habit in habits
        ]
        self._bases = _matrix([self._places.of(leg) for leg in legs])
        columns = np.array([leg[_FIRST_NUMBER:] for leg in legs], np.float64).reshape(len(legs), -1).T
        self._distance_km, self._sched_dep, self._sched_arr, self._dep, self._arr, self._air_time = columns
        self._measures = np.array(
            measures_of(self._sched_dep, self._sched_arr, self._dep, self._arr, self._air_time, self._distance_km)
        ).T.copy()
        self._origins = [leg.origin for leg in legs]
        self._tails = {tail: number for number, tail in enumerate({leg.tailnum for leg in legs}) if tail}
        self._tail_of = self._tail_numbers(legs)

    def play(self, asked: Sequence[Leg], *cut_offs: Floats) -> list[Played]:
        """Return what was known of each leg before its own cut-off, for each column of cut-offs.

        They are minutes UTC since 1970; NaN where it is not asked about.
        """
        bases = _matrix([self._places.known(leg) for leg in asked])
        played = []
        for column in cut_offs:
            means = np.full((len(asked), len(MEANS)), np.nan)
            self._run(column, bases, means, np.inf)
            inbound = self._inbound(asked, column)
            stale = ~self._fresh(asked, column)
            means[np.ix_(stale, np.array(LATELY))] = np.nan
            inbound[stale] = np.nan
            played.append(Played(means, inbound))
        return played

    def habits(self, until: float) -> list[Habit]:
        """Return the means over weeks as they are after all that happened before a moment."""
        nobody = np.empty((0, len(MEANS)))
        sums = self._run(np.empty(0), _matrix([]), nobody, until)
        plan = plan_of(MEANS)
        return [
            Habit(number, value, float(sums.values[place] / weight), float(weight), float(sums.minutes[place]))
            for (key, value), base in self._places.bases.items()
            for number, mean in enumerate(MEANS)
            if mean.is_habit and mean.key == key
            for place in [base + plan.offsets[number]]
            if (weight := sums.weights[place]) > 0
        ]

    def _run(self, cut_offs: Floats, bases: NDArray[np.int64], result: Floats, until: float) -> Sums:
        waits = ~(self._dep <= self._sched_dep)
        moments = [
            (cut_offs, _ASKED),
            (np.where(waits, self._sched_dep, np.nan), Event.SCHEDULED),
            (self._dep, Event.DEPARTED),
            (self._arr, Event.ARRIVED),
        ]
        minutes = np.concatenate([moment for moment, _ in moments])
        kinds = np.concatenate([np.full(len(moment), int(kind)) for moment, kind in moments])
        rows = np.concatenate([np.arange(len(moment)) for moment, _ in moments])
        happens = np.flatnonzero(minutes < until)
        order = happens[np.lexsort((kinds[happens], minutes[happens]))]
        count = self._places.count
        sums = Sums(np.zeros(count), np.zeros(count), np.full(count, -np.inf))
        for place, habit in self._begin:
            sums.values[place], sums.weights[place] = habit.mean * habit.weight, habit.weight
            sums.minutes[place] = habit.minute
        _compiled()(
            minutes[order], kinds[order], rows[order],
            bases, self._bases, self._measures, np.where(waits, self._sched_dep, np.nan),
            _plan(), sums, result,
        )  # fmt: skip
        return sums

    def _inbound(self, asked: Sequence[Leg], cut_offs: Floats) -> Floats:
        """Find the leg before of each aircraft by one sorted search: aircraft first, then time."""
        result = np.full((len(asked), len(INBOUND)), np.nan)
        order = np.lexsort((self._sched_dep, self._tail_of))
        span = 1e8  # minutes; longer than any history
        places = self._tail_of * span + self._sched_dep
        sched_dep = np.array([leg.sched_dep for leg in asked], np.float64)
        tails = self._tail_numbers(asked)
        found = np.searchsorted(places[order], tails * span + sched_dep, side="left") - 1
        before = order[np.maximum(found, 0)] if len(order) else np.zeros(len(asked), np.int64)
        known = (found >= 0) & (tails >= 0) & np.isfinite(cut_offs)
        known[known] &= self._tail_of[before[known]] == tails[known]
        known[known] &= sched_dep[known] - self._sched_dep[before[known]] < INBOUND_WITHIN_MIN
        rows = np.flatnonzero(known)
        _compiled_inbound()(
            rows, before[rows], cut_offs, sched_dep, self._sched_dep, self._sched_arr, self._dep, self._arr, result
        )
        return result

    def _tail_numbers(self, legs: Sequence[Leg]) -> NDArray[np.int64]:
        return np.array([-1 if leg.tailnum is None else self._tails.get(leg.tailnum, -1) for leg in legs], np.int64)

    def _fresh(self, asked: Sequence[Leg], cut_offs: Floats) -> NDArray[np.bool_]:
        fresh = np.zeros(len(asked), bool)
        origins, of_history = np.array([leg.origin for leg in asked]), np.array(self._origins)
        for origin in set(self._origins):
            departures = np.sort(self._dep[(of_history == origin) & np.isfinite(self._dep)])
            rows = np.flatnonzero((origins == origin) & np.isfinite(cut_offs))
            last = np.concatenate([[-np.inf], departures])[np.searchsorted(departures, cut_offs[rows], side="left")]
            fresh[rows] = cut_offs[rows] - last <= FRESH_WITHIN_MIN
        return fresh


_FIRST_NUMBER = Leg._fields.index("distance_km")


def _matrix(rows: list[list[int]]) -> NDArray[np.int64]:
    return np.array(rows, np.int64).reshape(len(rows), -1) if rows else np.empty((0, 1), np.int64)


def _plan() -> Plan:
    plan = plan_of(MEANS)
    return Plan(
        events=np.array(plan.events),
        measures=np.array(plan.measures),
        keys=np.array(plan.keys),
        half_lives=np.array(plan.half_lives),
        offsets=np.array(plan.offsets),
        usual=plan.usual,
    )


@cache
def _compiled() -> Any:
    take_in, recall, _ = program(numba.njit)

    @numba.njit
    def run(
        minutes: Any, kinds: Any, rows: Any,
        asked_bases: Any, bases: Any, measures: Any, waited_since: Any,
        plan: Any, sums: Any, result: Any,
    ) -> None:  # fmt: skip
        for number in range(len(minutes)):
            row, kind = rows[number], kinds[number]
            if kind == _ASKED:
                recall(minutes[number], asked_bases[row], plan, sums, result[row])
            else:
                take_in(kind, minutes[number], waited_since[row], measures[row], bases[row], plan, sums)

    return run


@cache
def _compiled_inbound() -> Any:
    inbound = program(numba.njit).inbound

    @numba.njit
    def run(
        rows: Any, before: Any, cut_offs: Any, asked_sched_dep: Any,
        sched_dep: Any, sched_arr: Any, dep: Any, arr: Any, result: Any,
    ) -> None:  # fmt: skip
        for number in range(len(rows)):
            row, leg = rows[number], before[number]
            inbound(
                cut_offs[row], asked_sched_dep[row],
                sched_dep[leg], sched_arr[leg], dep[leg], arr[leg], result[row],
            )  # fmt: skip

    return run
