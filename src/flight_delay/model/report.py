"""The evaluation as one HTML file: both languages, charts as SVG, nothing fetched from anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from flight_delay import messages
from flight_delay.messages import LANGUAGES, Language, text
from flight_delay.model import card, charts
from flight_delay.model.backtest import BACKTEST_FILE, Backtest, Range, from_json
from flight_delay.model.baselines import Leakage
from flight_delay.model.card import DISTRIBUTION_COLUMNS, SCORE_COLUMNS, SLICE_COLUMNS, Column
from flight_delay.model.evaluate import Metrics
from flight_delay.model.train import write as write_whole

REPORT_FILE = "evaluation.html"
_SLICED_BY = ("month", "carrier", "origin", "hours")
_RANGE_COLUMNS = (
    Column("horizon", "horizon"),
    Column("who answers", "model"),
    Column("is told", "inputs"),
    Column("measure", "measure"),
    Column("mean", "mean", ".3f"),
    Column("standard deviation", "standard_deviation", ".3f"),
    Column("least", "least", ".3f"),
    Column("most", "most", ".3f"),
)
_LEAKAGE_COLUMNS = (
    Column("horizon", "horizon"),
    Column("flights", "flights", ","),
    Column("rmse_temporal", "rmse_temporal", ".2f"),
    Column("rmse_random", "rmse_random", ".2f"),
)


class Section(NamedTuple):
    """A part of the page: its name, how its pictures are drawn, and the table below them."""

    name: str
    draw: Sequence[Callable[[Language], Any]]
    columns: Sequence[Column] = ()
    rows: Sequence[Any] = ()


def write(folder: Path, metrics: Metrics) -> Path:
    """Write the page into the folder of the metrics, and return where it is.

    A backtest that lies there is a part of it if it is of the same data, by the same version of the code.
    """
    path = folder / REPORT_FILE
    write_whole(path, render(metrics, _backtest(folder, metrics)).encode())
    return path


def render(metrics: Metrics, backtest: Backtest | None = None) -> str:
    """Return the evaluation as HTML, with what a backtest found where there is one."""
    facts = {
        "source": metrics.source,
        **{part: str(span) for part, span in metrics.periods._asdict().items()},
        "flights": metrics.counts.test,
        "late_share": metrics.late_share,
        "digest": metrics.data_digest[:16],
        "version": metrics.code_version,
    }
    sections = [*_of_metrics(metrics), *(_of_backtest(backtest) if backtest else ())]
    return _TEMPLATES.get_template("report.html").render(languages=LANGUAGES, facts=facts, sections=sections)


def _of_metrics(metrics: Metrics) -> Iterator[Section]:
    errors = [partial(charts.scores, metrics, measure) for measure in ("rmse", "mae")]
    yield Section("scores", errors, SCORE_COLUMNS, metrics.scores)
    yield Section("horizons", [partial(charts.horizons, metrics)])
    yield Section("reliability", [partial(charts.reliability, metrics)])
    distributions = card.with_distribution(metrics.scores)
    intervals = [_sliced(charts.coverage, metrics, by) for by in ("month", "carrier")]
    yield Section("intervals", intervals, DISTRIBUTION_COLUMNS, distributions)
    yield Section("gains", [partial(charts.gains, metrics)])
    yield Section("slices", [_sliced(charts.slices, metrics, by) for by in _SLICED_BY], SLICE_COLUMNS, metrics.slices)


def _of_backtest(backtest: Backtest) -> Iterator[Section]:
    yield Section("backtest", [partial(charts.months, backtest)], SCORE_COLUMNS, backtest.pooled)
    ranges: list[Range] = backtest.ranges
    yield Section("ranges", [], _RANGE_COLUMNS, ranges)
    exhibit: list[Leakage] = backtest.leakage
    yield Section("leakage", [partial(charts.leakage, backtest)], _LEAKAGE_COLUMNS, exhibit)


def _sliced(draw: Callable[[Metrics, str, Language], Any], metrics: Metrics, by: str) -> Callable[[Language], Any]:
    """Return how a picture of slices is drawn, where there are any."""
    return lambda language: draw(metrics, by, language) if any(one.by == by for one in metrics.slices) else None


def _pictures(section: Section, language: Language) -> list[Markup]:
    drawn = [draw(language) for draw in section.draw]
    return [
        Markup(_svg(chart, language))  # noqa: S704  SVG of a library
        for chart in drawn
        if chart is not None
    ]


def _svg(chart: Any, language: Language) -> str:
    return str(vl_convert.vegalite_to_svg(chart.to_dict(), format_locale="pt-BR" if language == "pt" else "en-US"))


def _cells(section: Section, row: Any, language: Language) -> list[str]:
    values = [(getattr(row, column.attribute), column.form) for column in section.columns]
    return [_shown(value, form, language) for value, form in values]


def _shown(value: Any, form: str, language: Language) -> str:
    if value is None:
        return ""
    return charts.said(value, language) if isinstance(value, str) else messages.number(value, form, language)


def _backtest(folder: Path, metrics: Metrics) -> Backtest | None:
    path = folder / BACKTEST_FILE
    if not path.is_file():
        return None
    content = path.read_text("utf-8")
    facts = json.loads(content)
    same = (facts["data_digest"], facts["code_version"]) == (metrics.data_digest, metrics.code_version)
    return from_json(content) if same else None


_TEMPLATES = Environment(
    loader=PackageLoader("flight_delay.model", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_TEMPLATES.globals |= {"text": text, "said": charts.said, "cells": _cells, "pictures": _pictures}
