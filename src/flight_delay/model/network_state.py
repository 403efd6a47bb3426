"""What the network has been doing lately: decayed means by key, each event taken in in constant time.

The functions that update and read a state are written for flat arrays of numbers. Training runs
them compiled, over years of flights (`replay.py`); the service runs the same functions as they
stand, over lists, one event at a time (`NetworkState`).

An exponentially decayed mean of half-life h is sum(v * 2^(-age/h)) / sum(2^(-age/h)). Its sums, and
the time at which they were last right, are all that is kept. A value that comes late is taken in at
its own age, so the order in which events arrive does not matter.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from math import inf, nan
from typing import Any, NamedTuple

from flight_delay.model.means import (
    FRESH_WITHIN_MIN,
    INBOUND,
    INBOUND_WITHIN_MIN,
    LATELY,
    MEANS,
    TOLD,
    USUAL,
    Event,
    Key,
    Leg,
    Mean,
    Measure,
    keys_of,
    measures_of,
)

_LEGS_KEPT = 100_000
"""Scheduled legs that are remembered one by one, about three busy days of a country."""

_LATE, _LATER, _WAITING = int(Measure.LATE), int(Measure.LATER), int(Measure.WAITING)
_SCHEDULED, _DEPARTED = int(Event.SCHEDULED), int(Event.DEPARTED)
_UNKNOWN = -1
Numbers = Any
"""A list where the functions are run as they stand, an array where they are compiled."""


class Plan(NamedTuple):
    """The means as columns of numbers, and where each lies among those of its key."""

    events: Numbers
    measures: Numbers
    keys: Numbers
    half_lives: Numbers
    offsets: Numbers
    usual: int
    """Which of them is how late flights usually are just then."""


class Sums(NamedTuple):
    """The state itself, by place: sum of values, sum of weights, and the minute at which both were right."""

    values: Numbers
    weights: Numbers
    minutes: Numbers


def plan_of(means: tuple[Mean, ...]) -> Plan:
    """Return the plan of some means."""
    keys = [int(mean.key) for mean in means]
    return Plan(
        events=[int(mean.event) for mean in means],
        measures=[int(mean.measure) for mean in means],
        keys=keys,
        half_lives=[mean.half_life_min for mean in means],
        offsets=[keys[:number].count(key) for number, key in enumerate(keys)],
        usual=means.index(USUAL),
    )


class Program(NamedTuple):
    """What is done with a state."""

    take_in: Callable[..., None]
    """(event, its minute, since when the leg waited, its measures, bases, plan, sums): one event of a leg."""
    recall: Callable[..., None]
    """(minute, bases, plan, sums, result): the means as they are at that minute, NaN where nothing is known."""
    inbound: Callable[..., None]
    """(cut-off, scheduled departure, four minutes of the leg before, result): `INBOUND`."""


def _add(
    place: int, value: float, weight: float, minute: float, half_life: float,
    values: Numbers, weights: Numbers, minutes: Numbers,
) -> None:  # fmt: skip
    age = minute - minutes[place]
    fresh = 1.0
    if age > 0.0:
        fade = 0.5 ** (age / half_life)
        values[place] *= fade
        weights[place] *= fade
        minutes[place] = minute
    else:
        fresh = 0.5 ** (-age / half_life)
    values[place] += value * fresh
    weights[place] += weight * fresh


def _taking_in(add: Callable[..., None]) -> Callable[..., None]:
    def take_in(
        event: int, minute: float, waited_since: float, measured: Numbers, bases: Numbers, plan: Plan, sums: Sums
    ) -> None:
        usual = bases[plan.keys[plan.usual]] + plan.offsets[plan.usual]
        usually = sums.values[usual] / sums.weights[usual] if sums.weights[usual] > 0.0 else 0.0
        for number in range(len(plan.events)):
            measure = plan.measures[number]
            base = bases[plan.keys[number]]
            if base < 0:
                continue
            place, half_life = base + plan.offsets[number], plan.half_lives[number]
            if measure == _WAITING:
                # One that has waited is taken from those that do, as if it had never been among them.
                if event == _SCHEDULED:
                    add(place, 0.0, 1.0, minute, half_life, sums.values, sums.weights, sums.minutes)
                elif event == _DEPARTED and waited_since == waited_since:  # noqa: PLR0124  (not missing)
                    add(place, 0.0, -1.0, waited_since, half_life, sums.values, sums.weights, sums.minutes)
            elif event == plan.events[number]:
                value = measured[_LATE] - usually if measure == _LATER else measured[measure]
                if value == value:  # noqa: PLR0124  (not missing)
                    add(place, value, 1.0, minute, half_life, sums.values, sums.weights, sums.minutes)

    return take_in


def _recall(minute: float, bases: Numbers, plan: Plan, sums: Sums, result: Numbers) -> None:
    for number in range(len(plan.events)):
        base = bases[plan.keys[number]]
        result[number] = nan
        if base < 0:
            continue
        place = base + plan.offsets[number]
        if plan.measures[number] == _WAITING:
            age = minute - sums.minutes[place]
            result[number] = sums.weights[place] * 0.5 ** (age / plan.half_lives[number])
        elif sums.weights[place] > 0.0:
            result[number] = sums.values[place] / sums.weights[place]


def _inbound(
    cut_off: float, sched_dep: float, before_sched_dep: float, before_sched_arr: float,
    before_dep: float, before_arr: float, result: Numbers,
) -> None:  # fmt: skip
    gone, arrived = before_dep < cut_off, before_arr < cut_off
    overdue = 0.0 if gone else max(0.0, cut_off - before_sched_dep)
    dep_delay = before_dep - before_sched_dep
    result[0] = dep_delay if gone else nan
    result[1] = before_arr - before_sched_arr if arrived else nan
    result[2] = sched_dep - (before_arr if arrived else before_sched_arr + (dep_delay if gone else overdue))
    result[3] = sched_dep - before_sched_dep
    result[4] = overdue
    result[5] = 2.0 if arrived else 1.0 if gone else 0.0


def program(compiled: Callable[[Callable[..., None]], Callable[..., None]]) -> Program:
    """Return the functions passed through `compiled`: a compiler, or what leaves a function as it is."""
    return Program(compiled(_taking_in(compiled(_add))), compiled(_recall), compiled(_inbound))


class Places:
    """Gives each value of a key its places in the sums: as many in a row as the key has means."""

    def __init__(self, means: tuple[Mean, ...]) -> None:
        self._sizes = [sum(mean.key == key for mean in means) for key in Key]
        self.bases: dict[tuple[Any, ...], int] = {}
        self.count = 0

    def of(self, leg: Leg) -> list[int]:
        """Return the first place of each key's value; those not met before are given one, those not known none."""
        return [self.of_value(key, value) for key, value in enumerate(keys_of(leg))]

    def known(self, leg: Leg) -> list[int]:
        """Return the same, without giving a place to what was not met before."""
        return [self.bases.get((key, value), _UNKNOWN) for key, value in enumerate(keys_of(leg))]

    def of_value(self, key: int, value: Any) -> int:
        """Return the first place of one value of a key, which is given it where it has none."""
        if value is None:
            return _UNKNOWN
        found = self.bases.get((key, value))
        if found is None:
            found = self.bases[key, value] = self.count
            self.count += self._sizes[key]
        return found


