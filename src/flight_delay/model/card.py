"""The model card: what the model is for, what it learnt from, how good it is, where it fails."""

from __future__ import annotations

from collections.abc import Iterable

from flight_delay.model.evaluate import Metrics, Score
from flight_delay.model.features import Horizon, features_of
from flight_delay.model.pipeline import LATE_MIN, LONGEST_MIN

CARD_FILE = "MODEL_CARD.md"
_BAR_WIDTH = 30

_TEMPLATE = """\
# Model card: arrival delay of a flight

**What it answers.** How many minutes after its schedule a flight arrives (negative is early), and the
chance that it is {late} minutes late or more. `departed` answers once the departure delay is known and
gives the expected delay; `schedule` answers before that, and counts a delay of more than {longest:.0f} minutes as
{longest:.0f}. Meant for flights like those that it learnt from; not for decisions about safety.

**What it learnt from.** Source `{source}`, months {train} ({train_flights:,} flights that arrived);
calibrated on {calibrate} ({calibrate_flights:,}), tested on {test} ({test_flights:,}, of which
{late_share:.1%} were {late} minutes late or more). Data digest `{data_digest}`.

**What it is.** Four LightGBM ensembles in a scikit-learn pipeline (`{model_file}`): minutes and the
chance of being late, for each horizon. The model in the file is the one that was tested: it has
not seen the months that it is tested on.

## On months that it has not seen

{table}

Minutes, but for R2, AUC and the columns after it. AUC: how well late flights are told from others (0.5 is
chance). Brier and calibration error belong to the chance of being late. `nine fields` is the documented
request without `dep_delay`.

Root mean squared error, in minutes (shorter is better):

```
{chart}
```

## By month

{by_month}

## What each horizon sees

{features}

## Where it fails

- Cancelled and diverted flights have no arrival delay; it has not learnt from them and says nothing of them.
- It knows one flight at a time: not the queue at the airport, nor where the aircraft is now.
- An airport or carrier that it has never met is answered as an average one.
- Delays of several hours are rare and underestimated before departure.

Made again by `flight-delay train` (the same data gives the same file) and checked by `flight-delay evaluate`.
"""


def render(metrics: Metrics, model_file: str) -> str:
    """Return the card in Markdown."""
    months = metrics.months
    return _TEMPLATE.format(
        late=f"{LATE_MIN:.0f}",
        longest=LONGEST_MIN,
        source=metrics.source,
        train=span(months.train),
        calibrate=span(months.calibrate),
        test=span(months.test),
        train_flights=metrics.train_flights,
        calibrate_flights=metrics.calibrate_flights,
        test_flights=metrics.test_flights,
        late_share=metrics.late_share,
        data_digest=metrics.data_digest[:16],
        model_file=model_file,
        table=table(metrics.scores),
        chart=_chart(metrics.scores),
        by_month=_by_month(metrics),
        features="\n".join(_features(horizon) for horizon in Horizon),
    )


HEADINGS = (
    "horizon",
    "who answers",
    "is told",
    "RMSE",
    "MAE",
    "bias",
    "R2",
    "AUC 15+",
    "Brier 15+",
    "calibration error",
)


def cells(score: Score) -> tuple[str, ...]:
    """Return a score as the cells of a table, under `HEADINGS`."""
    return (
        score.horizon,
        score.model,
        score.inputs,
        f"{score.rmse:.2f}",
        f"{score.mae:.2f}",
        f"{score.bias:+.2f}",
        f"{score.r2:.3f}",
        f"{score.auc_15:.3f}",
        "" if score.brier_15 is None else f"{score.brier_15:.4f}",
        "" if score.calibration_error_15 is None else f"{score.calibration_error_15:.4f}",
    )


def table(scores: Iterable[Score]) -> str:
    """Return scores as a table in Markdown."""
    return _rows([HEADINGS, *(cells(score) for score in scores)])


def _by_month(metrics: Metrics) -> str:
    rows = [(month, *cells(score)) for month, scores in metrics.by_month.items() for score in scores]
    return _rows([("month", *HEADINGS), *rows])


def _rows(rows: list[tuple[str, ...]]) -> str:
    head, *body = rows
    lines = ["| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head), *body)]
    return "\n".join(lines)


def _chart(scores: list[Score]) -> str:
    longest = max(score.rmse for score in scores)
    names = [f"{score.horizon}: {score.model} ({score.inputs})" for score in scores]
    width = max(len(name) for name in names)
    return "\n".join(
        f"{name:<{width}}  {'█' * round(score.rmse / longest * _BAR_WIDTH)} {score.rmse:.2f}"
        for name, score in zip(names, scores, strict=True)
    )


def _features(horizon: Horizon) -> str:
    names = ", ".join(f"{feature.name} ({feature.unit})" for feature in features_of(horizon))
    return f"- `{horizon.value}`: {names}"


def span(months: tuple[str, ...]) -> str:
    """Return a run of months as a text."""
    return months[0] if len(months) == 1 else f"{months[0]} – {months[-1]}"
