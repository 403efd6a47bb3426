"""`GET /metrics/` of a real service, and the dashboard, the rules and the words that are about it."""

import datetime as dt
import json
import os
import re
import signal
import sys
import time
from pathlib import Path

import httpx
import joblib
import numpy as np
import pytest
import yaml
from conftest import ROOT
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text
from promtool import MONITORING, promtool
from sklearn.linear_model import LinearRegression

DURATION = "flight_delay_http_request_duration_seconds"
GROWING = ("_total", "_count", "_sum", "_bucket")


def scrape(client, **headers):
    """Return every sample by name and labels."""
    response = client.get("/metrics/", headers=headers)
    assert response.status_code == 200, response.text
    read = openmetrics if response.headers["Content-Type"].startswith("application/openmetrics-text") else text
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in read(response.text)
        for sample in family.samples
    }


def total(samples, name, **labels):
    """Return the sum of a metric over all series with some labels."""
    return sum(value for (found, *of), value in samples.items() if found == name and labels.items() <= dict(of).items())


def wait_until(client, holds, seconds=10):
    started = time.monotonic()
    while not holds(samples := scrape(client)):
        assert time.monotonic() - started < seconds, samples
        time.sleep(0.05)
    return samples


@pytest.fixture
def client(server):
    with server.client() as client:
        yield client


def test_the_counters_are_those_of_the_requests_that_were_sent(client, documented):
    before, begun = scrape(client), time.perf_counter()
    for _ in range(5):
        assert client.post("/model/predict/", json=documented).status_code == 200
    for _ in range(3):
        assert client.post("/model/predict", json=documented | {"dep_delay": None}).status_code == 200
    for _ in range(2):
        assert client.post("/model/predict/", json={}).status_code == 422
    assert client.get("/model/versions/1/").status_code == 200
    assert client.get("/wp-login.php").status_code == 404
    told = client.post("/model/outcomes/", json=[documented | {"arr_delay": 3.0}] * 4)
    assert told.json() == {"accepted": 4}
    took = time.perf_counter() - begun
    after = scrape(client)

    def grew(name, **labels):
        return total(after, name, **labels) - total(before, name, **labels)

    assert grew(f"{DURATION}_count", route="/model/predict/", status="200") == 8
    assert grew(f"{DURATION}_count", route="/model/predict/", status="422") == 2
    assert grew(f"{DURATION}_count", route="/model/versions/{version}/", status="200") == 1
    assert grew(f"{DURATION}_count", route="other", status="404") == 1
    assert grew(f"{DURATION}_count", route="/metrics/") == 1
    assert 0 < grew(f"{DURATION}_sum", route="/model/predict/", status="200") < took
    assert grew("flight_delay_predictions_total") == 8
    assert grew("flight_delay_predictions_total", horizon="departed") == 5
    assert grew("flight_delay_outcomes_told_total") == 4
    assert grew("flight_delay_commit_rows_sum") == 8
    assert 1 <= grew("flight_delay_commit_duration_seconds_count") <= 8
    assert not [labels for _, *labels in after if "wp-login" in str(labels)]


def test_what_holds_of_a_service_in_order(client, documented):
    client.post("/model/predict/", json=documented)
    samples = scrape(client)
    assert total(samples, "flight_delay_processes") == 1
    assert total(samples, "flight_delay_http_requests_in_progress") == 1
    assert total(samples, "flight_delay_predictions_waiting") == 0
    assert total(samples, "flight_delay_predictions_waiting_limit") == 1000
    assert total(samples, "flight_delay_database_away") == total(samples, "flight_delay_predictions_spooled") == 0
    assert abs(total(samples, "flight_delay_followed_timestamp_seconds") - time.time()) < 5
    assert total(samples, "flight_delay_model_processes", version="1", generation="1") == 1
    assert total(samples, "flight_delay_model_learnt_until_timestamp_seconds") == pytest.approx(1383264000)
    assert 20e6 < total(samples, "process_resident_memory_bytes") < 1e9


def test_openmetrics_is_answered_to_whom_asks_for_it(client):
    samples = scrape(client, Accept="application/openmetrics-text; version=1.0.0, text/plain; q=0.5")
    assert samples.keys() >= {("flight_delay_processes",), ("flight_delay_outcomes_told_total",)}


def test_fields_of_flights_are_counted_by_the_bins_of_the_model(client, documented):
    for carrier in ("DL", "DL", "ZZ"):
        client.post("/model/predict/", json=documented | {"carrier": carrier})
    samples = wait_until(client, lambda found: total(found, "flight_delay_inputs_total", field="carrier") == 3)
    assert total(samples, "flight_delay_inputs_total", field="carrier", bin="DL", version="1") == 2
    assert total(samples, "flight_delay_inputs_total", field="carrier", bin="unknown") == 1
    assert total(samples, "flight_delay_inputs_total", field="weather", bin="absent") == 3
    fields = {dict(of)["field"] for name, *of in samples if name == "flight_delay_input_reference_share"}
    assert fields >= {"carrier", "origin", "dest", "distance", "dep_delay", "hour", "month", "weekday", "weather"}
    for field in fields:
        assert total(samples, "flight_delay_input_reference_share", field=field) == pytest.approx(1, abs=1e-4)


