"""Measure the model: replay of the network, fit, artefact, one answer in process.

`python benchmarks/model.py`, after `make run` has made the processed table and a model. Writes
`docs/benchmarks-model.md`; takes five minutes.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import random
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
ROUNDS = 5
DATA = ROOT / "data" / "processed"
MODEL = ROOT / "model" / "flight_delay_model.npz"


def main() -> None:
    """Measure, and write the page."""
    from flight_delay.model.dataset import load

    data = load(DATA)
    lines = [
        "# Benchmarks of the model",
        "",
        "Written by `python benchmarks/model.py`. Median and spread of "
        f"{ROUNDS} rounds; {platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, "
        f"{platform.machine()}, {dt.date.today()}.",
        "",
        "| what | measured |",
        "| --- | --- |",
    ]
    for what, measured in [*replay(data), *one_point(data), *one_answer(data), *fit(data), *files()]:
        print(f"{what}: {measured}", flush=True)
        lines.append(f"| {what} | {measured} |")
    (ROOT / "docs" / "benchmarks-model.md").write_text("\n".join(lines) + "\n", "utf-8")


def replay(data: Any) -> Iterable[tuple[str, str]]:
    """Yield how fast the network's past is played back, each flight asked about at one horizon."""
    from flight_delay.model.features import Horizon
    from flight_delay.model.network_state import NetworkState
    from flight_delay.model.replay import History

    history = History(data.legs)
    cut_offs = data.cut_offs(Horizon.DEPARTED)
    history.play(data.legs[:1000], cut_offs[:1000])  # compiles
    seconds = timed(lambda: history.play(data.legs, cut_offs))
    yield "replay, one horizon, compiled: flights/s", spread([len(data.legs) / one for one in seconds], ",.0f")
    some = data.legs[100_000:110_000]

    def tell() -> None:
        state = NetworkState()
        for leg in some:
            state.tell(leg)

    yield (
        "the same live, one departure and one arrival told: µs",
        spread([one / 1e4 * 1e6 for one in timed(tell)], ".1f"),
    )


def one_point(data: Any) -> Iterable[tuple[str, str]]:
    """Yield how long the minutes alone take, of one flight and of many, distinct ones, in one thread."""
    import joblib

    from flight_delay.model import trees
    from flight_delay.model.artifact import Artifact
    from flight_delay.model.flight_columns import FlightColumns

    artifact, today = Artifact.from_bytes(MODEL.read_bytes()), dt.date(2013, 12, 3)
    ten_fields = {"weather": None, "year": None, "flight": None, "tailnum": None}
    departed = [flight.model_copy(update=ten_fields) for flight in data.flights if flight.dep_delay is not None]
    some = random.Random(2).sample(departed, 5000)
    answers = [artifact.answer(flight, today) for flight in some]
    expert = artifact.experts[answers[0].specialist]
    rows = [answer.values for answer in answers]
    kernel = "C" if trees.COMPILED else "not compiled"
    for what, function in (
        (
            f"point prediction of one flight, the ten documented fields, trees alone ({kernel}): µs; goal: at most 5",
            lambda: [expert.trees.predict_heads(row, expert.locations) for row in rows],
        ),
        (
            "the same with the features made from the flight: µs; goal: at most 5",
            lambda: [artifact.point(flight, today) for flight in some],
        ),
    ):
        yield what, spread([one / len(some) * 1e6 for one in timed(function)], ".2f")
    pipeline = joblib.load(MODEL.with_suffix(".joblib"))
    seconds = timed(lambda: [pipeline.predict([flight]) for flight in some[:20]])
    yield "the same by the scikit-learn pipeline: µs", spread([one / 20 * 1e6 for one in seconds], ",.0f")
    columns = FlightColumns.of(departed[:100_000])
    seconds = timed(lambda: artifact.minutes(columns, today))
    yield "point predictions of 100,000 flights at once: ms", spread([one * 1e3 for one in seconds], ".0f")


def one_answer(data: Any) -> Iterable[tuple[str, str]]:
    """Yield how long one answer takes, distinct flights, with a state that was told of the day."""
    from flight_delay.flight import Flight
    from flight_delay.model.artifact import Answer, Artifact
    from flight_delay.model.network_state import NetworkState

    artifact = Artifact.from_bytes(MODEL.read_bytes())
    day = np.flatnonzero((data.dates >= np.datetime64("2013-12-03")) & (data.dates < np.datetime64("2013-12-05")))
    state = artifact.state()
    for number in day:
        state.tell(data.legs[number])
    departed = [data.flights[number] for number in day if data.flights[number].dep_delay is not None]
    before = [flight.model_copy(update={"dep_delay": None}) for flight in departed]
    random.Random(1).shuffle(departed)
    today = dt.date(2013, 12, 3)

    def whole(answer: Answer) -> None:
        answer.quantiles()
        answer.probabilities()

    for name, flights, known in (
        ("departed", departed, state),
        ("pre_departure", before, state),
        ("departed, nothing known of the network", departed, None),
        ("schedule", before, None),
    ):

        def asked(flights: list[Flight] = flights, known: NetworkState | None = known) -> list[Answer]:
            return [artifact.answer(flight, today, known) for flight in flights]

        minutes = timed(asked)
        all_of_it = timed(lambda asked=asked: [whole(answer) for answer in asked()])
        yield (
            f"one answer, {name}: µs for the minutes; with quantiles and chances",
            f"{spread([one / len(flights) * 1e6 for one in minutes], '.0f')}; "
            f"{spread([one / len(flights) * 1e6 for one in all_of_it], '.0f')}",
        )
    answer = artifact.answer(departed[0], today, state)
    seconds = timed(lambda: [artifact.explain(answer) for _ in range(20)])
    yield "one explanation: ms", spread([one / 20 * 1e3 for one in seconds], ".1f")


def fit(data: Any) -> Iterable[tuple[str, str]]:
    """Yield how long it takes to fit all horizons, once."""
    from flight_delay.model.split import temporal
    from flight_delay.model.train import SEED, Progress, fit

    started = time.perf_counter()
    moments: list[float] = []
    fit(data, temporal(data.dates), SEED, Progress(lambda _: moments.append(time.perf_counter()), lambda: None))
    ended = time.perf_counter()
    yield "features of all horizons, all flights, network played back: s, once", f"{moments[1] - started:.0f}"
    yield "fit of all horizons, from features to calibration: s, once", f"{ended - moments[1]:.0f}"


def files() -> Iterable[tuple[str, str]]:
    """Yield how large the model is."""
    for path in (MODEL, MODEL.with_suffix(".joblib")):
        yield f"`{path.name}`: MB", f"{path.stat().st_size / 1e6:.1f}"


def timed(function: Callable[[], object]) -> list[float]:
    """Return the seconds of each round."""
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - started)
    return seconds


def spread(values: list[float], form: str) -> str:
    """Return median, least and greatest."""
    return f"{statistics.median(values):{form}} [{min(values):{form}} to {max(values):{form}}]"


if __name__ == "__main__":
    main()
