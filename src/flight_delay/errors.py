"""The exceptions, one tree. Each carries the facts; the edge makes the text, in the reader's language.

FlightDelayError
├── DataError
│   ├── SourceMissing      a raw file is not where it was said to be
│   ├── SourceUnreadable   a raw file has not the columns it should have
│   ├── WrongMonths        months were asked for that there are not
│   ├── ContractBroken     the processed table breaks a rule
│   ├── DatasetMissing     there is no processed table
│   ├── DatasetUnreadable  it is damaged
│   ├── TooFewMonths       it is too short to learn from and to test on
│   ├── KeyMissing         a service needs a key that is not set
│   ├── RemoteFailed       another's service cannot be reached, or has trouble of its own
│   ├── RemoteRefused      it says that the request is wrong
│   ├── MonthsMissing      it lacks months of a model's training or test
│   ├── FlightsMissing     no file of flights is where it was said to be
│   ├── FlightsUnreadable  a file of flights is none, or is damaged
│   ├── ColumnsMissing     it lacks columns that every flight needs
│   ├── NoFlight           a row of it is no flight
│   └── EngineError        Spark cannot be had: it, or Java, is not installed, or it failed
├── ModelError
│   ├── NoModel            nothing is live, or no model file is there
│   ├── NotAModel          the bytes are not a model file
│   ├── UntrustedModel     the digest is not one that is trusted
│   ├── ModelRefused       a model file was examined, and is not taken
│   ├── BrokenArtifact     an artefact is damaged or of another format
│   ├── ConversionFailed   a trusted file could not be converted
│   ├── OutputUnusable     a model cannot be written where it was told to be
│   ├── AnswersUnusable    answers cannot be written where they were told to be
│   ├── AnswersNameless    their file's name does not say in which form
│   ├── LibraryMissing     this machine lacks a library that training needs
│   └── TrackerMissing     a run was to be tracked, and MLflow is not installed
└── StoreError
    ├── StoreUnavailable   the database cannot be read or written
    ├── DriverMissing      it is PostgreSQL, and the driver is not installed
    ├── StoreBusy          more answers wait for their commit than may wait
    ├── NoSuchVersion      there is no model of that version, or it was deleted
    ├── NothingBefore      no other version was live before this one
    └── VersionInUse       a version is live, and cannot be deleted
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


class FlightDelayError(Exception):
    """Base of all: `key` names the message, `facts` fill it."""

    key = "error"

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(f"{self.key}: " + ", ".join(f"{name}={value}" for name, value in facts.items()))


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


class ModelError(FlightDelayError):
    """Something is wrong with a model."""


class NoModel(ModelError):
    """No model is live."""

    key = "no_model"


class ModelFileMissing(ModelError):
    """No model file is where one was expected."""

    key = "model_file_missing"

    def __init__(self, path: Path | str) -> None:
        super().__init__(path=path)


class NotAModel(ModelError):
    """The upload does not even look like a model file."""

    key = "not_a_model"

    def __init__(self, filename: str) -> None:
        super().__init__(filename=filename)


class UntrustedModel(ModelError):
    """The file's digest is not among those that the server trusts."""

    key = "untrusted_model"

    def __init__(self, sha256: str) -> None:
        super().__init__(sha256=sha256)


class ModelRefused(ModelError):
    """A model file is not taken; `reason` names the message, `facts` fill it."""

    def __init__(self, reason: str, **facts: Any) -> None:
        self.key = reason
        super().__init__(**facts)


class BrokenArtifact(ModelError):
    """The artefact is damaged, or written in another format."""

    key = "broken_artifact"

    def __init__(self, problem: str) -> None:
        super().__init__(problem=problem)


class ConversionFailed(ModelError):
    """A trusted model file could not be converted to an artefact."""

    key = "conversion_failed"

    def __init__(self, problem: str) -> None:
        super().__init__(problem=problem)


class OutputUnusable(ModelError):
    """A model cannot be written where it was told to be."""

    key = "output_unusable"

    def __init__(self, path: Path | str, problem: str) -> None:
        super().__init__(path=path, problem=problem)


class AnswersUnusable(ModelError):
    """Answers cannot be written where they were told to be."""

    key = "answers_unusable"

    def __init__(self, path: Path | str, problem: str) -> None:
        super().__init__(path=path, problem=problem)


class AnswersNameless(ModelError):
    """The name of the file for answers does not end in the name of a form that can be written."""

    key = "answers_nameless"

    def __init__(self, path: Path | str, known: tuple[str, ...]) -> None:
        super().__init__(path=path, known=", ".join(known))


class LibraryMissing(ModelError):
    """A library that training needs is not on this machine."""

    key = "library_missing"

    def __init__(self, problem: str) -> None:
        super().__init__(problem=problem)


class TrackerMissing(ModelError):
    """A run was to be tracked, and MLflow is not installed."""

    key = "tracker_missing"


class StoreError(FlightDelayError):
    """Something is wrong with the database."""


class StoreUnavailable(StoreError):
    """The database cannot be read or written."""

    key = "store_unavailable"

    def __init__(self, problem: str) -> None:
        super().__init__(problem=problem)


class DriverMissing(StoreError):
    """The database is PostgreSQL, and its driver is not installed."""

    key = "driver_missing"

    def __init__(self, problem: str) -> None:
        super().__init__(problem=problem)


class StoreBusy(StoreError):
    """So many answers wait for their commit that no more are taken."""

    key = "store_busy"

    def __init__(self, waiting: int) -> None:
        super().__init__(waiting=waiting)


class NoSuchVersion(StoreError):
    """There is no model of that version, or no longer."""

    key = "no_such_version"

    def __init__(self, version: int) -> None:
        super().__init__(version=version)


class NothingBefore(StoreError):
    """No version that is still there was live before the one that is."""

    key = "nothing_before"


class VersionInUse(StoreError):
    """The live version cannot be deleted."""

    key = "version_in_use"

    def __init__(self, version: int) -> None:
        super().__init__(version=version)
