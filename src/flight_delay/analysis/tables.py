"""Answers as a person reads them: headings, numbers and weekdays in a language."""

from __future__ import annotations

from typing import Any

from flight_delay.analysis.questions import Answer
from flight_delay.messages import Language, number, text

_NAMES_NUMBERS = {"year", "month", "day", "flight"}
"""Columns whose numbers are names: they have no thousands."""


def headings(answer: Answer, language: Language) -> list[str]:
    """Return the headings of an answer's columns; none where nothing was found."""
    return [text(f"column_{name}", language) for name in answer.rows[0]] if answer.rows else []


def cells(row: dict[str, Any], language: Language) -> list[str]:
    """Return the values of a row as they are written in a language."""
    return [_cell(name, value, language) for name, value in row.items()]


def _cell(name: str, value: Any, language: Language) -> str:
    if value is None:
        return "–"
    if name == "weekday":
        return text(f"weekday_{value}", language)
    if isinstance(value, float):
        return number(value, ",.2f", language)
    if isinstance(value, int) and name not in _NAMES_NUMBERS:
        return number(value, ",", language)
    return str(value)
