"""How a process that opens a stranger's file begins: limited, then ready, then confined, and only then with the file.

`python -m flight_delay.model.untrusted.start PARENT SECONDS MEMORY_MB MODULE ARGUMENTS...`

Standard output holds the answer: one line of JSON that lists what `confine` did, written before the file is
touched; then what `MODULE.main(ARGUMENTS...)` returned, or, where the exit status is `report.REFUSED`, the error
that it raised.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

from flight_delay.errors import FlightDelayError
from flight_delay.model.untrusted import report
from flight_delay.model.untrusted.confine import confine
from flight_delay.model.untrusted.kernel import PR_SET_PDEATHSIG, prctl

_MEGABYTE = 2**20
_OPEN_FILES = 256
_GRACE_S = 5
_NICER = 10


def main(parent: int, seconds: int, memory_mb: int, module: str, arguments: list[str]) -> None:
    """Run `module.main(*arguments)` confined to the current folder; say what it returned or refused, and end."""
    die_with(parent)
    limit(seconds, memory_mb)
    answer = _own_output()
    opener = import_module(module)
    answer.write(json.dumps(confine(Path.cwd())).encode() + b"\n")
    answer.flush()
    try:
        said, status = opener.main(*arguments), 0
    except FlightDelayError as error:
        said, status = report.written(error), report.REFUSED
    answer.write(said)
    answer.flush()
    # Whatever the file left behind is not torn down: the answer stands.
    os._exit(status)


def die_with(parent: int) -> None:
    """Let this process be killed when its parent ends, or end it now if the parent has ended already."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def limit(seconds: int, memory_mb: int) -> None:
    """Limit this process for good: its processor time, its memory, its open files; it writes no file and no core.

    What answers predictions is served first.
    """
    os.nice(_NICER)
    _set(resource.RLIMIT_CPU, seconds, seconds + _GRACE_S)
    _set(resource.RLIMIT_AS, memory_mb * _MEGABYTE)
    _set(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _set(resource.RLIMIT_FSIZE, 0)
    _set(resource.RLIMIT_CORE, 0)


def _set(kind: int, value: int, hard: int | None = None) -> None:
    highest = resource.getrlimit(kind)[1]
    soft, hard = (
        value if highest == resource.RLIM_INFINITY else min(value, highest) for value in (value, hard or value)
    )
    with suppress(ValueError, OSError):  # macOS knows a limit of memory, and refuses to set it
        resource.setrlimit(kind, (soft, hard))


def _own_output() -> BinaryIO:
    """Return standard output; what libraries print there goes to standard error from now on."""
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return own


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5:])
