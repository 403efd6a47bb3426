"""Measure the service beside an endpoint that answers a constant, in turns, in one run.

`make bench`, after `make run` has made a model. Writes `docs/benchmarks.md`.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
CLIENTS = (1, 16, 64)
ROUNDS = 3
SECONDS = 3.0
HEADER = b"POST /model/predict/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"


class Measured(NamedTuple):
    """Requests a second, and milliseconds for half and for 99 of 100 of them."""

    rate: float
    p50_ms: float
    p99_ms: float


async def constant(scope, receive, send):
    """Read the body; answer always the same."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    while (await receive()).get("more_body", False):
        pass
    body = b'{"prediction":2.3}'
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def serving(command: list[str], folder: Path) -> Iterator[int]:
    """Run a server for a block; give its port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'benchmarks'}"}
    process = subprocess.Popen(
        [sys.executable, "-m", *command, "--port", str(port)], cwd=folder, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def bodies() -> list[bytes]:
    """Return distinct flights: a benchmark that repeats one row flatters caches."""
    flight = {
        "month": 7, "day": 23, "hour": 16, "sched_dep_time": 1630, "sched_arr_time": 1930,
        "origin": "JFK", "dest": "LAX", "carrier": "DL", "distance": 3983.0,
    }  # fmt: skip
    found = []
    for number in range(2000):
        changed = {"day": number % 28 + 1, "dest": ("LAX", "SFO", "ORD", "MIA")[number % 4], "dep_delay": number / 16}
        body = json.dumps(flight | changed).encode()
        found.append(HEADER % (len(body), body))
    return found


async def load(port: int, clients: int, requests: list[bytes]) -> Measured:
    """Send requests from several clients at once, each waiting for its answer."""
    until = time.perf_counter() + SECONDS
    times: list[float] = []

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        count = number * 31
        while (started := time.perf_counter()) < until:
            writer.write(requests[count % len(requests)])
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            times.append(time.perf_counter() - started)
            count += 1
        writer.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    times.sort()
    return Measured(len(times) / SECONDS, times[len(times) // 2] * 1e3, times[int(len(times) * 0.99)] * 1e3)


def run() -> dict[int, dict[str, list[Measured]]]:
    """Measure both servers in turns, with every number of clients."""
    import uvloop

    requests = bodies()
    results: dict[int, dict[str, list[Measured]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "model", folder / "model")
        constant_command = ["uvicorn", "serving:constant", "--log-level", "warning", "--no-access-log"]
        with serving(constant_command, folder) as noop, serving(["flight_delay", "serve"], folder) as service:
            for clients in CLIENTS:
                for turn in range(ROUNDS):
                    for server, port in (("constant answer", noop), ("flight-delay, durable history", service)):
                        print(f"{clients} clients, turn {turn + 1} of {ROUNDS}: {server}", flush=True)
                        measured = uvloop.run(load(port, clients, requests))
                        results.setdefault(clients, {}).setdefault(server, []).append(measured)
    return results


def report(results: dict[int, dict[str, list[Measured]]]) -> str:
    """Return the page of documentation."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`. One process of the service against an endpoint that reads the body and answers a "
        "constant, on the same server, in turns in one run; the client runs on the same machine. Median and spread "
        f"of {ROUNDS} turns of {SECONDS:.0f} s, distinct flights.",
        "",
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}.",
        "",
        "| clients | server | requests/s | share of the constant | p50 ms | p99 ms |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for clients, servers in results.items():
        ceiling = [measured.rate for measured in servers["constant answer"]]
        for server, turns in servers.items():
            shares = [turn.rate / top for turn, top in zip(turns, ceiling, strict=True)]
            lines.append(
                f"| {clients} | {server} | {statistics.median(turn.rate for turn in turns):,.0f} "
                f"| {statistics.median(shares):.2f} [{min(shares):.2f} to {max(shares):.2f}] "
                f"| {statistics.median(turn.p50_ms for turn in turns):.2f} "
                f"| {statistics.median(turn.p99_ms for turn in turns):.2f} |"
            )
    lines += ["", "One answer in process: [benchmarks of the model](benchmarks-model.md)."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    page = report(run())
    (ROOT / "docs" / "benchmarks.md").write_text(page, "utf-8")
    print(page)
