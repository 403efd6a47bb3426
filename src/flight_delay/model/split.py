"""Which flights teach, which calibrate and which test: always in the order of time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TEST_MONTHS = 2
CALIBRATION_MONTHS = 1
FEWEST_MONTHS = TEST_MONTHS + CALIBRATION_MONTHS + 2
FEWEST_TO_LEARN = 2
"""Months to learn from: what a model has not seen of one it is shown of the other."""

Dates = NDArray[np.datetime64]


class Span(NamedTuple):
    """First and last day of a part, in ISO's form; both empty where the part has no flight."""

    first: str
    last: str

    def months(self) -> list[dt.date]:
        """Return the first day of each month that it touches."""
        if not self.first:
            return []
        first, last = np.datetime64(self.first[:7]), np.datetime64(self.last[:7])
        months: list[dt.date] = np.arange(first, last + 1).tolist()
        return months

    def __str__(self) -> str:
        """Return it as people write it."""
        return f"{self.first} – {self.last}" if self.first else "–"


class Periods(NamedTuple):
    """When the flights of each part left."""

    train: Span
    calibrate: Span
    test: Span


@dataclass(frozen=True)
class Split:
    """The rows of each part; no row of a part is earlier than one of the part before."""

    periods: Periods
    train: NDArray[np.bool_]
    calibrate: NDArray[np.bool_]
    test: NDArray[np.bool_]


def temporal(dates: Dates) -> Split:
    """Split flights by date: the last two months test, the one before calibrates, the rest teach.

    Over the year 2013: January to September, October, November and December. A random split would
    let a model remember the bad days it is tested on.
    """
    names = np.unique(months_of(dates))
    last_days = names + 1 - np.timedelta64(1, "D")
    return until(dates, last_days[-TEST_MONTHS - CALIBRATION_MONTHS - 1], last_days[-TEST_MONTHS - 1])


def until(dates: Dates, train_until: np.datetime64 | dt.date, calibrate_until: np.datetime64 | dt.date) -> Split:
    """Split flights by the last day that teaches, and the last that calibrates; what is later tests."""
    train = dates <= np.datetime64(train_until)
    calibrate = ~train & (dates <= np.datetime64(calibrate_until))
    test = ~train & ~calibrate
    return Split(Periods(*(_span(dates[part]) for part in (train, calibrate, test))), train, calibrate, test)


def by(periods: Periods, dates: Dates) -> Split:
    """Split flights by the periods that each part is to have, whatever else there is."""
    train, calibrate, test = (
        (dates >= np.datetime64(span.first)) & (dates <= np.datetime64(span.last))
        if span.first
        else np.zeros(len(dates), bool)
        for span in (Span(*span) for span in periods)
    )
    return Split(Periods(*(Span(*span) for span in periods)), train, calibrate, test)


def months_of(dates: Dates) -> Dates:
    """Return the month of each day."""
    months: Dates = dates.astype("datetime64[M]")
    return months


def folds(dates: Dates, train: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    """Deal the months of the flights that teach out to at most `count` folds in turn; -1 for all other flights."""
    found = np.full(len(dates), -1)
    months = months_of(dates[train])
    found[train] = np.unique(months, return_inverse=True)[1] % count
    return found


def _span(dates: Dates) -> Span:
    return Span(str(dates.min()), str(dates.max())) if len(dates) else Span("", "")
