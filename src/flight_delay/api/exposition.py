"""`GET /metrics/`: what the processes of this service have counted, as Prometheus and OpenMetrics read it."""

from __future__ import annotations

import asyncio
import logging
import platform
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.utils import floatToGoString

from flight_delay import __version__
from flight_delay.api import gauges
from flight_delay.api.live import Loaded
from flight_delay.api.metrics import CPU, FAMILIES, Family, LiveReference
from flight_delay.api.service import Service
from flight_delay.api.together import Counted, Place, Series
from flight_delay.model import kept
from flight_delay.model.trees import COMPILED

PATH = "/metrics/"
EVERY_S = 1.0
"""How often a process of several tells the others what it has counted."""
_log = logging.getLogger("uvicorn.error")


class Exposition:
    """What is answered to a scrape, whichever process it reaches."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._place: Place | None = None

    async def run(self, folder: Path | None) -> None:
        """Tell the other processes of a folder what was counted, for as long as the service runs; None: there are none.

        Where the folder cannot be written, and on Windows, it tells of itself alone.
        """
        if folder is None or sys.platform == "win32":
            return
        try:
            self._place = Place(folder)
        except OSError as error:
            _log.warning("processes do not count together: %s", error)
            return
        try:
            while True:
                self._keep(self._place)
                await asyncio.sleep(EVERY_S)
        finally:
            self._keep(self._place)
            self._place.close()

    def _keep(self, place: Place) -> None:
        try:
            place.keep(self._own())
        except OSError as error:
            _log.warning("what was counted was not kept: %s", error)

    def whole(self) -> Counted:
        """Return what all processes have counted.

        What is said was kept before, so that the process that is asked next does not say less.
        """
        if self._place is None:
            return self._own()
        self._keep(self._place)
        return self._place.all()

    def collect(self) -> Iterator[Metric]:
        """Return all metrics, as `prometheus_client` asks for them."""
        whole = self.whole()
        for family in FAMILIES:
            yield _counted(family, whole.counts.get(family.name, {}))
        for gauge in gauges.GAUGES:
            if values := whole.gauges.get(gauge.name):
                yield GaugeMetricFamily(gauge.name, gauge.help, gauge.together(values))
        yield _processes(whole)
        if (loaded := self._service.live.current) is not None:
            yield _model(loaded)
        if (reference := self._service.metrics.reference) is not None:
            yield from _reference(reference)
        yield _build()

    def _own(self) -> Counted:
        held, metrics = gauges.read(self._service), self._service.metrics
        metrics.counts[CPU.name][()][0] = held.pop(CPU.name, 0.0)
        counts: dict[str, dict[Series, list[float]]] = {
            name: {tuple(map(str, labels)): list(values) for labels, values in list(series.items())}
            for name, series in metrics.counts.items()
        }
        loaded = self._service.live.current
        live = [] if loaded is None else [(loaded.live.version, loaded.live.generation)]
        return Counted(counts, {name: [value] for name, value in held.items()}, live)


def router(exposition: Exposition) -> APIRouter:
    """Return the route."""
    routes = APIRouter(tags=["health"])

    @routes.get(PATH, summary="What has the service counted?", response_class=PlainTextResponse)
    async def metrics(request: Request) -> Response:
        """Answer in the text format of Prometheus, in that of OpenMetrics where `Accept` asks for it."""
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(exposition), headers={"Content-Type": media_type, "Vary": "Accept"})

    return routes


def _counted(family: Family, series: Mapping[Series, list[float]]) -> Metric:
    if not family.bounds:
        counter = CounterMetricFamily(family.name, family.help, labels=family.labels)
        for labels, (value,) in series.items():
            counter.add_metric(labels, value)
        return counter
    histogram = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    bounds = [*map(floatToGoString, family.bounds), "+Inf"]
    for labels, (*buckets, total) in series.items():
        histogram.add_metric(labels, list(zip(bounds, accumulate(buckets), strict=True)), total)
    return histogram


def _processes(whole: Counted) -> Metric:
    found = GaugeMetricFamily(
        "flight_delay_model_processes",
        "How many processes answer with a version, as a promotion made it live.",
        labels=("version", "generation"),
    )
    for (version, generation), processes in sorted(Counter(whole.live).items()):
        found.add_metric((str(version), str(generation)), processes)
    return found


def _model(loaded: Loaded) -> Metric:
    lineage = kept.lineage_of(loaded.model.manifest.lineage)
    facts = {
        "version": str(loaded.live.version),
        "generation": str(loaded.live.generation),
        "code_version": lineage.code_version or "",
        "data_digest": lineage.data_digest or "",
        "source_sha256": loaded.model.manifest.source_sha256,
    }
    return InfoMetricFamily("flight_delay_model", "The live model of the process that was asked.", facts)


def _reference(live: LiveReference) -> Iterator[Metric]:
    version = str(live.version)
    shares = GaugeMetricFamily(
        "flight_delay_input_reference_share",
        "Share of the flights that taught the live model that fell into a bin of a field.",
        labels=("version", "field", "bin"),
    )
    for field, spread in live.reference.spreads.items():
        for name, share in spread.shares.items():
            shares.add_metric((version, field, name), share)
    yield shares
    flights = GaugeMetricFamily(
        "flight_delay_input_reference_flights", "How many flights taught the live model.", labels=("version",)
    )
    flights.add_metric((version,), live.reference.flights)
    yield flights


def _build() -> Metric:
    facts = {
        "version": __version__,
        "python": platform.python_version(),
        "kernel": "compiled" if COMPILED else "python",
    }
    return InfoMetricFamily("flight_delay_build", "The program, and whether its trees are compiled.", facts)
