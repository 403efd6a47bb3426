"""What the processes of one service have counted together: each keeps its counts in a file where all find them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import IO, Any, NamedTuple

if sys.platform != "win32":
    import fcntl

Series = tuple[str, ...]
"""The values of the labels of a family."""


class Counted(NamedTuple):
    """What processes have counted, by family and series, what holds of those that live, and what they answer with.

    Attributes
    ----------
    counts : only grow
    gauges : by name, one value for each process
    live : version and generation of the model of each process that has one
    """

    counts: dict[str, dict[Series, list[float]]]
    gauges: dict[str, list[float]]
    live: list[tuple[int, int]]

    def to_json(self) -> str:
        """Return it as text."""
        counts = {name: list(series.items()) for name, series in self.counts.items()}
        return json.dumps({"counts": counts, "gauges": self.gauges, "live": self.live})

    @classmethod
    def from_json(cls, content: str) -> Counted:
        """Read what `to_json` wrote."""
        told: dict[str, Any] = json.loads(content)
        counts = {name: {tuple(labels): values for labels, values in told["counts"][name]} for name in told["counts"]}
        return cls(counts, told["gauges"], [(version, generation) for version, generation in told["live"]])


NOTHING = Counted({}, {}, [])


def added(parts: Iterable[Counted]) -> Counted:
    """Return what processes have counted together."""
    whole = Counted({}, {}, [])
    for part in parts:
        for name, every in part.counts.items():
            mine = whole.counts.setdefault(name, {})
            for labels, values in every.items():
                # One that another version of the program counted by other bounds is not of the same kind.
                before = mine.get(labels, [])
                same = len(before) == len(values)
                mine[labels] = [a + b for a, b in zip(before, values, strict=True)] if same else values
        for name, held in part.gauges.items():
            whole.gauges.setdefault(name, []).extend(held)
        whole.live.extend(part.live)
    return whole


class Place:
    """A process's place among those of its service: a file, locked for as long as the process lives.

    A process takes the place of one that has died, if there is such a place, and counts on from there: nothing that
    was kept is lost, and there are never more files than there were processes at a time. Not on Windows, which has
    no such locks.
    """

    def __init__(self, folder: Path) -> None:
        """Take the first place that is free; raises `OSError` where the folder cannot be written."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._number, self._lock = next(
            (number, lock)
            for number in count()
            if (lock := _locked(_lock_of(folder, number), fcntl.LOCK_EX)) is not None
        )
        self._inherited = _read(_counts_of(folder, self._number))._replace(gauges={}, live=[])

    def keep(self, own: Counted) -> None:
        """Write what this process has counted, whole or not at all."""
        scratch = self._folder / f"{self._number}.new"
        scratch.write_text(added([self._inherited, own]).to_json())
        scratch.replace(_counts_of(self._folder, self._number))

    def all(self) -> Counted:
        """Return what all have kept; of those that have died only what they counted."""
        numbers = sorted(int(path.stem) for path in self._folder.glob("*.json"))
        return added(self._kept(number) for number in numbers)

    def close(self) -> None:
        """Let go of the place; what was kept stays."""
        self._lock.close()

    def _kept(self, number: int) -> Counted:
        kept = _read(_counts_of(self._folder, number))
        if number == self._number:
            return kept
        # Shared, so that two that ask at once do not take each other for its owner.
        lock = _locked(_lock_of(self._folder, number), fcntl.LOCK_SH)
        if lock is None:
            return kept
        lock.close()
        return kept._replace(gauges={}, live=[])


def _lock_of(folder: Path, number: int) -> Path:
    return folder / f"{number}.lock"


def _counts_of(folder: Path, number: int) -> Path:
    return folder / f"{number}.json"


def _locked(path: Path, kind: int) -> IO[bytes] | None:
    """Return a file locked, None where another process holds it."""
    file = path.open("ab")
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _read(path: Path) -> Counted:
    return Counted.from_json(path.read_text()) if path.exists() else NOTHING
