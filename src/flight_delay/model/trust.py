"""Which model files may be opened: those whose digest was recorded when they were trained, or was set."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flight_delay.errors import NotAModel, UntrustedModel
from flight_delay.model.untrusted.compression import BEGINNINGS, PICKLE

RECORD = "trusted.sha256"


def sha256(content: bytes) -> str:
    """Return the digest in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def record(folder: Path, content: bytes, filename: str) -> None:
    """Note in `folder` that a model file was trained here, in the format of `sha256sum`."""
    digest = sha256(content)
    if digest not in recorded(folder):
        with (folder / RECORD).open("a", encoding="utf-8") as file:
            file.write(f"{digest}  {filename}\n")


def recorded(folder: Path) -> frozenset[str]:
    """Return the digests noted in `folder`."""
    try:
        lines = (folder / RECORD).read_text("utf-8").splitlines()
    except FileNotFoundError:
        return frozenset()
    return frozenset(line.split()[0].lower() for line in lines if line.strip())


def check(content: bytes, filename: str, trusted: frozenset[str]) -> str:
    """Return the digest of a model file that may be opened; nothing of it is unpickled here.

    Raises
    ------
    NotAModel
        It does not begin as a model file does.
    UntrustedModel
        Its digest is not a trusted one.
    """
    if not content.startswith((PICKLE, *BEGINNINGS)):
        raise NotAModel(filename)
    digest = sha256(content)
    if digest not in trusted:
        raise UntrustedModel(digest)
    return digest
