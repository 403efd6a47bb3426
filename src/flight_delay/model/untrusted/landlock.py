"""Landlock: a process gives up all files but those that it names, and all TCP (Linux 5.13 and later).

A right is handled, and so refused wherever no rule grants it, as soon as the running kernel knows it.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

from flight_delay.model.untrusted.kernel import call

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# How many rights over files each version of the interface knows; the rights are the bits from 0.
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_NEWEST_RIGHTS = 16
_BIND_AND_CONNECT = 0b11
_SOCKETS_AND_SIGNALS = 0b11


def restrict(readable: Iterable[Path]) -> bool:
    """Let this thread read beneath some paths, and do nothing else with files or TCP; whether the kernel could."""
    version = call("syscall", _CREATE_RULESET, 0, 0, _VERSION)
    if version < 1:
        return False
    attributes = ctypes.create_string_buffer(handled(version), 24)
    ruleset = call("syscall", _CREATE_RULESET, ctypes.addressof(attributes), 24, 0)
    if ruleset < 0:
        return False
    try:
        for path in readable:
            _allow_reading(ruleset, path)
        return call("syscall", _RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def handled(version: int) -> bytes:
    """Return the attributes of a rule set that handles all that a version of the interface knows."""
    files = (1 << _RIGHTS.get(version, _NEWEST_RIGHTS)) - 1
    network = _BIND_AND_CONNECT if version >= 4 else 0
    scopes = _SOCKETS_AND_SIGNALS if version >= 6 else 0
    return struct.pack("=QQQ", files, network, scopes)


def _allow_reading(ruleset: int, path: Path) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there cannot be read anyhow
    try:
        rights = _READ_FILE | (_READ_DIR if path.is_dir() else 0)
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, opened), 12)
        call("syscall", _ADD_RULE, ruleset, _PATH_BENEATH, ctypes.addressof(rule), 0)
    finally:
        os.close(opened)
