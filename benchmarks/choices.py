"""Measure what the decisions on the model rest on: which means of the network are kept, and with which half-lives.

`python benchmarks/choices.py`, after `make run` has made the processed table. Takes ten minutes. Every figure is of a
quarter of the months from January to September, which the model had not seen: the months that test are not looked at.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

SEED = 2013
GROUPS = {
    "nothing left out": (),
    "weather": ("temp_c", "dewp_c", "humid_pct", "wind_", "precip_mm", "pressure_hpa", "visib_km"),
    "inbound aircraft": ("inbound_",),
    "habits of the flight": ("_flight_14d",),
    "habits of the route": ("block_route_14d",),
    "gains": ("gain_",),
    "departure delays": ("delay_origin", "delay_dest", "delay_region", "delay_carrier"),
    "ground times": ("ground_",),
    "air times": ("air_dest", "air_region"),
    "block times": ("excess_", "block_route_360min"),
    "those that wait": ("waiting_",),
    "key: origin": ("_origin_60min", "_origin_240min"),
    "key: dest": ("_dest_60min",),
    "key: region and origin": ("_region_origin_",),
    "key: carrier": ("_carrier_",),
    "the whole network": ("_60min", "_240min", "_360min", "inbound_"),
}
FACTORS = (0.5, 1.0, 2.0)


def main() -> None:
    """Print a line for each group that is left out, and for each factor of the half-lives."""
    if len(sys.argv) > 1:
        half_lives(float(sys.argv[1]))
        return
    print("left out: RMSE of departed, AUC 15+ of pre_departure")
    for name, row in ablation(*prepared()):
        print(f"{name:24s} {row[0]:7.3f} {row[1]:7.4f}", flush=True)
    print("half-lives of the hours just gone, times: the same")
    for factor in FACTORS:
        subprocess.run([sys.executable, __file__, str(factor)], check=True)


def prepared():
    """Return the views of the processed table, the arrival delays and the fold of each row that teaches."""
    from flight_delay.model.dataset import load
    from flight_delay.model.features import FEATURES
    from flight_delay.model.pipeline import FlightFeatures
    from flight_delay.model.split import folds, temporal
    from flight_delay.model.train import public_holidays
    from flight_delay.model.views import Views

    data = load(Path("data/processed"))
    split = temporal(data.dates)
    features = FlightFeatures(data.airports, public_holidays()).fit(data.flights)
    started = time.perf_counter()
    views = Views.of(features, data)
    print(
        f"{len(data.flights) / (time.perf_counter() - started):,.0f} flights/s: played back at all horizons, features"
    )
    return views, data.arr_delay, folds(data.dates, split.train, 4), [feature.name for feature in FEATURES]


def ablation(views, arr_delay, fold_of, names) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield for each group what is lost without it."""
    for group, parts in GROUPS.items():
        without = [number for number, name in enumerate(names) if any(part in name for part in parts)]
        yield (
            group,
            (
                score("departed", views, arr_delay, fold_of, without),
                score("pre_departure", views, arr_delay, fold_of, without),
            ),
        )


def score(name, views, arr_delay, fold_of, without=()) -> float:
    """Return RMSE after departure, AUC before it, on the first fold; learnt from the others."""
    import lightgbm

    from flight_delay.model.features import Specialist
    from flight_delay.model.matrix import columns
    from flight_delay.model.specialist import PARAMETERS, known_delay

    specialist = Specialist(name)
    rows = views.matrices[specialist.horizon]
    left = arr_delay - known_delay(specialist, rows)
    known, seen = ~np.isnan(left), [number for number in columns(specialist) if number not in set(without)]
    learns, asked = known & (fold_of > 0), known & (fold_of == 0)
    after = name == "departed"
    target = left if after else (arr_delay >= 15).astype(float)
    parameters = PARAMETERS | {"objective": "l2" if after else "binary", "seed": SEED}
    booster = lightgbm.train(
        parameters, lightgbm.Dataset(rows[learns][:, seen], target[learns], params=parameters), 200
    )
    said = booster.predict(rows[asked][:, seen])
    if after:
        return float(np.sqrt(((said - left[asked]) ** 2).mean()))
    return float(roc_auc_score(target[asked], said))


def half_lives(factor: float) -> None:
    """Print the scores with other half-lives: the means are changed before anything that uses them is imported."""
    from flight_delay.model import means

    kept = {means.Measure.LATE, means.Measure.WAITING}
    means.MEANS = tuple(
        mean if mean.is_habit or mean.measure in kept else mean._replace(half_life_min=mean.half_life_min * factor)
        for mean in means.MEANS
    )
    views, arr_delay, fold_of, _ = prepared()
    figures = [score(name, views, arr_delay, fold_of) for name in ("departed", "pre_departure")]
    print(f"{factor:24.1f} {figures[0]:7.3f} {figures[1]:7.4f}", flush=True)


if __name__ == "__main__":
    main()
