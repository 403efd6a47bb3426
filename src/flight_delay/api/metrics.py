"""What a process counts of its own work, each time in well under a microsecond.

Nothing here locks: all is counted on the event loop alone, but for commits, which one thread counts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from flight_delay.model.any_flight import AnyFlight
from flight_delay.model.inputs import Reference

LATENCY_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
COMMIT_ROWS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)
BATCH_ROWS = (1.0, 10.0, 100.0, 1_000.0, 10_000.0, 100_000.0)
WAITING = 1000
"""So many flights wait to be looked at for drift; where more come, the older ones are left out."""
OTHER = "other"
"""The route of what is no route."""


class Family(NamedTuple):
    """What is counted under one name; a histogram where there are bounds of its buckets."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


REQUESTS = Family(
    "flight_delay_http_request_duration_seconds",
    "How long requests took, from the first byte of their head to the last of their answer, by route and status.",
    ("route", "status"),
    LATENCY_S,
)
REFUSED = Family(
    "flight_delay_requests_refused_total", "Requests turned away with 429 or 503, by the kind of problem.", ("reason",)
)
PREDICTIONS = Family(
    "flight_delay_predictions_total", "Flights that were answered, by the horizon of the answer.", ("horizon",)
)
COMMITS = Family("flight_delay_commit_duration_seconds", "How long commits of predictions took.", (), LATENCY_S)
ROWS = Family("flight_delay_commit_rows", "How many predictions were committed together.", (), COMMIT_ROWS)
BATCHES = Family("flight_delay_batch_rows", "How many flights came in one request for many.", (), BATCH_ROWS)
OUTCOMES = Family("flight_delay_outcomes_told_total", "Outcomes that this service was told and has kept.")
SHADOW = Family("flight_delay_shadow_scored_total", "Predictions that a version in the shadow answered too.")
INPUTS = Family(
    "flight_delay_inputs_total",
    "Flights of a sample of the predictions, by the bin that a field fell into; the bins are of the live version.",
    ("version", "field", "bin"),
)
CPU = Family("process_cpu_seconds_total", "User and system CPU time spent.")
FAMILIES = (REQUESTS, REFUSED, PREDICTIONS, COMMITS, ROWS, BATCHES, OUTCOMES, SHADOW, INPUTS, CPU)


class Counts(dict[tuple[str | int, ...], list[float]]):
    """Counts of a family by the values of its labels.

    Those of a histogram are by bucket, of which the last has no bound, and after them the sum of what was measured.
    """

    def __init__(self, family: Family) -> None:
        super().__init__()
        self._length = len(family.bounds) + 2 if family.bounds else 1
        if not family.labels:
            self.begin(())

    def begin(self, labels: tuple[str | int, ...]) -> list[float]:
        """Count from zero, if it is not counted yet: only what comes after a first count is growth to Prometheus."""
        return self.setdefault(labels, [0.0] * self._length)

    __missing__ = begin


class LiveReference(NamedTuple):
    """The bins of the live model, and its version."""

    version: int
    reference: Reference


class Metrics:
    """The counters of this process."""

    def __init__(self) -> None:
        self.counts: Mapping[str, Counts] = {family.name: Counts(family) for family in FAMILIES}
        self._requests, self._predictions = self.counts[REQUESTS.name], self.counts[PREDICTIONS.name]
        self._commits, self._rows = self.counts[COMMITS.name][()], self.counts[ROWS.name][()]
        self.flights: deque[AnyFlight] = deque(maxlen=WAITING)
        """Those that are still to be looked at for drift."""
        self.reference: LiveReference | None = None
        """By which bins they are counted; None where the live model tells none."""
        self.in_progress = 0
        """Requests whose answer has not ended."""

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count a request; `route` is a template, `OTHER` for what is no route."""
        counts = self._requests[route, status]
        counts[bisect_left(LATENCY_S, seconds)] += 1
        counts[-1] += seconds

    def refused(self, reason: str) -> None:
        """Count a request that was turned away: there are too many, or something is missing that it needs."""
        self.counts[REFUSED.name][(reason,)][0] += 1

    def predicted(self, horizon: str, count: int = 1) -> None:
        """Count flights that were answered."""
        self._predictions[(horizon,)][0] += count

    def committed(self, seconds: float, rows: int) -> None:
        """Count a commit of predictions; called on the thread that commits."""
        self._commits[bisect_left(LATENCY_S, seconds)] += 1
        self._commits[-1] += seconds
        self._rows[bisect_left(COMMIT_ROWS, rows)] += 1
        self._rows[-1] += rows

    def batched(self, rows: int) -> None:
        """Count a request for many flights."""
        counts = self.counts[BATCHES.name][()]
        counts[bisect_left(BATCH_ROWS, rows)] += 1
        counts[-1] += rows

    def told(self, outcomes: int) -> None:
        """Count outcomes that were kept."""
        self.counts[OUTCOMES.name][()][0] += outcomes

    def scored(self) -> None:
        """Count an answer of the shadow."""
        self.counts[SHADOW.name][()][0] += 1

    def note(self, flight: AnyFlight) -> None:
        """Look at a flight later, for drift."""
        self.flights.append(flight)
