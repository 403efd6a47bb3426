"""From a model file that somebody sent to a form that executes nothing, by a throw-away process.

The process examines the file name by name, opens it once, converts what was in it, and proves that the
converted model answers as the object does (`docs/decisions/0015`).
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, NamedTuple

from flight_delay.errors import BrokenArtifact, ConversionFailed
from flight_delay.model import kept
from flight_delay.model.untrusted.sandbox import run_apart

MOST_INSIDE = 200 * 2**20
"""Bytes that a file may hold, decompressed."""
_NAME = "model"
_PIECE = 2**20


class Converted(NamedTuple):
    """A model as the service keeps it, and what the process that made it had given up before it opened the file."""

    content: bytes
    model: kept.Model
    confined: list[str]


def sha256_of(file: BinaryIO) -> str:
    """Return the digest of a file, in hexadecimal."""
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest()


def convert_apart(file: BinaryIO, filename: str, given_up: threading.Event | None = None) -> Converted:
    """Return what a model file was converted to.

    Raises
    ------
    NotAModel
        It is neither a joblib nor a pickle file.
    ModelRefused
        With the reason why it is not taken.
    """
    with TemporaryDirectory(prefix="flight-delay-") as folder:
        file.seek(0)
        with Path(folder, _NAME).open("wb") as copy:
            shutil.copyfileobj(file, copy)
        answer = run_apart("flight_delay.model.opening", [_NAME, filename], Path(folder), given_up=given_up)
    try:
        return Converted(answer.content, kept.from_bytes(answer.content), answer.confined)
    except BrokenArtifact as error:
        raise ConversionFailed(error.facts["problem"]) from error


def facts_of(converted: Converted) -> Mapping[str, Any]:
    """Return what a list of models says of one that was sent."""
    return kept.facts_of(converted.model) | {"confined": converted.confined}
