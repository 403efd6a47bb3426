"""The model card: what the model is for, what it learnt from, how good it is, where it fails."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from flight_delay.model.evaluate import Metrics, Score
from flight_delay.model.features import PRE_DEPARTURE_LEAD_MIN, Specialist, features_of
from flight_delay.model.means import FRESH_WITHIN_MIN, LATE_MIN
from flight_delay.model.specialist import FOLDS, RECIPES

CARD_FILE = "MODEL_CARD.md"
_BAR_WIDTH = 30

_TEMPLATE = """\
# Model card: arrival delay of a flight

**What it answers.** How many minutes after its schedule a flight arrives (negative is early), as a
distribution: quantiles, the chances that it is {late} or 30 minutes late or more, and the chance that it does not
arrive at all (cancelled or diverted). Which answer depends on what is known:

{horizons}

**What it learnt from.** Source `{source}`, {train} ({train_flights:,} flights, those that did not arrive
among them); calibrated on {calibrate} ({calibrate_flights:,}), tested on {test} ({test_flights:,}, of
which {cancelled_share:.1%} did not arrive; of the others {late_share:.1%} were {late} minutes late or more).
Data digest `{data_digest}`, code version {code_version}.

**What it is.** LightGBM ensembles in a scikit-learn pipeline (`{model_file}`): for each specialist up to {folds} of
the location, each of which has not seen every fourth month, one of the scale and one of the chance of not
arriving. Minutes are location + scale * residual, and the residuals are those of flights that the ensembles
had not seen. The model in the file is the one that was tested: it has not seen the days that it is tested on.

**Where it should not be used.** Not for decisions about safety, nor about a single passenger's rights; not
for airports, airlines or years that are unlike those above without measuring it there first
(`flight-delay evaluate --backtest`).

## On flights that it has not seen

{table}

Minutes, but for R2, AUC and the columns after it. AUC: how well late flights are told from others (0.5 is
chance). Brier and calibration error belong to the chance of being late; the share inside the interval that is to
hold 80 % (90 %) of the flights should be just that. `documented ten fields` is the worst case when serving: no
weather, no flight number, no tail number, and nothing heard of the network since the model was made. With `habits
as old as the model` nothing has been heard since either.

Root mean squared error, in minutes (shorter is better):

```
{chart}
```

## As a distribution

{distributions}

Pinball: mean loss of the quantile, minutes. Buckets (less than 30 minutes late, 30 to 60, 60 to 120, later or
not arriving at all): the largest calibration error of the four, and the mean negative logarithm of the
chance that was given to the one that it came to. Buckets, and not arriving, are over all flights.

## By month, carrier, origin and hour

{slices}

Told all that is known at the horizon. Carriers and origins of few flights are left out.

## What each specialist sees

{features}

## Where it fails

- An airport or a carrier that it has never met is answered as an average one, with a wider interval.
- Days unlike any that it learnt from (a strike, a hurricane) are seen only through the delays that they have
  caused already, and before departure their delays are underestimated.
- Without news of the network within {fresh:.0f} hours, or without the weather, it is as far off as the table says.
- Delays of several hours are rare; their quantiles are wide and their chances small.
- A flight counts as not arriving whether it was cancelled or diverted; which of the two is not told.

