"""Measure the service beside an endpoint that answers a constant, in turns, in one run; writes `docs/benchmarks.md`.

`python benchmarks/serving.py [quick] [speed] [crowd] [replicas] [start]`, after `make run` has made a table and a model.
Without a name all parts are run. `quick` shows in a minute that all of it works, and writes nothing.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import client
import constant
import figures
import flights
import page
import servers

CLIENTS = (1, 16, 64)
CROWDS = (16, 64, 500, 2000)
PREDICTIONS = 10_000
SHARE = 0.25
"""Of a core that each of two processes is held to, so that one more has room on two cores beside client and database."""


class Pace(NamedTuple):
    """How often, and how long, everything is measured."""

    turns: int
    seconds: float


class Asked(NamedTuple):
    """The same requests for all, and what the pipeline answers to each."""

    requests: list[bytes]
    minutes: list[float]

    def is_pipelines(self, number: int, body: bytes) -> bool:
        """Whether an answer is the pipeline's own, to the last bit."""
        return json.loads(body)["prediction"] == self.minutes[number]

    @staticmethod
    def is_constant(_: int, body: bytes) -> bool:
        return body == constant.BODY


Right = Callable[[int, bytes], bool]


def asked() -> Asked:
    """Return the requests."""
    found = flights.flights()
    return Asked([client.post("/model/predict/", body) for body in flights.bodies(found)], flights.answers(found))


def loaded(
    running: Sequence[servers.Server], clients: int, requests: list[bytes], is_right: Right, seconds: float
) -> dict[str, float]:
    """Measure servers under a load: what the clients see, and the CPU time of the servers for each answer."""
    cpu = sum(server.cpu_seconds() for server in running)
    load = client.measure([server.port for server in running], clients, requests, is_right, seconds)
    cpu = sum(server.cpu_seconds() for server in running) - cpu
    return load._asdict() | {"server_us": cpu / load.answers * 1e6}


def speed(scratch: Path, asked: Asked, pace: Pace) -> dict[str, Any]:
    """Compare all ways of keeping history with the constant, at each number of clients."""
    found: dict[str, dict[str, list[dict[str, float]]]] = {}
    with contextlib.ExitStack() as stack:
        postgresql = stack.enter_context(servers.postgresql())

        def start(name: str, settings: Mapping[str, str]) -> servers.Server:
            return stack.enter_context(servers.flight_delay(scratch / name, settings, servers.free_port()))

        contestants: dict[str, tuple[servers.Server, Right]] = {
            figures.CONSTANT: (
                stack.enter_context(servers.constant(scratch, servers.free_port())), asked.is_constant
            ),
            figures.PLAIN: (
                stack.enter_context(servers.constant(scratch, servers.free_port(), "uvicorn")), asked.is_constant
            ),
            figures.SQLITE: (start("sqlite", {}), asked.is_pipelines),
            figures.POSTGRESQL: (start("postgresql", {"DATABASE_URL": next(postgresql.urls)}), asked.is_pipelines),
            figures.OFF: (start("off", {"KEEP_HISTORY": "false"}), asked.is_pipelines),
        }  # fmt: skip
        assert _keeps(contestants[figures.SQLITE][0], asked), "history is not kept by default"
        assert not _keeps(contestants[figures.OFF][0], asked), "history is kept, though it was turned off"
        for server, is_right in contestants.values():
            loaded([server], 16, asked.requests, is_right, pace.seconds)  # warms up
        for clients in CLIENTS:
            for turn in range(pace.turns):
                for name, (server, is_right) in contestants.items():
                    load = loaded([server], clients, asked.requests, is_right, pace.seconds)
                    tell(f"{clients} clients, turn {turn + 1} of {pace.turns}: {name}", load)
                    found.setdefault(str(clients), {}).setdefault(name, []).append(load)
    return {"loads": found, "pace": pace, "postgresql": postgresql.version}


def crowd(scratch: Path, asked: Asked, pace: Pace) -> dict[str, Any]:
    """Measure what becomes of rate and memory with ever more clients; every prediction is durable."""
    _many_files()
    found: dict[str, list[dict[str, float]]] = {}
    with servers.flight_delay(scratch / "crowd", {}, servers.free_port()) as server:
        loaded([server], 64, asked.requests, asked.is_pipelines, pace.seconds)
        for turn in range(pace.turns):
            for clients in CROWDS:
                load = loaded([server], clients, asked.requests, asked.is_pipelines, pace.seconds)
                load["rss_mb"] = server.memory().rss
                tell(f"turn {turn + 1} of {pace.turns}: {clients} clients", load)
                found.setdefault(str(clients), []).append(load)
    return {"loads": found, "pace": pace}


