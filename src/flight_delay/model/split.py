"""Which months teach, which calibrate and which test: always in the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TEST_MONTHS = 2
CALIBRATION_MONTHS = 1
FEWEST_MONTHS = TEST_MONTHS + CALIBRATION_MONTHS + 1


class Months(NamedTuple):
    """Names of months, `2013-01` and so on."""

    train: tuple[str, ...]
    calibrate: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True)
class Split:
    """The rows of each part; no row of a part is earlier than one of the part before."""

    months: Months
    train: NDArray[np.bool_]
    calibrate: NDArray[np.bool_]
    test: NDArray[np.bool_]


def temporal(months: NDArray[np.str_]) -> Split:
    """Split rows by the month of each: the last two test, the one before calibrates, the rest teach.

    Over the year 2013: January to September, October, November and December. A random split would
    let a model remember the bad days it is tested on.
    """
    names = sorted(set(months.tolist()))
    parts = Months(
        tuple(names[: -TEST_MONTHS - CALIBRATION_MONTHS]),
        tuple(names[-TEST_MONTHS - CALIBRATION_MONTHS : -TEST_MONTHS]),
        tuple(names[-TEST_MONTHS:]),
    )
    return by(parts, months)


def by(parts: Months, months: NDArray[np.str_]) -> Split:
    """Split rows by the months that each part is to have."""
    return Split(parts, np.isin(months, parts.train), np.isin(months, parts.calibrate), np.isin(months, parts.test))
