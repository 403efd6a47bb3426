"""The model as scikit-learn knows it: features, then LightGBM specialists, one for each horizon."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from lightgbm import Booster, Dataset, train
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from flight_delay.airports import Airport
from flight_delay.flight import Flight, Known, local_date
from flight_delay.model.artifact import Artifact, Calibration, Late, Manifest
from flight_delay.model.compile import compile_booster
from flight_delay.model.features import FEATURES, Codes, Horizon, features_of, values

LATE_MIN = 15.0
"""A flight that arrives this many minutes after its schedule, or more, is late (US DOT)."""

PARAMETERS: dict[str, Any] = {
    "num_leaves": 31,
    "learning_rate": 0.03,
    "min_data_in_leaf": 1000,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "cat_smooth": 50,
    "max_cat_threshold": 16,
    "max_bin": 255,
    "deterministic": True,
    "force_row_wise": True,
    # Threads that wait spin: on a shared machine two can take far longer than one (docs/decisions/0005).
    "num_threads": 1,
    "verbose": -1,
}
TREES = {Horizon.SCHEDULE: 400, Horizon.DEPARTED: 300}
"""Trees of each ensemble; a horizon has two, for the minutes and for the chance of being late."""
LONGEST_MIN = 60.0
"""Before departure a longer delay counts as this one; few very late flights would else draw all answers to them."""

_COLUMN = {feature.name: number for number, feature in enumerate(FEATURES)}
_DEP_DELAY = _COLUMN["dep_delay"]
_WEATHER = [_COLUMN[f.name] for f in FEATURES if f.known is Known.DEPARTED and f.name != "dep_delay"]
_HIDDEN = (
    (_WEATHER, 0.5),
    ([_COLUMN["sched_arr_min"]], 0.05),
    ([_COLUMN["carrier"]], 0.05),
    ([_COLUMN["origin"], _COLUMN["distance_km"]], 0.05),
    ([_COLUMN["dest"], _COLUMN["distance_km"]], 0.05),
)
"""What a request may leave out or the model not know, and in what share of the rows it is hidden in training."""


class FlightFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Flights to numbers: one row a flight, one column a feature.

    Parameters
    ----------
    airports : where airports are, by IATA code
    holidays : proleptic ordinals of the holidays, ascending
    today : the date from which a flight without a year is understood; the day of the call if None
    """

    def __init__(self, airports: Mapping[str, Airport], holidays: Sequence[int], today: dt.date | None = None) -> None:
        self.airports = airports
        self.holidays = holidays
        self.today = today

    def fit(self, flights: Any, _: object = None) -> Self:
        """Learn the codes of carriers and airports."""
        known = as_flights(flights)
        self.codes_ = Codes(
            airports=self.airports,
            carriers=_numbered(flight.carrier for flight in known),
            origins=_numbered(flight.origin for flight in known),
            dests=_numbered(flight.dest for flight in known),
            holidays=tuple(self.holidays),
        )
        return self

    def transform(self, flights: Any) -> NDArray[np.float64]:
        """Return (flights, features), float64, NaN where a value is missing."""
        today = self.today or dt.date.today()
        rows = [values(FEATURES, flight, local_date(flight, today), self.codes_) for flight in as_flights(flights)]
        return np.array(rows, np.float64).reshape(len(rows), len(FEATURES))


