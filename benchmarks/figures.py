"""The arithmetic of the pages: medians with their spread, ratios within turns, tables."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

CONSTANT = "constant answer, on the same server"
PLAIN = "constant answer, on uvicorn by itself"
SQLITE = "flight-delay, durable in SQLite"
POSTGRESQL = "flight-delay, durable in PostgreSQL"
OFF = "flight-delay, history off"

Turns = Sequence[Mapping[str, float]]
"""What was measured, turn by turn."""


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """Return median, least and greatest."""
    if len(values) == 1:
        return f"{values[0]:{form}}"
    return f"{statistics.median(values):{form}} [{min(values):{form}} to {max(values):{form}}]"


def median(turns: Turns, what: str, form: str) -> str:
    """Return the median of one measure."""
    return f"{statistics.median(turn[what] for turn in turns):{form}}"


def ratios(of: Turns, to: Turns, what: str = "rate") -> list[float]:
    """Return the ratio of each turn."""
    return [one[what] / other[what] for one, other in zip(of, to, strict=True)]


def best(*several: Turns) -> list[Mapping[str, float]]:
    """Return what had the greatest rate in each turn."""
    return [max(one, key=lambda load: load["rate"]) for one in zip(*several, strict=True)]


def of_two_processes(measured: Mapping[str, Any]) -> dict[str, list[float]]:
    """Return how many times the rate of one process two have, by how they were held back."""
    loads = measured["loads"]
    names = {
        "held": f"each held to {measured['share']} of a core",
        "free": "not held: client, PostgreSQL and both on two cores",
    }
    return {
        title: ratios(loads[f"{name} 2"], loads[f"{name} 1"]) for name, title in names.items() if f"{name} 2" in loads
    }


def table(header: str, rows: Iterable[str]) -> str:
    """Return a table of Markdown; cells are parted by bars."""
    return "\n".join([f"| {header} |", f"|{' --- |' * (header.count('|') + 1)}", *(f"| {row} |" for row in rows)])
