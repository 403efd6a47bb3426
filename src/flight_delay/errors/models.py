"""What may be wrong with a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flight_delay.errors.base import FlightDelayError


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


class GateRefused(ModelError):
    """A version is worse than the live one by more than is allowed: mean absolute errors, in minutes."""

    key = "gate_refused"

    def __init__(
        self, version: int, live: int, mae: float, live_mae: float, flights: int, most_worse_pct: float
    ) -> None:
        super().__init__(
            version=version, live=live, mae=mae, live_mae=live_mae, flights=flights, most_worse_pct=most_worse_pct
        )


class GateUnmeasured(ModelError):
    """Neither flights that have arrived nor tests on the same flights compare a version with the live one."""

    key = "gate_unmeasured"

    def __init__(self, version: int, live: int, flights: int, needed: int) -> None:
        super().__init__(version=version, live=live, flights=flights, needed=needed)


class FieldsNeeded(ModelError):
    """A model has no answer to a flight that lacks some fields."""

    key = "fields_needed"

    def __init__(self, fields: list[str]) -> None:
        super().__init__(fields=fields)


class BrokenArtifact(ModelError):
    """The artefact is damaged, or written in another format."""

    key = "broken_artifact"

    def __init__(self, problem: str) -> None:
        super().__init__(problem=problem)


class ConversionFailed(ModelError):
    """A model file could not be converted to an artefact."""

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
