"""Counts into which bins the fields of flights fall, on a sample of the predictions, after they were answered."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Callable

from flight_delay.api.live import LiveModel, Loaded
from flight_delay.api.metrics import INPUTS, LiveReference, Metrics
from flight_delay.model.artifact import Artifact
from flight_delay.model.inputs import Reference

EVERY_S = 0.1
AT_A_TIME = 20
"""So many flights are looked at together: 200 a second take less than a two-hundredth of a processor."""
_log = logging.getLogger("uvicorn.error")


class Drift:
    """Looks at the flights that were noted; bins are those of the live model."""

    def __init__(self, live: LiveModel, metrics: Metrics, now: Callable[[], dt.datetime]) -> None:
        self._live = live
        self._metrics = metrics
        self._now = now
        self._loaded: Loaded | None = None

    async def run(self) -> None:
        """Look at flights for as long as the service runs."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                self.step()
            except Exception:  # the edge of the task: it goes on whatever it is, and the log has the reason
                _log.exception("flights were not looked at for drift")

    def step(self) -> None:
        """Look at some of the flights that wait; of a model that tells no bins, at none."""
        loaded, metrics = self._live.current, self._metrics
        if loaded is not self._loaded:
            self._loaded = loaded
            self._take_up(loaded)
        if metrics.reference is None:
            metrics.flights.clear()
            return
        version, reference = metrics.reference
        counts, today = metrics.counts[INPUTS.name], self._now().date()
        for _ in range(min(AT_A_TIME, len(metrics.flights))):
            for field, name in reference.bins(metrics.flights.popleft(), today):
                counts[version, field, name][0] += 1

    def _take_up(self, loaded: Loaded | None) -> None:
        """Know the bins of a model."""
        self._metrics.reference = None
        if loaded is None or not isinstance(loaded.model, Artifact):
            return
        reference = Reference.of(loaded.model.manifest.lineage, loaded.model.codes)
        if reference is None:
            return
        self._metrics.reference = LiveReference(loaded.live.version, reference)
        for field, spread in reference.spreads.items():
            for name in spread.shares:
                self._metrics.counts[INPUTS.name].begin((loaded.live.version, field, name))
