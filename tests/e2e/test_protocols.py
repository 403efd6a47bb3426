"""What the protocols beside our own have in common: what their page says, and who may ask for what."""

import json
import re
import socket
import subprocess
import time

import pytest
from conftest import ROOT, run_command

from flight_delay.api.access import needed
from flight_delay.store.keys import Scope

PAGE = (ROOT / "docs" / "protocols.md").read_text("utf-8")
INFER, INVOCATIONS, BUCKETS = (
    "/v2/models/flight-delay/infer", "/invocations", "/v1/travel/predictions/flight-delay",
)  # fmt: skip


def test_the_curls_of_the_page_are_answered(shared_server, documented):
    answers = []
    for block in re.findall(r"```bash\n(curl .*?)```", PAGE, re.S):
        asked = block.replace("http://localhost:8000", shared_server.url).replace("curl ", "curl -sf --noproxy '*' ", 1)
        done = subprocess.run(["sh", "-c", asked], capture_output=True, text=True, check=True)
        answers.append(json.loads(done.stdout))
    inferred, invoked, buckets = answers
    body = {
        name: documented[name] for name in ("month", "day", "sched_dep_time", "origin", "dest", "carrier", "dep_delay")
    }
    with shared_server.client() as client:
        prediction = client.post("/model/predict/", json=body).json()["prediction"]
    assert inferred["id"] == "42"
    assert inferred["outputs"][0]["data"] == invoked["predictions"]
    assert invoked["predictions"][0] == prediction
    assert [item["subType"] for item in buckets["data"]] == ["flight-delay"] * 4


@pytest.mark.parametrize("count", [1, 2])
def test_the_python_of_the_page_runs(shared_server, count):
    block = re.findall(r"```python\n(.*?)```", PAGE, re.S)[count - 1]
    asked = block.replace("localhost:8000", shared_server.url.removeprefix("http://")).replace(
        'host="localhost", port=8000', f'host="127.0.0.1", port={shared_server.port}'
    )
    exec(compile(asked, "docs/protocols.md", "exec"), {})


@pytest.mark.parametrize("path", [INFER, INVOCATIONS, "/v1/security/oauth2/token"])
def test_a_client_that_leaves_in_the_middle_is_no_failure(shared_server, path):
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{{"
    with socket.create_connection(("127.0.0.1", shared_server.port)) as connection:
        connection.sendall(head.encode())
        time.sleep(0.2)
    time.sleep(0.2)
    with shared_server.client() as client:
        assert client.get("/v2/health/ready").status_code == 200
    assert "Traceback" not in shared_server.log()


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/v2/health/live", None),
        ("GET", "/v2/health/ready/", None),
        ("GET", "/ping", None),
        ("POST", "/v1/security/oauth2/token", None),
        ("GET", "/v2", Scope.READ),
        ("GET", "/v2/models/flight-delay", Scope.READ),
        ("GET", "/v2/models/flight-delay/versions/1/ready", Scope.READ),
        ("GET", "/version", Scope.READ),
        ("POST", INFER, Scope.PREDICT),
        ("POST", f"{INFER}/", Scope.PREDICT),
        ("POST", "/v2/models/flight-delay/versions/1/infer", Scope.PREDICT),
        ("POST", INVOCATIONS, Scope.PREDICT),
        ("GET", BUCKETS, Scope.PREDICT),
        ("GET", f"{BUCKETS}/", Scope.PREDICT),
        ("POST", "/v2/repository/models/x/load", Scope.MANAGE),
        ("POST", "/v2/models/flight-delay/infer/x", Scope.MANAGE),
    ],
)
def test_which_scope_opens_what(method, path, scope):
    assert needed(method, path) is scope


def test_a_closed_service_asks_for_a_key_in_each_of_them(start_server, workspace):
    key = run_command("keys", "create", "ci", "--scope", "read", folder=workspace).stdout.strip()
    server = start_server(workspace)
    server.wait()
    asked = [("POST", INFER), ("POST", INVOCATIONS), ("GET", BUCKETS)]
    with server.client() as client:
        for method, path in asked:
            assert client.request(method, path).status_code == 401
            assert client.request(method, path, headers={"Authorization": f"Bearer {key}"}).status_code == 403
        assert client.get("/v2", headers={"Authorization": f"Bearer {key}"}).status_code == 200
        assert client.get("/v2/health/ready").status_code == client.get("/ping").status_code == 200
