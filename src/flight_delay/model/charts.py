"""What an evaluation looks like: Vega-Lite charts, in either language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import altair

from flight_delay.messages import Language, known, text
from flight_delay.model.backtest import Backtest
from flight_delay.model.distribution import INTERVALS
from flight_delay.model.evaluate import EVERYTHING, MODEL, WITHOUT_NETWORK, Metrics
from flight_delay.model.measures import Bin, Score

_WIDTH = 560
_SMALL = 250
_COLOURS = altair.Scale(
    domain=["departed", "pre_departure", "schedule"],
    range=["#1f5f8b", "#d0731d", "#767f89"],
)
_OURS = altair.Scale(range=["#1f5f8b", "#b9c3cd"])
_GREY = "#98a2ad"
Rows = Iterable[Mapping[str, Any]]


def said(key: str, language: Language) -> str:
    """Return a name in a language, or as it is where it has none."""
    return text(key, language) if known(key) else key


def scores(metrics: Metrics, measure: str, language: Language) -> Any:
    """Draw the `rmse` or the `mae` of all ways of answering, the model's beside the others'."""
    rows = [
        {
            "horizon": score.horizon,
            "who": who(score, language),
            "error": getattr(score, measure),
            "kind": said(MODEL if score.model == MODEL else "baselines", language),
        }
        for score in metrics.scores
    ]
    bars = _of(rows, width=_WIDTH - 120).mark_bar()
    return bars.encode(
        x=altair.X("error:Q", title=said(f"chart_{measure}", language)),
        y=altair.Y("who:N", sort="x", title=None, axis=altair.Axis(labelLimit=280)),
        color=altair.Color("kind:N", title=None, sort=None, scale=_OURS),
        row=altair.Row("horizon:N", title=None, sort=None),
    ).resolve_scale(y="independent")


def reliability(metrics: Metrics, language: Language) -> Any:
    """Draw what share of flights was late beside the chance that they were given."""
    panels = ((metrics.reliability_15, "15+"), (metrics.reliability_30, "30+"))
    return altair.hconcat(*(_reliability(bins, title, language) for bins, title in panels))


def _reliability(bins: dict[str, list[Bin]], title: str, language: Language) -> Any:
    rows = [{"horizon": horizon} | one._asdict() for horizon, found in bins.items() for one in found]
    base = _of(rows, width=_SMALL, height=_SMALL, title=title).encode(
        x=altair.X("chance:Q", title=said("chart_chance", language), scale=_SHARE, axis=_PERCENT),
        y=altair.Y("share:Q", title=said("chart_share", language), scale=_SHARE, axis=_PERCENT),
        color=_by_horizon(language),
    )
    sizes = altair.Size("flights:Q", title=said("flights", language), scale=altair.Scale(range=[15, 250]))
    return _diagonal() + base.mark_line(strokeWidth=1) + base.mark_circle(opacity=1).encode(size=sizes)


def coverage(metrics: Metrics, by: str, language: Language) -> Any:
    """Draw the share of flights inside each interval, by month or carrier, with the share that it is to hold."""
    panels = []
    for nominal in INTERVALS:
        rows = [
            {"horizon": one.horizon, "value": one.value, "share": getattr(one, f"coverage_{nominal}")}
            for one in metrics.slices
            if one.by == by
        ]
        axis = altair.Axis(format=".0%", tickMinStep=0.01, tickCount=6)
        points = _of(rows, width=_SMALL, title=f"{nominal} %").mark_point(filled=True, size=55, opacity=1)
        drawn = points.encode(
            x=altair.X("share:Q", title=said("chart_coverage", language), scale=altair.Scale(zero=False), axis=axis),
            y=altair.Y("value:N", title=said(by, language)),
            color=_by_horizon(language),
        )
        panels.append(_of([{"at": nominal / 100}]).mark_rule(color=_GREY, strokeDash=[4, 4]).encode(x="at:Q") + drawn)
    return altair.hconcat(*panels)


def gains(metrics: Metrics, language: Language) -> Any:
    """Draw which share of the late flights is among those with the highest chances."""
    rows = [{"horizon": horizon} | one._asdict() for horizon, found in metrics.gains.items() for one in found]
    lines = _of(rows, width=_WIDTH - 200, height=300).mark_line()
    return _diagonal() + lines.encode(
        x=altair.X("flights:Q", title=said("chart_flights", language), axis=_PERCENT),
        y=altair.Y("late:Q", title=said("chart_caught", language), axis=_PERCENT),
        color=_by_horizon(language),
    )


def horizons(metrics: Metrics, language: Language) -> Any:
    """Draw how the error falls as more becomes known, on the same flights."""
    steps = [
        ("schedule", "schedule", EVERYTHING),
        ("pre_departure", "pre_departure", EVERYTHING),
        ("departed_alone", "departed", WITHOUT_NETWORK),
        ("departed", "departed", EVERYTHING),
    ]
    found = {(score.horizon, score.inputs): score for score in metrics.scores if score.model == MODEL}
    rows = [
        {"step": step, "measure": measure.upper(), "value": getattr(found[horizon, inputs], measure)}
        for step, horizon, inputs in steps
        for measure in ("rmse", "mae")
    ]
    base = _of(rows, width=_WIDTH - 160, height=260).encode(
        x=altair.X("step:N", sort=None, title=None, axis=altair.Axis(labelAngle=0)),
        y=altair.Y("value:Q", title=said("chart_minutes", language)),
        color=altair.Color("measure:N", title=None, sort=None, scale=altair.Scale(range=["#1f5f8b", "#d0731d"])),
    )
    return base.mark_line(point=True) + base.mark_text(dy=-10).encode(text=altair.Text("value:Q", format=".1f"))


def slices(metrics: Metrics, by: str, language: Language) -> Any:
    """Draw error and AUC of the flights that agree in something, each with how many they are."""
    rows = [
        {
            "horizon": one.horizon,
            "value": f"{one.value}  ({text('chart_count', language, flights=one.flights)})",
            "rmse": one.rmse,
            "auc": one.auc_15,
        }
        for one in metrics.slices
        if one.by == by
    ]
    points = _of(rows, width=_SMALL - 30).mark_point(filled=True, size=55, opacity=1)
    return altair.hconcat(
        *(
            points.encode(
                x=altair.X(f"{measure}:Q", title=title, scale=altair.Scale(zero=False)),
                y=altair.Y("value:N", title=said(by, language) if measure == "rmse" else None),
                color=_by_horizon(language),
            )
            for measure, title in (("rmse", said("chart_rmse", language)), ("auc", "AUC 15+"))
        )
    )


def months(backtest: Backtest, language: Language) -> Any:
    """Draw the error of each month that was tested, the model's and the baselines' at each horizon."""
    rows = [
        {"month": month, "horizon": score.horizon, "who": who(score, language), "rmse": score.rmse}
        for month, found in backtest.months.items()
        for score in found
        if score.inputs == EVERYTHING or score.model != MODEL
    ]
    lines = _of(rows, width=_WIDTH - 120, height=190).mark_line(point=True)
    return lines.encode(
        x=altair.X("month:N", title=None, axis=altair.Axis(labelAngle=0)),
        y=altair.Y("rmse:Q", title=said("chart_rmse", language), scale=altair.Scale(zero=False)),
        color=altair.Color("who:N", title=None, sort=None, legend=altair.Legend(labelLimit=260)),
        row=altair.Row("horizon:N", title=None, sort=None),
    ).resolve_scale(y="independent")


def leakage(backtest: Backtest, language: Language) -> Any:
    """Draw the error of one small model, split by time and split at random."""
    rows = [
        {"horizon": one.horizon, "split": said(name, language), "rmse": getattr(one, name)}
        for one in backtest.leakage
        for name in ("rmse_temporal", "rmse_random")
    ]
    bars = _of(rows, width=_WIDTH - 200).mark_bar()
    return bars.encode(
        x=altair.X("rmse:Q", title=said("chart_rmse", language)),
        y=altair.Y("split:N", sort=None, title=None),
        color=altair.Color("split:N", title=None, sort=None, scale=_OURS, legend=None),
        row=altair.Row("horizon:N", title=None, sort=None),
    )


def who(score: Score, language: Language) -> str:
    """Return who answers: for the model, with what it is told."""
    told = f": {said(score.inputs, language)}" if score.model == MODEL else ""
    return said(score.model, language) + told


_SHARE = altair.Scale(domain=[0, 1])
_PERCENT = altair.Axis(format=".0%", tickCount=5)


def _of(rows: Rows, **properties: Any) -> Any:
    return altair.Chart(altair.InlineData(values=list(rows)), **properties)


def _by_horizon(language: Language) -> Any:
    return altair.Color("horizon:N", title=said("horizon", language), sort=None, scale=_COLOURS)


def _diagonal() -> Any:
    line = _of([{"at": 0}, {"at": 1}]).mark_line(color=_GREY, strokeDash=[4, 4])
    return line.encode(x="at:Q", y="at:Q")
