"""`docs/benchmarks.md` and its chart, from what was measured; the measurements are kept in `.bench/`."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
import os
import platform
import re
import sqlite3
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import chart
import sections
from figures import CONSTANT, OFF, POSTGRESQL, SQLITE, best, of_two_processes, ratios, spread, table

ROOT = Path(__file__).parent.parent
KEPT = ROOT / ".bench" / "measured.json"
PACKAGES = ("uvicorn", "uvloop", "httptools", "fastapi", "pydantic", "numpy", "psycopg")
PARTS = {
    "speed": (sections.speed, "python benchmarks/serving.py speed"),
    "rivals": (sections.rivals, "python benchmarks/compare.py"),
    "crowd": (sections.crowd, "python benchmarks/serving.py crowd"),
    "replicas": (sections.replicas, "python benchmarks/serving.py replicas"),
    "start": (sections.start, "python benchmarks/serving.py start"),
}
METHOD = """\
One machine has it all: client, server, and PostgreSQL where there is one. One process of the service, with its
defaults: request ids, metrics, validation, and a prediction that is committed before its answer is sent, unless said
otherwise. What is compared is measured in turns in one run; a figure is the median of the turns, in brackets the least
and the greatest; a ratio is formed within each turn.

- **The constant answer** is an ASGI function that reads the body and answers `{"prediction":2.3}`, on uvicorn with the
  very configuration of `flight-delay serve`, its class for connections included; once more on uvicorn by itself.
- **The requests** are 4,000 different flights of the table, with every route of every airline, by the documented ten
  fields. **Every answer is checked**: status 200, and the same float as the scikit-learn pipeline's own answer.
- **The client** (`benchmarks/client.py`) is one thread with a socket for each client, which sends its next request when
  it has its answer. It takes as much CPU time as wrk does, of which nearly all is the kernel's; how much is in the table.
- **Durable** is SQLite in WAL mode with a synchronous commit, and PostgreSQL with `fsync` and `synchronous_commit` on."""


def keep(part: str, measured: Mapping[str, Any], *, write: bool = True) -> None:
    """Keep what a part measured, and write the page of all that is kept; or only show it."""
    now = {**measured, "machine": machine(), "day": f"{dt.date.today()}"}
    if not write:
        print("\n\n".join(PARTS[part][0](json.loads(json.dumps(now)))))
        return
    known = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(known | {part: now}, indent=1), "utf-8")
    known = json.loads(KEPT.read_text("utf-8"))
    (ROOT / "docs" / "benchmarks.md").write_text(page(known), "utf-8")
    if "rivals" in known:
        rates = {name: loads["64"] for name, loads in known["rivals"]["loads"].items()}
        medians = {name: statistics.median(turn["rate"] for turn in turns) for name, turns in rates.items()}
        title = "Predictions a second with 64 clients, one process, two cores"
        (ROOT / "docs" / "benchmarks.svg").write_text(chart.bars(title, medians, SQLITE), "utf-8")


def machine() -> str:
    """Return what it was measured on."""
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text("utf-8"))
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    return (
        f"{os.cpu_count()} cores ({found[1] if found else platform.machine()}), {platform.system()} {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}"
    )


def page(known: Mapping[str, Any]) -> str:
    """Return the page of documentation."""
    blocks = ["# Benchmarks", "Written by `make bench`."]
    if "rivals" in known:
        blocks.append("![Predictions a second with 64 clients](benchmarks.svg)")
    blocks += ["## Goals", table("goal | measured | holds", goals(known))]
    for part, (section, command) in PARTS.items():
        if part in known:
            blocks += [*section(known[part]), origin(command, known[part])]
        else:
            blocks.append(f"Not measured yet: `{command}`.")
    blocks += ["## How it is measured", METHOD]
    blocks.append(
        "One answer in process: [benchmarks of the model](benchmarks-model.md). "
        "What a shadow costs: `python benchmarks/shadow.py`."
    )
    return "\n\n".join(blocks) + "\n"


def origin(command: str, measured: Mapping[str, Any]) -> str:
    """Return with which command, when, on and of what it was measured."""
    postgresql = f", PostgreSQL {measured['postgresql']}" if "postgresql" in measured else ""
    return f"`{command}`, {measured['day']}: {measured['machine']}{postgresql}."


def goals(known: Mapping[str, Any]) -> Iterator[str]:
    """Yield the rows of what was to be reached, of the parts that were measured."""
    if "speed" in known:
        at_64 = known["speed"]["loads"]["64"]
        for name, least in ((SQLITE, 0.45), (POSTGRESQL, 0.40), (OFF, 0.70)):
            what = f"{name}, 64 clients: at least {least:.2f} of the constant"
            yield _goal(what, ratios(at_64[name], at_64[CONSTANT]), least)
        for name in (SQLITE, POSTGRESQL, OFF):
            what = f"{name}, 64 clients: p99 at most 4 times the constant's"
            yield _goal(what, ratios(at_64[name], at_64[CONSTANT], "p99_ms"), most=4)
    if "replicas" in known:
        for name, times in of_two_processes(known["replicas"]).items():
            yield _goal(f"Two processes on PostgreSQL ({name}): at least 1.7 times one", times, 1.7)
    if "crowd" in known:
        loads = known["crowd"]["loads"]
        kept = ratios(loads["500"], best(loads["16"], loads["64"], loads["500"]))
        yield _goal("500 clients: at least 0.80 of the best rate", kept, 0.8)
    if "start" in known:
        for name, seconds in known["start"]["seconds"].items():
            yield _goal(f"From process start to ready, {name} database: under 1.5 s", seconds, most=1.5)
        memory = known["start"]["memory"]
        what = f"Resident memory after {memory['predictions']:,} predictions: under 120 MB"
        yield _goal(what, [memory["after"]["rss"]], most=120)


def _goal(what: str, values: Sequence[float], least: float = float("-inf"), most: float = float("inf")) -> str:
    holds = least <= statistics.median(values) <= most
    return f"{what} | {spread(values)} | {'yes' if holds else '**no**'}"
