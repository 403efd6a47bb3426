"""Measure what decision 0013 rests on: how `schedule` learns, what its residuals count, and old habits after departure.

`python benchmarks/recipes.py`, after `make run` has made the processed table. Takes five minutes. On the temporal test.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from unittest import mock

import numpy as np
from sklearn.metrics import roc_auc_score

from flight_delay.model import features, specialist
from flight_delay.model.dataset import load
from flight_delay.model.features import Specialist
from flight_delay.model.measures import calibration_error
from flight_delay.model.pipeline import DelayBySpecialist, FlightFeatures
from flight_delay.model.split import folds, temporal
from flight_delay.model.train import SEED, public_holidays
from flight_delay.model.views import Views

SCHEDULE = specialist.RECIPES[Specialist.SCHEDULE]
AS_IT_IS = (-np.inf, np.inf)


def main() -> None:
    """Print a line for each variant."""
    data = load(Path("data/processed"))
    split = temporal(data.dates)
    made = FlightFeatures(data.airports, public_holidays())
    made.fit([flight for flight, teaches in zip(data.flights, split.train, strict=True) if teaches])
    views = Views.of(made, data)
    end = np.datetime64(split.periods.calibrate.last) + 1
    made.habits_ = views.history.habits(float(end.astype("datetime64[m]").astype(np.int64)))
    learns, came = split.train | split.calibrate, split.test & data.arrived
    seen = specialist.Seen(
        {horizon: rows[learns] for horizon, rows in views.matrices.items()},
        data.arr_delay[learns],
        folds(data.dates, split.train, specialist.FOLDS)[learns],
    )
    truth = data.arr_delay[came]

    def answered(who: Specialist, rows: np.ndarray):
        delay = DelayBySpecialist(SEED)
        delay.specialists_ = {who: specialist.fit_specialist(who, seen, SEED, lambda _: None)}
        return delay.spread(who, rows)

    print("schedule: AUC 15+, calibration error 15+, share inside the 80 % interval")
    for name, recipe, share in (
        ("as it is", SCHEDULE, specialist.CALIBRATION_SHARE),
        ("the delay as it is, its median", SCHEDULE._replace(objective="l1", learns_between=AS_IT_IS), 0.4),
        ("100 trees of the scale", SCHEDULE._replace(scale_trees=100), 0.4),
        ("residuals of January to September", SCHEDULE, 0.0),
        ("residuals of October", SCHEDULE, 0.999),
    ):
        with (
            mock.patch.dict(specialist.RECIPES, {Specialist.SCHEDULE: recipe}),
            mock.patch.object(specialist, "CALIBRATION_SHARE", share),
        ):
            spread = answered(Specialist.SCHEDULE, views.matrices[Specialist.SCHEDULE.horizon][came])
        late, (low, high) = spread.probabilities.late_15, spread.quantiles((10, 90)).T
        inside = ((low <= truth) & (truth <= high)).mean()
        auc = roc_auc_score(truth >= 15, late)
        print(f"{name:34s} {auc:.4f} {calibration_error(late, truth >= 15):.4f} {inside:.3f}", flush=True)

    print("departed without network, the documented ten fields, habits as old as the model: RMSE, MAE")
    less = {"weather": None, "flight": None, "tailnum": None}
    tested = [flight.model_copy(update=less) for flight, asks in zip(data.flights, came, strict=True) if asks]
    made.today = dt.date(2014, 1, 1)
    documented = made.transform(tested)
    for name, sees in (("without habits, as it is", False), ("with habits", True)):
        with mock.patch.object(Specialist, "sees_habits", sees):
            features.features_of.cache_clear()
            missed = answered(Specialist.DEPARTED_ALONE, documented).location - truth
        print(f"{name:34s} {np.sqrt((missed**2).mean()):.2f} {np.abs(missed).mean():.2f}", flush=True)


if __name__ == "__main__":
    main()