Made again by `flight-delay train` (the same data gives the same file) and checked by `flight-delay evaluate`.
"""

_ANSWERS = {
    Specialist.SCHEDULE: "days before, from the timetable and habits of the route and the flight",
    Specialist.PRE_DEPARTURE: "{lead:.0f} minutes before the scheduled departure: the weather, where the aircraft is, "
    "and what the network has been doing",
    Specialist.DEPARTED: "when it has left: the departure delay too",
    Specialist.DEPARTED_ALONE: "when it has left, and nothing has been heard of the network lately",
}


def render(metrics: Metrics, model_file: str) -> str:
    """Return the card in Markdown."""
    periods, counts = metrics.periods, metrics.counts
    return _TEMPLATE.format(
        late=f"{LATE_MIN:.0f}",
        fresh=FRESH_WITHIN_MIN / 60,
        folds=FOLDS,
        horizons="\n".join(_answers(specialist) for specialist in Specialist),
        source=metrics.source,
        train=periods.train,
        calibrate=periods.calibrate,
        test=periods.test,
        train_flights=counts.train,
        calibrate_flights=counts.calibrate,
        test_flights=counts.test,
        late_share=metrics.late_share,
        cancelled_share=metrics.cancelled_share,
        data_digest=metrics.data_digest[:16],
        code_version=metrics.code_version,
        model_file=model_file,
        table=table(metrics.scores),
        chart=_chart(metrics.scores),
        distributions=table(with_distribution(metrics.scores), DISTRIBUTION_COLUMNS),
        slices=table(metrics.slices, SLICE_COLUMNS),
        features="\n".join(_features(specialist) for specialist in Specialist),
    )


class Column(NamedTuple):
    """A column of a table: its heading, whose values it has, and how a number is written."""

    heading: str
    attribute: str
    form: str = ""


_WHO = (Column("horizon", "horizon"), Column("who answers", "model"), Column("is told", "inputs"))
SCORE_COLUMNS = (
    *_WHO,
    Column("RMSE", "rmse", ".2f"),
    Column("MAE", "mae", ".2f"),
    Column("bias", "bias", "+.2f"),
    Column("R2", "r2", ".3f"),
    Column("AUC 15+", "auc_15", ".3f"),
    Column("AUC 30+", "auc_30", ".3f"),
    Column("Brier 15+", "brier_15", ".4f"),
    Column("calibration error 15+", "calibration_error_15", ".4f"),
    Column("calibration error 30+", "calibration_error_30", ".4f"),
    Column("inside 80 %", "coverage_80", ".1%"),
    Column("inside 90 %", "coverage_90", ".1%"),
)
DISTRIBUTION_COLUMNS = (
    *_WHO,
    Column("width 80 %", "width_80", ".1f"),
    Column("pinball 10", "pinball_10", ".2f"),
    Column("pinball 50", "pinball_50", ".2f"),
    Column("pinball 90", "pinball_90", ".2f"),
    Column("calibration error, buckets", "bucket_calibration_error", ".4f"),
    Column("log-loss, buckets", "bucket_log_loss", ".4f"),
    Column("AUC, not arriving", "cancelled_auc", ".3f"),
    Column("calibration error, not arriving", "cancelled_calibration_error", ".4f"),
)
SLICE_COLUMNS = (
    Column("horizon", "horizon"),
    Column("by", "by"),
    Column("of", "value"),
    Column("flights", "flights", ","),
    Column("late 15+", "late_share", ".1%"),
    Column("RMSE", "rmse", ".2f"),
    Column("MAE", "mae", ".2f"),
    Column("AUC 15+", "auc_15", ".3f"),
    Column("calibration error 15+", "calibration_error_15", ".4f"),
    Column("inside 80 %", "coverage_80", ".1%"),
    Column("inside 90 %", "coverage_90", ".1%"),
    Column("width 80 %", "width_80", ".1f"),
)
HEADINGS = tuple(column.heading for column in SCORE_COLUMNS)


def cells(row: Any, columns: Sequence[Column] = SCORE_COLUMNS) -> tuple[str, ...]:
    """Return a score, or a slice, as the cells of a table: under `HEADINGS`, or the headings of other columns."""
    values = [(getattr(row, column.attribute), column.form) for column in columns]
    return tuple("" if value is None else format(value, form) for value, form in values)


def table(rows: Iterable[Any], columns: Sequence[Column] = SCORE_COLUMNS) -> str:
    """Return scores, or slices, as a table in Markdown."""
    body = [cells(row, columns) for row in rows]
    head = tuple(column.heading for column in columns)
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head), *body))


def with_distribution(scores: Iterable[Score]) -> list[Score]:
    """Return the scores of those who give a distribution."""
    return [score for score in scores if score.coverage_80 is not None]


def _chart(scores: list[Score]) -> str:
    longest = max(score.rmse for score in scores)
    names = [f"{score.horizon}: {score.model} ({score.inputs})" for score in scores]
    width = max(len(name) for name in names)
    return "\n".join(
        f"{name:<{width}}  {'█' * round(score.rmse / longest * _BAR_WIDTH)} {score.rmse:.2f}"
        for name, score in zip(names, scores, strict=True)
    )


def _answers(specialist: Specialist) -> str:
    when = _ANSWERS[specialist].format(lead=PRE_DEPARTURE_LEAD_MIN)
    return f"- `{specialist.value}`: {when}; it gives the {RECIPES[specialist].answers}."


def _features(specialist: Specialist) -> str:
    names = ", ".join(f"{feature.name} ({feature.unit})" for feature in features_of(specialist))
    return f"- `{specialist.value}`: {names}"
