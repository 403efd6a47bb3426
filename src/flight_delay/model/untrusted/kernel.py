"""Calls to the Linux kernel that Python has no function for."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38


def call(function: str, *arguments: int) -> int:
    """Return what a function of the C library returns for words and addresses; -1 where it failed or is not there."""
    if sys.platform != "linux":
        return -1
    try:
        found = getattr(_library(), function)
    except (AttributeError, OSError):
        return -1
    found.restype = ctypes.c_long if function == "syscall" else ctypes.c_int
    return int(found(*(ctypes.c_ulong(argument) for argument in arguments)))


def prctl(option: int, value: int) -> bool:
    """Whether an attribute of this process was set."""
    return call("prctl", option, value, 0, 0, 0) == 0


def _library() -> Any:
    return ctypes.CDLL(None)
