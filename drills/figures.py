"""Prints the table that docs/image.md quotes: `python drills/figures.py [IMAGE]`, with nothing else running."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence

from engine import NAME, container, docker, inspect

BASE = "python:3.12-slim"
ROUNDS = 9
_CONFINED = ("--read-only", "--tmpfs", "/tmp")


def spread(values: Sequence[float]) -> str:
    """Return the median, and in brackets the least and the greatest."""
    return f"{statistics.median(values):.2f} [{min(values):.2f} to {max(values):.2f}]"


def started(image: str) -> tuple[float, float, float]:
    """Return after how many seconds a container lives, and is ready, and the megabytes that it then takes."""
    with container(image, *_CONFINED) as one:
        lives, ready = one.ready_after("/health/"), one.ready_after()
        resident = one.python("print(next(l for l in open('/proc/1/status') if l.startswith('VmRSS')).split()[1])")
    return lives, ready, int(resident) / 1000


def megabytes(image: str, folder: str) -> float:
    """Return how much a folder of an image takes."""
    return int(docker("run", "--rm", image, "du", "-sb", folder).split()[0]) / 1e6


def main(image: str = NAME) -> None:
    """Measure an image that is already built."""
    size, base = (inspect("image", name)["Size"] / 1e6 for name in (image, BASE))
    lives, ready, resident = zip(*(started(image) for _ in range(ROUNDS)), strict=True)
    rows = [
        ("without its base: MB", f"{size - base:.0f}"),
        ("of which Python's packages: MB", f"{megabytes(image, '/opt/venv'):.0f}"),
        ("of which the model, as all its files: MB", f"{megabytes(image, '/app/model'):.0f}"),
        ("from `docker run` to the first answer: s", spread(lives)),
        ("from `docker run` to the first prediction that it can give: s", spread(ready)),
        ("resident memory then: MB", f"{statistics.median(resident):.0f}"),
    ]
    print("| what | measured |\n| --- | --- |")
    for what, measured in rows:
        print(f"| {what} | {measured} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
