"""The features of many flights at once: a row a flight, a column a feature."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flight_delay.flight import Flight, local_date
from flight_delay.model.features import FEATURES, Codes, Horizon, Situation, Specialist, features_of, situation
from flight_delay.model.means import INBOUND, MEANS, TOLD
from flight_delay.model.network_state import Recalled

Floats = NDArray[np.float64]
COLUMN = {feature.name: number for number, feature in enumerate(FEATURES)}


class Played(NamedTuple):
    """What was known of each leg that was asked about; as `Recalled`, but of columns."""

    means: Floats
    """(legs, `MEANS`)"""
    inbound: Floats
    """(legs, `INBOUND`)"""

    @classmethod
    def of(cls, recalled: Sequence[Recalled]) -> Played:
        """Return the columns of what was recalled one by one."""
        means = np.array([one.means for one in recalled], np.float64).reshape(len(recalled), len(MEANS))
        return cls(means, np.array([one.inbound for one in recalled], np.float64).reshape(len(recalled), len(INBOUND)))


def matrix(flights: Sequence[Flight], today: dt.date, codes: Codes, played: Played) -> Floats:
    """Return (flights, `FEATURES`), NaN where a value is missing.

    A feature that needs a flight is computed for each; one of the network is arithmetic on whole columns.
    `today` is what a flight without a year is understood from.
    """
    situations = [situation(flight, local_date(flight, today), codes) for flight in flights]
    together = _together(situations, codes, played)
    result = np.empty((len(flights), len(FEATURES)))
    for number, feature in enumerate(FEATURES):
        if feature.of_network:
            result[:, number] = feature.compute(together)
        else:
            result[:, number] = [feature.compute(one) for one in situations]
    return result


def columns(specialist: Specialist) -> list[int]:
    """Return which columns of the matrix a specialist may see."""
    return [COLUMN[feature.name] for feature in features_of(specialist)]


def by_specialist(rows: Floats) -> Iterator[tuple[Specialist, NDArray[np.bool_]]]:
    """Yield each specialist that is asked, with which rows are its own; the rule is that of `Specialist.of`."""
    departed, fresh = ~np.isnan(rows[:, COLUMN["dep_delay"]]), ~np.isnan(rows[:, COLUMN[MEANS[TOLD].name]])
    for specialist in Specialist:
        mine = (departed == (specialist.horizon is Horizon.DEPARTED)) & (fresh == specialist.sees_network)
        if mine.any():
            yield specialist, mine


def is_strange(rows: Floats) -> NDArray[np.bool_]:
    """Return which flights have an airport or an airline that was never met."""
    codes = rows[:, [COLUMN[name] for name in ("carrier", "origin", "dest")]]
    return np.asarray(np.isnan(codes).any(axis=1), np.bool_)


def _together(situations: list[Situation], codes: Codes, played: Played) -> Situation:
    """Return a situation of columns, for the features that are arithmetic; the rest of it they do not touch."""
    numbers = np.array([(one.distance_km, one.block_min) for one in situations], np.float64).reshape(-1, 2)
    nobody: Any = None
    return Situation(
        nobody, nobody, codes, nobody, numbers[:, 0], numbers[:, 1], played.means.T, played.inbound.T
    )  # fmt: skip