class LegId(NamedTuple):
    """What tells a scheduled leg from all others; in the order of time."""

    sched_dep: float
    carrier: str
    flight: int
    origin: str


class Habit(NamedTuple):
    """A mean over weeks, of a value of a key: what an artefact keeps of the state that it was trained with."""

    number: int
    """Of the mean among `MEANS`."""
    value: Any
    mean: float
    weight: float
    minute: float

    def numbers(self) -> tuple[float, ...]:
        """Return all but the value, which may be no number."""
        return self.number, self.mean, self.weight, self.minute


class Recalled(NamedTuple):
    """What a state says of a leg at a moment; of the hours just gone nothing, unless it was told of its origin."""

    means: list[float]
    """Of `MEANS`."""
    inbound: list[float]
    """`INBOUND`."""

    @property
    def fresh(self) -> bool:
        """Whether it was told lately; else only the habits are known."""
        return _is(self.means[TOLD])


NOTHING_RECALLED = Recalled([nan] * len(MEANS), [nan] * len(INBOUND))


_OFFSETS = plan_of(MEANS).offsets
_HABITS = {
    key: [(number, _OFFSETS[number]) for number, mean in enumerate(MEANS) if mean.is_habit and mean.key == key]
    for key in (Key.ROUTE, Key.FLIGHT)
}
"""The means over weeks, and where each lies among those of its key."""


