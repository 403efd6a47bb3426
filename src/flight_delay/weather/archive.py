"""Reports of the past, by airport and span of days: asked for once, and then kept."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from flight_delay.remote import Remote
from flight_delay.sources import CsvTable
from flight_delay.weather import REPORTS, Place, Provider, Report
from flight_delay.weather.cache import cached

_EPOCH = dt.date(1970, 1, 1)


class Window(NamedTuple):
    """A span of days, both included."""

    first: dt.date
    last: dt.date

    def __str__(self) -> str:
        return f"{self.first}_{self.last}"


def windows(days: Iterable[dt.date], length: int, newest: dt.date) -> list[Window]:
    """Return the spans of `length` days that hold some days, in order; none goes beyond the `newest` day.

    They begin on the same days whatever is asked for, so that what is kept serves another time. A span that
    `newest` cuts short has another name tomorrow, and is asked for again then.
    """
    starts = {(day - _EPOCH).days // length * length for day in days if day <= newest}
    spans = ((_EPOCH + dt.timedelta(start), _EPOCH + dt.timedelta(start + length - 1)) for start in sorted(starts))
    return [Window(first, min(last, newest)) for first, last in spans]


class Archive:
    """A provider's weather, kept in a folder as it was answered."""

    def __init__(self, provider: Provider, remote: Remote, cache: Path, today: dt.date) -> None:
        self.name = provider.name
        self._provider = provider
        self._remote = remote
        self._cache = cache / provider.name
        self._newest = today - dt.timedelta(days=1 + provider.lag_days)

    def reports(
        self, needed: Iterable[tuple[Place, dt.date]], path: Path, on_window: Callable[[str], None]
    ) -> CsvTable:
        """Write the weather of some places on some days (UTC) to a file; return it as a table.

        `on_window` is told what is asked for as its turn comes.

        Raises
        ------
        RemoteFailed, RemoteRefused
            The provider cannot be reached, or refuses; what came before is kept.
        SourceUnreadable
            It answers with something else than weather.
        """
        days: dict[Place, list[dt.date]] = {}
        for place, day in needed:
            days.setdefault(place, []).append(day)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(Report._fields)
            for place in sorted(days):
                for window in windows(days[place], self._provider.window_days, self._newest):
                    on_window(f"{place.code} {window.first} – {window.last}")
                    writer.writerows(_cells(report) for report in self._window(place, window))
        return CsvTable((path,), (REPORTS,))

    def _window(self, place: Place, window: Window) -> list[Report]:
        return cached(
            self._cache / place.code / f"{window}{self._provider.suffix}",
            ask=lambda: self._remote.get(*self._provider.request(place, *window)),
            # Some providers add the first report of the day after.
            read=lambda body: [
                report
                for report in self._provider.reports(place, body)
                if window.first <= report.observed_utc.date() <= window.last
            ],
            asked=f"{self.name} ({place.code}, {window.first} – {window.last})",
        )


def _cells(report: Report) -> list[str]:
    values = ("" if value is None else repr(value) for value in report[2:])
    return [report.airport, report.observed_utc.strftime("%Y-%m-%dT%H:%M:%SZ"), *values]