def test_a_promotion_is_seen(client, tmp_path):
    frame = np.random.default_rng(1).normal(size=(200, 2))
    model = LinearRegression().fit(frame, frame[:, 0])
    model.feature_names_in_ = np.array(["dep_delay", "distance"], dtype=object)
    joblib.dump(model, tmp_path / "line.joblib")
    sent = client.post("/model/load/", files={"file": ("line.joblib", (tmp_path / "line.joblib").read_bytes())})
    assert sent.status_code == 200, sent.text
    samples = scrape(client)
    assert total(samples, "flight_delay_model_processes", version="2", generation="2") == 1
    assert total(samples, "flight_delay_model_processes") == 1
    assert total(samples, "flight_delay_model_generation") == 2
    assert total(samples, "flight_delay_model_info", version="2") == 1
    # A model of another's making tells no bins, nor until when it learnt.
    samples = wait_until(client, lambda found: not total(found, "flight_delay_input_reference_share"))
    assert not total(samples, "flight_delay_model_learnt_until_timestamp_seconds")
    assert client.post("/model/rollback/").status_code == 200
    wait_until(client, lambda found: total(found, "flight_delay_model_processes", version="1", generation="3") == 1)


def test_a_database_that_is_lost_is_seen(server, client, documented):
    assert client.post("/model/predict/", json=documented).status_code == 200
    for file in (server.folder / "data").iterdir():
        file.unlink()
    assert client.post("/model/predict/", json=documented).status_code == 503
    samples = scrape(client)
    assert total(samples, "flight_delay_database_away") == 1
    assert total(samples, "flight_delay_requests_refused_total", reason="store_unavailable") == 1
    followed = total(samples, "flight_delay_followed_timestamp_seconds")
    time.sleep(1.5)
    assert total(scrape(client), "flight_delay_followed_timestamp_seconds") == followed


def test_predictions_on_the_local_disk_are_seen(start_server, workspace, documented):
    (workspace / "database").mkdir()
    url = "sqlite:///database/flight_delay.sqlite3"
    server = start_server(workspace, FLIGHT_DELAY_WHEN_AWAY="spool", FLIGHT_DELAY_DATABASE_URL=url)
    server.wait()
    with server.client() as client:
        assert client.post("/model/predict/", json=documented).status_code == 200
        (workspace / "database").rename(workspace / "away")
        for _ in range(3):
            assert client.post("/model/predict/", json=documented).status_code == 200
        assert total(scrape(client), "flight_delay_predictions_spooled") == 3
        (workspace / "away").rename(workspace / "database")
        wait_until(client, lambda found: total(found, "flight_delay_predictions_spooled") == 0)
        assert total(scrape(client), "flight_delay_database_away") == 0


def test_requests_over_a_limit_are_counted_and_scrapes_are_not_limited(start_server, workspace, documented):
    server = start_server(workspace, FLIGHT_DELAY_REQUESTS_PER_MINUTE="1")
    server.wait()
    with server.client() as client:
        statuses = [client.post("/model/predict/", json=documented).status_code for _ in range(5)]
        assert statuses.count(429) >= 3
        for _ in range(5):
            samples = scrape(client)
    assert total(samples, f"{DURATION}_count", route="/model/predict/", status="429") == statuses.count(429)
    # The start asks something too, to say whether it is open.
    refused = total(samples, f"{DURATION}_count", status="429")
    assert total(samples, "flight_delay_requests_refused_total", reason="too_many_requests") == refused


def test_a_closed_service_tells_only_whom_may_read(start_server, workspace):
    from conftest import run_command

    keys = {}
    for scope in ("read", "predict"):
        made = run_command("keys", "create", scope, "--scope", scope, folder=workspace)
        keys[scope] = re.search(r"fd_\w+", made.stdout)[0]
    server = start_server(workspace)
    server.wait()
    with server.client() as client:
        assert client.get("/metrics/").status_code == 401
        assert client.get("/metrics", headers={"Authorization": f"Bearer {keys['predict']}"}).status_code == 403
        assert scrape(client, Authorization=f"Bearer {keys['read']}")


