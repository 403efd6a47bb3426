"""The service as a client meets it: a real process, real HTTP, the documented bodies."""

import datetime as dt
import hashlib
import io
import json
import math
import re
import socket
import subprocess
import time

import numpy as np
import pytest

from flight_delay.flight import Flight
from flight_delay.store import models
from flight_delay.store.database import database_at, opened


@pytest.fixture
def client(shared_server):
    with shared_server.client() as client:
        yield client


@pytest.fixture
def own(server):
    """A client of a service that belongs to this test alone."""
    with server.client() as client:
        yield client


class TestHealth:
    def test_alive(self, client):
        assert client.get("/health/").json() == {"status": "API está funcionando corretamente"}

    def test_ready(self, client):
        response = client.get("/health/ready/")
        assert (response.status_code, response.json()["database"]) == (200, "ok")
        assert response.json()["model_version"] == int(response.headers["X-Model-Version"])

    def test_in_english(self, client):
        response = client.get("/health/", headers={"Accept-Language": "en"})
        assert response.json() == {"status": "The API is working"}

    def test_it_is_ready_soon(self, start_server, workspace):
        assert start_server(workspace).wait() < 3

    def test_without_a_model_it_lives_but_is_not_ready(self, start_server, tmp_path, documented):
        server = start_server(tmp_path)
        server.wait("/health/")
        with server.client() as client:
            ready, predicted = client.get("/health/ready/"), client.post("/model/predict/", json=documented)
        for response in (ready, predicted):
            assert response.status_code == 503
            assert response.headers["Retry-After"]
            assert response.json()["type"] == "urn:flight-delay:problem:no-model"

    def test_a_database_that_cannot_be_used_is_said_and_waited_for(self, start_server, workspace, documented):
        (workspace / "data").mkdir()
        (workspace / "data" / "flight_delay.sqlite3").write_text("this is no database " * 100)
        server = start_server(workspace)
        server.wait("/health/")
        with server.client() as client:
            for response in (client.get("/health/ready/"), client.post("/model/predict/", json=documented)):
                assert response.status_code == 503
                assert response.json()["type"] == "urn:flight-delay:problem:store-unavailable"
            (workspace / "data" / "flight_delay.sqlite3").unlink()
            server.wait(seconds=10)
            assert client.post("/model/predict/", json=documented).status_code == 200

    def test_a_database_that_is_lost_is_said(self, server, documented):
        with server.client() as client:
            assert client.post("/model/predict/", json=documented).status_code == 200
            for file in (server.folder / "data").iterdir():
                file.unlink()
            for response in (
                client.post("/model/predict/", json=documented),
                client.get("/health/ready/"),
                client.get("/model/history/"),
            ):
                assert response.status_code == 503
            assert client.get("/health/").status_code == 200
        assert list((server.folder / "data").iterdir()) == []

    def test_a_broken_model_file_keeps_it_from_being_ready(self, start_server, workspace):
        (workspace / "model" / "flight_delay_model.npz").write_bytes(b"broken")
        server = start_server(workspace)
        server.wait("/health/")
        with server.client() as client:
            assert client.get("/health/ready/").status_code == 503

    def test_a_model_that_an_older_version_wrote_is_said_and_a_new_one_heals_it(
        self, start_server, workspace, documented
    ):
        keep_older(workspace, "0" * 64)
        (workspace / "model").rename(workspace / "new")
        server = start_server(workspace)
        server.wait("/health/")
        with server.client() as client:
            for response in (client.get("/health/ready/"), client.post("/model/predict/", json=documented)):
                assert response.status_code == 503
                assert response.json()["type"] == "urn:flight-delay:problem:broken-artifact"
                assert "format 1" in response.json()["detail"]
            time.sleep(2)
        assert server.log().count("not ready: broken_artifact") == 1
        server.stop()
        (workspace / "new").rename(workspace / "model")
        again = start_server(workspace)
        again.wait()
        with again.client() as client:
            assert client.post("/model/predict/", json=documented).headers["X-Model-Version"] == "2"

    def test_an_upload_heals_it_even_where_the_same_file_had_been_converted(self, start_server, workspace, documented):
        content = (workspace / "model" / "flight_delay_model.joblib").read_bytes()
        keep_older(workspace, hashlib.sha256(content).hexdigest())
        (workspace / "model" / "flight_delay_model.npz").unlink()
        server = start_server(workspace)
        server.wait("/health/")
        with server.client() as client:
            assert client.post("/model/load/", files={"file": ("m.joblib", content)}).status_code == 200
            assert client.post("/model/predict/", json=documented).headers["X-Model-Version"] == "2"


