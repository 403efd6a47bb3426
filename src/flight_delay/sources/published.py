"""Monthly files that an agency publishes: fetched once, and known again by what they hold."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from flight_delay.errors import RemoteRefused, SourceUnreadable, WrongMonths
from flight_delay.sources import CsvTable
from flight_delay.sources.plain import plain

if TYPE_CHECKING:
    from flight_delay.remote import Remote

MANIFEST = "manifest.json"
_NOT_FOUND = 404


class Month(NamedTuple):
    """A month of a year; written `2024-01`."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the month that a text says; raises `WrongMonths`."""
        try:
            moment = dt.datetime.strptime(text, "%Y-%m").replace(tzinfo=dt.UTC)
        except ValueError as error:
            raise WrongMonths(text, "YYYY-MM") from error
        return cls(moment.year, moment.month)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


@dataclass(frozen=True)
class Published:
    """What an agency publishes: since when, where each month's file is below a base address, and as what table."""

    name: str
    since: Month
    address: Callable[[str, Month], str]
    table: Callable[[tuple[Path, ...]], CsvTable]

    def months(self, first: str, last: str, today: dt.date) -> list[Month]:
        """Return the months from one to another, both included.

        Raises `WrongMonths` where one is no month, lies before the first file or in the future, or they
        are the wrong way round.
        """
        since, until = Month.parse(first), Month.parse(last)
        newest = Month(today.year, today.month)
        if since < self.since:
            raise WrongMonths(first, f">= {self.since}")
        if until > newest:
            raise WrongMonths(last, f"<= {newest}")
        if since > until:
            raise WrongMonths(first, f"<= {last}")
        count = (until.year - since.year) * 12 + until.month - since.month + 1
        starts = (since.year * 12 + since.month - 1 + offset for offset in range(count))
        return [Month(start // 12, start % 12 + 1) for start in starts]


@dataclass
class Fetched:
    """What a fetch did with each month: `new`, `kept` since it was there already, `absent` at the agency."""

    new: list[Month] = field(default_factory=list)
    kept: list[Month] = field(default_factory=list)
    absent: list[Month] = field(default_factory=list)


def fetch(
    published: Published,
    base: str,
    months: Iterable[Month],
    folder: Path,
    remote: Remote,
    on_file: Callable[[str], None],
    advance: Callable[[int, int | None], None],
) -> Fetched:
    """Fetch the files of some months into a folder; what is there whole is not fetched again.

    Whole is what the manifest names with the same SHA-256. `on_file` is told the name of each file as its
    turn comes, `advance` how much of it is here.

    Raises
    ------
    RemoteFailed, RemoteRefused
        A file cannot be had; those before it are there, and what came of it is kept for the next time.
    SourceUnreadable
        What came is not such a file: a page that excuses itself, half an archive.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = Fetched()
    for month in months:
        url = published.address(base, month)
        path = folder / url.rpartition("/")[2]
        on_file(path.name)
        if _is_known(path):
            done.kept.append(month)
            continue
        try:
            digest = remote.download(url, path, functools.partial(_check, published), advance)
        except RemoteRefused as refusal:
            if refusal.facts["status"] != _NOT_FOUND:
                raise
            done.absent.append(month)
            continue
        _record(path, url, digest)
        done.new.append(month)
    return done


def verified(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield files that are what the manifest beside them says, or that none speaks of.

    Raises `SourceUnreadable` at one that is not what was fetched.
    """
    for path in paths:
        if path.name in _manifest(path.parent) and not _is_known(path):
            raise SourceUnreadable(path, f"it is not what was fetched ({MANIFEST} has another SHA-256); fetch it again")
        yield path


def _check(published: Published, path: Path) -> None:
    with TemporaryDirectory(prefix="flight-delay-") as scratch:
        plain(path, published.table((path,)), Path(scratch))


def _is_known(path: Path) -> bool:
    known = _manifest(path.parent).get(path.name)
    if known is None or not path.is_file() or path.stat().st_size != known["bytes"]:
        return False
    with path.open("rb") as file:
        return bool(hashlib.file_digest(file, "sha256").hexdigest() == known["sha256"])


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        known = json.loads((folder / MANIFEST).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise SourceUnreadable(folder / MANIFEST, f"{error}; remove it, and fetch again") from error
    return dict(known)


def _record(path: Path, url: str, digest: str) -> None:
    """Write a file into the manifest, which is replaced whole."""
    known = _manifest(path.parent) | {
        path.name: {
            "url": url,
            "sha256": digest,
            "bytes": path.stat().st_size,
            "fetched_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        }
    }
    new = path.parent / f".{MANIFEST}"
    with new.open("w", encoding="utf-8") as file:
        file.write(json.dumps(dict(sorted(known.items())), indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path.parent / MANIFEST)
