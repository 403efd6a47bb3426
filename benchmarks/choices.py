"""Measure what the decisions on the model rest on: where a long delay is cut off, and how many threads learn.

`python benchmarks/choices.py`, after `make run` has made the processed table. Takes two minutes.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np

from flight_delay.model import pipeline
from flight_delay.model.dataset import load
from flight_delay.model.features import Horizon
from flight_delay.model.split import temporal
from flight_delay.model.train import public_holidays

SEED = 2013


def main() -> None:
    """Print a line for each cut-off, and for each number of threads."""
    data = load(Path("data/processed"))
    split = temporal(data.months)
    matrix = pipeline.FlightFeatures(data.airports, public_holidays()).fit_transform(data.flights)
    known, asked = matrix[split.train], matrix[split.test].copy()
    asked[:, [feature.name for feature in pipeline.FEATURES].index("dep_delay")] = np.nan
    learnt, happened = data.arr_delay[split.train], data.arr_delay[split.test]

    def schedule(target: np.ndarray) -> np.ndarray:
        model = pipeline.DelayByHorizon(SEED)
        booster = model._boost(Horizon.SCHEDULE, "l2", known, target, lambda: None)
        return np.asarray(booster.predict(asked[:, pipeline.columns(Horizon.SCHEDULE)]))

    print("schedule, temporal test: cut-off (min), RMSE, MAE, bias")
    for longest in (30.0, 60.0, 120.0, math.inf):
        error = schedule(np.minimum(learnt, longest)) - happened
        print(f"{longest:6.0f} {np.sqrt((error**2).mean()):6.2f} {np.abs(error).mean():6.2f} {error.mean():+6.2f}")

    print("schedule, fit: threads, seconds")
    for threads in (1, 2):
        pipeline.PARAMETERS["num_threads"] = threads
        started = time.perf_counter()
        schedule(np.minimum(learnt, pipeline.LONGEST_MIN))
        print(f"{threads:6d} {time.perf_counter() - started:6.1f}")


if __name__ == "__main__":
    main()
