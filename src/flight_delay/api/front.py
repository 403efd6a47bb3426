"""What every request passes, and the one route that is matched before FastAPI."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flight_delay.api import include
from flight_delay.api.access import ANYONE, needed
from flight_delay.api.errors import BODY_PROBLEMS, MEDIA_TYPE, ProblemError
from flight_delay.api.predict import MAX_BODY_BYTES, read_body, reply, send_reply
from flight_delay.api.routes import PREDICT_PATH, largest_body
from flight_delay.api.service import Service
from flight_delay.messages import from_accept_language

REQUEST_ID = "x-request-id"
BODY_TIMEOUT_S = 60.0
_TRACEPARENT_FORM = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
"""https://www.w3.org/TR/trace-context/#traceparent-header"""
_log = logging.getLogger("uvicorn.error")
_REQUEST_ID_FORM = re.compile(r"[!-~]{1,128}")


class Front:
    """Gives each request an id, asks for its key, lets a path do without its last slash, answers predictions itself.

    FastAPI documents the prediction route and can answer it too; its own reading of a body takes
    longer than the model.
    """

    def __init__(self, app: ASGIApp, service: Service, slashed: frozenset[str], max_body: int) -> None:
        self._app = app
        self._service = service
        self._slashed = slashed
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers)
        scope.setdefault("state", {}).update(request_id=request_id, caller=ANYONE)
        echoed = {REQUEST_ID: request_id}
        if _TRACEPARENT_FORM.fullmatch(headers.get("traceparent", "")):
            echoed["traceparent"] = headers["traceparent"]
        sending = self._with_headers(send, echoed)
        if scope["path"] + "/" in self._slashed:
            scope["path"] += "/"
        try:
            caller = await self._service.access.check(headers, needed(scope["method"], scope["path"]))
        except ProblemError as problem:
            await send_problem(sending, problem, scope["path"], headers.get("accept-language", ""))
            return
        scope["state"]["caller"] = caller
        if scope["path"] == PREDICT_PATH and scope["method"] == "POST":
            await self._predict(scope, _limited(receive, MAX_BODY_BYTES, headers), sending, headers, request_id)
        else:
            await self._app(scope, _limited(receive, largest_body(scope["path"], self._max_body), headers), sending)

    def _with_headers(self, send: Send, echoed: Mapping[str, str]) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = MutableHeaders(scope=message)
                for name, value in echoed.items():
                    own.setdefault(name, value)
                loaded = self._service.live.current
                if loaded is not None:
                    own.setdefault("x-model-version", str(loaded.live.version))
            await send(message)

        return send_with_headers

    async def _predict(self, scope: Scope, receive: Receive, send: Send, headers: Headers, request_id: str) -> None:
        try:
            asked = include.asked(scope)
            body = await read_body(receive)
            if body is not None:
                answer = await self._service.predictor.answer_body(body, request_id, asked)
                await send_reply(send, await reply(answer, asked, headers.get("accept-language", "")))
        except HTTPException as refusal:
            problem = ProblemError(refusal.status_code, BODY_PROBLEMS[refusal.status_code], limit=MAX_BODY_BYTES)
            await send_problem(send, problem, scope["path"], headers.get("accept-language", ""))
        except ProblemError as problem:
            await send_problem(send, problem, scope["path"], headers.get("accept-language", ""))
        except Exception:  # the edge of the service: whatever it is, the caller gets an answer and the log the reason
            _log.exception("request %s failed", request_id)
            await send_problem(send, ProblemError(500, "internal"), scope["path"], headers.get("accept-language", ""))


async def send_problem(send: Send, problem: ProblemError, path: str, accept_language: str) -> None:
    """Send a problem in the language that was asked for."""
    language = from_accept_language(accept_language)
    body = problem.body(path, language)
    headers = problem.headers() | {
        "Content-Type": MEDIA_TYPE,
        "Content-Language": language,
        "Vary": "Accept-Language",
        "Content-Length": str(len(body)),
    }
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def _request_id(headers: Headers) -> str:
    """Return the caller's id, or a new one where there is none that a header and a log can carry."""
    given = headers.get(REQUEST_ID, "")
    return given if _REQUEST_ID_FORM.fullmatch(given) else secrets.token_hex(16)


def _limited(receive: Receive, limit: int, headers: Headers) -> Receive:
    """Count and time a body as it comes in; past a limit its reader gets an HTTP 413 or 408 instead of more.

    One that says beforehand that it is too long is not waited for.
    """
    left = limit
    announced = headers.get("content-length", "")
    whole = False
    until = asyncio.get_running_loop().time() + BODY_TIMEOUT_S

    async def receive_limited() -> Message:
        nonlocal left, whole
        if whole:  # all that can come is that the client leaves
            return await receive()
        if announced.isdecimal() and (len(announced) > 18 or int(announced) > limit):
            raise HTTPException(413)
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408) from None
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413)
        whole = not message.get("more_body", False)
        return message

    return receive_limited
