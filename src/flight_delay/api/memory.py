"""The memory of the process: what lasts is not looked through for garbage, what was freed is given back."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

_OBJECTS = 20_000
"""So many more must have been made than let go before garbage is looked for among the newest."""


def settle() -> None:
    """Look for garbage less often, and never in what is there by now: a request leaves none, and would wait for it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS)
    give_back()


def give_back() -> None:
    """Give the system back what the C library has kept of what was freed; reading a model takes some 50 MB."""
    with suppress(AttributeError, OSError):  # only glibc has it
        ctypes.CDLL(None).malloc_trim(0)
