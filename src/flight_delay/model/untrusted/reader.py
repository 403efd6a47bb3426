"""A model file that a stranger wrote, read in pure Python: first only examined, then loaded.

Both times the same machine walks over it. Of what is in the file only what `allowed` lists is ever looked up,
and only after the whole of the file was found to be as a model's.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, BinaryIO

from flight_delay.errors import ModelRefused
from flight_delay.model.untrusted.examiner import Examiner
from flight_delay.model.untrusted.loader import Loader

_MOST_NAMES = 20


@dataclass(frozen=True)
class Examined:
    """What was found in a file."""

    names: tuple[str, ...]
    """That it uses, all of them allowed."""
    sklearn_versions: tuple[str, ...]
    """With which its estimators were written."""
    size: int
    """Bytes, decompressed."""


def examine(stream: BinaryIO, filename: str) -> Examined:
    """Examine a file to its end; nothing of it is called or imported.

    Raises
    ------
    NotAModel
        It is no pickle of protocol 2 or later.
    ModelRefused
        `refused_names`, with all the names that no model needs; `refused_opcode`, `refused_state`,
        `refused_complex`, `refused_damaged`, `refused_size_inside`.
    """
    examiner = Examiner(stream, filename)
    try:
        examiner.walk()
    except ModelRefused as error:
        if not examiner.foreign:
            raise
        raise _foreign(examiner) from error
    if examiner.foreign:
        raise _foreign(examiner)
    return Examined(tuple(sorted(map(str, examiner.names))), tuple(sorted(examiner.versions)), examiner.source.taken)


def load(stream: BinaryIO, filename: str) -> Any:
    """Return the object in a file that `examine` has examined to its end.

    Raises `ModelRefused` where numpy, scikit-learn or LightGBM do not take what is in it.
    """
    with warnings.catch_warnings():
        # Which version wrote it is among the facts that `examine` finds; whether it answers alike is tried later.
        warnings.filterwarnings("ignore", "Trying to unpickle estimator", UserWarning)
        return Loader(stream, filename).walk()


def _foreign(examiner: Examiner) -> ModelRefused:
    names = list(examiner.foreign)
    shown = ", ".join(names[:_MOST_NAMES])
    return ModelRefused("refused_names", names=shown if len(names) <= _MOST_NAMES else f"{shown}, ...")
