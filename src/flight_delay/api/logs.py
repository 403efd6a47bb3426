"""What the service writes into its log: one form for all of it, with the id of the request and nothing of its contents.

What a request brought may be personal: no message has an address, a body, a header or a flight in it. The words of
exceptions are left out, since they repeat what they could not read; where each came from is told.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from time import monotonic
from types import TracebackType
from typing import Any, Literal

from starlette.types import Scope
from uvicorn.logging import DefaultFormatter

Form = Literal["text", "json"]
Which = Literal["none", "failed", "all"]
Level = Literal["debug", "info", "warning", "error"]
request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is being answered; whatever is logged meanwhile has it."""
MOST_FAILED_PER_S = 100
_log = logging.getLogger("flight_delay.requests")
_HEALTH = ("/health/", "/v2/health/")
"""Where 503 is an answer, not a failure."""
_IN_MESSAGE = frozenset({"method", "route", "status"})
_LEVELS: dict[Which, str] = {"none": "CRITICAL", "failed": "WARNING", "all": "INFO"}


def config(form: Form, which: Which, level: Level) -> dict[str, Any]:
    """Return the configuration of Python's logging, to standard error; `which` requests are logged."""
    formatter = JsonFormatter if form == "json" else TextFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"form": {"()": f"{__name__}.{formatter.__name__}"}},
        "filters": {"some": {"()": f"{__name__}.{SomePerSecond.__name__}"}},
        "handlers": {"stderr": {"()": f"{__name__}.{_stderr.__name__}", "formatter": "form"}},
        "root": {"handlers": ["stderr"], "level": level.upper()},
        "loggers": {
            _log.name: {"level": _LEVELS[which], "filters": ["some"] if which == "failed" else []},
            # Its warnings quote what was sent.
            "python_multipart": {"level": "ERROR"},
        },
    }


def are_all_logged() -> bool:
    """Whether requests that did not fail are logged, too."""
    return _log.isEnabledFor(logging.INFO)


def answered(scope: Scope, route: str, status: int, seconds: float, model_version: int | None) -> None:
    """Log that a request was answered, if such requests are; `route` is a template, never what was asked for."""
    failed = (status >= 500 or status == 429) and not route.startswith(_HEALTH)
    if not failed and not _log.isEnabledFor(logging.INFO):
        return
    state, method = scope.get("state", {}), scope["method"]
    fields = {
        "request_id": state.get("request_id", ""),
        "method": method,
        "route": route,
        "status": status,
        "duration_ms": round(seconds * 1000, 3),
        "model_version": model_version,
        "caller": state.get("caller", ""),
        "problem": state.get("problem"),
    }
    level = logging.ERROR if status == 500 else logging.WARNING if failed else logging.INFO
    known = {name: value for name, value in fields.items() if value is not None}
    _log.log(level, "%s %s %d", method, route, status, extra={"fields": known})


class SomePerSecond(logging.Filter):
    """Lets so many records pass in a second; the next one that passes tells how many were left out."""

    def __init__(self) -> None:
        super().__init__()
        self._until = 0.0
        self._passed = 0
        self._left_out = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is to be logged."""
        now = monotonic()
        if now >= self._until:
            self._until, self._passed = now + 1, 0
        self._passed += 1
        if self._passed > MOST_FAILED_PER_S:
            self._left_out += 1
            return False
        if self._left_out:
            record.__dict__.setdefault("fields", {})["left_out"] = self._left_out
            self._left_out = 0
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line: dict[str, Any] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        line |= _fields(record)
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = "".join(_told(record.exc_info[1], set()))
        return json.dumps(line, default=str)


class TextFormatter(DefaultFormatter):
    """For a person: the level, the message, and what else is known after it."""

    def __init__(self) -> None:
        super().__init__("%(levelprefix)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - its name in `logging`
        """Return the line of a record, without its exception."""
        more = [f"{name}={value}" for name, value in _fields(record).items() if name not in _IN_MESSAGE]
        record.message = " ".join([_message(record), *more])
        return super().formatMessage(record)

    def formatException(  # noqa: N802 - its name in `logging`
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        """Return where an exception came from."""
        return "" if ei[1] is None else "".join(_told(ei[1], set())).rstrip()


def _stderr() -> logging.Handler:
    logging.captureWarnings(True)
    return logging.StreamHandler()


def _message(record: logging.LogRecord) -> str:
    message = record.getMessage()
    # What asyncio says after the first line shows tasks, and in them the words of their exceptions.
    return message.partition("\n")[0] if record.name == "asyncio" else message


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    here = request_id.get()
    return ({"request_id": here} if here else {}) | dict(record.__dict__.get("fields", {}))


def _told(error: BaseException, seen: set[int]) -> Iterator[str]:
    """Tell where an exception, and all that led to it, came from; of its words only what the system itself says."""
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for other in (before, *parts):
        if other is not None and id(other) not in seen:
            yield from _told(other, seen)
            yield "led to\n"
    yield from traceback.format_tb(error.__traceback__)
    kind = type(error)
    words = f": {error.strerror}" if isinstance(error, OSError) and error.strerror else ""
    yield f"{kind.__module__}.{kind.__qualname__}{words}\n"
