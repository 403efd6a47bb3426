"""A trained model in a form that executes nothing: arrays and a manifest, in one `.npz`.

Members: `manifest` (JSON, as bytes) and, for each horizon and head, the arrays of its `Trees`.
Reading it never unpickles.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flight_delay.airports import Airport
from flight_delay.errors import BrokenArtifact
from flight_delay.flight import Flight, local_date
from flight_delay.model.features import Codes, Horizon, features_of, values
from flight_delay.model.trees import Trees

FORMAT = 1


_ZIP = b"PK\x03\x04"


class Manifest(NamedTuple):
    """What a model was made of: the digest of its `.joblib`, and where it comes from."""

    source_sha256: str
    lineage: dict[str, Any]


class Calibration(NamedTuple):
    """The line that turns an ensemble's log-odds into ones that agree with what happened."""

    slope: float
    intercept: float


class Late(NamedTuple):
    """An ensemble of log-odds, with its calibration."""

    trees: Trees
    calibration: Calibration

    def probability(self, values: list[float]) -> float:
        """Return the calibrated probability for one row of features."""
        slope, intercept = self.calibration
        return 1.0 / (1.0 + math.exp(-(slope * self.trees.predict(values) + intercept)))


@dataclass(frozen=True)
class Artifact:
    """A model that answers: `predict` and `probability_late` equal the pipeline's own."""

    manifest: Manifest
    codes: Codes
    minutes: Mapping[Horizon, Trees]
    late: Mapping[Horizon, Late]

    def predict(self, flight: Flight, today: dt.date) -> float:
        """Return the arrival delay in minutes, negative is early."""
        horizon = Horizon.of(flight)
        row = values(features_of(horizon), flight, local_date(flight, today), self.codes)
        return self.minutes[horizon].predict(row) + (flight.dep_delay or 0.0)

    def probability_late(self, flight: Flight, today: dt.date) -> float:
        """Return the chance of arriving 15 or more minutes late."""
        horizon = Horizon.of(flight)
        return self.late[horizon].probability(
            values(features_of(horizon), flight, local_date(flight, today), self.codes)
        )

    def to_bytes(self) -> bytes:
        """Return the file; the same model gives the same bytes."""
        arrays: dict[str, Any] = {
            "manifest": np.frombuffer(json.dumps(self._facts(), sort_keys=True).encode(), np.uint8)
        }
        for horizon, trees in self.minutes.items():
            arrays |= {f"{horizon.value}.minutes.{name}": array for name, array in trees.arrays().items()}
        for horizon, late in self.late.items():
            arrays |= {f"{horizon.value}.late.{name}": array for name, array in late.trees.arrays().items()}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Artifact:
        """Read a file; raises `BrokenArtifact` for anything but a whole artefact of this format."""
        if not content.startswith(_ZIP):  # numpy would recommend to open it as a pickle
            raise BrokenArtifact("it is no .npz file")
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            facts = json.loads(arrays.pop("manifest").tobytes())
            if facts["format"] != FORMAT:
                raise BrokenArtifact(f"format {facts['format']}, this version reads {FORMAT}")
            if facts["features"] != _feature_names():
                raise BrokenArtifact("it was made for other features; train again")
            return cls(
                manifest=Manifest(facts["source_sha256"], facts["lineage"]),
                codes=_codes(facts["codes"]),
                minutes={h: Trees.from_arrays(_part(arrays, f"{h.value}.minutes.")) for h in Horizon},
                late={
                    h: Late(
                        Trees.from_arrays(_part(arrays, f"{h.value}.late.")),
                        _calibration(facts["calibration"][h.value]),
                    )
                    for h in Horizon
                },
            )
        except BrokenArtifact:
            raise
        # numpy, zipfile and json raise whatever damaged bytes lead them to, tokenize.TokenError among it.
        except Exception as error:
            raise BrokenArtifact(f"{type(error).__name__}: {error}") from error

    def _facts(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "source_sha256": self.manifest.source_sha256,
            "lineage": self.manifest.lineage,
            "features": _feature_names(),
            "calibration": {horizon.value: late.calibration for horizon, late in self.late.items()},
            "codes": {
                "airports": dict(self.codes.airports),
                "carriers": dict(self.codes.carriers),
                "origins": dict(self.codes.origins),
                "dests": dict(self.codes.dests),
                "holidays": list(self.codes.holidays),
            },
        }


def _feature_names() -> dict[str, list[str]]:
    return {horizon.value: [feature.name for feature in features_of(horizon)] for horizon in Horizon}


def _part(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _calibration(facts: list[float]) -> Calibration:
    slope, intercept = facts
    if not (math.isfinite(slope) and math.isfinite(intercept)):
        raise BrokenArtifact("the calibration is not finite")
    return Calibration(slope, intercept)


def _codes(facts: Mapping[str, Any]) -> Codes:
    return Codes(
        airports={code: Airport(*place) for code, place in facts["airports"].items()},
        carriers=facts["carriers"],
        origins=facts["origins"],
        dests=facts["dests"],
        holidays=tuple(facts["holidays"]),
    )
