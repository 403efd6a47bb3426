"""How the service ends: first it says so, then its server finishes what it accepted."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType

_Handler = Callable[[int, FrameType | None], object]
_log = logging.getLogger("flight_delay")


class Draining:
    """Stands between the signals that end a process and the server, which would stop listening at once."""

    def __init__(self) -> None:
        self.begun = False
        """Whether the process was told to end; it is no longer ready, and still answers."""
        self._received: set[int] = set()
        self._ends = False

    def watch(self, drain_s: float) -> None:
        """Hear SIGINT and SIGTERM before the server, which has to have its handlers set.

        SIGTERM is passed on to it so many seconds later. The same signal again ends the process where it is.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            server_s = signal.getsignal(number)
            if callable(server_s):
                wait_s = drain_s if number == signal.SIGTERM else 0
                signal.signal(number, partial(self._hear, asyncio.get_running_loop(), server_s, wait_s))

    def _hear(
        self, loop: asyncio.AbstractEventLoop, end: _Handler, wait_s: float, number: int, frame: FrameType | None
    ) -> None:
        if number in self._received:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self._received.add(number)
        if not self.begun and wait_s:
            loop.call_soon_threadsafe(loop.call_later, wait_s, self._end, end, number, None)
            _log.info("told to end: not ready from now on, and answering for %g s more", wait_s)
        else:
            self._end(end, number, frame)
        self.begun = True

    def _end(self, end: _Handler, number: int, frame: FrameType | None) -> None:
        if not self._ends:
            self._ends = True
            end(number, frame)
