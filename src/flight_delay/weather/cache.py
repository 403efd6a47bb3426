"""Answers that are kept as they came, and asked for again where they cannot be read."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from flight_delay.errors import SourceUnreadable

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, csv.Error)
"""What reading raises where an answer is not of the kind that it should be."""

T = TypeVar("T")


def cached(kept: Path, ask: Callable[[], bytes], read: Callable[[bytes], T], asked: str) -> T:
    """Return what `read` makes of the answer in the file `kept`, or else of what `ask` gives, which is then kept.

    Raises what `ask` raises, and `SourceUnreadable`, which says what was `asked`, where its answer cannot be
    read; such a one is not kept.
    """
    if kept.is_file():
        try:
            return read(kept.read_bytes())
        except UNREADABLE:
            kept.unlink()  # damaged: it is asked for again
    body = ask()
    try:
        found = read(body)
    except UNREADABLE as error:
        raise SourceUnreadable(asked, f"its answer is not what it should be: {error!r}") from error
    kept.parent.mkdir(parents=True, exist_ok=True)
    part = kept.with_name(kept.name + ".part")
    part.write_bytes(body)
    part.replace(kept)
    return found
