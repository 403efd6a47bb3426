"""What may be wrong with data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flight_delay.errors.base import FlightDelayError


class DataError(FlightDelayError):
    """Something is wrong with the data."""


class SourceMissing(DataError):
    """A raw file is not there."""

    key = "source_missing"

    def __init__(self, source: str, path: Path | str) -> None:
        super().__init__(source=source, path=path)


class SourceUnreadable(DataError):
    """A raw file cannot be read as the source it should be."""

    key = "source_unreadable"

    def __init__(self, path: Path | str, problem: str) -> None:
        super().__init__(path=path, problem=problem)


class WrongMonths(DataError):
    """A month was asked for that is none, or that no file is of."""

    key = "wrong_months"

    def __init__(self, value: str, expected: str) -> None:
        super().__init__(value=value, expected=expected)


class ContractBroken(DataError):
    """The table breaks a rule: which one, what it means (by language), how often, and some of the rows."""

    key = "contract_broken"

    def __init__(self, rule: str, meaning: dict[str, str], count: int, examples: list[dict[str, Any]]) -> None:
        super().__init__(rule=rule, meaning=meaning, count=count, examples=examples)


class DatasetMissing(DataError):
    """There is no processed table to work on, or it does not reach far enough."""

    key = "dataset_missing"

    def __init__(self, path: Path | str) -> None:
        super().__init__(path=path)


class TooFewMonths(DataError):
    """There are fewer months to learn from, or to learn and test on, than are needed."""

    key = "too_few_months"

    def __init__(self, path: Path | str, months: int, needed: int) -> None:
        super().__init__(path=path, months=months, needed=needed)


class MonthsMissing(DataError):
    """The processed table lacks months that a model was trained or is to be tested on."""

    key = "months_missing"

    def __init__(self, path: Path | str, months: list[str]) -> None:
        super().__init__(path=path, months=", ".join(months))


class DatasetUnreadable(DataError):
    """The processed table is damaged."""

    key = "dataset_unreadable"

    def __init__(self, path: Path | str, problem: str) -> None:
        super().__init__(path=path, problem=problem)


class FlightsMissing(DataError):
    """There is no file of flights where one was said to be."""

    key = "flights_missing"

    def __init__(self, path: Path | str) -> None:
        super().__init__(path=path)


class FlightsUnreadable(DataError):
    """A file that should hold flights cannot be read as what its name says it is."""

    key = "flights_unreadable"

    def __init__(self, path: Path | str, problem: str) -> None:
        super().__init__(path=path, problem=problem)


class ColumnsMissing(DataError):
    """A file of flights lacks columns that every flight needs."""

    key = "columns_missing"

    def __init__(self, path: Path | str, missing: list[str], needed: list[str]) -> None:
        super().__init__(path=path, missing=", ".join(missing), needed=", ".join(needed))


class NoFlight(DataError):
    """A row (from 0) of a file is no flight: which field, its value, and the rule that it breaks (by language)."""

    key = "no_flight"

    def __init__(self, path: Path | str, row: int, field: str, value: str, meaning: dict[str, str]) -> None:
        super().__init__(path=path, row=row, field=field, value=value, meaning=meaning)


class KeyMissing(DataError):
    """A service needs a key, and the setting that holds it is empty."""

    key = "key_missing"

    def __init__(self, setting: str, address: str) -> None:
        super().__init__(setting=setting, address=address)


class RemoteFailed(DataError):
    """A service could not be reached, or answered with errors, as often as was tried."""

    key = "remote_failed"

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(url=url, problem=problem)


class RemoteRefused(DataError):
    """A service says that a request is wrong; `reason` is the beginning of its answer."""

    key = "remote_refused"

    def __init__(self, url: str, status: int, reason: str) -> None:
        super().__init__(url=url, status=status, reason=reason)


class EngineError(DataError):
    """The engine that was asked for cannot be had."""


class SparkMissing(EngineError):
    """PySpark is not installed."""

    key = "spark_missing"


class JavaMissing(EngineError):
    """There is no Java, or one that is too old."""

    key = "java_missing"

    def __init__(self, looked_at: str, oldest: int) -> None:
        super().__init__(looked_at=looked_at, oldest=oldest)


class SparkFailed(EngineError):
    """Spark gave no session: the master cannot be reached, or refuses."""

    key = "spark_failed"

    def __init__(self, master: str, problem: str) -> None:
        super().__init__(master=master, problem=problem)
