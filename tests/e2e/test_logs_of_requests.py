"""What a real service writes into its log: one object a line, and nothing of what requests brought."""

import json
import re

import httpx
import pytest

from flight_delay.messages import LANGUAGES, text

JSON = {"FLIGHT_DELAY_LOG_FORMAT": "json", "FLIGHT_DELAY_LOG_REQUESTS": "all", "FLIGHT_DELAY_LOG_LEVEL": "info"}
PERSONAL = "N123JB|1492|127\\.0\\.0\\.1:|secret|include|curl-of-ana"


def lines(server):
    return [json.loads(line) for line in server.log().splitlines()]


@pytest.fixture
def personal(documented):
    """What a request may bring that says something of a person."""
    return {
        "json": documented | {"tailnum": "N123JB", "flight": 1492},
        "params": {"include": "interval"},
        "headers": {"User-Agent": "curl-of-ana", "X-Request-Id": "rid-1", "Authorization": "Bearer secret"},
    }


def test_each_request_is_an_object_with_nothing_personal(start_server, workspace, personal):
    server = start_server(workspace, **JSON)
    server.wait()
    with server.client() as client:
        client.post("/model/predict/", **personal)
        client.post("/model/predict/", **personal | {"json": {"tailnum": "N123JB", "month": "N123JB"}})
        client.post("/model/predict/", **personal | {"json": None, "content": b'{"N123JB": [' * 1000})
        client.get("/model/versions/1/", params=personal["params"])
        client.get("/nothing/N123JB/1492")
        client.post("/model/load/", files={"file": ("N123JB.joblib", b"N123JB secret")})
        client.get("/model/history/", params={"carrier": "N123JB"})
    server.stop()
    written = lines(server)
    requests = [line for line in written if line["logger"] == "flight_delay.requests"]
    asked = [(one["method"], one["route"], one["status"]) for one in requests if one["route"] != "/health/ready/"]
    for expected in [
        ("POST", "/model/predict/", 200),
        ("POST", "/model/predict/", 422),
        ("GET", "/model/versions/{version}/", 200),
        ("GET", "other", 404),
        ("POST", "/model/load/", 400),
        ("GET", "/model/history/", 422),
    ]:
        assert expected in asked
    mine = next(one for one in requests if one["request_id"] == "rid-1")
    assert mine.keys() == {
        "time", "level", "logger", "message", "request_id", "method", "route", "status", "duration_ms", "model_version", "caller"
    }  # fmt: skip
    assert (mine["model_version"], mine["caller"], mine["level"]) == (1, "anyone", "info")
    assert 0 < mine["duration_ms"] < 10_000
    # The service's own address is in what it says of itself at its start.
    said = [line for line in written if "localhost" not in line["message"] and "running on" not in line["message"]]
    assert not re.search(PERSONAL, json.dumps(said))


def test_the_key_of_a_caller_is_named_and_not_shown(start_server, workspace, documented):
    from conftest import run_command

    whole = run_command("keys", "create", "ana", "--scope", "predict", folder=workspace).stdout.strip()
    server = start_server(workspace, **JSON)
    server.wait("/health/")
    with server.client() as client:
        answer = client.post("/model/predict/", json=documented, headers={"Authorization": f"Bearer {whole}"})
        assert answer.status_code == 200
        client.post("/model/predict/", json=documented)
    server.stop()
    asked = [line for line in lines(server) if line.get("route") == "/model/predict/"]
    assert [(line["caller"], line["status"], line.get("problem")) for line in asked] == [
        ("ana", 200, None),
        ("anyone", 401, "no_key"),
    ]
    assert whole.split("_")[2] not in server.log()


def test_by_default_what_could_not_be_answered_is_logged(start_server, tmp_path, documented):
    server = start_server(tmp_path, FLIGHT_DELAY_LOG_FORMAT="json")
    server.wait("/health/")
    with server.client() as client:
        assert client.post("/model/predict/", json=documented, headers={"X-Request-Id": "rid-2"}).status_code == 503
        assert client.get("/nothing").status_code == 404
    server.stop()
    [line] = [
        line for line in lines(server) if line["logger"] == "flight_delay.requests" and "ready" not in line["route"]
    ]
    assert (line["status"], line["request_id"], line["level"]) == (503, "rid-2", "warning")
    assert line["problem"] == "no_model"


def test_too_many_requests_of_a_key(start_server, workspace, documented):
    server = start_server(workspace, FLIGHT_DELAY_LOG_FORMAT="json", FLIGHT_DELAY_REQUESTS_PER_MINUTE="5")
    server.wait()
    with server.client() as client:
        answers = [client.post("/model/predict/", json=documented) for _ in range(8)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert len(refused) in {3, 4}  # the start may have asked once
        for answer in refused:
            assert 0 < int(answer.headers["Retry-After"]) <= 12
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["title"] in [text("title_429", language) for language in LANGUAGES]
        assert client.get("/model/history/").status_code == 429
        for path in ("/health/", "/health/ready/", "/metrics/", "/openapi.json"):
            assert client.get(path).status_code == 200
    server.stop()
    logged = [line for line in lines(server) if line.get("status") == 429]
    assert {line["problem"] for line in logged} == {"too_many_requests"}
    assert len(logged) - len(refused) in {1, 2}


def test_workers_log_in_the_same_form(start_server, workspace, documented):
    server = start_server(workspace, "--workers", "2", **JSON)
    server.wait()
    for number in range(8):
        httpx.post(
            f"{server.url}/model/predict/", json=documented, headers={"X-Request-Id": f"rid-{number}"}, trust_env=False
        )
    server.stop()
    ids = [line["request_id"] for line in lines(server) if line.get("route") == "/model/predict/"]
    assert sorted(ids) == [f"rid-{number}" for number in range(8)]


def test_what_the_server_itself_refuses_is_one_line_too(start_server, tmp_path):
    import socket

    server = start_server(tmp_path, **JSON)
    server.wait("/health/")
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"N123JB secret\r\n\r\n")
        connection.settimeout(10)
        assert b"400" in connection.recv(65536)
    server.stop()
    assert "N123JB" not in server.log()
    assert [line for line in lines(server) if "exception" in line] == []
