"""How far what was said of flights is from what became of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from flight_delay.model.distribution import INTERVALS, Probabilities
from flight_delay.model.matrix import Floats
from flight_delay.model.means import LATE_MIN
from flight_delay.model.pipeline import Spread

Booleans = NDArray[np.bool_]
VERY_LATE_MIN = 30.0
BUCKETS = ("under_30", "from_30_to_60", "from_60_to_120", "over_120_or_cancelled")
PINBALL_PERCENTS = (10, 50, 90)
PERCENTS = (5, 10, 50, 90, 95)
"""The quantiles that are scored."""
_CALIBRATION_BINS = 10
_BUCKET_BOUNDS = (30.0, 60.0, 120.5)
"""Minutes at which the second, the third and the last bucket begin; more than 120 is the last one's."""
_LEAST_CHANCE = 1e-6
_GAIN_STEPS = 20


class Bin(NamedTuple):
    """Flights that were given about the same chance: how many, their mean chance, and the share to which it came."""

    flights: int
    chance: float
    share: float


class Gain(NamedTuple):
    """The flights with the highest chances: their share of all, and their share of those that were late."""

    flights: float
    late: float


class Distribution(NamedTuple):
    """The chances and the quantiles (flights, `PERCENTS`) that were given to some flights."""

    probabilities: Probabilities
    quantiles: Floats

    def of(self, rows: NDArray[np.bool_]) -> Distribution:
        """Return those of some of the flights."""
        return Distribution(Probabilities(*(column[rows] for column in self.probabilities)), self.quantiles[rows])


class Said(NamedTuple):
    """What one way of answering says of some flights, in minutes, and as a distribution where it gives one.

    Minutes are NaN of a flight that it is not asked about.
    """

    minutes: Floats
    distribution: Distribution | None = None

    @property
    def given(self) -> Distribution:
        """The distribution, where one is given."""
        assert self.distribution is not None
        return self.distribution

    def of(self, rows: NDArray[np.bool_]) -> Said:
        """Return what it says of some of the flights."""
        return Said(self.minutes[rows], self.distribution and self.distribution.of(rows))

    @classmethod
    def by(cls, spread: Spread) -> Said:
        """Return what a specialist says."""
        return cls(spread.location, Distribution(spread.probabilities, spread.quantiles(PERCENTS)))

    @classmethod
    def together(cls, parts: Iterable[Said]) -> Said:
        """Return what was said of the flights of all parts, of which all or none have distributions."""
        all_parts = list(parts)
        minutes = np.concatenate([part.minutes for part in all_parts])
        given = [part.distribution for part in all_parts if part.distribution]
        if not given:
            return cls(minutes)
        columns = zip(*(distribution.probabilities for distribution in given), strict=True)
        return cls(
            minutes,
            Distribution(
                Probabilities(*map(np.concatenate, columns)),
                np.concatenate([distribution.quantiles for distribution in given]),
            ),
        )


class Way(NamedTuple):
    """A way of answering: at which horizon, who answers, and what it is told."""

    horizon: str
    model: str
    inputs: str


@dataclass(frozen=True)
class Score:
    """What one way of answering scores on some flights.

    Attributes
    ----------
    horizon : `schedule`, `pre_departure` or `departed`
    model : who answers
    inputs : what it is told
    flights : that arrived; all but what is said of cancellations and buckets is measured on these
    rmse, mae, bias : minutes; bias is the mean of answer less truth
    r2 : coefficient of determination
    auc_15, auc_30 : area under the ROC curve for arrivals 15 (30) or more minutes late; by the chance, or the minutes
        where none is given; None where all flights, or none, were late
    brier_15, calibration_error_15, calibration_error_30 : of that chance; None, with all below, where none is given
    coverage_80, coverage_90 : share of the flights inside the interval that is to hold 80 % (90 %) of them
    width_80 : mean width of that interval, minutes
    pinball_10, pinball_50, pinball_90 : mean pinball loss of the quantiles, minutes
    bucket_calibration_errors : of the chance of each of the four buckets, over all flights
    bucket_log_loss : mean negative logarithm of the chance that the bucket was given that it came to, nats
    cancelled_auc, cancelled_calibration_error : of the chance of not arriving, over all flights
    """

    horizon: str
    model: str
    inputs: str
    flights: int
    rmse: float
    mae: float
    bias: float
    r2: float
    auc_15: float | None
    auc_30: float | None
    brier_15: float | None = None
    calibration_error_15: float | None = None
    calibration_error_30: float | None = None
    coverage_80: float | None = None
    coverage_90: float | None = None
    width_80: float | None = None
    pinball_10: float | None = None
    pinball_50: float | None = None
    pinball_90: float | None = None
    bucket_calibration_errors: dict[str, float] | None = None
    bucket_log_loss: float | None = None
    cancelled_auc: float | None = None
    cancelled_calibration_error: float | None = None

    @property
    def bucket_calibration_error(self) -> float | None:
        """The largest of the four; None where no distribution is given."""
        return max(self.bucket_calibration_errors.values()) if self.bucket_calibration_errors else None


@dataclass(frozen=True)
class Slice:
    """What the model scores at a horizon on the flights that agree in something; as `Score`, whose units it has.

    Attributes
    ----------
    by, value : in what they agree: `month`, `carrier`, `origin`, or `hours` of the scheduled departure
    late_share : share of those that arrived 15 or more minutes late
    """

    horizon: str
    by: str
    value: str
    flights: int
    late_share: float
    rmse: float
    mae: float
    auc_15: float | None
    calibration_error_15: float
    coverage_80: float
    coverage_90: float
    width_80: float


