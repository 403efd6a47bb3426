"""Answers that need no model of ours, to measure it by; and how a random split would flatter it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from lightgbm import Dataset as Rows
from lightgbm import train as boost
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from flight_delay.flight import Flight
from flight_delay.model.dataset import Dataset
from flight_delay.model.features import Horizon, Specialist, features_of
from flight_delay.model.matrix import Floats, columns
from flight_delay.model.measures import Said, Way
from flight_delay.model.specialist import PARAMETERS, known_delay
from flight_delay.model.split import Split
from flight_delay.model.views import Views

LINE = "line a + b * dep_delay"
_ORIGINAL_CODES = ("carrier", "origin", "dest")
_ORIGINAL_NUMBERS = ("dep_delay", "month", "day", "sched_dep_time", "sched_arr_time", "distance")
_DEP_DELAY_COLUMN = len(_ORIGINAL_CODES) + _ORIGINAL_NUMBERS.index("dep_delay")
_EXHIBIT_TREES = 100
_EXHIBIT_SEED = 2013


def answers(data: Dataset, split: Split) -> Iterator[tuple[Way, Said]]:
    """Yield what each baseline says of the test flights; they learn from those training flights that arrived.

    Minutes are NaN where the flight has not left and that is what would be needed.
    """
    taught, tested = split.train & data.arrived, split.test
    delays = data.arr_delay[taught]
    seen = _original_columns(data.flights)
    dep_delay = seen[:, _DEP_DELAY_COLUMN]
    line = LinearRegression().fit(dep_delay[taught, None], delays)
    departed = Horizon.DEPARTED.value
    yield Way(departed, "dep_delay itself", "dep_delay"), Said(dep_delay[tested])
    on_line = line.intercept_ + line.coef_[0] * dep_delay[tested]
    yield Way(departed, LINE, "dep_delay"), Said(on_line)
    for horizon, inputs, told in (
        (departed, "ten fields", seen),
        (Horizon.SCHEDULE.value, "nine fields", np.delete(seen, _DEP_DELAY_COLUMN, axis=1)),
    ):
        original = _original_model().fit(told[taught], delays)
        yield Way(horizon, "the original's linear model", inputs), Said(original.predict(told[tested]))
    constant = Said(np.full(int(tested.sum()), np.median(delays)))
    for horizon in (departed, Horizon.PRE_DEPARTURE.value, Horizon.SCHEDULE.value):
        yield Way(horizon, "constant median", "nothing"), constant


def _original_model() -> Pipeline:
    """Return the original's model: least squares on one-hot codes, with the encoding that it meant to have."""
    one_hot = OneHotEncoder(handle_unknown="ignore")
    return make_pipeline(make_column_transformer((one_hot, [0, 1, 2]), remainder=SimpleImputer()), LinearRegression())


def _original_columns(flights: list[Flight]) -> Floats:
    """Return the ten columns of the original: three codes, numbered, and seven numbers; NaN where one is missing."""
    codes = [
        np.unique([getattr(flight, name) for flight in flights], return_inverse=True)[1] for name in _ORIGINAL_CODES
    ]
    numbers = [[getattr(flight, name) for flight in flights] for name in _ORIGINAL_NUMBERS]
    hours = [flight.sched_dep_time // 100 for flight in flights]
    return np.array([*codes, *numbers, hours], np.float64).T


class Leakage(NamedTuple):
    """The error of one and the same small model on the same flights, minutes: split by time, and split at random."""

    horizon: str
    flights: int
    rmse_temporal: float
    rmse_random: float


def leakage(data: Dataset, split: Split, views: Views) -> list[Leakage]:
    """Show how a random split flatters: it lets a model remember the days that it is tested on.

    No figure of the model: one booster, fitted on the training flights, and on as many drawn at random from
    all of them. Both are measured on those flights of the test that were not drawn.
    """
    random = np.random.default_rng(_EXHIBIT_SEED)
    by_time = np.flatnonzero(split.train & data.arrived)
    everything = np.flatnonzero((split.train | split.test) & data.arrived)
    drawn = random.choice(everything, len(by_time), replace=False)
    tested = np.setdiff1d(np.flatnonzero(split.test & data.arrived), drawn)
    return [
        Leakage(
            specialist.horizon.value,
            len(tested),
            _rmse_of_one_booster(specialist, data, views, by_time, tested),
            _rmse_of_one_booster(specialist, data, views, drawn, tested),
        )
        for specialist in (Specialist.DEPARTED, Specialist.SCHEDULE)
    ]


def _rmse_of_one_booster(
    specialist: Specialist, data: Dataset, views: Views, taught: NDArray[np.int64], tested: NDArray[np.int64]
) -> float:
    whole, own = views.matrices[specialist.horizon], columns(specialist)
    rest = data.arr_delay - known_delay(specialist, whole)
    rows = Rows(
        whole[taught][:, own],
        rest[taught],
        categorical_feature=[number for number, feature in enumerate(features_of(specialist)) if feature.categorical],
        params={"max_bin": PARAMETERS["max_bin"]},
    )
    booster = boost(PARAMETERS | {"objective": "l2", "seed": _EXHIBIT_SEED}, rows, _EXHIBIT_TREES)
    missed = booster.predict(whole[tested][:, own]) - rest[tested]
    return float(np.sqrt((missed**2).mean()))
