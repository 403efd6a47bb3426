"""How good the model is on months that it has not seen, beside answers that need no model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.metrics import brier_score_loss, r2_score, roc_auc_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from flight_delay.flight import Flight
from flight_delay.model.dataset import Dataset
from flight_delay.model.features import Horizon
from flight_delay.model.pipeline import LATE_MIN, DelayByHorizon, without_weather
from flight_delay.model.split import Months, Split

METRICS_FILE = "metrics.json"
_CALIBRATION_BINS = 10


@dataclass(frozen=True)
class Score:
    """What one way of answering scores on the test months.

    Attributes
    ----------
    horizon : `departed` knows the departure delay, `schedule` does not
    model : who answers
    inputs : what it is told
    rmse, mae, bias : minutes; bias is the mean of answer less truth
    r2 : coefficient of determination
    auc_15 : area under the ROC curve for arrivals 15 or more minutes late; by the chance, or the minutes where none
        is given
    brier_15, calibration_error_15 : of that chance; None where none is given
    """

    horizon: str
    model: str
    inputs: str
    rmse: float
    mae: float
    bias: float
    r2: float
    auc_15: float
    brier_15: float | None = None
    calibration_error_15: float | None = None


class Bin(NamedTuple):
    """Flights that were given about the same chance: how many, their mean chance, and the share to which it came."""

    flights: int
    chance: float
    share: float


@dataclass(frozen=True)
class Metrics:
    """The evaluation: on what, against what, and the scores, best informed first."""

    source: str
    data_digest: str
    months: Months
    train_flights: int
    calibrate_flights: int
    test_flights: int
    late_share: float
    scores: list[Score]
    by_month: dict[str, list[Score]]


def evaluate(pipeline: Pipeline, data: Dataset, split: Split) -> Metrics:
    """Score a fitted pipeline and the baselines on the test months; the baselines learn from the training months."""
    tested = [flight for flight, tests in zip(data.flights, split.test, strict=True) if tests]
    matrix = pipeline.named_steps["features"].transform(tested)
    delay: DelayByHorizon = pipeline.named_steps["delay"]
    truth = data.arr_delay[split.test]
    months = data.months[split.test]
    return Metrics(
        source=data.source,
        data_digest=data.digest,
        months=split.months,
        train_flights=int(split.train.sum()),
        calibrate_flights=int(split.calibrate.sum()),
        test_flights=len(truth),
        late_share=float((truth >= LATE_MIN).mean()),
        scores=[*_of_model(delay, matrix, truth), *_of_baselines(data, split)],
        by_month={
            month: list(_of_model(delay, matrix[months == month], truth[months == month]))
            for month in split.months.test
        },
    )


def as_json(metrics: Metrics) -> str:
    """Return the metrics as `metrics.json` holds them."""
    facts = asdict(metrics) | {"months": metrics.months._asdict()}
    return json.dumps(facts, indent=2) + "\n"


def _of_model(delay: DelayByHorizon, matrix: NDArray[np.float64], truth: NDArray[np.float64]) -> Iterator[Score]:
    for horizon, inputs, rows in (
        (Horizon.DEPARTED, "ten fields and weather", matrix),
        (Horizon.DEPARTED, "ten fields", without_weather(matrix)),
        (Horizon.SCHEDULE, "nine fields", matrix),
    ):
        yield _score(horizon, "model", inputs, delay.minutes_at(horizon, rows), truth, delay.late_at(horizon, rows))


def _of_baselines(data: Dataset, split: Split) -> Iterator[Score]:
    taught, tested = data.arr_delay[split.train], data.arr_delay[split.test]
    columns = _original_columns(data.flights)
    dep_delay = columns[:, [_DEP_DELAY_COLUMN]]
    line = LinearRegression().fit(dep_delay[split.train], taught).predict(dep_delay[split.test])
    median = np.full(len(tested), np.median(taught))
    for horizon, inputs, seen in (
        (Horizon.DEPARTED, "ten fields", columns),
        (Horizon.SCHEDULE, "nine fields", np.delete(columns, _DEP_DELAY_COLUMN, axis=1)),
    ):
        if horizon is Horizon.DEPARTED:
            yield _score(horizon, "dep_delay itself", "dep_delay", dep_delay[split.test, 0], tested)
            yield _score(horizon, "line a + b * dep_delay", "dep_delay", line, tested)
        original = _original_model().fit(seen[split.train], taught)
        yield _score(horizon, "the original's linear model", inputs, original.predict(seen[split.test]), tested)
        yield _score(horizon, "constant median", "nothing", median, tested)


def _original_model() -> Pipeline:
    """Return the original's model: least squares on one-hot codes, with the encoding that it meant to have."""
    one_hot = OneHotEncoder(handle_unknown="ignore")
    return make_pipeline(make_column_transformer((one_hot, [0, 1, 2]), remainder="passthrough"), LinearRegression())


def _original_columns(flights: list[Flight]) -> NDArray[np.float64]:
    """Return the ten columns of the original: three codes, numbered, and seven numbers."""
    codes = [
        np.unique([getattr(flight, name) for flight in flights], return_inverse=True)[1] for name in _ORIGINAL_CODES
    ]
    numbers = [[getattr(flight, name) for flight in flights] for name in _ORIGINAL_NUMBERS]
    hours = [flight.sched_dep_time // 100 for flight in flights]
    return np.array([*codes, *numbers, hours], np.float64).T


_ORIGINAL_CODES = ("carrier", "origin", "dest")
_ORIGINAL_NUMBERS = ("dep_delay", "month", "day", "sched_dep_time", "sched_arr_time", "distance")
_DEP_DELAY_COLUMN = len(_ORIGINAL_CODES) + _ORIGINAL_NUMBERS.index("dep_delay")


def _score(
    horizon: Horizon,
    model: str,
    inputs: str,
    minutes: NDArray[np.float64],
    truth: NDArray[np.float64],
    chance: NDArray[np.float64] | None = None,
) -> Score:
    error = minutes - truth
    late = truth >= LATE_MIN
    return Score(
        horizon=horizon.value,
        model=model,
        inputs=inputs,
        rmse=float(np.sqrt((error**2).mean())),
        mae=float(np.abs(error).mean()),
        bias=float(error.mean()),
        r2=float(r2_score(truth, minutes)),
        auc_15=float(roc_auc_score(late, minutes if chance is None else chance)),
        brier_15=None if chance is None else float(brier_score_loss(late, chance)),
        calibration_error_15=None if chance is None else calibration_error(chance, late),
    )


def reliability(chance: NDArray[np.float64], happened: NDArray[np.bool_]) -> list[Bin]:
    """Return what was said beside what happened, in ten bins of equal width; those without flights are left out."""
    bins = np.minimum((chance * _CALIBRATION_BINS).astype(int), _CALIBRATION_BINS - 1)
    return [
        Bin(int(inside.sum()), float(chance[inside].mean()), float(happened[inside].mean()))
        for inside in (bins == number for number in np.unique(bins))
    ]


def calibration_error(chance: NDArray[np.float64], happened: NDArray[np.bool_]) -> float:
    """Return the expected calibration error over the bins of `reliability` (Naeini et al., AAAI 2015)."""
    gaps = (flights * abs(said - share) for flights, said, share in reliability(chance, happened))
    return sum(gaps) / len(chance)
