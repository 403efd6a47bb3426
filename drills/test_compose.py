"""compose.yaml, brought up by a real engine (`make image-test`): what docs/image.md says of it, held against it.

COMPOSE is the command, `docker compose` by default; `docker-compose` does as well.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from collections.abc import Callable

import httpx
import pytest
import yaml
from conftest import DOCUMENTED, free_port
from engine import DOCKER, ROOT, docker, inspect, run

COMPOSE = shlex.split(os.environ.get("COMPOSE", "docker compose"))
PROJECT = "flight-delay-drill"
CORE = {"api", "postgres", "password"}
EXTRAS = {"prometheus", "grafana"}
VOLUMES = {"data", "password", "postgres", "prometheus", "grafana"}


class Composed:
    """What `docker compose` has brought up, at ports that are free."""

    def __init__(self, *profile: str) -> None:
        self.ports = {name: free_port() for name in ("api", "prometheus", "grafana")}
        self._profile = profile
        self._environment = {f"{name.upper()}_ADDRESS": f"127.0.0.1:{port}" for name, port in self.ports.items()}

    def compose(self, *arguments: str) -> str:
        return run(*COMPOSE, "--project-name", PROJECT, *self._profile, *arguments, **self._environment).strip()

    def containers(self) -> dict[str, str]:
        """The id of each service's container."""
        label = f"label=com.docker.compose.project={PROJECT}"
        found = [inspect("container", one) for one in docker("ps", "--all", "--quiet", "--filter", label).split()]
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one["Id"] for one in found}

    def state(self, service: str) -> dict[str, object]:
        state: dict[str, object] = inspect("container", self.containers()[service])["State"]
        return state

    def inside(self, service: str, *command: str) -> str:
        return docker("exec", self.containers()[service], *command)

    def get(self, service: str, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.ports[service]}{path}", trust_env=False, timeout=30)

    def predict(self) -> float:
        url = f"http://127.0.0.1:{self.ports['api']}/model/predict/"
        answer = httpx.post(url, json=DOCUMENTED, trust_env=False, timeout=30)
        assert answer.status_code == 200, answer.text
        minutes: float = answer.json()["prediction"]
        return minutes

    def history(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = self.get("api", "/model/history/").json()["history"]
        return found


def wait_for(what: Callable[[], object], seconds: float = 120) -> None:
    """Ask until the answer is a true one; an address where nobody listens yet is a false one."""
    until = time.monotonic() + seconds
    seen: object = None
    while time.monotonic() < until:
        try:
            seen = what()
        except httpx.TransportError as error:
            seen = error
        else:
            if seen:
                return
        time.sleep(0.5)
    raise AssertionError(f"not within {seconds} s: {seen}")


def is_ready(composed: Composed) -> bool:
    return composed.get("api", "/health/ready/").status_code == 200


@pytest.fixture(scope="module")
def up():
    """Everything that `docker compose up` brings up, new."""
    composed = Composed()
    composed.compose("down", "--volumes", "--remove-orphans")
    try:
        composed.compose("up", "--detach", "--build")
        wait_for(lambda: is_ready(composed))
        yield composed
    finally:
        composed.compose("down", "--volumes")


def test_it_starts_the_service_with_its_database_and_all_that_watches_it(up):
    assert up.containers().keys() == CORE | EXTRAS
    for service in ("api", "postgres", *EXTRAS):
        wait_for(lambda service=service: up.state(service).get("Health", {}).get("Status") == "healthy")
    assert (up.state("password")["Status"], up.state("password")["ExitCode"]) == ("exited", 0)


def test_what_is_predicted_is_in_postgresql(up):
    minutes = up.predict()
    statement = "SELECT prediction FROM predictions ORDER BY id DESC LIMIT 1"
    row = up.inside("postgres", "psql", "--username=flight_delay", "--tuples-only", "--command", statement)
    assert float(row) == minutes
    assert up.history()[-1]["prediction"] == minutes
    assert "sqlite3" not in up.inside("api", "ls", "/app/data")


def test_the_password_of_the_database_is_drawn_and_shown_nowhere(up):
    password = up.inside("postgres", "cat", "/run/password/postgres")
    assert len(password) == 32
    for one in up.containers().values():
        assert password not in json.dumps(inspect("container", one))
        log = subprocess.run([*DOCKER, "logs", one], capture_output=True, text=True, check=True)
        assert password not in log.stdout + log.stderr
    assert up.inside("api", "stat", "--format=%a %u", "/run/password/pgpass") == "600 10001"
    wrong = up.inside(
        "postgres", "sh", "-c", "PGPASSWORD=x psql -h postgres -U flight_delay -c 'SELECT 1' 2>&1 || true"
    )
    assert "password authentication failed" in wrong


def test_nobody_but_the_service_reaches_the_database(up):
    networks = {
        service: set(inspect("container", one)["NetworkSettings"]["Networks"])
        for service, one in up.containers().items()
    }
    database = f"{PROJECT}_database"
    assert {service for service, joined in networks.items() if database in joined} == {"api", "postgres"}
    assert inspect("network", database)["Internal"]
    published = inspect("container", up.containers()["postgres"])["NetworkSettings"]["Ports"]
    assert not any(published.values())


def test_all_ports_are_of_this_machine_alone_unless_told(up):
    for service in ("api", "prometheus", "grafana"):
        ports = inspect("container", up.containers()[service])["NetworkSettings"]["Ports"].values()
        assert {one["HostIp"] for bound in ports for one in bound or []} == {"127.0.0.1"}
    text = (ROOT / "compose.yaml").read_text("utf-8")
    assert text.count("_ADDRESS:-127.0.0.1:") == 3


def test_prometheus_asks_the_service(up):
    def healths() -> list[str]:
        targets = up.get("prometheus", "/api/v1/targets").json()["data"]["activeTargets"]
        return [one["health"] for one in targets if one["labels"]["job"] == "flight-delay"]

    wait_for(lambda: healths() == ["up"])
    up.predict()

    def predictions() -> list[object]:
        answer = up.get("prometheus", "/api/v1/query?query=sum(flight_delay_predictions_total)").json()
        return [one for one in answer["data"]["result"] if float(one["value"][1]) >= 1]

    wait_for(predictions)


def test_prometheus_has_every_rule_and_none_fails(up):
    expected = {
        (group["name"], rule.get("record") or rule["alert"])
        for file in ("rules.yml", "alerts.yml")
        for group in yaml.safe_load((ROOT / "monitoring" / file).read_text("utf-8"))["groups"]
        for rule in group["rules"]
    }

    def loaded() -> list[tuple[str, str, str]]:
        groups = up.get("prometheus", "/api/v1/rules").json()["data"]["groups"]
        return [(group["name"], rule["name"], rule["health"]) for group in groups for rule in group["rules"]]

    # Those of drift are asked every five minutes; until then nothing is known of them.
    wait_for(lambda: all(health != "unknown" for group, _, health in loaded() if group != "flight-delay-drift"))
    assert {(group, name) for group, name, _ in loaded()} == expected
    assert {health for *_, health in loaded()} <= {"ok", "unknown"}
    firing = up.get("prometheus", "/api/v1/alerts").json()["data"]["alerts"]
    assert [one["labels"]["alertname"] for one in firing if one["state"] == "firing"] == []


def test_grafana_finds_its_source_and_its_dashboard_where_it_looks_for_them(up):
    source = yaml.safe_load(up.inside("grafana", "cat", "/etc/grafana/provisioning/datasources/flight-delay.yml"))
    (provider,) = yaml.safe_load(up.inside("grafana", "cat", "/etc/grafana/provisioning/dashboards/flight-delay.yml"))[
        "providers"
    ]
    dashboard = json.loads(up.inside("grafana", "cat", f"{provider['options']['path']}/flight-delay.json"))
    (one,) = source["datasources"]
    asked = {variable["query"] for variable in dashboard["templating"]["list"] if variable["type"] == "datasource"}
    assert asked == {one["type"]}
    up.inside("grafana", "wget", "-q", "-O", "/dev/null", f"{one['url']}/-/ready")


def test_grafana_shows_the_dashboard_to_who_comes_and_lets_nobody_change_it(up):
    wait_for(lambda: up.get("grafana", "/api/health").status_code == 200)
    if "version" not in up.get("grafana", "/api/health").json():
        pytest.skip("the image that is named grafana/grafana here is not Grafana")
    dashboard = up.get("grafana", "/api/dashboards/uid/flight-delay").json()
    assert dashboard["dashboard"]["title"] == "flight-delay"
    assert dashboard["meta"]["canEdit"] is False
    address = f"http://127.0.0.1:{up.ports['grafana']}"
    login = httpx.get(f"{address}/api/user", auth=("admin", "admin"), trust_env=False)
    assert login.status_code == 401
    asked = {"queries": [{"refId": "A", "datasource": {"uid": "prometheus"}, "expr": "up", "instant": True}]}
    answer = httpx.post(f"{address}/api/ds/query", json={**asked, "from": "now-5m", "to": "now"}, trust_env=False)
    assert answer.json()["results"]["A"]["status"] == 200


def test_a_service_that_ends_is_started_again(up):
    before = up.state("api")["StartedAt"]
    up.inside("api", "python", "-c", "import os; os.kill(1, 15)")
    wait_for(lambda: up.state("api")["StartedAt"] != before and is_ready(up))


def test_history_outlives_the_containers(up):
    up.predict()
    kept = up.history()
    up.compose("down")
    assert up.containers() == {}
    up.compose("up", "--detach")
    wait_for(lambda: is_ready(up))
    assert up.history() == kept


def test_the_extras_are_left_out_by_a_profile(up):
    up.compose("down")
    alone = Composed("--profile", "core")
    alone.compose("up", "--detach")
    wait_for(lambda: is_ready(alone))
    assert alone.containers().keys() == CORE
    assert isinstance(alone.predict(), float)
    alone.compose("down")


def test_the_environment_says_which_extras_there_are(up, monkeypatch):
    up.compose("down")
    monkeypatch.setenv("COMPOSE_PROFILES", "core")
    up.compose("up", "--no-start")
    assert up.containers().keys() == CORE


def test_nothing_is_left_once_the_volumes_go_too(up):
    up.compose("down", "--volumes")
    left = docker("volume", "ls", "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}")
    assert left == ""
    declared = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["volumes"]
    assert declared.keys() == VOLUMES
