"""Every text that a person reads at run time, in Portuguese and English."""

from __future__ import annotations

import string
from typing import Any

from flight_delay.messages import (
    access,
    analysis,
    batches,
    commands,
    connection,
    errors,
    evaluation,
    explanation,
    history,
    operations,
    protocols,
    refusals,
    service,
    versions,
)
from flight_delay.messages.language import LANGUAGES, Language

__all__ = ["LANGUAGES", "Language", "from_accept_language", "from_locale", "known", "number", "text"]

_TEXTS: dict[str, dict[Language, str]] = (
    service.TEXTS
    | access.TEXTS
    | errors.TEXTS
    | refusals.TEXTS
    | connection.TEXTS
    | commands.TEXTS
    | batches.TEXTS
    | analysis.TEXTS
    | evaluation.TEXTS
    | explanation.TEXTS
    | history.TEXTS
    | operations.TEXTS
    | protocols.TEXTS
    | versions.TEXTS
)


class _Portuguese(string.Formatter):
    """Writes numbers that have a format as Portuguese does: 1.234,5."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        shown = format(value, format_spec)
        return shown.translate(_SWAPPED) if format_spec and isinstance(value, int | float) else shown


_SWAPPED = str.maketrans(",.", ".,")
_FORMATTERS: dict[Language, string.Formatter] = {"pt": _Portuguese(), "en": string.Formatter()}


def text(key: str, language: Language, **facts: Any) -> str:
    """Return a text in a language, with the facts filled in."""
    return _FORMATTERS[language].format(_TEXTS[key][language], **facts)


def number(value: float, form: str, language: Language) -> str:
    """Return a number in the form of a format specification, as a language writes it."""
    return _FORMATTERS[language].format(f"{{:{form}}}", value)


def known(key: str) -> bool:
    """Whether there is a text of that name."""
    return key in _TEXTS


def from_accept_language(header: str) -> Language:
    """Return the language that an Accept-Language header prefers; Portuguese where it names neither."""
    best: Language = "pt"
    best_weight = 0.0
    for item in header.split(","):
        tag, _, parameter = item.partition(";")
        language = tag.strip().lower().split("-")[0]
        weight = _weight(parameter)
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = ("en" if language == "en" else "pt"), weight
    return best


def from_locale(locale: str) -> Language:
    """Return the language of a POSIX locale such as `pt_BR.UTF-8`; English where it is not Portuguese."""
    return "pt" if locale.lower().startswith("pt") else "en"


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0