def keep_older(workspace, source_sha256):
    """Make the live model one that the version before wrote, of a file with that digest."""
    with np.load(workspace / "model" / "flight_delay_model.npz") as file:
        arrays = dict(file)
    facts = json.loads(arrays["manifest"].tobytes()) | {"format": 1}
    arrays["manifest"] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    database = database_at(f"sqlite:///{workspace}/data/flight_delay.sqlite3")
    database.migrate()
    with opened(database) as connection:
        now = dt.datetime.now(dt.UTC)
        made = models.Made(buffer.getvalue(), source_sha256, "m.joblib", "a test", "{}")
        change = models.Change(models.PROMOTION, "a test", "of before")
        models.promote(connection, models.add(connection, made, now), change, now)


class TestPredict:
    def test_the_documented_curl(self, shared_server, documented):
        body = json.dumps(documented, indent=4)
        done = subprocess.run(
            ["curl", "-s", "--noproxy", "*", "-X", "POST", f"{shared_server.url}/model/predict/",
             "-H", "Content-Type: application/json", "-d", body],
            capture_output=True, check=True,
        )  # fmt: skip
        assert set(json.loads(done.stdout)) == {"prediction"}

    def test_the_answer_is_the_model_s_own(self, client, artifact, documented):
        documented["year"] = 2013
        answered = client.post("/model/predict/", json=documented).json()["prediction"]
        assert answered == artifact.answer(Flight.model_validate(documented), dt.date(2026, 1, 1)).minutes

    @pytest.mark.parametrize("change", [{"carrier": "HA"}, {"origin": "EWR"}, {"dest": "HNL"}, {"dep_delay": 60.0}])
    def test_every_input_matters(self, client, documented, change):
        one, other = (client.post("/model/predict/", json=body).json() for body in (documented, documented | change))
        assert one != other

    def test_the_distance_may_be_in_any_unit(self, client, documented):
        one, other = (
            client.post("/model/predict/", json=documented | {"distance": km}).json() for km in (3983.0, 2475.0)
        )
        assert one == other

    def test_a_flight_that_has_not_left(self, client, documented):
        del documented["dep_delay"]
        response = client.post("/model/predict/", json=documented)
        assert math.isfinite(response.json()["prediction"])

    @pytest.mark.parametrize("change", [{"carrier": "ZZ"}, {"origin": "ZZZ"}, {"dest": "GRU"}])
    def test_what_is_not_known_is_answered_too(self, client, documented, change):
        assert client.post("/model/predict/", json=documented | change).status_code == 200

    def test_facts_travel_in_headers(self, client, documented):
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        response = client.post(
            "/model/predict/", json=documented, headers={"X-Request-Id": "mine-1", "traceparent": trace}
        )
        assert response.headers["X-Request-Id"] == "mine-1"
        assert response.headers["traceparent"] == trace
        assert response.headers["X-Model-Version"] == "1"
        assert int(response.headers["X-Prediction-Id"]) > 0

    @pytest.mark.parametrize("bad", ["", "x" * 129, "ação", "a b"])
    def test_a_request_id_that_cannot_be_carried_is_replaced(self, client, bad):
        response = client.get("/health/", headers={"X-Request-Id": bad.encode()})
        assert re.fullmatch(r"[0-9a-f]{32}", response.headers["X-Request-Id"])

    @pytest.mark.parametrize(
        ("given", "echoed"),
        [("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", True), ("00-short-01", False), ("x" * 300, False)],
    )
    def test_a_trace_is_echoed_if_it_is_one(self, client, documented, given, echoed):
        response = client.post("/model/predict/", json=documented, headers={"traceparent": given})
        assert (response.headers.get("traceparent") == given) is echoed

    def test_the_last_slash_may_be_missing(self, client, documented):
        for path in ("/health", "/health/ready", "/model/history"):
            assert client.get(path).status_code == 200
        assert client.post("/model/predict", json=documented).status_code == 200


