"""Month after month: a model fitted on all that came before, tested on what came next, beside the baselines."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from flight_delay import __version__
from flight_delay.errors import TooFewMonths
from flight_delay.model import baselines, evaluate
from flight_delay.model.baselines import Leakage
from flight_delay.model.dataset import Dataset
from flight_delay.model.features import Codes, Horizon
from flight_delay.model.matrix import COLUMN, Floats
from flight_delay.model.measures import Said, Score, Way
from flight_delay.model.pipeline import DelayBySpecialist, FlightFeatures
from flight_delay.model.specialist import TREES
from flight_delay.model.split import Dates, Periods, Span, Split, by, months_of, temporal
from flight_delay.model.train import SEED, public_holidays, seen_by
from flight_delay.model.train import write as write_whole
from flight_delay.model.views import Views

BACKTEST_FILE = "backtest.json"
LEARNT_BEFORE = 3
"""Months that the first model learns from."""
MEASURES = ("rmse", "mae", "auc_15", "coverage_80")
_CODES = {"carrier": "carriers", "origin": "origins", "dest": "dests"}


class Progress(NamedTuple):
    """Whom to tell what the backtest does: the month that begins to be learnt for, and every tree."""

    month: Callable[[str], None]
    tree: Callable[[], None]


class Range(NamedTuple):
    """How a measure of one way of answering differs from month to month; in the measure's own unit."""

    horizon: str
    model: str
    inputs: str
    measure: str
    mean: float
    standard_deviation: float
    least: float
    most: float


@dataclass(frozen=True)
class Backtest:
    """What came of it.

    Attributes
    ----------
    months : scores by the month that was tested
    pooled : scores over all these months together
    ranges : how the scores differ from month to month
    leakage : how a random split would flatter
    """

    source: str
    data_digest: str
    code_version: str
    months: dict[str, list[Score]]
    pooled: list[Score]
    ranges: list[Range]
    leakage: list[Leakage]


def run(data: Dataset, processed: Path, progress: Progress) -> Backtest:
    """Test the recipe on each month of the data from the fourth on, with what was learnt from all months before.

    Raises `TooFewMonths`, naming `processed`, where there is no fourth month.
    """
    tested = tested_months(data, processed)
    features = FlightFeatures(data.airports, public_holidays()).fit(data.flights)
    views = Views.of(features, data)
    months: dict[str, list[Score]] = {}
    said: dict[Way, list[Said]] = {}
    truths = []
    for month in tested:
        progress.month(str(month))
        split = before_and_in(month, data.dates)
        answers = _answers(data, split, views, features.codes_, progress.tree)
        truths.append(data.arr_delay[split.test])
        months[str(month)] = evaluate.scores(answers.items(), truths[-1])
        for way, one in answers.items():
            said.setdefault(way, []).append(one)
    pooled = {way: Said.together(parts) for way, parts in said.items()}
    return Backtest(
        source=data.source,
        data_digest=data.digest,
        code_version=__version__,
        months=months,
        pooled=evaluate.scores(pooled.items(), np.concatenate(truths)),
        ranges=ranges(months),
        leakage=baselines.leakage(data, temporal(data.dates), views),
    )


def tested_months(data: Dataset, processed: Path) -> Dates:
    """Return the months that are tested; raises `TooFewMonths`, naming `processed`, where there are none."""
    months = np.unique(months_of(data.dates))
    if len(months) <= LEARNT_BEFORE:
        raise TooFewMonths(processed, len(months), LEARNT_BEFORE + 1)
    tested: Dates = months[LEARNT_BEFORE:]
    return tested


def trees(months: Dates) -> int:
    """Return how many trees grow at most while so many months are tested."""
    return TREES * len(months)


def before_and_in(month: np.datetime64, dates: Dates) -> Split:
    """Split flights: what is before a month teaches, the month tests, and what is later does neither."""
    day = np.timedelta64(1, "D")
    begins, ends = month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]") - day
    nothing = Span("", "")
    return by(Periods(Span(str(dates.min()), str(begins - day)), nothing, Span(str(begins), str(ends))), dates)


def ranges(months: Mapping[str, list[Score]]) -> list[Range]:
    """Return how each measure of each way of answering differs from month to month."""
    found: dict[tuple[str, str, str, str], list[float]] = {}
    for scores in months.values():
        for score in scores:
            for measure in MEASURES:
                if (value := getattr(score, measure)) is not None:
                    found.setdefault((score.horizon, score.model, score.inputs, measure), []).append(value)
    return [
        Range(*names, statistics.fmean(values), statistics.pstdev(values), min(values), max(values))
        for names, values in found.items()
    ]


def write(folder: Path, backtest: Backtest) -> Path:
    """Write the backtest into a folder, and return where it is."""
    path = folder / BACKTEST_FILE
    write_whole(path, as_json(backtest).encode())
    return path


def as_json(backtest: Backtest) -> str:
    """Return the backtest as `backtest.json` holds it."""
    return json.dumps(evaluate.named(asdict(backtest)), indent=2) + "\n"


def from_json(text: str) -> Backtest:
    """Return the backtest that `as_json` wrote; raises `ValueError`, `KeyError` or `TypeError` for anything else."""
    facts = json.loads(text)
    return Backtest(
        **facts
        | {
            "months": {month: [Score(**one) for one in scores] for month, scores in facts["months"].items()},
            "pooled": [Score(**one) for one in facts["pooled"]],
            "ranges": [Range(**one) for one in facts["ranges"]],
            "leakage": [Leakage(**one) for one in facts["leakage"]],
        }
    )


def _answers(data: Dataset, split: Split, views: Views, codes: Codes, on_tree: Callable[[], None]) -> dict[Way, Said]:
    """Return what all ways of answering say of the flights that test, by models of those that teach."""
    taught = [flight for flight, teaches in zip(data.flights, split.train, strict=True) if teaches]
    known = FlightFeatures(data.airports, ()).fit(taught).codes_
    as_known = Views(
        {horizon: renumbered(rows, codes, known) for horizon, rows in views.matrices.items()}, views.history
    )
    delay = DelayBySpecialist(SEED).fit(seen_by(split, data, as_known), on_tree=on_tree)
    matrices: dict[Horizon, Floats] = {horizon: rows[split.test] for horizon, rows in as_known.matrices.items()}
    return dict(
        [
            *evaluate.at_horizons(delay, matrices),
            *evaluate.told_less(delay, matrices),
            *baselines.answers(data, split),
        ]
    )


def renumbered(rows: Floats, codes: Codes, known: Codes) -> Floats:
    """Return the matrix with the numbers that `known` has for codes, NaN where it has none; `codes` has them all."""
    copy = rows.copy()
    for feature, kind in _CODES.items():
        numbers = np.array([getattr(known, kind).get(code, np.nan) for code in getattr(codes, kind)], np.float64)
        copy[:, COLUMN[feature]] = numbers[rows[:, COLUMN[feature]].astype(np.int64)]
    return copy
