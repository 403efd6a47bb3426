"""What the model asks of a flight, whoever has read and checked it."""
# ruff: noqa: D102  # what the fields mean is said by `Flight`

from __future__ import annotations

from typing import Any, Protocol


class AnyFlight(Protocol):
    """Whatever has the fields of a `Flight`, and keeps to its ranges: None where one is absent."""

    @property
    def year(self) -> int | None: ...

    @property
    def month(self) -> int: ...

    @property
    def day(self) -> int: ...

    @property
    def hour(self) -> int | None: ...

    @property
    def sched_dep_time(self) -> int: ...

    @property
    def sched_arr_time(self) -> int | None: ...

    @property
    def origin(self) -> str: ...

    @property
    def dest(self) -> str: ...

    @property
    def carrier(self) -> str: ...

    @property
    def distance(self) -> float | None: ...

    @property
    def dep_delay(self) -> float | None: ...

    @property
    def flight(self) -> int | None: ...

    @property
    def tailnum(self) -> str | None: ...

    @property
    def weather(self) -> Any: ...