class TestSeveralProcesses:
    @pytest.fixture
    def workers(self, start_server, workspace):
        server = start_server(workspace, "--workers", "2")
        server.wait()
        with server.client() as client:
            wait_until(client, lambda found: total(found, "flight_delay_processes") == 2)
        return server

    def asked(self, server):
        """Scrape by a connection of its own, which any of the processes may take."""
        with server.client() as client:
            return scrape(client)

    def test_whichever_is_asked_tells_of_all(self, workers, documented):
        for _ in range(30):
            with workers.client() as client:
                assert client.post("/model/predict/", json=documented).status_code == 200
        with workers.client() as client:
            wait_until(client, lambda found: total(found, "flight_delay_predictions_total") == 30)
        found = [self.asked(workers) for _ in range(10)]
        assert {total(one, "flight_delay_predictions_total") for one in found} == {30}
        assert {total(one, "flight_delay_model_processes", version="1") for one in found} == {2}

    @pytest.mark.skipif(sys.platform != "linux", reason="the workers are found in /proc")
    def test_no_counter_ever_goes_down_though_one_is_killed(self, workers, documented):
        children = Path(f"/proc/{workers.process.pid}/task/{workers.process.pid}/children")
        serving = [pid for pid in map(int, children.read_text().split()) if b"spawn_main" in cmdline(pid)]
        assert len(serving) == 2
        before = {}
        for turn in range(60):
            if turn == 20:
                # Each tells the others once a second.
                with workers.client() as client:
                    wait_until(client, lambda found: total(found, "flight_delay_predictions_total") == 20)
                os.kill(serving[0], signal.SIGKILL)
            with workers.client() as client:
                try:
                    client.post("/model/predict/", json=documented)
                    after = self.asked(workers)
                except httpx.TransportError:  # of the one that is killed
                    continue
            fallen = {
                name: (before[name], after.get(name))
                for name in before
                if name[0].endswith(GROWING) and after.get(name, -1) < before[name]
            }
            assert not fallen
            before = after
        with workers.client() as client:
            samples = wait_until(client, lambda found: total(found, "flight_delay_processes") == 2, seconds=30)
        assert total(samples, "flight_delay_predictions_total") >= 50


def cmdline(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes()


ALERTS = [
    rule for group in yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"] for rule in group["rules"]
]
RULES = [rule for group in yaml.safe_load((MONITORING / "rules.yml").read_text())["groups"] for rule in group["rules"]]
DASHBOARDS = {path.name: json.loads(path.read_text()) for path in (MONITORING / "grafana").glob("*.json")}
DOCUMENT = ROOT / "docs" / "monitoring.md"


def expressions():
    """Every expression of a rule, an alert, a panel, a variable or an annotation."""
    yield from (rule["expr"] for rule in (*RULES, *ALERTS))
    for board in DASHBOARDS.values():
        for panel in board["panels"]:
            yield from (target["expr"] for target in panel.get("targets", []))
        yield from (one["expr"] for one in board["annotations"]["list"])
        yield from (one["definition"] for one in board["templating"]["list"] if one["type"] == "query")


def metrics_of(expression):
    """Return the metrics that an expression asks for."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}', "", expression)
    return set(re.findall(r"\b(?:flight_delay_\w+|process_\w+|(?:job\w*):[\w:]+)", bare))


class TestFiles:
    def test_every_metric_that_is_asked_for_is_there(self, client, documented):
        client.post("/model/predict/", json=documented)
        yesterday = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
        day = {"year": yesterday.year, "month": yesterday.month, "day": yesterday.day}
        assert client.post("/model/outcomes/", json=documented | day | {"arr_delay": 0.0}).status_code == 200
        awaited = {"flight_delay_newest_departure_timestamp_seconds", "flight_delay_inputs_total"}
        there = {name for name, *_ in wait_until(client, lambda found: awaited <= {name for name, *_ in found})}
        # It has no series before the first request is turned away.
        there |= {"flight_delay_requests_refused_total"} | {rule["record"] for rule in RULES}
        asked = set.union(*map(metrics_of, expressions()))
        assert len(asked) > 30
        assert asked - there == set()

    def test_every_metric_is_explained(self, client):
        explained = DOCUMENT.read_text()
        families = {
            family.name for family in text(client.get("/metrics/").text) if family.name.startswith("flight_delay")
        }
        assert [name for name in sorted(families) if f"`{name}" not in explained] == []

    @pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
    def test_every_alert_says_what_is_wrong_and_where_it_is_explained(self, alert):
        assert alert["labels"]["severity"] in {"critical", "warning", "info"}
        assert alert["annotations"].keys() == {"summary", "description", "runbook_url"}
        document, anchor = alert["annotations"]["runbook_url"].split("#")
        headings = re.findall(r"^#+ (.+)$", (ROOT / document).read_text(), re.M)
        assert anchor in [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
        assert re.search(rf'alertname="{alert["alert"]}"|alertname: {alert["alert"]}\b', tried_out())

    def test_the_rules_are_sound_and_fire_when_they_should(self):
        promtool("check", "rules", "rules.yml", "alerts.yml")
        promtool("test", "rules", "tests.yml", "tests-drift.yml")

    def test_the_configuration_is_sound(self, tmp_path):
        (tmp_path / "flight-delay.key").write_text("fd_x")
        for name in ("prometheus.yml", "rules.yml", "alerts.yml"):
            (tmp_path / name).write_bytes((MONITORING / name).read_bytes())
        promtool("check", "config", str(tmp_path / "prometheus.yml"))

    def test_a_dashboard_can_be_provisioned(self):
        assert DASHBOARDS
        for board in DASHBOARDS.values():
            assert {"uid", "title", "schemaVersion", "panels"} <= board.keys()
            ids = [panel["id"] for panel in board["panels"]]
            assert len(ids) == len(set(ids))
            for panel in board["panels"]:
                assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
                for target in panel.get("targets", []):
                    assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def tried_out():
    return "".join(path.read_text() for path in MONITORING.glob("tests*.yml"))
