"""The root of the exceptions."""

from __future__ import annotations

from typing import Any


class FlightDelayError(Exception):
    """Base of all: `key` names the message, `facts` fill it."""

    key = "error"

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(f"{self.key}: " + ", ".join(f"{name}={value}" for name, value in facts.items()))