class TestRefusals:
    def refused(self, client, body, **headers):
        response = client.post("/model/predict/", content=body, headers=headers)
        assert response.headers["Content-Type"] == "application/problem+json"
        problem = response.json()
        assert problem["status"] == response.status_code
        return problem

    def test_every_wrong_field_is_named_with_its_value(self, client, documented):
        problem = self.refused(client, json.dumps(documented | {"month": -5, "day": 99, "hour": 999}))
        assert problem["status"] == 422
        assert [(error["field"], error["value"]) for error in problem["errors"]] == [
            ("month", -5), ("day", 99), ("hour", 999),
        ]  # fmt: skip

    def test_in_portuguese_and_in_english(self, client, documented):
        body = json.dumps(documented | {"dep_dely": 1})
        (portuguese,) = self.refused(client, body)["errors"]
        (english,) = self.refused(client, body, **{"Accept-Language": "en-US,en;q=0.9"})["errors"]
        assert portuguese["message"] == "campo desconhecido; você quis dizer dep_delay?"
        assert english["message"] == "unknown field; did you mean dep_delay?"

    def test_the_version_is_on_refusals_too(self, client):
        assert client.post("/model/predict/", json={}).headers["X-Model-Version"] == "1"
        assert client.post("/model/predict/", json={}).headers["Vary"] == "Accept-Language"

    @pytest.mark.parametrize(
        ("method", "path", "name"),
        [
            ("POST", "/model/predict/?include=intervals", "include"),
            ("POST", "/model/predict?explain=", "explain"),
            ("GET", "/model/history/?carier=DL", "carier"),
        ],
    )
    def test_a_parameter_that_is_not_understood_is_not_passed_over(self, client, documented, method, path, name):
        response = client.request(method, path, json=documented if method == "POST" else None)
        assert response.status_code == 422
        assert response.json()["errors"][0]["field"] == name

    def test_a_rule_over_two_fields_names_one(self, client, documented):
        (error,) = self.refused(client, json.dumps(documented | {"hour": 15}))["errors"]
        assert (error["field"], error["value"]) == ("hour", 15)

    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"month":' + b"9" * 400 + b"}", b"[" * 5000, b'{"distance": NaN}',
         b'{"distance": 1e999}', b'{"month": [[' + b"9" * 5000 + b"]]}", b'{"origin": "\\ud800"}'],
        ids=lambda body: repr(body[:14]),
    )  # fmt: skip
    def test_what_is_no_flight(self, client, body):
        assert self.refused(client, body)["status"] == 422

    def test_nan_in_a_whole_request(self, client, documented):
        for field in ("distance", "dep_delay"):
            problem = self.refused(client, json.dumps(documented | {field: math.nan}))
            assert [error["field"] for error in problem["errors"]] == [field]

    def test_a_long_value_is_not_repeated_whole(self, client, documented):
        (error,) = self.refused(client, json.dumps(documented | {"origin": "J" * 9000}))["errors"]
        assert len(error["value"]) == 100

    def test_a_body_that_is_too_large(self, client):
        assert self.refused(client, b" " * 70_000)["status"] == 413

    def test_nothing_refused_is_in_the_history(self, own, documented):
        own.post("/model/predict/", json=documented | {"month": 13})
        assert own.get("/model/history/").json() == {"history": []}

    def test_routes_that_are_not_there(self, client):
        assert client.get("/nowhere/").json()["type"] == "urn:flight-delay:problem:no-route"
        response = client.get("/model/predict/")
        assert (response.status_code, response.headers["Allow"]) == (405, "POST")


