"""The answers as one HTML file: both languages, charts as SVG, nothing fetched from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair
import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from flight_delay.analysis.questions import Answer
from flight_delay.analysis.tables import cells, headings
from flight_delay.messages import LANGUAGES, Language, text

_BY = ("weekday", "month", "carrier", "origin", "dest")
"""Columns that name a bar, where they are there."""
_NOT_MEASURED = {*_BY, "year", "day", "flight", "carrier_name"}
_FEWEST_BARS = 3
_WIDTH = 560


_TEMPLATES = Environment(
    loader=PackageLoader("flight_delay.analysis", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_TEMPLATES.globals |= {"text": text, "headings": headings, "cells": cells}


def render(answers: Sequence[Answer], facts: dict[str, Any]) -> str:
    """Return the report as HTML.

    `facts` is what the processed table says of itself: source, rows_out, months, digest.
    """
    source = {
        "source": facts["source"],
        "flights": facts["rows_out"],
        "first": facts["months"][0],
        "last": facts["months"][-1],
        "digest": facts["digest"][:16],
    }
    return _TEMPLATES.get_template("report.html").render(
        languages=LANGUAGES,
        answers=answers,
        source=source,
        section=lambda answer, language: Markup(section(answer, language)),  # noqa: S704  escaped by its template
    )


def section(answer: Answer, language: Language) -> str:
    """Return one answer as HTML: what is asked, how it is read, the rows, and the chart."""
    drawn = Markup(chart(answer, language))  # noqa: S704  SVG of a library
    return _TEMPLATES.get_template("section.html").render(answer=answer, language=language, chart=drawn)


def chart(answer: Answer, language: Language) -> str:
    """Return the first measured column as bars, in SVG; nothing for an answer of one or two rows."""
    rows = answer.rows
    if len(rows) < _FEWEST_BARS:
        return ""
    by = [name for name in _BY if name in rows[0]]
    measure = next(name for name in rows[0] if name not in _NOT_MEASURED)
    values = [
        {"name": " ".join(cells({name: row[name] for name in by}, language)), "value": row[measure]} for row in rows
    ]
    bars = (
        altair.Chart(altair.InlineData(values=values), width=_WIDTH)
        .mark_bar(color="#2f6f9f")
        .encode(
            x=altair.X("value:Q", title=text(f"column_{measure}", language)),
            y=altair.Y("name:N", sort=None, title=None),
        )
    )
    return str(vl_convert.vegalite_to_svg(bars.to_dict(), format_locale="pt-BR" if language == "pt" else "en-US"))
