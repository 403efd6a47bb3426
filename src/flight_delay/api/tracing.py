"""Traces of requests by OpenTelemetry, for a service that was asked to make them; another never imports this.

Nothing of what a request brought is in them: no address, path, query or body, and no words of exceptions.
"""

from __future__ import annotations

import functools
import inspect
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPMethod
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flight_delay import __version__
from flight_delay.api import body, predict
from flight_delay.api.batch import Batches
from flight_delay.api.metrics import OTHER
from flight_delay.errors import TracesMissing
from flight_delay.model import kept
from flight_delay.store.predictions import PredictionLog

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

MODEL_VERSION, HORIZON, ROWS = "flight_delay.model_version", "flight_delay.horizon", "flight_delay.rows"
_LAST_EXPORT_S = 3.0
"""So long the end of the service waits for the last spans to be taken."""
_METHODS = frozenset(HTTPMethod)
_log = logging.getLogger("flight_delay")


def provider() -> TracerProvider:
    """Return what makes spans and sends them by OTLP over HTTP, as OpenTelemetry's own settings (OTEL_*) say.

    Raises `TracesMissing` where OpenTelemetry is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise TracesMissing from error
    named = Resource.create({"service.name": "flight-delay", "service.version": __version__})
    made = TracerProvider(resource=named.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
    made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return made


class Tracing:
    """Makes a span of each request, named by its route, in the trace of the caller if there is one."""

    def __init__(self, app: ASGIApp, template: Callable[[Scope], str], provider: TracerProvider) -> None:
        """Begin; `template` says what a route is called once it was found."""
        self._app = app
        self._template = template
        self._provider = provider
        self._tracer = provider.get_tracer("flight_delay", __version__)
        self._parents = TraceContextTextMapPropagator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live as long as the service does."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
            return
        with timed(self._tracer):
            try:
                await self._app(scope, receive, send)
            finally:
                self._send_the_last()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        with self._tracer.start_as_current_span(
            method,
            context=self._parents.extract(given),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "url.scheme": scope["scheme"]},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:

            async def send_seen(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _note_answer(span, message)
                await send(message)

            try:
                await self._app(scope, receive, send_seen)
            except Exception as error:
                _note_failure(span, type(error).__qualname__)
                raise
            finally:
                route = self._template(scope)
                if route != OTHER:
                    span.set_attribute("http.route", route)
                    span.update_name(f"{method} {route}")

    def _send_the_last(self) -> None:
        """Send what was not sent yet, but do not wait for a receiver that is away."""
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        ending.join(_LAST_EXPORT_S)
        if ending.is_alive():
            _log.warning("the last traces were not taken within %g s", _LAST_EXPORT_S)


@contextmanager
def timed(tracer: Tracer) -> Iterator[None]:
    """Make spans of what takes time in an answer, and of models that requests load, for a block.

    The functions themselves are replaced meanwhile, so that they pay nothing for it where there are no traces.
    """
    steps: list[tuple[Any, str, str, Callable[..., None] | None]] = [
        (body, "read", "validate", None),
        (predict, "_said", "predict", _note_said),
        (PredictionLog, "append", "commit", None),
        (Batches, "answer", "batch", _note_batch),
        (kept, "from_bytes", "load_model", None),
    ]
    originals = [(owner, name, getattr(owner, name)) for owner, name, *_ in steps]
    for owner, name, step, note in steps:
        setattr(owner, name, _with_span(getattr(owner, name), tracer, step, note))
    try:
        yield
    finally:
        for owner, name, original in originals:
            setattr(owner, name, original)


def _with_span(function: Any, tracer: Tracer, step: str, note: Callable[..., None] | None) -> Any:
    @contextmanager
    def span_of_it() -> Iterator[None]:
        with tracer.start_as_current_span(step, record_exception=False, set_status_on_exception=False) as span:
            try:
                yield
            except Exception as error:
                span.set_attribute("error.type", type(error).__qualname__)
                raise

    @functools.wraps(function)
    def timed_function(*args: Any, **kwargs: Any) -> Any:
        request_s = trace.get_current_span()
        if not request_s.is_recording():
            return function(*args, **kwargs)
        with span_of_it():
            result = function(*args, **kwargs)
        if note is not None:
            note(request_s, result, *args)
        return result

    @functools.wraps(function)
    async def timed_coroutine(*args: Any, **kwargs: Any) -> Any:
        request_s = trace.get_current_span()
        if not request_s.is_recording():
            return await function(*args, **kwargs)
        with span_of_it():
            result = await function(*args, **kwargs)
        if note is not None:
            note(request_s, result, *args)
        return result

    return timed_coroutine if inspect.iscoroutinefunction(function) else timed_function


def _note_said(span: Span, said: Any, *_: Any) -> None:
    span.set_attribute(HORIZON, said.horizon.value)


def _note_batch(span: Span, _: Any, __: Batches, columns: Any, *___: Any) -> None:
    span.set_attribute(ROWS, len(columns))


def _note_answer(span: Span, message: Message) -> None:
    status = message["status"]
    span.set_attribute("http.response.status_code", status)
    for name, value in message.get("headers", ()):
        if name == b"x-model-version":
            span.set_attribute(MODEL_VERSION, int(value))
    if status >= 500:
        _note_failure(span, str(status))


def _note_failure(span: Span, kind: str) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR)
