"""What every request passes, and the one route that is matched before FastAPI."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterable, Mapping
from itertools import count
from time import perf_counter

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flight_delay.api import include, logs, protocols
from flight_delay.api.access import ANYONE, needed
from flight_delay.api.arriving import Body
from flight_delay.api.errors import BODY_PROBLEMS, ProblemError
from flight_delay.api.limits import is_limited
from flight_delay.api.metrics import OTHER
from flight_delay.api.predict import MAX_BODY_BYTES, reply
from flight_delay.api.routes import PREDICT_PATH, largest_body
from flight_delay.api.service import Service
from flight_delay.messages import from_accept_language

Header = tuple[bytes, bytes]
REQUEST_ID = b"x-request-id"
_LONGEST_ENCODING = 100
CLIENT_LEFT = 499
"""Counted where the client did not wait for its answer; nginx made it usual."""
_JSON = (b"content-type", b"application/json")
_READ = frozenset({REQUEST_ID, b"traceparent", b"authorization", b"x-api-key", b"accept-language", b"content-length"})
"""The headers that are looked at here."""
_TRACEPARENT_FORM = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
"""https://www.w3.org/TR/trace-context/#traceparent-header"""
_TO_PREDICT = needed("POST", PREDICT_PATH)
_REQUEST_ID_FORM = re.compile(rb"[!-~]{1,128}")
_PROCESS, _NUMBERS = secrets.token_hex(8), count(1)
"""An id need not be secret, only nobody else's: this process, and a number."""
_log = logging.getLogger("uvicorn.error")


