"""What holds of a process at a time, read when it is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from prometheus_client.process_collector import ProcessCollector

from flight_delay.api.service import Service


class Gauge(NamedTuple):
    """What has one value for each process, and how these are put together."""

    name: str
    help: str
    together: Callable[[Iterable[float]], float] = sum


PROCESSES = Gauge("flight_delay_processes", "Processes that answer.")
IN_PROGRESS = Gauge("flight_delay_http_requests_in_progress", "Requests whose answer has not ended.")
WAITING = Gauge("flight_delay_predictions_waiting", "Predictions that wait for their commit.")
WAITING_LIMIT = Gauge("flight_delay_predictions_waiting_limit", "How many predictions may wait; more are refused.")
AWAY = Gauge("flight_delay_database_away", "1 while the database takes no predictions, else 0.", max)
SPOOLED = Gauge("flight_delay_predictions_spooled", "Predictions on the local disk that the database does not have.")
GENERATION = Gauge(
    "flight_delay_model_generation", "Number of the newest promotion that was seen: one more with every change.", max
)
FOLLOWED = Gauge(
    "flight_delay_followed_timestamp_seconds",
    "When the database last told what is new: promotions, outcomes, keys; of several processes, the oldest time.",
    min,
)
HEARD = Gauge(
    "flight_delay_newest_departure_timestamp_seconds",
    "When the flight left that is the newest of whose departure the live model was told.",
    min,
)
LEARNT = Gauge(
    "flight_delay_model_learnt_until_timestamp_seconds",
    "When the flights end that the live model learnt from, where it was trained by this program.",
    max,
)
GAUGES = (
    PROCESSES,
    IN_PROGRESS,
    WAITING,
    WAITING_LIMIT,
    AWAY,
    SPOOLED,
    GENERATION,
    FOLLOWED,
    HEARD,
    LEARNT,
    Gauge("process_resident_memory_bytes", "Memory in use, of all processes together."),
    Gauge("process_virtual_memory_bytes", "Virtual memory, of all processes together."),
    Gauge("process_open_fds", "Open file descriptors, of all processes together."),
    Gauge("process_max_fds", "How many file descriptors they may open together."),
    Gauge("process_start_time_seconds", "When the first of the processes began.", min),
)
_system = ProcessCollector(registry=None)


def read(service: Service) -> dict[str, float]:
    """Return the gauges of this process that have a value, and what it has taken of the processor, by name."""
    return dict(_of_service(service)) | {
        sample.name: sample.value for metric in _system.collect() for sample in metric.samples
    }


def _of_service(service: Service) -> Iterator[tuple[str, float]]:
    log, loaded = service.log, service.live.current
    yield PROCESSES.name, 1
    yield IN_PROGRESS.name, service.metrics.in_progress
    yield WAITING.name, log.waiting
    yield WAITING_LIMIT.name, log.max_waiting
    yield AWAY.name, log.problem is not None
    yield SPOOLED.name, log.spooled
    if service.follower.followed_at is not None:
        yield FOLLOWED.name, service.follower.followed_at.timestamp()
    if loaded is not None:
        yield GENERATION.name, loaded.live.generation
        if math.isfinite(minute := loaded.network.state.newest_departure):
            yield HEARD.name, minute * 60
        if isinstance(learnt := loaded.model.manifest.lineage.get("learnt_until_min"), float):
            yield LEARNT.name, learnt * 60
