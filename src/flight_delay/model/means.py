"""What is averaged of the network: which measures, over which keys, with which half-lives, and of what legs.

Everything that the state keeps is an entry of `MEANS`; the features of the model follow from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from math import nan
from typing import Any, NamedTuple

FRESH_WITHIN_MIN = 720.0
"""The state of an origin from which nothing has left for so long says nothing about now."""

LATE_MIN = 15.0
"""A flight that arrives this many minutes after its schedule, or more, is late (US DOT)."""


class Event(IntEnum):
    """What happens to a leg: its scheduled departure passes, it leaves, it arrives."""

    SCHEDULED = 0
    DEPARTED = 1
    ARRIVED = 2


class Key(IntEnum):
    """Which legs are averaged together: those that agree in this."""

    ALL = 0
    ORIGIN = 1
    DEST = 2
    REGION_ORIGIN = 3
    CARRIER = 4
    CARRIER_ORIGIN = 5
    ROUTE = 6
    FLIGHT = 7


class Measure(IntEnum):
    """What is averaged; minutes, but for `AIR` and the last three."""

    DELAY = 0
    """Departure delay."""
    GAIN = 1
    """Arrival delay less departure delay: what was lost on the way."""
    GROUND = 2
    """Block time less air time: taxiing and waiting for a runway."""
    BLOCK = 3
    """From gate to gate."""
    AIR = 4
    """Air time as a share of what the distance takes."""
    EXCESS = 5
    """Block time less what the distance takes."""
    LATE = 6
    """1 if 15 or more minutes late, else 0."""
    LATER = 7
    """The same, less the mean of all flights just then."""
    WAITING = 8
    """Flights whose scheduled departure has passed and that have not left: counted, not averaged."""


_EVENT_OF = {Measure.DELAY: Event.DEPARTED, Measure.WAITING: Event.SCHEDULED}
HOUR, DAY = 60.0, 1440.0


class Mean(NamedTuple):
    """One decayed mean (or count) that is kept for each value of a key."""

    measure: Measure
    key: Key
    half_life_min: float

    @property
    def name(self) -> str:
        """Measure, key and half-life: `gain_dest_60min`."""
        h = self.half_life_min
        life = f"{h / DAY:.0f}d" if h >= DAY else f"{h:.0f}min"
        return f"{self.measure.name}_{self.key.name}_{life}".lower()

    @property
    def is_habit(self) -> bool:
        """Whether it is over weeks, and so worth something even when nothing has been heard for days."""
        return self.half_life_min > DAY

    @property
    def event(self) -> Event:
        """What brings a new value."""
        return _EVENT_OF.get(self.measure, Event.ARRIVED)


def _over(measure: Measure, keys: Sequence[Key], *half_lives: float) -> list[Mean]:
    return [Mean(measure, key, half_life) for key in keys for half_life in half_lives]


_K = Key
MEANS: tuple[Mean, ...] = (
    # Habits: how the timetable holds, whatever today is like.
    *_over(Measure.BLOCK, [_K.ROUTE, _K.FLIGHT], 14 * DAY),
    *_over(Measure.LATER, [_K.FLIGHT], 14 * DAY),
    *_over(Measure.GAIN, [_K.FLIGHT], 14 * DAY),
    *_over(Measure.DELAY, [_K.FLIGHT], 14 * DAY),
    # The hours just gone.
    *_over(Measure.GAIN, [_K.ORIGIN, _K.DEST, _K.REGION_ORIGIN, _K.CARRIER, _K.CARRIER_ORIGIN], HOUR),
    *_over(Measure.DELAY, [_K.ORIGIN, _K.DEST, _K.REGION_ORIGIN, _K.CARRIER, _K.CARRIER_ORIGIN], HOUR),
    *_over(Measure.GROUND, [_K.ORIGIN, _K.DEST, _K.REGION_ORIGIN], HOUR),
    *_over(Measure.AIR, [_K.DEST, _K.REGION_ORIGIN], HOUR),
    *_over(Measure.EXCESS, [_K.ORIGIN, _K.DEST, _K.REGION_ORIGIN], HOUR),
    *_over(Measure.BLOCK, [_K.ROUTE], 6 * HOUR),
    *_over(Measure.WAITING, [_K.ORIGIN], HOUR, 4 * HOUR),
    *_over(Measure.LATE, [_K.ALL], 6 * HOUR),
)
"""The means that are kept; chosen by ablation (docs/decisions/0012)."""


class Leg(NamedTuple):
    """A scheduled flight, with what has become known of it; minutes are UTC, since 1970, NaN while not known."""

    carrier: str
    flight: int | None
    tailnum: str | None
    origin: str
    dest: str
    region: str | None
    """Where the destination lies from the origin: direction and distance, coarsely."""
    distance_km: float
    sched_dep: float
    sched_arr: float
    dep: float = nan
    arr: float = nan
    air_time: float = nan


def keys_of(leg: Leg) -> tuple[Any, ...]:
    """Return the value of each `Key`, None where it is not known; in the order of the keys."""
    number = leg.flight
    return (
        0,
        leg.origin,
        leg.dest,
        leg.region and (leg.region, leg.origin),
        leg.carrier,
        (leg.carrier, leg.origin),
        (leg.origin, leg.dest),
        None if number is None else (leg.carrier, number),
    )


def measures_of(sched_dep: Any, sched_arr: Any, dep: Any, arr: Any, air_time: Any, distance_km: Any) -> tuple[Any, ...]:
    """Return the measures that are values of a leg, in their order; of one leg, or of columns of them."""
    dep_delay, arr_delay, block = dep - sched_dep, arr - sched_arr, arr - dep
    late = (arr_delay >= LATE_MIN) + 0.0 * arr_delay
    # A jet's own pace, so that near and far can be averaged together: 800 km/h, and 18 minutes up and down.
    paced = air_time / (distance_km / 13.3 + 18.0)
    excess = block - (distance_km / 12.7 + 45.0)
    return dep_delay, arr_delay - dep_delay, block - air_time, block, paced, excess, late


INBOUND = ("dep_delay", "arr_delay", "slack", "gap", "overdue", "phase")
"""What is known of the previous scheduled leg of the same aircraft; minutes, but for the last.

`slack`: from when it arrived, or can be expected to, until the departure that is asked for; `gap`:
between the scheduled departures; `overdue`: how long it should have left, 0 once it has; `phase`: 0
not left, 1 in the air, 2 arrived.
"""
INBOUND_WITHIN_MIN = 1440.0
"""A leg further back is no rotation."""

USUAL = Mean(Measure.LATE, Key.ALL, 6 * HOUR)
"""How late flights usually are just then; `Measure.LATER` is measured from it."""
LATELY = tuple(number for number, mean in enumerate(MEANS) if not mean.is_habit)
"""Which means are of the hours just gone."""
TOLD = MEANS.index(Mean(Measure.DELAY, Key.ORIGIN, HOUR))
"""The mean that is known wherever the state has been told lately what leaves from there."""
