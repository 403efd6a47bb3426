"""How a specialist learns: locations by folds, the scale of what they miss, and how far off both have been."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from lightgbm import Booster, Dataset, train
from numpy.typing import NDArray

from flight_delay.model.distribution import Residuals
from flight_delay.model.features import Horizon, Specialist, features_of
from flight_delay.model.matrix import COLUMN, Floats, columns

PARAMETERS: dict[str, Any] = {
    "num_leaves": 31,
    "learning_rate": 0.05,
    "min_data_in_leaf": 500,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "cat_smooth": 50,
    "max_cat_threshold": 16,
    "max_bin": 63,
    "deterministic": True,
    "force_row_wise": True,
    # Threads that wait spin: on a shared machine two can take far longer than one (docs/decisions/0005).
    "num_threads": 1,
    "verbose": -1,
}
FOLDS = 4
"""Models of the location, each of which has not seen every fourth month; their mean answers."""


class Recipe(NamedTuple):
    """How a specialist learns; chosen on months that it had not seen (docs/decisions/0013)."""

    objective: str
    answers: str
    """What its answer is of its distribution: `mean` or `median`."""
    location_trees: int
    scale_trees: int
    learns_between: tuple[float, float] = (-math.inf, math.inf)
    """Minutes; a delay beyond counts as this."""


RECIPES = {
    Specialist.PRE_DEPARTURE: Recipe("l1", "median", 300, 100),
    Specialist.DEPARTED: Recipe("l2", "mean", 300, 100),
    Specialist.DEPARTED_ALONE: Recipe("l2", "mean", 150, 100),
    # A timetable tells how likely a flight is to be late, and nothing of how late beyond half an hour.
    Specialist.SCHEDULE: Recipe("l2", "median", 300, 60, (-20.0, 30.0)),
}
CANCELLED_TREES = 60
TREES = sum(FOLDS * recipe.location_trees + recipe.scale_trees + CANCELLED_TREES for recipe in RECIPES.values())
"""Trees of the whole model."""
_SCALE_FLOOR_MIN = 3.0
"""Added to a residual before its logarithm: a prediction that is right by chance is not a sure one."""
CALIBRATION_SHARE = 0.4
"""What the calibration months count among the residuals; the rest are out of fold, of all seasons."""
_STRANGE_AT_LEAST = 1.1
"""An airport or airline that was never met makes an interval wider by a tenth, or by what was measured."""

_FLIGHTS_MADE_STRANGE = 20_000

_DEP_DELAY = COLUMN["dep_delay"]
_INBOUND = [number for name, number in COLUMN.items() if name.startswith("inbound_")]
_WEATHER = ("temp_c", "dewp_c", "humid_pct", "wind_north_ms", "wind_east_ms", "precip_mm", "pressure_hpa", "visib_km")
_OF_FLIGHT = tuple(name for name in COLUMN if "_flight_" in name)
_HIDDEN: tuple[tuple[tuple[str, ...], float], ...] = (
    (("sched_block_min", *(name for name in COLUMN if name.startswith("block_"))), 0.05),
    (("carrier",), 0.05),
    (("origin", "distance_km"), 0.05),
    (("dest", "distance_km"), 0.05),
    (_OF_FLIGHT, 0.1),
)
"""What a request may leave out or the model not know, and in what share of the rows it is hidden in training."""
_WEATHER_HIDDEN = {Specialist.DEPARTED_ALONE: 0.5, Specialist.DEPARTED: 0.1, Specialist.PRE_DEPARTURE: 0.1}
_STRANGE = (["carrier"], ["origin", "distance_km"], ["dest", "distance_km"])


class Seen(NamedTuple):
    """Flights as they are seen from each horizon, for training: matrices of features, and what became of them."""

    matrices: Mapping[Horizon, Floats]
    arr_delay: Floats
    """Minutes; NaN for a flight that did not arrive."""
    folds: NDArray[np.int64]
    """Of each row; -1 for one that only calibrates."""


@dataclass
class Fitted:
    """The ensembles of a specialist, and how far off they are."""

    locations: list[Booster]
    scale: Booster
    cancelled: Booster
    residuals: Residuals
    strangeness: float
    """How much wider it is where an airport or an airline was never met."""


class _Nursery:
    """Grows boosters over some of the rows of a matrix, all with the bins found on the whole of it.

    Ensembles with the same bins share the tables of `Trees`.
    """

    def __init__(self, specialist: Specialist, matrix: Floats, seed: int, on_tree: Callable[[Any], None]) -> None:
        self._features = features_of(specialist)
        self._seed = seed
        self._on_tree = on_tree
        self._matrix = matrix
        self._bins = Dataset(matrix, **self._of_features()).construct()

    def grow(
        self, objective: str, rows: NDArray[np.bool_], target: Floats, trees: int, without: Sequence[int] = ()
    ) -> Booster:
        """Return a booster that learnt the target from some rows, and knows nothing of the columns left out."""
        seen = self._matrix[rows]
        seen[:, list(without)] = np.nan
        data = Dataset(seen, target[rows], reference=self._bins, **self._of_features())
        parameters = PARAMETERS | {"objective": objective, "seed": self._seed}
        booster = train(parameters, data, trees, callbacks=[self._on_tree])
        # Empty, since nothing stops early; but pickled differently by different versions of Python.
        booster.best_score = {}
        return booster

    def _of_features(self) -> dict[str, Any]:
        return {
            "feature_name": [feature.name for feature in self._features],
            "categorical_feature": [feature.name for feature in self._features if feature.categorical],
            "params": {name: PARAMETERS[name] for name in ("max_bin", "num_threads", "verbose")},
        }


def fit_specialist(specialist: Specialist, seen: Seen, seed: int, on_tree: Callable[[Any], None]) -> Fitted:
    """Fit one specialist: locations by folds, the scale of what they miss, the chance of not arriving."""
    recipe, whole = RECIPES[specialist], seen.matrices[specialist.horizon]
    asked = ~np.isnan(known_delay(specialist, whole))
    whole, fold_of = whole[asked], seen.folds[asked]
    rest = seen.arr_delay[asked] - known_delay(specialist, whole)
    arrived, teaches, own = ~np.isnan(rest), fold_of >= 0, columns(specialist)
    told = thinned(whole, specialist, seed)[:, own]
    nursery = _Nursery(specialist, told, seed, on_tree)

    learnt = np.clip(rest, *recipe.learns_between)
    folds = np.unique(fold_of[teaches])
    locations = [
        nursery.grow(recipe.objective, teaches & arrived & (fold_of != fold), learnt, recipe.location_trees)
        for fold in folds
    ]
    missed = rest - out_of_fold(locations, folds, fold_of, told)
    effort = np.log(np.abs(missed) + _SCALE_FLOOR_MIN)
    scale = nursery.grow("l2", teaches & arrived, effort, recipe.scale_trees)
    # The records lack the tail number of many cancelled flights: where an aircraft is would give them away.
    inbound = [own.index(number) for number in _INBOUND if number in own]
    cancelled = nursery.grow("binary", teaches, (~arrived).astype(np.float64), CANCELLED_TREES, without=inbound)

    whole, rest, fold_of = whole[arrived], rest[arrived], fold_of[arrived]
    missed = rest - out_of_fold(locations, folds, fold_of, whole[:, own])
    standardised = missed / np.exp(said(scale, whole[:, own]))
    residuals = Residuals.of(standardised, _weights(fold_of))
    centred = residuals.around_mean() if recipe.answers == "mean" else residuals.around_median()
    strangeness = _strangeness(locations, scale, folds, fold_of, whole, rest, own, standardised)
    return Fitted(locations, scale, cancelled, centred, strangeness)


def out_of_fold(
    boosters: Sequence[Booster], folds: NDArray[np.int64], fold_of: NDArray[np.int64], rows: Floats
) -> Floats:
    """Return for each row what the booster that has not seen it says; of those that nobody has seen, the mean."""
    result = np.zeros(len(rows))
    for fold, booster in zip(folds, boosters, strict=True):
        mine = (fold_of == fold) | (fold_of < 0)
        if mine.any():
            result[mine] += said(booster, rows[mine]) / np.where(fold_of[mine] < 0, len(boosters), 1)
    return result


def said(booster: Booster, rows: Floats) -> Floats:
    """Return what a booster says of rows.

    LightGBM has one number of threads for the whole process. A call that leaves it open sets it to all of them,
    under the hands of another that counts on its own: so every call says it.
    """
    return np.asarray(booster.predict(rows, num_threads=PARAMETERS["num_threads"]))


def known_delay(specialist: Specialist, rows: Floats) -> Floats:
    """Return the minutes that are known already: the departure delay, or nothing before it."""
    return rows[:, _DEP_DELAY] if specialist.horizon is Horizon.DEPARTED else np.zeros(len(rows))


def thinned(rows: Floats, specialist: Specialist, seed: int) -> Floats:
    """Return the matrix as requests that say less would give it, here and there.

    Learnt from instead of the whole rows, so that a field that is absent or unknown costs little.
    """
    random = np.random.default_rng(seed)
    copy = rows.copy()
    for group, share in (*_HIDDEN, (_WEATHER, _WEATHER_HIDDEN.get(specialist, 0.0))):
        hidden = random.random(len(copy)) < share
        copy[np.ix_(hidden, np.array([COLUMN[name] for name in group]))] = np.nan
    return copy


def without_weather(rows: Floats) -> Floats:
    """Return the matrix as if no request had told the weather; the documented one does not."""
    copy = rows.copy()
    copy[:, [COLUMN[name] for name in _WEATHER]] = np.nan
    return copy


def _weights(folds: NDArray[np.int64]) -> Floats:
    """Return what each residual is to count: those of the calibration months together their share."""
    calibrates = folds < 0
    if not calibrates.any():
        return np.ones(len(folds))
    factor = CALIBRATION_SHARE / (1 - CALIBRATION_SHARE) * (~calibrates).sum() / calibrates.sum()
    return np.where(calibrates, factor, 1.0)


def _strangeness(
    locations: Sequence[Booster],
    scale: Booster,
    folds: NDArray[np.int64],
    fold_of: NDArray[np.int64],
    whole: Floats,
    rest: Floats,
    own: Sequence[int],
    standardised: Floats,
) -> float:
    """Return how much wider it must be for a code that was never met, by hiding each in turn from some flights."""
    some = slice(None, None, max(1, len(rest) // _FLIGHTS_MADE_STRANGE))
    found = [_STRANGE_AT_LEAST]
    for group in _STRANGE:
        hidden = whole[some].copy()
        hidden[:, [COLUMN[name] for name in group]] = np.nan
        missed = rest[some] - out_of_fold(locations, folds, fold_of[some], hidden[:, own])
        unsure = np.abs(missed) / np.exp(said(scale, hidden[:, own]))
        found.append(float(np.quantile(unsure, 0.8) / np.quantile(np.abs(standardised[some]), 0.8)))
    return max(found)
