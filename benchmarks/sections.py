"""The sections of `docs/benchmarks.md`, each from what one part measured."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from figures import CONSTANT, SQLITE, median, of_two_processes, ratios, spread, table

Measured = Mapping[str, Any]


def speed(measured: Measured) -> list[str]:
    """Return the comparison with the constant."""
    rows = []
    for clients, servers in measured["loads"].items():
        for name, turns in servers.items():
            top = servers[CONSTANT]
            rows.append(
                f"{clients} | {name} | {median(turns, 'rate', ',.0f')} | {spread(ratios(turns, top))} "
                f"| {median(turns, 'p50_ms', '.2f')} | {median(turns, 'p99_ms', '.2f')} "
                f"| {spread(ratios(turns, top, 'p99_ms'), '.1f')} "
                f"| {median(turns, 'server_us', '.0f')} | {median(turns, 'client_us', '.0f')}"
            )
    header = (
        "clients | server | requests/s | share of the constant | p50 ms | p99 ms | p99, times the constant's "
        "| server µs/request | client µs/request"
    )
    return ["## Against a constant answer", _turns(measured), table(header, rows)]


def rivals(measured: Measured) -> list[str]:
    """Return the comparison with other servers."""
    loads = measured["loads"]
    ours = loads[SQLITE]
    rows = []
    for name, by_clients in sorted(loads.items(), key=lambda item: -_rate(item[1]["64"])):
        rates = " | ".join(median(turns, "rate", ",.0f") for turns in by_clients.values())
        at_64 = by_clients["64"]
        least, most = min(turn["rate"] for turn in at_64), max(turn["rate"] for turn in at_64)
        rows.append(
            f"{name} | {rates} | {least:,.0f} to {most:,.0f} | {spread(ratios(ours['64'], at_64), ',.3g')} "
            f"| {median(at_64, 'p50_ms', ',.1f')} | {median(at_64, 'p99_ms', ',.1f')} | {measured['memory_mb'][name]:,.0f}"
        )
    header = (
        "server | requests/s, 1 client | 16 clients | 64 clients | 64: least to most "
        "| flight-delay has so many times its rate at 64 | p50 ms at 64 | p99 ms at 64 | MB"
    )
    versions = ", ".join(f"{name} {version}" for name, version in measured["versions"].items())
    left_out = "".join(f" Left out: {name}: {why}." for name, why in measured["left_out"].items())
    return [
        "## The same model behind other servers",
        "The scikit-learn pipeline that this service is made from (`flight_delay_model.joblib`), as a user of each server "
        "would put it there (`benchmarks/rivals/`): one worker, one thread for a prediction, telemetry off, and the "
        "same flights in the form that the server documents; each answer is checked too. None of them keeps a history. "
        "LitServe's batches are the one case in which several flights are predicted in one call. Each is started anew "
        f"for each of {measured['turns']} turns of {measured['seconds']:.0f} s; MB is the memory of all of its "
        f"processes, with shared pages shared out. {versions}.{left_out}",
        table(header, rows),
    ]


def crowd(measured: Measured) -> list[str]:
    """Return what becomes of the service past saturation."""
    rows = [
        f"{int(clients):,} | {median(turns, 'rate', ',.0f')} | {median(turns, 'refused', ',.0f')} "
        f"| {median(turns, 'p50_ms', '.1f')} | {median(turns, 'p99_ms', '.1f')} | {max(turn['rss_mb'] for turn in turns):.0f}"
        for clients, turns in measured["loads"].items()
    ]
    header = (
        "clients | requests/s | refused a second: 503 with `Retry-After` | p50 ms | p99 ms | resident MB after, at most"
    )
    return [
        "## Past saturation",
        f"{_turns(measured)} {SQLITE}; a client that is refused asks again at once. At most "
        "`FLIGHT_DELAY_MAX_WAITING` predictions wait at a time.",
        table(header, rows),
    ]


def replicas(measured: Measured) -> list[str]:
    """Return what a second process brings."""
    titles = {"held": f"each held to {measured['share']} of a core", "free": "not held"}
    rows = []
    for name, turns in measured["loads"].items():
        how, number = name.split()
        rows.append(
            f"{titles[how]} | {number} | {median(turns, 'rate', ',.0f')} | {median(turns, 'p99_ms', '.1f')} "
            f"| {median(turns, 'server_us', '.0f')}"
        )
    gains = "; ".join(f"{title}: {spread(values)}" for title, values in of_two_processes(measured).items())
    return [
        "## Two processes on one PostgreSQL",
        f"{_turns(measured)} 64 clients, shared out evenly. On a machine of two cores, one process, the client and "
        "PostgreSQL leave no core for a second process; so each process was also held to a part of a core, by a "
        "control group of its own with a CFS quota in periods of 10 ms, which leaves the others what they need. "
        "That shows whether two processes get in each other's way; the waits that a quota makes are in the p99. The CPU "
        "time of the processes for each request says the same without a quota.",
        table("held | processes | requests/s | p99 ms | server µs/request", rows),
        f"Two processes have, times the rate of one: {gains}.",
    ]


def start(measured: Measured) -> list[str]:
    """Return how long a start takes, and how much memory it takes."""
    memory = measured["memory"]
    rows = [
        f"from the start of the process to `/health/ready/` with 200, {name} database: s | {spread(seconds)}"
        for name, seconds in measured["seconds"].items()
    ] + [
        f"{when}: resident MB (with shared pages shared out) | {memory[key]['rss']:.0f} ({memory[key]['pss']:.0f})"
        for key, when in (("before", "just started"), ("after", f"after {memory['predictions']:,} predictions"))
    ]
    return [
        "## Start and memory",
        f"{len(measured['seconds']['new'])} starts of each kind; the files are in the system's cache.",
        table("what | measured", rows),
    ]


def _turns(measured: Measured) -> str:
    turns, seconds = measured["pace"]
    return f"{turns} turns of {seconds:.1f} s."


def _rate(turns: list[dict[str, float]]) -> float:
    return statistics.median(turn["rate"] for turn in turns)
