"""The limits that uvicorn lacks: how many connections there may be, how long, and with how large a head."""

from __future__ import annotations

import asyncio
import logging
import resource
import secrets
import sys
from enum import Enum
from typing import Any
from urllib.parse import unquote
from weakref import WeakKeyDictionary

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from flight_delay.api.cycle import Cycle
from flight_delay.api.errors import MEDIA_TYPE, ProblemError
from flight_delay.messages import from_accept_language

HEAD_S = 10
DRAIN_S = 60
"""How long a client may take to make room for more of an answer."""
CLOSE_S = 10
LONGEST_URL = 8 * 1024
LONGEST_HEAD = 64 * 1024
MOST_FIELDS = 100
_MOST_UNSEEN = 5 * LONGEST_HEAD
"""Bytes that may come of which a request shows nothing: of a head without an end, or of the trailers of a body. That
is more than a head, since what comes with its beginning may have the end of another request before it."""
_MOST_PIPELINED = 100
_LOOK_S = 1
_AT_A_TIME = 200
"""Connections, between which requests are answered."""
_CROWDED = 0.9
"""Of all connections that there may be: from there on, one that asks nothing is not kept."""
_SPARE_FILES = 200
"""Of the files that the process may open: those that it needs for anything but connections."""
_log = logging.getLogger("uvicorn.error")


class State(Enum):
    """What a connection is at."""

    IDLE = "no request"
    HEAD = "a request of which not all header fields are there"
    ANSWERING = "a request that is read or answered"
    WRITING = "an answer that the client does not take"
    CLOSING = "an end that the client does not take"


class _Unreadable(Exception):
    """Tells the parser that a request is not wanted; what is said of it is in `Connection.refusal`."""