def replicas(scratch: Path, asked: Asked, pace: Pace) -> dict[str, Any]:
    """Compare one process with two on one PostgreSQL, each held to a share of a core, and not held."""
    found: dict[str, list[dict[str, float]]] = {}
    with contextlib.ExitStack() as stack:
        postgresql = stack.enter_context(servers.postgresql())
        settings = {"DATABASE_URL": next(postgresql.urls)}
        both = [
            stack.enter_context(servers.flight_delay(scratch / name, settings, servers.free_port()))
            for name in ("first", "second")
        ]
        loaded(both, 64, asked.requests, asked.is_pipelines, pace.seconds)
        for turn in range(pace.turns):
            for name, hold in (("held", servers.held(both, SHARE)), ("free", contextlib.nullcontext())):
                try:
                    with hold:
                        for some in (both[:1], both):
                            load = loaded(some, 64, asked.requests, asked.is_pipelines, pace.seconds)
                            tell(f"turn {turn + 1} of {pace.turns}, {name}: {len(some)} of 2 processes", load)
                            found.setdefault(f"{name} {len(some)}", []).append(load)
                except OSError as error:
                    print(f"left out: {name}: {error}", flush=True)
    return {"loads": found, "pace": pace, "share": SHARE, "postgresql": postgresql.version}


def start(scratch: Path, asked: Asked, pace: Pace) -> dict[str, Any]:
    """Measure from the start of a process to readiness, with a new database and with an old one; then memory."""
    seconds: dict[str, list[float]] = {"new": [], "old": []}
    for turn in range(pace.turns):
        for name, measured in seconds.items():
            with servers.flight_delay(scratch / f"start-{turn}", {}, servers.free_port()) as server:
                measured.append(server.seconds_to_ready)
            print(f"start {turn + 1} of {pace.turns}, {name} database: {measured[-1]:.2f} s", flush=True)
    with servers.flight_delay(scratch / "memory", {}, servers.free_port()) as server:
        before, answered = server.memory(), 0.0
        while answered < PREDICTIONS:
            answered += client.measure([server.port], 16, asked.requests, asked.is_pipelines, 1.0).rate
        after = server.memory()
    print(
        f"resident {before.rss:.0f} MB at the start, {after.rss:.0f} MB after {answered:,.0f} predictions", flush=True
    )
    memory = {"before": before._asdict(), "after": after._asdict(), "predictions": PREDICTIONS}
    return {"seconds": seconds, "memory": memory, "pace": pace}


def tell(what: str, load: Mapping[str, float]) -> None:
    """Show how it goes."""
    refused = f", refused {load['refused']:,.0f}" if load["refused"] else ""
    print(f"{what}: {load['rate']:,.0f} requests/s{refused}, p99 {load['p99_ms']:,.2f} ms", flush=True)


def _keeps(server: servers.Server, asked: Asked) -> bool:
    """Whether a prediction has an id, as one that is kept does."""
    body = asked.requests[0].partition(b"\r\n\r\n")[2]
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/model/predict/", body, headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        return "X-Prediction-Id" in answer.headers


def _many_files() -> None:
    """Let this process and those that it starts have as many connections as the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


PARTS = {"start": start, "speed": speed, "crowd": crowd, "replicas": replicas}


def main(words: list[str]) -> int:
    """Run the parts that are named, or all; return how many could not be measured."""
    quick = "quick" in words
    if unknown := set(words) - {"quick", *PARTS}:
        raise SystemExit(f"{', '.join(sorted(unknown))}: there is {', '.join(PARTS)}, and quick")
    requests, failed = asked(), 0
    for name, part in PARTS.items():
        if name in words or not set(words) & set(PARTS):
            try:
                with tempfile.TemporaryDirectory() as scratch:
                    measured = part(Path(scratch), requests, Pace(1, 0.5) if quick else Pace(5, 3.0))
            except (servers.CannotStart, client.WrongAnswer, OSError, AssertionError) as error:
                print(f"{name} cannot be measured: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
                failed += 1
            else:
                page.keep(name, measured, write=not quick)
    return failed


if __name__ == "__main__":
    servers.end_when_told()
    sys.exit(main(sys.argv[1:]))
