"""An error on its way out of a process that is not believed: as JSON, and back where it is one that there is."""

from __future__ import annotations

import json
import math
from typing import Any

from flight_delay.errors import ConversionFailed, FlightDelayError, ModelError, ModelRefused, NotAModel
from flight_delay.messages import LANGUAGES, refusals, text

REFUSED = 3
"""The exit status of a process that ends with an error to be passed on."""
_LONGEST = 8192
_LONGEST_FACT = 500
_LARGEST_NUMBER = 1e15


def written(error: FlightDelayError) -> bytes:
    """Return an error as a JSON object: its `reason`, and its `facts`, which are numbers or are made text."""
    facts = {
        name: value if isinstance(value, int | float) else str(value)[:_LONGEST_FACT]
        for name, value in error.facts.items()
    }
    return json.dumps({"reason": error.key, "facts": facts}).encode()


def read(content: bytes) -> ModelError | None:
    """Return the error that `written` made this of; None where it is none that a text fits to, or is too long."""
    if len(content) > _LONGEST:
        return None
    try:
        said = json.loads(content)
        reason, facts = said["reason"], {str(name): _fact(value) for name, value in said["facts"].items()}
        if reason == ConversionFailed.key:
            return ConversionFailed(**facts)
        if reason == NotAModel.key:
            return NotAModel(**facts)
        if reason not in refusals.TEXTS:
            return None
        for language in LANGUAGES:
            text(reason, language, **facts)
        return ModelRefused(reason, **facts)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        return None


def printable(value: str) -> str:
    """Return a text without what steers a terminal or breaks a line."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in value)


def _fact(value: Any) -> Any:
    if isinstance(value, str) and len(value) <= _LONGEST_FACT:
        return printable(value)
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) < _LARGEST_NUMBER:
        return value
    raise ValueError
