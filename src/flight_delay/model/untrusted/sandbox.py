"""Runs what opens a stranger's file in a throw-away process, and believes nothing that the process says.

It has no network, no secrets and no file to write, and little time and memory (`start`, `confine`). All that
comes back are two pipes and an exit status: no file that could be a link to another.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import flight_delay
from flight_delay.errors import ModelRefused
from flight_delay.model.untrusted import report

_MEGABYTE = 2**20
_PACKAGES = str(Path(flight_delay.__file__).parent.parent)
_TICK_S = 0.1
_PIECE = 2**16
_WORDS_MB = 1
_LONGEST_WORDS = 200
_OUT_OF_MEMORY = ("MemoryError", "bad_alloc", "Cannot allocate memory", "failed to map segment")


class Limits(NamedTuple):
    """What a process may take: seconds of the clock and of the processor, address space, and bytes of answer.

    A gigabyte of addresses is twice what converting this project's own model of 16 MB reserves.
    """

    seconds: int = 60
    memory_mb: int = 1024
    output_mb: int = 64


LIMITS = Limits()


class Answer(NamedTuple):
    """What a process returned, which is as little to be trusted as the file, and what it gave up before (`confine`)."""

    content: bytes
    confined: list[str]


class _Pipe(NamedTuple):
    kept: bytearray
    most_mb: int


def run_apart(
    module: str,
    arguments: Sequence[str],
    folder: Path,
    limits: Limits = LIMITS,
    given_up: threading.Event | None = None,
) -> Answer:
    """Return what `module.main(*arguments)` returns in a confined process that can read `folder`, and write nothing.

    The module is imported before the process is confined, and so must not touch the file. To be called in a
    thread, which waits; the process ends with it, at its limits, and when `given_up` is set.

    Raises
    ------
    ModelRefused
        With the reason that the process itself gave; or with refused_time, refused_memory, refused_output,
        refused_crashed or, if it was given up, refused_given_up.
    ConversionFailed
        `main` raised it.
    """
    answer, words = _Pipe(bytearray(), limits.output_mb), _Pipe(bytearray(), _WORDS_MB)
    process = _started(module, arguments, folder, limits)
    try:
        _listen({process.stdout: answer, process.stderr: words}, limits.seconds, given_up or threading.Event())
    finally:
        _end(process)
    confined, _, content = bytes(answer.kept).partition(b"\n")
    if process.returncode == 0:
        with suppress(ValueError):
            return Answer(content, json.loads(confined))
    if process.returncode == report.REFUSED and (error := report.read(content)) is not None:
        raise error
    raise _ending(process.returncode, _last_line(bytes(words.kept)), limits)


def _started(module: str, arguments: Sequence[str], folder: Path, limits: Limits) -> subprocess.Popen[bytes]:
    start = [sys.executable, "-P", "-s", "-m", "flight_delay.model.untrusted.start"]
    limited = [str(os.getpid()), str(limits.seconds), str(limits.memory_mb)]
    return subprocess.Popen(  # noqa: S603 - this Python, and modules of this package
        [*start, *limited, module, *arguments],
        cwd=folder,
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    )


def _environment(folder: Path) -> dict[str, str]:
    """Return what the process needs to find this package, and to stay alone; none of the service's secrets."""
    return {
        "PYTHONPATH": _PACKAGES,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        # One thread: Landlock confines no other, and each reserves memory.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "JOBLIB_MULTIPROCESSING": "0",
        "LOKY_MAX_CPU_COUNT": "1",
    }


def _listen(pipes: dict[Any, _Pipe], seconds: int, given_up: threading.Event) -> None:
    """Read until both pipes are closed, which the end of the process does."""
    deadline = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for file, pipe in pipes.items():
            selector.register(file, selectors.EVENT_READ, pipe)
        while selector.get_map():
            if time.monotonic() > deadline:
                raise ModelRefused("refused_time", seconds=seconds)
            if given_up.is_set():
                raise ModelRefused("refused_given_up")
            for key, _ in selector.select(_TICK_S):
                if not _read(key.fd, key.data):
                    selector.unregister(key.fileobj)


def _read(descriptor: int, pipe: _Pipe) -> bool:
    """Whether there was more to read."""
    piece = os.read(descriptor, _PIECE)
    pipe.kept.extend(piece)
    if len(pipe.kept) > pipe.most_mb * _MEGABYTE:
        raise ModelRefused("refused_output", megabytes=pipe.most_mb)
    return bool(piece)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and all that it started, and wait for its end; one that has ended keeps its status."""
    # Not after the wait: the number of the group could be another's by then.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with process:
        pass


def _ending(status: int, last_line: str, limits: Limits) -> ModelRefused:
    """Return why a process ended that neither answered nor refused."""
    if status == -signal.SIGXCPU:
        return ModelRefused("refused_time", seconds=limits.seconds)
    # Nobody else kills it but a kernel that has run out of memory.
    if status == -signal.SIGKILL or any(sign in last_line for sign in _OUT_OF_MEMORY):
        return ModelRefused("refused_memory", megabytes=limits.memory_mb)
    if status < 0:
        return ModelRefused("refused_crashed", problem=_name(-status))
    return ModelRefused("refused_crashed", problem=last_line or f"exit {status}")


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _last_line(words: bytes) -> str:
    lines = words[-_PIECE:].decode("utf-8", "replace").strip().splitlines()
    return report.printable(lines[-1][:_LONGEST_WORDS]) if lines else ""
