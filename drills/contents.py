"""What an image is made of, file by file, so that two of them can be compared."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
from typing import NamedTuple

from engine import DOCKER, docker

_OF_THE_ENGINE = {".dockerenv", "etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/mtab"}
_PIECE = 2**20


class Entry(NamedTuple):
    """A file, folder or link, all but when it was made."""

    kind: bytes
    mode: int
    owner: tuple[int, int]
    leads_to: str
    size: int
    sha256: str


def entries(image: str) -> dict[str, Entry]:
    """Return everything in an image, by its path."""
    made = docker("create", image)
    try:
        with (
            subprocess.Popen([*DOCKER, "export", made], stdout=subprocess.PIPE) as export,
            tarfile.open(fileobj=export.stdout, mode="r|") as archive,
        ):
            found = {one.name: _entry(archive, one) for one in archive}
        assert export.returncode == 0
    finally:
        docker("rm", "--volumes", made)
    return {name: entry for name, entry in found.items() if name not in _OF_THE_ENGINE}


def _entry(archive: tarfile.TarFile, one: tarfile.TarInfo) -> Entry:
    digest = hashlib.sha256()
    file = archive.extractfile(one) if one.isreg() else None
    while file is not None and (piece := file.read(_PIECE)):
        digest.update(piece)
    return Entry(one.type, one.mode, (one.uid, one.gid), one.linkname, one.size, digest.hexdigest())


def differences(one: dict[str, Entry], other: dict[str, Entry]) -> list[str]:
    """Return the paths that are not the same in both."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
