"""From a prediction to a distribution: how far off predictions as unsure as this one have been.

The delay is taken as location + scale * residual. The scale is predicted beside the location; the
distribution of the residuals is that of flights which the model had not seen (normalised conformal
prediction: Papadopoulos et al., 2002; as a whole distribution: Vovk et al., 2019). Every probability and
every quantile is read from that one distribution, so none can contradict another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flight_delay.errors import BrokenArtifact

Floats = NDArray[np.float64]
LEVELS: Floats = np.concatenate(
    [[0.0, 0.0005, 0.001, 0.0025, 0.005], np.arange(1, 100) / 100, [0.995, 0.9975, 0.999, 0.9995, 1.0]]
)
"""The levels at which the quantiles of the residuals are kept."""
MEDIAN = int(np.searchsorted(LEVELS, 0.5))
PERCENTS = tuple(range(5, 100, 5))
"""The levels of the quantiles that are answered, percent."""
INTERVALS = {80: (10, 90), 90: (5, 95)}
"""Percent: the levels, percent too, between which an interval lies."""
_WHOLE_MINUTE = 0.5
"""Delays are whole minutes: 15 or more is more than 14.5, and more than 120 is more than 120.5."""


class Probabilities(NamedTuple):
    """What may become of a flight; each a number, or a column for many flights.

    `on_time`, `late_15` and `late_30` are of a flight that arrives. The four buckets are of all flights and
    sum to 1: the last one holds those that do not arrive, and `cancelled` is their share (diverted ones too).
    """

    on_time: Any
    late_15: Any
    late_30: Any
    under_30: Any
    from_30_to_60: Any
    from_60_to_120: Any
    over_120_or_cancelled: Any
    cancelled: Any


@dataclass(frozen=True)
class Residuals:
    """How standardised residuals are distributed: their quantiles at `LEVELS`, float64, ascending.

    Raises `BrokenArtifact` where they are no such thing.
    """

    table: Floats

    def __post_init__(self) -> None:
        if self.table.dtype != np.float64 or self.table.shape != LEVELS.shape:
            raise BrokenArtifact("the residuals are not a table of quantiles")
        if not np.isfinite(self.table).all() or (np.diff(self.table) < 0).any():
            raise BrokenArtifact("the quantiles of the residuals do not ascend")

    @classmethod
    def of(cls, residuals: Floats, weights: Floats) -> Residuals:
        """Learn them from standardised residuals, and what each of these is to count."""
        order = np.argsort(residuals, kind="stable")
        share = np.cumsum(weights[order])
        return cls(np.interp(LEVELS, (share - weights[order] / 2) / share[-1], residuals[order]))

    def around_median(self) -> Residuals:
        """Return the distribution moved so that its median is 0."""
        return Residuals(self.table - self.table[MEDIAN])

    def around_mean(self) -> Residuals:
        """Return the distribution moved so that its mean is 0."""
        return Residuals(self.table - np.trapezoid(self.table, LEVELS))

    def quantiles(self, location: Any, scale: Any, percents: Any = PERCENTS) -> Floats:
        """Return (flights, percents) minutes; they never cross. Of one flight: (percents,)."""
        of_residuals = np.interp(np.asarray(percents) / 100, LEVELS, self.table)
        minutes: Floats = np.asarray(location)[..., None] + np.asarray(scale)[..., None] * of_residuals
        return minutes

    def beyond(self, location: Any, scale: Any, minutes: Any) -> Floats:
        """Return (flights, minutes) the chance of more than so many minutes. Of one flight: (minutes,)."""
        standardised = (np.asarray(minutes) - np.asarray(location)[..., None]) / np.asarray(scale)[..., None]
        chances: Floats = 1.0 - np.interp(standardised, self.table, LEVELS, left=0.0, right=1.0)
        return chances

    def probabilities(self, location: Any, scale: Any, cancelled: Any) -> Probabilities:
        """Return the chances, `cancelled` being that of not arriving at all; of one flight, or columns of many."""
        late_15, late_30, late_60, late_120 = np.moveaxis(self.beyond(location, scale, _THRESHOLDS), -1, 0)
        arrives = 1.0 - cancelled
        return Probabilities(
            on_time=1.0 - late_15,
            late_15=late_15,
            late_30=late_30,
            under_30=arrives * (1.0 - late_30),
            from_30_to_60=arrives * (late_30 - late_60),
            from_60_to_120=arrives * (late_60 - late_120),
            over_120_or_cancelled=arrives * late_120 + cancelled,
            cancelled=cancelled,
        )


_THRESHOLDS: Floats = np.array(
    [15.0 - _WHOLE_MINUTE, 30.0 - _WHOLE_MINUTE, 60.0 - _WHOLE_MINUTE, 120.0 + _WHOLE_MINUTE]
)
