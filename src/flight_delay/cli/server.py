"""The server of the service: uvicorn, with this project's log, limits and way to end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.supervisors import multiprocess

from flight_delay.api import logs
from flight_delay.settings import PREFIX, Settings

_SHUTDOWN_S = 10
_SETTLE_S = 0.01
"""In which those whom asyncio has accepted become connections; in a server that is closed they cannot any more."""
_BACKLOG = 4096
"""Connections that wait to be taken; the system's own limit for them is often this."""


class Server(uvicorn.Server):
    """uvicorn's, which when it ends also takes who has connected and was not taken yet: they would be cut off."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, answer what was accepted, and end the application."""
        if sys.platform != "win32":
            await self._take_the_last()
        await super().shutdown(sockets)

    async def _take_the_last(self) -> None:
        loop = asyncio.get_running_loop()
        all_listening = [listening for server in self.servers for listening in server.sockets]
        for listening in all_listening:
            loop.remove_reader(listening)
        await asyncio.sleep(_SETTLE_S)
        # Nothing comes between the last look and the end: who connects there is cut off.
        waiting = [one for listening in all_listening for one in _waiting(listening.dup())]
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for one in waiting:
            await loop.connect_accepted_socket(self._protocol, one)

    def _protocol(self) -> asyncio.Protocol:
        kind: Any = self.config.http_protocol_class
        made: asyncio.Protocol = kind(self.config, self.server_state, self.lifespan.state)
        return made


def _waiting(listening: socket.socket) -> Iterator[socket.socket]:
    """Take all who wait at a socket that does not block, and close this one of its files."""
    with listening, suppress(BlockingIOError, ConnectionAbortedError):
        while True:
            yield listening.accept()[0]


class _Worker(multiprocess.Process):
    @cached_property
    def server(self) -> Server:
        return Server(self.config)


# There is no other way to say which: the class is named in each place that starts a process.
multiprocess.Process = _Worker  # type: ignore[misc]


class Workers(multiprocess.Multiprocess):
    """Several processes at one socket, which end with the first signal, and at once with the second."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        self._received: set[int] = set()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._hear)

    def terminate_all(self) -> None:
        """Tell the processes to end; the socket goes first, lest connections wait where nobody takes them."""
        for one in self.sockets:
            one.close()
        super().terminate_all()

    def _hear(self, number: int, _: FrameType | None) -> None:
        if number in self._received:
            for worker in self.processes:
                worker.process.kill()
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self._received.add(number)
        self.signal_queue.append(number)


def configured(host: str, port: int, workers: int, settings: Settings) -> uvicorn.Config:
    """Return the configuration of the server; logging has it from now on."""
    return uvicorn.Config(
        "flight_delay.api.app:create_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_config=logs.config(settings.log_format, settings.log_requests, settings.log_level),
        access_log=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
        backlog=_BACKLOG,
        # httptools is not for Windows.
        http="auto" if sys.platform == "win32" else "flight_delay.api.closing:Closing",
        ws="none",
        limit_concurrency=settings.max_connections,
    )


def run(config: uvicorn.Config) -> bool:
    """Serve until a signal ends it; return whether it ever served."""
    _open_as_many_files_as_may_be()
    server = Server(config)
    # uvicorn raises the signal again that ended it; here that is the way to end.
    with suppress(KeyboardInterrupt):
        if config.workers > 1:
            with _counting_together():
                Workers(config, [config.bind_socket()]).run()
            return True
        server.run()
    return server.started


@contextmanager
def _counting_together() -> Iterator[None]:
    """Give the workers a folder for what they count, unless one is set, or the system has no locks for it."""
    if sys.platform == "win32" or Settings().metrics_dir is not None:
        yield
        return
    with TemporaryDirectory(prefix="flight-delay-", ignore_cleanup_errors=True) as folder:
        os.environ[f"{PREFIX}METRICS_DIR"] = folder
        yield


def _open_as_many_files_as_may_be() -> None:
    """Raise the limit of open files, of which each connection is one, as far as this process may."""
    if sys.platform == "win32":  # has none
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS takes no limit above one that it does not tell
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
