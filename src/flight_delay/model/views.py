"""Flights of the past as they were seen from each horizon: their features, with the network played back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flight_delay.model.features import Horizon
from flight_delay.model.matrix import Floats, matrix
from flight_delay.model.replay import History

if TYPE_CHECKING:
    from flight_delay.model.dataset import Flights
    from flight_delay.model.pipeline import FlightFeatures


@dataclass(frozen=True)
class Views:
    """The matrices of some flights: (flights, `FEATURES`) for each horizon."""

    matrices: Mapping[Horizon, Floats]
    history: History

    @classmethod
    def of(cls, features: FlightFeatures, flights: Flights) -> Views:
        """Play back all legs of the flights; each flight sees those events that came before its own cut-off."""
        history = History(flights.legs)
        horizons = list(Horizon)
        played = history.play(flights.legs, *(flights.cut_offs(horizon) for horizon in horizons))
        today = dt.date(1970, 1, 1)  # every flight of the past says its year
        return cls(
            {
                horizon: matrix(flights.seen_from(horizon), today, features.codes_, known)
                for horizon, known in zip(horizons, played, strict=True)
            },
            history,
        )
