"""Traces of requests: one span each, by its route, with nothing of what the request brought."""

import asyncio
import http.server
import json
import re
import subprocess
import sys
import threading
import time

import pytest
from conftest import SOURCE
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from flight_delay.api.tracing import Tracing

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SERVER = 2
"""A span's kind in the protocol."""


class Receiver(http.server.ThreadingHTTPServer):
    """Takes traces as a collector does, by OTLP over HTTP."""

    def __init__(self):
        self.requests = []
        received = self.requests

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                received.append((self.path, ExportTraceServiceRequest.FromString(body)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def spans(self):
        return [
            span
            for _, request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture
def receiver():
    started = Receiver()
    yield started
    started.shutdown()
    started.server_close()


def attributes(span):
    """Return the attributes of a span that was received."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}


def test_what_a_collector_receives(start_server, workspace, documented, receiver):
    server = start_server(
        workspace,
        FLIGHT_DELAY_TRACES="1",
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test",
    )
    server.wait()
    with server.client() as client:
        sent = documented | {"tailnum": "N123JB", "flight": 1492}
        given = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-Id": "rid-77"}
        answer = client.post("/model/predict/?include=interval", json=sent, headers=given)
        assert (answer.status_code, answer.headers["traceparent"]) == (200, given["traceparent"])
        client.post("/model/predict/batch/", json=[sent] * 7)
        client.get("/model/versions/1/")
        client.get("/nothing/N123JB")
        client.post("/model/predict/", json=sent | {"month": "N123JB"})
    server.stop()
    assert server.process.returncode == 0
    assert {path for path, _ in receiver.requests} == {"/v1/traces"}
    [named] = {str(resource.resource) for _, request in receiver.requests for resource in request.resource_spans}
    assert all(word in named for word in ("flight-delay", "service.version", "deployment.environment.name"))

    spans = receiver.spans()
    [predicted] = [one for one in spans if one.parent_span_id.hex() == PARENT]
    assert (predicted.name, predicted.kind, predicted.trace_id.hex()) == ("POST /model/predict/", SERVER, TRACE)
    assert attributes(predicted) == {
        "http.request.method": "POST",
        "http.route": "/model/predict/",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "flight_delay.model_version": 1,
        "flight_delay.horizon": "departed",
    }
    children = [one for one in spans if one.parent_span_id == predicted.span_id]
    assert [one.name for one in sorted(children, key=lambda one: one.start_time_unix_nano)] == [
        "validate",
        "predict",
        "commit",
    ]
    assert all(predicted.start_time_unix_nano <= one.start_time_unix_nano for one in children)
    assert all(one.end_time_unix_nano <= predicted.end_time_unix_nano for one in children)

    [batch] = [one for one in spans if one.name == "POST /model/predict/batch/"]
    assert attributes(batch)["flight_delay.rows"] == 7
    assert "batch" in [one.name for one in spans if one.parent_span_id == batch.span_id]

    names = {one.name: attributes(one).get("http.response.status_code") for one in spans}
    assert (names["GET /model/versions/{version}/"], names["GET"]) == (200, 404)
    [refused] = [one for one in spans if attributes(one).get("http.response.status_code") == 422]
    assert [one.name for one in spans if one.parent_span_id == refused.span_id] == ["validate"]
    everything = " ".join(map(str, spans))
    assert not re.search("N123JB|1492|127.0.0.1|interval|rid-77|JFK", everything)


def test_a_model_that_is_uploaded_is_loaded_in_its_trace(start_server, workspace, receiver):
    server = start_server(workspace, FLIGHT_DELAY_TRACES="1", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    server.wait()
    with server.client() as client, (workspace / "model" / "flight_delay_model.joblib").open("rb") as model:
        assert client.post("/model/load/", files={"file": model}).status_code == 200
    server.stop()
    spans = receiver.spans()
    [upload] = [one for one in spans if one.name == "POST /model/load/"]
    assert "load_model" in [one.name for one in spans if one.parent_span_id == upload.span_id]


def test_who_samples_decides(start_server, workspace, documented, receiver):
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_TRACES_SAMPLER": "parentbased_always_off"}
    server = start_server(workspace, FLIGHT_DELAY_TRACES="1", **environment)
    server.wait()
    with server.client() as client:
        for sampled in ("00", "01"):
            client.post("/model/predict/", json=documented, headers={"traceparent": f"00-{TRACE}-{PARENT}-{sampled}"})
        client.post("/model/predict/", json=documented)
    server.stop()
    assert [one.name for one in receiver.spans() if one.kind == SERVER] == ["POST /model/predict/"]


def test_a_collector_that_is_away_costs_no_answer_and_no_end(start_server, workspace, documented):
    server = start_server(workspace, FLIGHT_DELAY_TRACES="1", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    server.wait()
    with server.client() as client:
        for _ in range(50):
            assert client.post("/model/predict/", json=documented).status_code == 200
    since = time.monotonic()
    server.stop()
    assert (server.process.returncode, time.monotonic() - since < 8) == (0, True)


def run(code, folder, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PYTHONPATH": str(SOURCE), "LANG": "C.UTF-8", "FLIGHT_DELAY_TRACES": "0"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_traces_nothing_of_them_is_loaded(tmp_path):
    code = """
import sys
from flight_delay.api.app import create_app
app = create_app()
print(type(app).__name__, [name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))])
"""
    assert run(code, tmp_path).stdout.split(maxsplit=1) == ["Front", "[]\n"]


@pytest.mark.parametrize(
    ("language", "said"),
    [("C.UTF-8", "pip install 'flight-delay[traces]'"), ("pt_BR.UTF-8", "o OpenTelemetry não está instalado")],
)
def test_without_the_library_the_remedy_is_said(tmp_path, language, said):
    code = """
import sys
sys.modules["opentelemetry.sdk.trace"] = None
from flight_delay.cli import app
app(["serve", "--port", "1"])
"""
    done = run(code, tmp_path, FLIGHT_DELAY_TRACES="1", LANG=language, COLUMNS="200")
    assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    assert "Traceback" not in done.stderr


class Answers:
    """An application that answers as it is told; `spans` are those that were made of it."""

    def __init__(self, status=200, error=None):
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.status, self.error = status, error
        self.traced = Tracing(self, lambda scope: scope["route"], provider)

    async def __call__(self, scope, _, send):
        scope["route"] = "/x/{y}/"
        if self.error is not None:
            raise self.error
        await send({"type": "http.response.start", "status": self.status, "headers": [(b"x-model-version", b"3")]})
        await send({"type": "http.response.body", "body": b"{}"})

    def ask(self, method="GET", headers=()):
        async def send(_):
            pass

        scope = {"type": "http", "method": method, "scheme": "https", "path": "/x/N123JB/", "headers": list(headers)}
        asyncio.run(self.traced(scope, None, send))
        [span] = self.exporter.get_finished_spans()
        return span


@pytest.mark.parametrize(
    ("status", "failed"),
    [(200, StatusCode.UNSET), (404, StatusCode.UNSET), (422, StatusCode.UNSET), (503, StatusCode.ERROR)],
)
def test_only_the_fault_of_the_service_is_an_error(status, failed):
    span = Answers(status).ask()
    assert (span.status.status_code, span.kind) == (failed, SpanKind.SERVER)
    assert span.attributes.get("error.type") == (str(status) if failed is StatusCode.ERROR else None)


def test_an_exception_is_named_without_its_words():
    answers = Answers(error=ValueError("N123JB"))
    with pytest.raises(ValueError, match="N123JB"):
        answers.ask()
    [span] = answers.exporter.get_finished_spans()
    assert (span.attributes["error.type"], span.status.status_code) == ("ValueError", StatusCode.ERROR)
    assert "N123JB" not in span.to_json()


def test_a_method_that_is_none_is_not_repeated():
    span = Answers().ask(method="N123JB")
    assert span.attributes["http.request.method"] == "_OTHER"
    assert "N123JB" not in span.to_json()


@pytest.mark.parametrize(
    ("given", "parent"),
    [
        (f"00-{TRACE}-{PARENT}-01", PARENT),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        ("nonsense", None),
        ("", None),
    ],
)
def test_whose_trace_it_is(given, parent):
    span = Answers().ask(headers=[(b"traceparent", given.encode())])
    told = json.loads(span.to_json())
    assert told["parent_id"] == (f"0x{parent}" if parent else None)
    assert (told["context"]["trace_id"] == f"0x{TRACE}") == (parent is not None)
