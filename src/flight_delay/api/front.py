"""What every request passes, and the one route that is matched before FastAPI."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flight_delay.api.errors import MEDIA_TYPE, ProblemError
from flight_delay.api.predict import read_body, send_answer
from flight_delay.api.routes import PREDICT_PATH, Service
from flight_delay.messages import from_accept_language

REQUEST_ID = "x-request-id"
_log = logging.getLogger("uvicorn.error")
_REQUEST_ID_FORM = re.compile(r"[!-~]{1,128}")


class Front:
    """Gives each request an id, lets a path do without its last slash, and answers predictions itself.

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
        scope.setdefault("state", {})["request_id"] = request_id
        echoed = {REQUEST_ID: request_id} | {name: headers[name] for name in ("traceparent",) if name in headers}
        if scope["path"] + "/" in self._slashed:
            scope["path"] += "/"
        if scope["path"] == PREDICT_PATH and scope["method"] == "POST":
            await self._predict(scope, receive, _with_headers(send, echoed), headers, request_id)
        else:
            limited = _limited(receive, self._max_body)
            await self._app(scope, limited, _with_headers(send, echoed | self._version()))

    def _version(self) -> dict[str, str]:
        loaded = self._service.live.current
        return {} if loaded is None else {"x-model-version": str(loaded.live.version)}

    async def _predict(self, scope: Scope, receive: Receive, send: Send, headers: Headers, request_id: str) -> None:
        try:
            body = await read_body(receive)
            if body is not None:
                await send_answer(send, await self._service.predictor.answer_body(body, request_id))
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
        "Content-Length": str(len(body)),
    }
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def _request_id(headers: Headers) -> str:
    """Return the caller's id, or a new one where there is none that a header and a log can carry."""
    given = headers.get(REQUEST_ID, "")
    return given if _REQUEST_ID_FORM.fullmatch(given) else secrets.token_hex(16)


def _limited(receive: Receive, limit: int) -> Receive:
    """Count a body as it comes in; past the limit its reader gets an HTTP 413 instead of more."""
    left = limit

    async def receive_limited() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413)
        return message

    return receive_limited


def _with_headers(send: Send, headers: Mapping[str, str]) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = MutableHeaders(scope=message)
            for name, value in headers.items():
                own.setdefault(name, value)
        await send(message)

    return send_with_headers