class Front:
    """Gives each request an id, asks for its key, lets a path do without its last slash, answers predictions itself.

    FastAPI documents the prediction route and can answer it too; its own reading of a body takes
    longer than the model.
    """

    def __init__(self, app: ASGIApp, service: Service, slashed: frozenset[str], largest: Mapping[str, int]) -> None:
        self._app = app
        self._service = service
        self._access, self._limits = service.access, service.limits
        self._slashed = slashed
        self._largest = largest
        self._logs_all = logs.are_all_logged()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        # Of one that comes twice, the first counts.
        given = {name: value for name, value in reversed(scope["headers"]) if name in _READ}
        request_id = _request_id(given.get(REQUEST_ID))
        logs.request_id.set(request_id)
        state = scope.setdefault("state", {})
        state["request_id"], state["caller"] = request_id, ANYONE
        echoed = [(REQUEST_ID, request_id.encode())]
        traceparent = given.get(b"traceparent")
        if traceparent is not None and _TRACEPARENT_FORM.fullmatch(traceparent):
            echoed.append((b"traceparent", traceparent))
        if scope["path"] + "/" in self._slashed:
            scope["path"] += "/"
        metrics, status = self._service.metrics, 500
        metrics.in_progress += 1
        try:
            if scope["path"] == PREDICT_PATH and scope["method"] == "POST":
                status = await self._predict(scope, receive, send, given, echoed)
            else:
                status = await self._pass_on(scope, receive, send, given, echoed)
        finally:
            metrics.in_progress -= 1
            self._finished(scope, status, perf_counter() - began)

    async def _predict(
        self, scope: Scope, receive: Receive, send: Send, given: Mapping[bytes, bytes], echoed: list[Header]
    ) -> int:
        """Answer a prediction; return the status."""
        state = scope["state"]
        try:
            if not self._access.is_open:
                state["caller"] = await self._access.check(Headers(scope=scope), _TO_PREDICT)
            self._limits.take(state["caller"])
            asked = include.asked(scope)
            body = await Body(receive, MAX_BODY_BYTES, given.get(b"content-length")).read()
            if body is None:
                return CLIENT_LEFT
            answer = await self._service.predictor.answer_body(body, state["request_id"], asked)
            if asked:
                said = await reply(answer, asked, _language(given))
                body, own = said.body, [(name.lower().encode(), value.encode()) for name, value in said.headers.items()]
            else:
                body, own = include.only_minutes(answer), answer.raw_headers()
            headers = [_JSON, (b"content-length", b"%d" % len(body)), *own, *echoed]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return 200
        except HTTPException as refusal:
            problem = ProblemError(refusal.status_code, BODY_PROBLEMS[refusal.status_code], limit=MAX_BODY_BYTES)
        except ProblemError as refusal:
            problem = (refusal.key == "invalid_fields" and _of_encoding(scope["headers"])) or refusal
        except Exception:  # the edge of the service: whatever it is, the caller gets an answer and the log the reason
            _log.exception("request %s failed", state["request_id"])
            problem = ProblemError(500, "internal")
        await self._refuse(scope, send, problem, _language(given), echoed)
        return problem.status

    async def _pass_on(
        self, scope: Scope, receive: Receive, send: Send, given: Mapping[bytes, bytes], echoed: list[Header]
    ) -> int:
        """Let FastAPI answer; return the status."""
        status = CLIENT_LEFT

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": self._with_own(message.get("headers", ()), echoed)}
            await send(message)

        try:
            await self._let_in(scope)
        except ProblemError as problem:
            await self._refuse(scope, send, problem, _language(given), echoed)
            return problem.status
        body = Body(receive, largest_body(scope["path"], self._largest), given.get(b"content-length"))
        await self._app(scope, body.receive, send_with_headers)
        return status

    async def _let_in(self, scope: Scope) -> None:
        """Know who asks, and count the request; raises `ProblemError` (401, 403, 429, 503)."""
        asked = needed(scope["method"], scope["path"])
        if asked is not None:
            if not self._access.is_open:
                scope["state"]["caller"] = await self._access.check(Headers(scope=scope), asked)
            if is_limited(scope["path"]):
                self._limits.take(scope["state"]["caller"])

    async def _refuse(
        self, scope: Scope, send: Send, problem: ProblemError, accept_language: str, echoed: list[Header]
    ) -> None:
        """Send a problem in the language that was asked for."""
        scope["state"]["problem"] = problem.key
        language = from_accept_language(accept_language)
        said = protocols.said(problem, scope["path"], language)
        headers = problem.headers() | {
            "content-type": said.media_type,
            "content-language": language,
            "vary": "Accept-Language",
            "content-length": str(len(said.body)),
        }
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": said.status, "headers": self._with_own(raw, echoed)})
        await send({"type": "http.response.body", "body": said.body})

    def _with_own(self, headers: Iterable[Header], echoed: list[Header]) -> list[Header]:
        """Return headers with those that every answer has, where they have them not themselves."""
        headers = list(headers)
        there = {name.lower() for name, _ in headers}
        loaded = self._service.live.current
        version = [] if loaded is None else [(b"x-model-version", b"%d" % loaded.live.version)]
        return headers + [(name, value) for name, value in (*echoed, *version) if name not in there]

    def template(self, scope: Scope) -> str:
        """Return what a route is called in metrics and logs: never what was asked for."""
        path: str = scope["path"]
        if path in self._slashed:
            return path
        template = getattr(scope.get("route"), "path", None)
        return template if isinstance(template, str) else OTHER

    def _finished(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request, and log it if such requests are."""
        metrics, route = self._service.metrics, self.template(scope)
        metrics.answered(route, status, seconds)
        if status in (429, 503):
            metrics.refused(scope["state"].get("problem", OTHER))
        if status >= 429 or self._logs_all:
            loaded = self._service.live.current
            logs.answered(scope, route, status, seconds, None if loaded is None else loaded.live.version)


def _request_id(given: bytes | None) -> str:
    """Return the caller's id, or a new one where there is none that a header and a log can carry."""
    if given is not None and _REQUEST_ID_FORM.fullmatch(given):
        return given.decode()
    return f"{_PROCESS}{next(_NUMBERS):016x}"


def _of_encoding(headers: Iterable[Header]) -> ProblemError | None:
    """Return why a body that was refused is none that could be read, where it is compressed."""
    for name, value in headers:
        if name == b"content-encoding" and value.strip().lower() != b"identity":
            return ProblemError(415, "no_such_encoding", given=value.decode("latin-1")[:_LONGEST_ENCODING])
    return None


def _language(given: Mapping[bytes, bytes]) -> str:
    return given.get(b"accept-language", b"").decode("latin-1")