def score(way: Way, said: Said, arr_delay: Floats) -> Score:
    """Score what was said of the flights that it was asked about; of those that did not arrive the delay is NaN."""
    asked = ~np.isnan(said.minutes)
    said, arr_delay = said.of(asked), arr_delay[asked]
    arrived = ~np.isnan(arr_delay)
    truth, of_arrived = arr_delay[arrived], said.of(arrived)
    error = of_arrived.minutes - truth
    given = of_arrived.distribution
    chance_15, chance_30 = (
        (given.probabilities.late_15, given.probabilities.late_30) if given else (of_arrived.minutes,) * 2
    )
    square = float((error**2).mean())
    return Score(
        way.horizon,
        way.model,
        way.inputs,
        flights=len(truth),
        rmse=square**0.5,
        mae=float(np.abs(error).mean()),
        bias=float(error.mean()),
        r2=1.0 - square / float(truth.var()),
        auc_15=auc(chance_15, truth >= LATE_MIN),
        auc_30=auc(chance_30, truth >= VERY_LATE_MIN),
        **({} if given is None else _of_arrived(given, truth)),
        **({} if said.distribution is None else _of_all(said.distribution.probabilities, arr_delay)),
    )


def _of_arrived(given: Distribution, truth: Floats) -> dict[str, Any]:
    late = truth >= LATE_MIN
    return {
        "brier_15": float(((given.probabilities.late_15 - late) ** 2).mean()),
        "calibration_error_15": calibration_error(given.probabilities.late_15, late),
        "calibration_error_30": calibration_error(given.probabilities.late_30, truth >= VERY_LATE_MIN),
        **_of_intervals(given.quantiles, truth),
        **{
            f"pinball_{percent}": pinball(given.quantiles[:, PERCENTS.index(percent)], truth, percent / 100)
            for percent in PINBALL_PERCENTS
        },
    }


def _of_intervals(quantiles: Floats, truth: Floats) -> dict[str, Any]:
    ends = {share: tuple(quantiles[:, PERCENTS.index(end)] for end in INTERVALS[share]) for share in INTERVALS}
    covered = {
        f"coverage_{share}": float(((low <= truth) & (truth <= high)).mean()) for share, (low, high) in ends.items()
    }
    low, high = ends[80]
    return covered | {"width_80": float((high - low).mean())}


def _of_all(given: Probabilities, arr_delay: Floats) -> dict[str, Any]:
    came_to, cancelled = bucket_of(arr_delay), np.isnan(arr_delay)
    chances = np.array([getattr(given, name) for name in BUCKETS])
    chosen = chances[came_to, np.arange(len(came_to))]
    return {
        "bucket_calibration_errors": {
            name: calibration_error(chances[number], came_to == number) for number, name in enumerate(BUCKETS)
        },
        "bucket_log_loss": float(-np.log(np.maximum(chosen, _LEAST_CHANCE)).mean()),
        "cancelled_auc": auc(given.cancelled, cancelled),
        "cancelled_calibration_error": calibration_error(given.cancelled, cancelled),
    }


def score_slice(horizon: str, by: str, value: str, said: Said, arr_delay: Floats) -> Slice:
    """Score flights that agree in something; at least one of them arrived, and a distribution was given."""
    whole = score(Way(horizon, "", ""), said, arr_delay)
    late = arr_delay[~np.isnan(arr_delay)] >= LATE_MIN
    own = {name: getattr(whole, name) for name in Slice.__dataclass_fields__ if hasattr(whole, name)}
    return Slice(**own, by=by, value=value, late_share=float(late.mean()))


def auc(chance: Floats, happened: Booleans) -> float | None:
    """Return the area under the ROC curve; None where all happened, or nothing."""
    return float(roc_auc_score(happened, chance)) if happened.any() and not happened.all() else None


def pinball(quantile: Floats, truth: Floats, level: float) -> float:
    """Return the mean pinball loss of a quantile, in minutes: what it misses, weighted by its level from 0 to 1."""
    above = truth - quantile
    return float(np.maximum(level * above, (level - 1.0) * above).mean())


def bucket_of(arr_delay: Floats) -> NDArray[np.int64]:
    """Return which of `BUCKETS` each flight came to; one that did not arrive is of the last."""
    found: NDArray[np.int64] = np.searchsorted(
        _BUCKET_BOUNDS, np.where(np.isnan(arr_delay), np.inf, arr_delay), "right"
    )
    return found


def reliability(chance: Floats, happened: Booleans) -> list[Bin]:
    """Return what was said beside what happened, in ten bins of equal width; those without flights are left out."""
    bins = np.minimum((chance * _CALIBRATION_BINS).astype(int), _CALIBRATION_BINS - 1)
    return [
        Bin(int(inside.sum()), float(chance[inside].mean()), float(happened[inside].mean()))
        for inside in (bins == number for number in np.unique(bins))
    ]


def calibration_error(chance: Floats, happened: Booleans) -> float:
    """Return the expected calibration error over the bins of `reliability` (Naeini et al., AAAI 2015)."""
    gaps = (flights * abs(said - share) for flights, said, share in reliability(chance, happened))
    return sum(gaps) / len(chance)


def gains(chance: Floats, happened: Booleans) -> list[Gain]:
    """Return how much of what happened is among the flights with the highest chances, for growing shares of them."""
    caught = np.concatenate([[0], np.cumsum(happened[np.argsort(-chance, kind="stable")])])
    shares = np.linspace(0.0, 1.0, _GAIN_STEPS + 1)
    total = max(1, int(caught[-1]))
    return [Gain(float(share), float(caught[round(share * len(chance))] / total)) for share in shares]