class NetworkState:
    """The state as the service keeps it: told of legs as more becomes known of them, asked at any moment."""

    _plan = plan_of(MEANS)
    _program = program(lambda function: function)

    def __init__(self, habits: Iterable[Habit] = ()) -> None:
        """Begin with the habits that were learnt up to some day, and nothing since."""
        self._places = Places(MEANS)
        self._sums = Sums([], [], [])
        self._legs: dict[LegId, Leg] = {}
        self._due: list[LegId] = []
        self._waited: set[LegId] = set()
        self._of_tail: dict[str, list[LegId]] = {}
        self._last_departure: dict[str, float] = {}
        self._newest = -inf
        for habit in habits:
            place = self._places.of_value(self._plan.keys[habit.number], habit.value)
            self._grow()
            place += self._plan.offsets[habit.number]
            self._sums.values[place] = habit.mean * habit.weight
            self._sums.weights[place] = habit.weight
            self._sums.minutes[place] = habit.minute

    def tell(self, leg: Leg) -> None:
        """Take in what is new about a leg: that it is scheduled, has left, has arrived. Said twice it counts once."""
        name = LegId(leg.sched_dep, leg.carrier, leg.flight or 0, leg.origin)
        before = self._legs.get(name)
        if before is None:
            heapq.heappush(self._due, name)
            if leg.tailnum is not None:
                insort(self._of_tail.setdefault(leg.tailnum, []), name)
        self._legs[name] = leg
        departed_before, arrived_before = (False, False) if before is None else (_is(before.dep), _is(before.arr))
        if _is(leg.dep) and not departed_before:
            self._take_in(Event.DEPARTED, leg.dep, leg, leg.sched_dep if name in self._waited else nan)
            self._last_departure[leg.origin] = max(leg.dep, self._last_departure.get(leg.origin, -inf))
        if _is(leg.arr) and not arrived_before:
            self._take_in(Event.ARRIVED, leg.arr, leg, nan)
        if len(self._legs) > _LEGS_KEPT:
            self._forget()

    def recall(self, leg: Leg, cut_off: float) -> Recalled:
        """Return what the state says of a leg; of what happens at its cut-off or later it should not have been told."""
        self._wait_until(cut_off)
        minute = max(cut_off, self._newest)
        means, inbound = [nan] * len(MEANS), [nan] * len(INBOUND)
        self._program.recall(minute, self._places.known(leg), self._plan, self._sums, means)
        last = self._last_departure.get(leg.origin, -inf)
        if not abs(cut_off - last) <= FRESH_WITHIN_MIN:
            for number in LATELY:
                means[number] = nan
        elif before := self._leg_before(leg):
            self._program.inbound(
                minute, leg.sched_dep, before.sched_dep, before.sched_arr, before.dep, before.arr, inbound
            )
        return Recalled(means, inbound)

    def is_fresh(self, origin: str, cut_off: float) -> bool:
        """Whether it was told lately of flights from an origin; else there are only habits to be recalled."""
        return abs(cut_off - self._last_departure.get(origin, -inf)) <= FRESH_WITHIN_MIN

    def is_told_of(self, origin: str) -> bool:
        """Whether it was ever told of a departure from an origin."""
        return origin in self._last_departure

    @property
    def newest_departure(self) -> float:
        """The minute of the newest departure that it was told of; minus infinity where it was told of none."""
        return max(self._last_departure.values(), default=-inf)

    def recall_habits(self, carrier: str, flight: int | None, origin: str, dest: str) -> Recalled:
        """Return what the state says of a flight of which it was told nothing lately: the same as `recall` then."""
        means = [nan] * len(MEANS)
        for number, mean in self.habits(Key.ROUTE, (origin, dest)):
            means[number] = mean
        for number, mean in self.habits(Key.FLIGHT, (carrier, flight)):
            means[number] = mean
        return Recalled(means, NOTHING_RECALLED.inbound)

    def habits(self, key: Key, value: Any) -> Sequence[tuple[int, float]]:
        """Return the means over weeks that are known of one value of a key, each with its number among `MEANS`."""
        base = self._places.bases.get((key, value), _UNKNOWN)
        if base < 0:
            return ()
        values, weights, _ = self._sums
        places = ((number, base + offset) for number, offset in _HABITS[key])
        return [(number, values[place] / weights[place]) for number, place in places if weights[place] > 0.0]

    def _take_in(self, event: Event, minute: float, leg: Leg, waited_since: float) -> None:
        self._newest = max(self._newest, minute)
        bases = self._places.of(leg)
        self._grow()
        measured = measures_of(leg.sched_dep, leg.sched_arr, leg.dep, leg.arr, leg.air_time, leg.distance_km)
        self._program.take_in(event, minute, waited_since, measured, bases, self._plan, self._sums)

    def _wait_until(self, minute: float) -> None:
        while self._due and self._due[0].sched_dep < minute:
            name = heapq.heappop(self._due)
            leg = self._legs.get(name)
            if leg is not None and not _is(leg.dep):
                self._waited.add(name)
                self._take_in(Event.SCHEDULED, leg.sched_dep, leg, nan)

    def _leg_before(self, leg: Leg) -> Leg | None:
        """Return the scheduled leg of the same aircraft before this one, unless it is too far back."""
        if leg.tailnum is None:
            return None
        names = self._of_tail.get(leg.tailnum, [])
        place = bisect_left(names, (leg.sched_dep,))
        if place == 0 or leg.sched_dep - names[place - 1].sched_dep >= INBOUND_WITHIN_MIN:
            return None
        return self._legs[names[place - 1]]

    def _grow(self) -> None:
        missing = self._places.count - len(self._sums.values)
        for column, nothing in zip(self._sums, (0.0, 0.0, -inf), strict=True):
            column.extend([nothing] * missing)

    def _forget(self) -> None:
        """Let go of the older half of the legs: their means stay."""
        names = sorted(self._legs)
        for name in names[: len(names) // 2]:
            tailnum = self._legs.pop(name).tailnum
            self._waited.discard(name)
            if tailnum is not None:
                self._of_tail[tailnum].remove(name)


def _is(minutes: float) -> bool:
    return not math.isnan(minutes)