class DelayByHorizon(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Minutes of arrival delay, and the chance of being late, by the specialist of each row's horizon.

    A row whose departure delay is missing belongs to `schedule`, any other to `departed`, which
    learns what is gained or lost on the way and adds it to the departure delay.
    """

    def __init__(self, seed: int = 2013) -> None:
        self.seed = seed

    def fit(
        self, matrix: NDArray[np.float64], arr_delay: NDArray[np.float64], on_tree: Callable[[], None] = lambda: None
    ) -> Self:
        """Fit four ensembles; `on_tree` is called after each tree."""
        late = (arr_delay >= LATE_MIN).astype(np.float64)
        to_learn = {
            Horizon.SCHEDULE: np.minimum(arr_delay, LONGEST_MIN),
            Horizon.DEPARTED: arr_delay - matrix[:, _DEP_DELAY],
        }
        self.minutes_ = {horizon: self._boost(horizon, "l2", matrix, to_learn[horizon], on_tree) for horizon in Horizon}
        self.late_ = {horizon: self._boost(horizon, "binary", matrix, late, on_tree) for horizon in Horizon}
        self.calibration_: dict[Horizon, Calibration] = {}
        self.lineage_: dict[str, Any] = {}
        return self

    def calibrate(self, matrix: NDArray[np.float64], arr_delay: NDArray[np.float64]) -> Self:
        """Make the chances of being late agree with how often flights of these months were late (Platt, 1999)."""
        late = arr_delay >= LATE_MIN
        for horizon in Horizon:
            fitted = LogisticRegression(C=np.inf).fit(self._log_odds(horizon, matrix)[:, None], late)
            self.calibration_[horizon] = Calibration(float(fitted.coef_[0, 0]), float(fitted.intercept_[0]))
        return self

    def predict(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return minutes of arrival delay, negative is early."""
        return self._by_horizon(matrix, self.minutes_at)

    def predict_late(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the chance of an arrival 15 or more minutes late."""
        return self._by_horizon(matrix, self.late_at)

    def minutes_at(self, horizon: Horizon, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the minutes that the specialist of one horizon gives."""
        minutes = np.asarray(self.minutes_[horizon].predict(matrix[:, columns(horizon)]))
        return minutes if horizon is Horizon.SCHEDULE else minutes + matrix[:, _DEP_DELAY]

    def late_at(self, horizon: Horizon, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the chances that the specialist of one horizon gives."""
        slope, intercept = self.calibration_[horizon]
        return 1.0 / (1.0 + np.exp(-(slope * self._log_odds(horizon, matrix) + intercept)))

    def _log_odds(self, horizon: Horizon, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self.late_[horizon].predict(matrix[:, columns(horizon)], raw_score=True))

    def _by_horizon(
        self, matrix: NDArray[np.float64], answer: Callable[[Horizon, NDArray[np.float64]], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        result = np.empty(len(matrix))
        departed = ~np.isnan(matrix[:, _DEP_DELAY])
        for horizon, rows in ((Horizon.DEPARTED, departed), (Horizon.SCHEDULE, ~departed)):
            if rows.any():
                result[rows] = answer(horizon, matrix[rows])
        return result

    def _boost(
        self,
        horizon: Horizon,
        objective: str,
        matrix: NDArray[np.float64],
        target: NDArray[np.float64],
        on_tree: Callable[[], None],
    ) -> Booster:
        features = features_of(horizon)
        data = Dataset(
            thinned(matrix, self.seed)[:, columns(horizon)],
            target,
            feature_name=[feature.name for feature in features],
            categorical_feature=[feature.name for feature in features if feature.categorical],
        )
        parameters = PARAMETERS | {"objective": objective, "seed": self.seed}
        booster = train(parameters, data, TREES[horizon], callbacks=[lambda _: on_tree()])
        # Empty, since nothing stops early; but pickled differently by different versions of Python.
        booster.best_score = {}
        return booster


def columns(horizon: Horizon) -> list[int]:
    """Return which columns of the matrix a horizon may see."""
    return [i for i, feature in enumerate(FEATURES) if feature.known <= horizon.cut_off]


def without_weather(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix as if no request had told the weather; the documented one does not."""
    copy = matrix.copy()
    copy[:, _WEATHER] = np.nan
    return copy


def thinned(matrix: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Return the matrix as requests that say less would give it, here and there.

    Learnt from instead of the whole rows, so that a field that is absent or unknown costs little.
    """
    random = np.random.default_rng(seed)
    copy = matrix.copy()
    for group, share in _HIDDEN:
        hidden = random.random(len(copy)) < share
        copy[hidden[:, None] & np.isin(np.arange(copy.shape[1]), group)] = np.nan
    return copy


def as_flights(rows: Any) -> list[Flight]:
    """Return flights from flights, mappings, or a data frame (of which only the known columns are read).

    Raises `pydantic.ValidationError` for a row that is no flight.
    """
    if hasattr(rows, "to_dict"):
        known = [name for name in rows.columns if name in Flight.model_fields]
        rows = [_without_nulls(row) for row in rows[known].to_dict("records")]
    return [row if isinstance(row, Flight) else Flight.model_validate(row) for row in rows]


def to_artifact(pipeline: Pipeline, source_sha256: str) -> Artifact:
    """Return the form of a fitted pipeline that executes nothing; its answers are equal bit by bit."""
    codes: Codes = pipeline.named_steps["features"].codes_
    delay: DelayByHorizon = pipeline.named_steps["delay"]
    return Artifact(
        manifest=Manifest(source_sha256=source_sha256, lineage=delay.lineage_),
        codes=codes,
        minutes={horizon: compile_booster(booster) for horizon, booster in delay.minutes_.items()},
        late={h: Late(compile_booster(booster), delay.calibration_[h]) for h, booster in delay.late_.items()},
    )


def _numbered(codes: Iterable[str]) -> dict[str, int]:
    return {code: number for number, code in enumerate(sorted(set(codes)))}


def _without_nulls(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in row.items()
        if value is not None and not (isinstance(value, float) and math.isnan(value))
    }
