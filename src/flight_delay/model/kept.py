"""Any model that the service can keep: one trained here, or somebody else's regressor."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from flight_delay.errors import BrokenArtifact
from flight_delay.model.artifact import Artifact, feature_names
from flight_delay.model.features import Horizon
from flight_delay.model.point import KIND as POINT
from flight_delay.model.point import PointModel
from flight_delay.model.point.columns import fields_behind

Model = Artifact | PointModel
SPECIALISTS = "specialists"


class Tested(BaseModel):
    """How a model, told all that is known, did in the test of its training, from one horizon."""

    model_config = ConfigDict(frozen=True)

    horizon: str
    model: str
    inputs: str
    flights: int
    rmse: FiniteFloat
    mae: FiniteFloat
    auc_15: FiniteFloat | None = None


class Lineage(BaseModel):
    """What a model says of its own training."""

    data_digest: str | None = None
    code_version: str | None = None
    scores: tuple[Tested, ...] = ()

    @property
    def tests(self) -> list[Tested]:
        """Those of the model itself, not of what it was measured beside."""
        return [one for one in self.scores if (one.model, one.inputs) == ("model", "all that is known")]


def from_bytes(content: bytes) -> Model:
    """Read a model; raises `BrokenArtifact` for anything but a whole one of a form that this version reads."""
    return PointModel.from_bytes(content) if _kind(content) == POINT else Artifact.from_bytes(content)


def lineage_of(told: object) -> Lineage:
    """Return what a model says of its training; a model of another's making may say anything, which is nothing."""
    try:
        return Lineage.model_validate(told)
    except ValidationError:
        return Lineage()


def facts_of(model: Model) -> dict[str, Any]:
    """Return what a list of models says of one: its kind, horizons, features, and where it comes from."""
    if isinstance(model, PointModel):
        read = sorted({name for column in model.columns for name in fields_behind(column, model.columns)})
        kind, horizons, features = POINT, [], {POINT: read}
    else:
        kind, horizons, features = SPECIALISTS, [horizon.value for horizon in Horizon], feature_names()
    return {"kind": kind, "horizons": horizons, "features": features, "lineage": _told(model.manifest.lineage)}


def _told(lineage: Any) -> dict[str, Any]:
    """Return what a file says of its model, as far as it is an object that any database takes as JSON."""
    try:
        json.dumps(lineage, allow_nan=False)
    except ValueError:
        return {}
    return lineage if isinstance(lineage, dict) else {}


def _kind(content: bytes) -> str:
    """Return what a file says that it is; its reader finds out whether it is damaged."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return str(json.loads(file["manifest"].tobytes()).get("kind", SPECIALISTS))
    # numpy, zipfile and json raise whatever damaged bytes lead them to.
    except Exception as error:
        raise BrokenArtifact(f"{type(error).__name__}: {error}") from error
