"""What a process gives up before it opens a file of a stranger's: network, secrets, privileges, all writing.

Each step stands on its own. What a kernel does not have is left out, so that every machine does what it can.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct
import sys
from contextlib import suppress
from pathlib import Path

from flight_delay.model.untrusted import landlock, seccomp
from flight_delay.model.untrusted.kernel import PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, call, prctl

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_CAPABILITIES_VERSION = 0x20080522
# Beside Python itself, what the loader of shared libraries reads.
_SYSTEM = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache")


def confine(folder: Path) -> list[str]:
    """Give up for good all but computing, and reading Python and one folder; return what could be given up.

    The names are "memory_private", "network_namespace", "capabilities", "no_new_privs", "landlock",
    "seccomp" and, where there is no filter, "no_processes". Only a process of one thread is confined as a whole.
    """
    steps = {
        "memory_private": lambda: prctl(PR_SET_DUMPABLE, 0),
        "network_namespace": _leave_network,
        "capabilities": _drop_capabilities,
        "no_new_privs": lambda: prctl(PR_SET_NO_NEW_PRIVS, 1),
        "landlock": lambda: landlock.restrict(_readable(folder)),
        "seccomp": seccomp.restrict,
    }
    done = [name for name, step in steps.items() if step()]
    if "seccomp" not in done and _forbid_processes():
        done.append("no_processes")
    return done


def _readable(folder: Path) -> list[Path]:
    searched = [Path(entry) for entry in sys.path if entry]
    return [Path(sys.prefix), Path(sys.base_prefix), *searched, *map(Path, _SYSTEM), folder]


def _leave_network() -> bool:
    """Whether this process is now alone in a network without interfaces; without privileges it takes a user's too."""
    return call("unshare", _NEW_NETWORK) == 0 or call("unshare", _NEW_USER | _NEW_NETWORK) == 0


def _drop_capabilities() -> bool:
    header = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITIES_VERSION, 0))
    none = ctypes.create_string_buffer(24)
    return call("capset", ctypes.addressof(header), ctypes.addressof(none)) == 0


def _forbid_processes() -> bool:
    # Not beside a filter: the limit counts threads too, which a forest that was fitted with n_jobs starts.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        return os.geteuid() != 0
    return False
