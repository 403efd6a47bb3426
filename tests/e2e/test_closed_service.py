"""Keys as an operator and a client meet them: real commands, real processes, real HTTP."""

import json
import re
import shutil
import socket
import subprocess
import time

import httpx
import pytest
from conftest import run_command

from flight_delay.store import keys

HEALTH = {
    "/health/", "/health/ready/", "/v2/health/live", "/v2/health/ready", "/ping", "/v1/security/oauth2/token",
}  # fmt: skip


def create(folder, *arguments, **environment):
    """Make a key as a person does; return it."""
    done = run_command("keys", "create", *arguments, folder=folder, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n")


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def predicted(server, body, headers=None):
    """Ask by a connection of its own, which any of the workers may take; return the status."""
    url = f"{server.url}/model/predict/"
    return httpx.post(url, json=body, headers=headers, timeout=30, trust_env=False).status_code


@pytest.fixture(scope="module")
def closed(start_lasting_server, trained, tmp_path_factory):
    """A service with a key for each scope, and those keys; what is in its history depends on the tests."""
    folder = tmp_path_factory.mktemp("closed")
    shutil.copytree(trained.model.parent, folder / "model")
    made = {scope: create(folder, f"of-{scope}", "--scope", scope) for scope in ("predict", "read", "manage")}
    server = start_lasting_server(folder)
    server.wait()
    return server, made


class TestOpen:
    def test_the_documented_curl_needs_no_key(self, server, documented):
        done = subprocess.run(
            ["curl", "-sf", "--noproxy", "*", "-X", "POST", f"{server.url}/model/predict/",
             "-H", "Content-Type: application/json", "-d", json.dumps(documented)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert json.loads(done.stdout).keys() == {"prediction"}
        assert predicted(server, documented, bearer("fd_12345678_of_nobody")) == 200

    def test_it_says_so_at_start_in_readiness_and_on_the_page(self, server):
        with server.client() as client:
            assert client.get("/health/ready/").json()["access"] == "open"
            assert "No access key" in client.get("/openapi.json").json()["info"]["description"]
        said = wait_for(server, "No access key")
        assert "flight-delay keys create" in said
        assert "Authorization" not in said

    def test_it_says_so_where_there_is_no_model(self, start_server, tmp_path):
        server = start_server(tmp_path)
        assert "No access key" in wait_for(server, "No model is loaded")

    def test_the_first_key_closes_every_process_within_a_second(self, start_server, workspace, documented):
        server = start_server(workspace, "--workers", "2")
        server.wait()
        assert predicted(server, documented) == 200
        done = run_command("keys", "create", "ci", "--scope", "predict", folder=workspace)
        assert "It is the first" in done.stderr
        time.sleep(1)
        assert {predicted(server, documented) for _ in range(30)} == {401}
        assert {predicted(server, documented, bearer(done.stdout.strip())) for _ in range(30)} == {200}
        with server.client() as client:
            assert client.get("/health/ready/").json()["access"] == "keys"


class TestClosed:
    def test_every_documented_route_but_health_asks_for_a_key(self, closed):
        server, _ = closed
        with server.client() as client:
            paths = client.get("/openapi.json").json()["paths"]
            asked = [(method, path) for path, operations in paths.items() for method in operations]
            assert len(asked) >= 6
            for method, path in asked:
                response = client.request(method, re.sub(r"\{\w+\}", "1", path))
                assert (response.status_code == 401) is (path not in HEALTH), (method, path)
                documented = paths[path][method]
                assert ({"401", "403"} <= set(documented["responses"])) is ("security" in documented)
                assert ("security" in documented) is (path not in HEALTH)
            for path in ("/health", "/health/", "/health/ready/", "/docs", "/redoc"):
                assert client.get(path).status_code == 200
            for path in ("/nowhere/", "/model", "/model/history", "/docs/", "//model/history/"):
                assert client.get(path).status_code == 401

    def test_each_scope_opens_its_own(self, closed, documented):
        server, made = closed
        asks = {
            "predict": [("POST", "/model/predict/", documented), ("POST", "/model/outcomes/", {})],
            "read": [("GET", "/model/history/", None), ("GET", "/nowhere/", None)],
            "manage": [("POST", "/model/load/", None)],
        }
        with server.client() as client:
            for scope, key in made.items():
                for needed, requests in asks.items():
                    for method, path, body in requests:
                        status = client.request(method, path, json=body, headers=bearer(key)).status_code
                        assert (status == 403) is (scope != needed), (scope, method, path)
                        assert status != 401

    def test_a_refusal_says_what_is_missing(self, closed, documented):
        server, made = closed
        with server.client() as client:
            nothing, wrong, lacking = (
                client.post("/model/predict/", json=documented, headers=headers | {"Accept-Language": "en"})
                for headers in ({}, {"X-API-Key": made["predict"] + "0"}, bearer(made["read"]))
            )
        for response, status, kind in [
            (nothing, 401, "no-key"), (wrong, 401, "wrong-key"), (lacking, 403, "scope-lacking"),
        ]:  # fmt: skip
            assert response.status_code == status
            assert response.json()["type"] == f"urn:flight-delay:problem:{kind}"
            assert response.headers["Content-Type"] == "application/problem+json"
            assert response.headers["X-Request-Id"]
            assert response.headers.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)
        assert "scope predict" in lacking.json()["detail"]

    def test_a_body_is_not_waited_for(self, closed):
        server, _ = closed
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(b"POST /model/load/ HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 401 ")

    def test_nothing_that_was_refused_is_kept(self, closed, documented):
        server, made = closed

        def newest():
            return client.get("/model/history/?limit=1", headers=bearer(made["read"])).json()

        with server.client() as client:
            before = newest()
            assert before.keys() == {"history"}
            assert predicted(server, documented | {"dep_delay": 77.0}) == 401
            assert predicted(server, documented | {"dep_delay": 77.0}, bearer(made["read"])) == 403
            assert newest() == before

    def test_the_start_says_so_and_shows_how_a_key_is_sent(self, closed):
        server, _ = closed
        said = wait_for(server, "Closed")
        assert "-H 'Authorization: Bearer fd_...'" in said
        assert "No access key" not in said

    def test_no_key_and_no_hash_is_in_the_log_the_list_or_an_answer(self, closed, documented):
        server, made = closed
        answers = []
        with server.client() as client:
            for key in made.values():
                for headers in (bearer(key), {"X-API-Key": key + "0"}):
                    answers += [client.post("/model/predict/", json=documented, headers=headers)]
                    answers += [client.get("/model/history/", headers=headers)]
            answers += [client.get("/openapi.json"), client.get("/health/ready/")]
        listed = run_command("keys", "list", folder=server.folder)
        assert "of-manage" in listed.stdout
        said = server.log() + listed.stdout + listed.stderr + "".join(f"{one.text}{one.headers}" for one in answers)
        for key in made.values():
            assert key not in said
            assert key.split("_")[2] not in said
            assert keys.digest(key) not in said


class TestRevoked:
    def test_it_reaches_every_process_within_a_second_and_does_not_open_the_service(
        self, start_server, workspace, documented
    ):
        key = create(workspace, "ci", "--scope", "predict")
        server = start_server(workspace, "--workers", "2")
        server.wait()
        assert predicted(server, documented, bearer(key)) == 200
        done = run_command("keys", "revoke", key, folder=workspace)
        assert done.returncode == 0
        assert key not in done.stdout + done.stderr
        time.sleep(1)
        assert {predicted(server, documented, bearer(key)) for _ in range(20)} == {401}
        assert {predicted(server, documented) for _ in range(20)} == {401}
        server.stop()
        again = start_server(workspace)
        again.wait()
        assert predicted(again, documented) == 401


class TestRequired:
    def test_it_does_not_start_open(self, start_server, workspace):
        for command in ("serve", "up"):
            server = start_server(workspace, command=command, FLIGHT_DELAY_REQUIRE_KEYS="1")
            assert server.process.wait(30) == 1
        assert server.log().count("flight-delay keys create") == 2
        assert "Serving" not in server.log()

    def test_it_starts_with_a_key(self, start_server, workspace, documented):
        key = create(workspace, "ci", "--scope", "predict")
        server = start_server(workspace, FLIGHT_DELAY_REQUIRE_KEYS="1")
        server.wait()
        assert predicted(server, documented) == 401
        assert predicted(server, documented, bearer(key)) == 200

    def test_a_database_that_turns_out_to_have_none_lets_nobody_in(self, start_server, workspace, documented):
        data = workspace / "data"
        data.write_text("no folder")
        server = start_server(workspace, FLIGHT_DELAY_REQUIRE_KEYS="1")
        server.wait("/health/")
        assert predicted(server, documented) == 503
        data.unlink()
        until = time.monotonic() + 10
        with server.client() as client:
            while "keys-required" not in (ready := client.get("/health/ready/")).text and time.monotonic() < until:
                time.sleep(0.1)
            assert ready.status_code == 503
            assert ready.json()["type"] == "urn:flight-delay:problem:keys-required"
            assert client.post("/model/predict/", json=documented).status_code == 503
        key = create(workspace, "ci", "--scope", "predict")
        server.wait()
        assert predicted(server, documented, bearer(key)) == 200


class TestSet:
    def test_keys_of_the_setting_close_the_service(self, start_server, workspace, documented):
        key, entry = create(workspace, "ci", "--scope", "predict", "--hashed").split("\n")
        assert not (workspace / "data").exists()
        server = start_server(workspace, FLIGHT_DELAY_API_KEYS=entry, FLIGHT_DELAY_REQUIRE_KEYS="1")
        server.wait()
        assert predicted(server, documented) == 401
        assert predicted(server, documented, bearer(key)) == 200
        other = create(workspace, "db", "--scope", "predict", FLIGHT_DELAY_API_KEYS=entry)
        time.sleep(1)
        assert predicted(server, documented, bearer(other)) == predicted(server, documented, bearer(key)) == 200

    def test_a_wrong_one_is_not_repeated(self, workspace):
        key = create(workspace, "ci", "--scope", "predict", "--hashed").split("\n")[0]
        done = run_command("serve", folder=workspace, FLIGHT_DELAY_API_KEYS=f"ci:predict:{key}")
        assert done.returncode == 1
        assert "entry 1 must be name:scope+scope:sha256" in done.stderr
        assert key not in done.stdout + done.stderr


class TestCommand:
    def test_the_key_alone_is_printed(self, tmp_path):
        done = run_command("keys", "create", "ci", "--scope", "read", "--scope", "predict", folder=tmp_path)
        assert re.fullmatch(r"fd_[0-9a-f]{8}_[0-9a-f]{64}\n", done.stdout)
        assert "not shown again" in done.stderr
        assert done.stdout.strip() not in done.stderr
        second = run_command("keys", "create", "ci", "--scope", "read", folder=tmp_path)
        assert "It is the first" not in second.stderr

    def test_the_list(self, tmp_path):
        empty = run_command("keys", "list", folder=tmp_path)
        assert "None in the database" in empty.stdout
        key = create(tmp_path, "ci", "--scope", "read", "--scope", "predict")
        run_command("keys", "revoke", "ci", folder=tmp_path)
        entry = create(tmp_path, "set", "--scope", "manage", "--hashed").split("\n")[1]
        listed = run_command("keys", "list", folder=tmp_path, FLIGHT_DELAY_API_KEYS=entry)
        (row,) = (line.split() for line in listed.stdout.splitlines() if "ci" in line.split())
        assert row[:4] == [keys.id_of(key), "ci", "predict,", "read"]
        assert row.count("UTC") == 2
        assert "1 more in FLIGHT_DELAY_API_KEYS: set" in listed.stdout

    @pytest.mark.parametrize(
        "arguments",
        [["create", "ci"], ["create", "ci", "--scope", "admin"], ["create", "c:i", "--scope", "read"],
         ["create", "x" * 65, "--scope", "read"], ["create", "--scope", "read"], ["revoke"]],
        ids=" ".join,
    )  # fmt: skip
    def test_what_is_not_understood(self, tmp_path, arguments):
        assert run_command("keys", *arguments, folder=tmp_path).returncode == 2
        assert not (tmp_path / "data").exists()

    def test_what_cannot_be_revoked(self, tmp_path):
        done = run_command("keys", "revoke", "nobody", folder=tmp_path)
        assert done.returncode == 1
        assert "nobody" in done.stderr
        ids = [keys.id_of(create(tmp_path, "ci", "--scope", "read")) for _ in range(2)]
        done = run_command("keys", "revoke", "ci", folder=tmp_path)
        assert done.returncode == 1
        assert all(one in done.stderr for one in ids)
        assert run_command("keys", "revoke", ids[0], folder=tmp_path).returncode == 0
        assert run_command("keys", "revoke", "ci", folder=tmp_path).returncode == 0

    def test_in_portuguese(self, tmp_path):
        done = run_command("keys", "create", "ci", "--scope", "read", folder=tmp_path, LANG="pt_BR.UTF-8")
        assert "Guarde-a agora" in done.stderr

    def test_a_database_that_is_no_database(self, tmp_path):
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "flight_delay.sqlite3").write_text("this is no database " * 100)
        done = run_command("keys", "create", "ci", "--scope", "read", folder=tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert "The database could not be used" in done.stderr


def wait_for(server, words):
    """Return what the service has printed, once some words are in it."""
    until = time.monotonic() + 20
    while words not in server.log() and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(0.3)
    assert words in server.log()
    return server.log()