class TestHistory:
    def test_what_was_asked_and_answered_oldest_first(self, own, documented):
        second = documented | {"dep_delay": 55.0, "weather": {"temp_c": 31.5}}
        answers = [own.post("/model/predict/", json=body).json()["prediction"] for body in (documented, second)]
        assert own.get("/model/history/").json() == {
            "history": [
                {"input": documented, "prediction": answers[0]},
                {"input": second, "prediction": answers[1]},
            ]
        }

    def test_pages(self, own, documented):
        delays = [float(delay) for delay in range(25)]
        for delay in delays:
            own.post("/model/predict/", json=documented | {"dep_delay": delay})

        def page(url):
            response = own.get(url)
            return [entry["input"]["dep_delay"] for entry in response.json()["history"]], response.links

        newest, links = page("/model/history/?limit=10")
        assert newest == delays[15:]
        older, links = page(links["prev"]["url"])
        assert older == delays[5:15]
        oldest, _ = page(links["prev"]["url"])
        assert oldest == delays[:5]
        assert page(links["next"]["url"])[0] == newest
        assert page("/model/history/?after=25")[0] == []

    @pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "before=0", "after=-1", f"after={2**70}"])
    def test_a_wrong_page(self, client, query):
        response = client.get(f"/model/history/?{query}")
        assert response.status_code == 422
        assert response.json()["errors"][0]["field"] == query.split("=")[0]

    def test_a_page_with_nothing_newer_leads_to_itself(self, own, documented):
        for _ in range(2):
            own.post("/model/predict/", json=documented)
        response = own.get("/model/history/?after=2&limit=7")
        assert response.json() == {"history": []}
        assert response.headers["Link"] == '</model/history/?limit=7&after=2>; rel="next"'

    def test_it_survives_a_restart(self, start_server, workspace, documented):
        first = start_server(workspace)
        first.wait()
        with first.client() as client:
            answer = client.post("/model/predict/", json=documented).json()["prediction"]
        first.stop()
        second = start_server(workspace)
        second.wait()
        with second.client() as client:
            assert client.get("/model/history/").json()["history"] == [{"input": documented, "prediction": answer}]


class TestDocumentation:
    @pytest.mark.parametrize("path", ["/docs", "/redoc"])
    def test_pages_need_no_internet(self, client, path):
        page = client.get(path)
        assert page.status_code == 200
        links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert links
        for link in links:
            assert link.startswith("/"), link
            assert client.get(link).status_code == 200
        assert "//" not in re.sub(r"<!--.*?-->", "", page.text, flags=re.S).replace("://www.w3.org", "")

    def test_every_route_is_documented(self, client):
        paths = client.get("/openapi.json").json()["paths"]
        assert set(paths) == {
            "/health/", "/health/ready/", "/metrics/",
            "/model/load/", "/model/predict/", "/model/predict/batch/", "/model/outcomes/",
            "/model/history/batches/", "/model/history/batches/{id}/",
            "/model/history/", "/model/history/{id}/", "/model/history/deletions/",
            "/model/", "/model/versions/", "/model/versions/{version}/", "/model/versions/{version}/promote/",
            "/model/rollback/", "/model/deployments/", "/model/shadow/", "/model/shadow/{version}/",
            "/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/{model}", "/v2/models/{model}/ready",
            "/v2/models/{model}/infer", "/v2/models/{model}/versions/{version}",
            "/v2/models/{model}/versions/{version}/ready", "/v2/models/{model}/versions/{version}/infer",
            "/invocations", "/ping", "/version",
            "/v1/travel/predictions/flight-delay", "/v1/security/oauth2/token",
        }  # fmt: skip


class TestStopping:
    def test_what_was_accepted_is_answered(self, server, documented):
        with server.client() as client:
            assert client.post("/model/predict/", json=documented).status_code == 200
        started = time.monotonic()
        server.stop()
        assert time.monotonic() - started < 10

    def test_a_client_that_never_ends_its_body_does_not_keep_it(self, server):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(b"POST /model/predict/ HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n\r\n{")
            time.sleep(0.2)
            started = time.monotonic()
            server.stop()
            assert time.monotonic() - started < 15


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_it_listens_on_ipv6(start_server, workspace):
    server = start_server(workspace, "--host", "::1")
    for _ in range(100):
        if "Serving" in server.log():
            break
        time.sleep(0.1)
    assert f"http://[::1]:{server.port}/docs" in server.log()