class Connection(HttpToolsProtocol):
    """Serves one connection as uvicorn does, and sees that it neither lasts nor grows without an end.

    uvicorn's `limit_concurrency` is here how many connections a process has; `timeout_keep_alive` how long one may
    wait for its next request. No request pays for it with a timer: one look a second goes over all of them.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.limit_concurrency = None
        self.watch = _watch_of(server_state, config.limit_concurrency, self.loop)
        self.refusal: ProblemError | None = None
        self._running: RequestResponseCycle | None = None
        self._is_asking_upgrade = False
        self._coming = 0
        self._unseen = 0
        self._state = State.ANSWERING
        self._at: object = None
        self._seconds = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, if there is room for one more."""
        super().connection_made(transport)
        if not self.watch.has_room():
            self._refuse(ProblemError(503, "too_many_connections", most=self.watch.most))

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of it; an answer that others wait behind is told as well."""
        if self._running is not None and self._running is not self.cycle:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what has come."""
        if self.refusal is not None:
            return
        self._coming = len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._give_up(self.refusal or ProblemError(400, "not_http"))
            return
        cycle = self.cycle
        # A body that comes is in its request until the service reads it, which it cannot have done yet.
        if cycle is not None and cycle.scope is self.scope and (cycle.body or not cycle.more_body):
            self._unseen = 0
            return
        self._unseen += self._coming
        if self._unseen > _MOST_UNSEEN:
            self._give_up(_url_too_long() if len(self.url) > LONGEST_URL else _head_too_large())

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer what came whole, though the client sends nothing more."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete or cycle.more_body:
            return False
        cycle.keep_alive = False
        return True

    def on_headers_complete(self) -> None:
        """Begin with a request, if its head is not out of proportion."""
        if len(self.url) > LONGEST_URL:
            self._stop(_url_too_long())
        if len(self.headers) > MOST_FIELDS or (self._coming + self._unseen > LONGEST_HEAD and self._is_large()):
            self._stop(_head_too_large())
        if len(self.pipeline) >= _MOST_PIPELINED:
            self._stop(ProblemError(503, "too_many_at_once", most=_MOST_PIPELINED))
        self._is_asking_upgrade = self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"
        if not self._is_asking_upgrade:
            self._begin()

    def on_message_complete(self) -> None:
        """Note that a request is whole."""
        cycle = self.cycle
        if not (self._is_asking_upgrade or cycle.response_complete):
            cycle.more_body = False
            cycle.message_event.set()

    def on_response_complete(self) -> None:
        """Go on with the next request."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self.refusal is not None:
            self._refuse(self.refusal)

    def resume_writing(self) -> None:
        """Go on with an answer."""
        self._seconds = 0
        super().resume_writing()

    def look(self, *, crowded: bool) -> None:
        """Close it if it has been at the same thing for too long."""
        state = self._now()
        if state is not self._state or self._at is not self.scope:
            self._state, self._at, self._seconds = state, self.scope, 0
            return
        self._seconds += _LOOK_S
        if state is State.IDLE and (
            crowded or self._seconds >= (HEAD_S if self.cycle is None else self.timeout_keep_alive)
        ):
            self.transport.close()
        elif state is State.HEAD and self._seconds >= HEAD_S:
            self._refuse(ProblemError(408, "head_too_slow", seconds=HEAD_S))
        elif (state is State.WRITING and self._seconds >= DRAIN_S) or (
            state is State.CLOSING and self._seconds >= CLOSE_S
        ):
            self.transport.abort()

    def _begin(self) -> None:
        """Give a request to the application, or let it wait behind the one in hand."""
        parser, scope, before = self.parser, self.scope, self.cycle
        asked = httptools.parse_url(self.url)
        path = asked.path.decode("ascii")
        scope["method"] = parser.get_method().decode("ascii")
        scope["http_version"] = version = parser.get_http_version()
        scope["path"] = self.root_path + (unquote(path) if "%" in path else path)
        scope["raw_path"] = self.root_path.encode("ascii") + asked.path
        scope["query_string"] = asked.query or b""
        self.cycle = Cycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _now(self) -> State:
        if self.transport.is_closing():
            return State.CLOSING
        if self.flow.write_paused:
            return State.WRITING
        if self.cycle is not None and not self.cycle.response_complete:
            return State.ANSWERING
        has_begun = self.scope is not None and (self.cycle is None or self.cycle.scope is not self.scope)
        return State.HEAD if has_begun else State.IDLE

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # The parser takes no body for such a request's own. It is read again without the wish for another protocol.
            asked = [self.parser.get_method(), b" ", self.url, b" HTTP/", self.parser.get_http_version().encode()]
            fields = [b"%s: %s\r\n" % field for field in self.headers if field[0] != b"upgrade"]
            self.parser = httptools.HttpRequestParser(self)
            self._feed(b"".join([*asked, b"\r\n", *fields, b"\r\n", data[upgrade.args[0] :]]))

    def _is_large(self) -> bool:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > LONGEST_HEAD

    def _stop(self, refusal: ProblemError) -> None:
        self.refusal = refusal
        raise _Unreadable

    def _give_up(self, refusal: ProblemError) -> None:
        """Say what is wrong and close, but first answer the requests that came whole before it."""
        self.refusal = refusal
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            self._refuse(refusal)
            return
        if not cycle.more_body:  # what is wrong is not in it, but follows it
            self.flow.pause_reading()
            return
        if self.pipeline:
            self.pipeline.popleft()
            return
        cycle.disconnected = True
        cycle.message_event.set()
        if cycle.response_started:
            self.transport.close()
        else:
            self._refuse(refusal)

    def _refuse(self, problem: ProblemError) -> None:
        self.refusal = problem
        fields = dict(self.headers or ())
        language = from_accept_language(fields.get(b"accept-language", b"").decode("latin-1"))
        body = problem.body("", language)
        headers = problem.headers() | {
            "Content-Type": MEDIA_TYPE,
            "Content-Language": language,
            "Content-Length": str(len(body)),
            "X-Request-Id": secrets.token_hex(16),
            "Connection": "close",
        }
        lines = [f"{name.lower()}: {value}\r\n".encode() for name, value in headers.items()]
        self.transport.write(b"".join([STATUS_LINE[problem.status], *lines, b"\r\n", body]))
        self.transport.close()


class Watch:
    """Looks over the connections of a process, as long as there are any."""

    def __init__(self, connections: set[Any], most: int | None, loop: asyncio.AbstractEventLoop) -> None:
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        possible = sys.maxsize if files == resource.RLIM_INFINITY else max(files - _SPARE_FILES, 1)
        self.most = possible if most is None else min(most, possible)
        self._connections = connections
        self._loop = loop
        self._is_watching = False
        self._turned_away = 0
        self._round: list[Any] = []

    def has_room(self) -> bool:
        """Whether a connection that has been made may stay; to be asked once of each."""
        if not self._is_watching:
            self._is_watching = True
            self._loop.call_later(_LOOK_S, self._look)
        if len(self._connections) <= self.most:
            return True
        self._turned_away += 1
        return False

    def _look(self) -> None:
        if self._turned_away:
            _log.warning("%d connections turned away: there were %d", self._turned_away, self.most)
            self._turned_away = 0
        self._round = list(self._connections)
        self._is_watching = bool(self._round)
        if self._is_watching:
            self._loop.call_later(_LOOK_S, self._look)
            self._look_at_some()

    def _look_at_some(self) -> None:
        crowded = len(self._connections) > _CROWDED * self.most
        for connection in self._round[-_AT_A_TIME:]:
            connection.look(crowded=crowded)
        del self._round[-_AT_A_TIME:]
        if self._round:
            self._loop.call_soon(self._look_at_some)


_watches: WeakKeyDictionary[ServerState, Watch] = WeakKeyDictionary()


def _watch_of(state: ServerState, most: int | None, loop: asyncio.AbstractEventLoop) -> Watch:
    """Return the one of a process."""
    watch = _watches.get(state)
    if watch is None:
        watch = _watches[state] = Watch(state.connections, most, loop)
    return watch


def _url_too_long() -> ProblemError:
    return ProblemError(414, "url_too_long", limit=LONGEST_URL)


def _head_too_large() -> ProblemError:
    return ProblemError(431, "head_too_large", most=MOST_FIELDS, limit=LONGEST_HEAD)
