"""Three replicas on one PostgreSQL behind a load balancer, while models change, processes die and the database dies."""

import datetime as dt
import io
import itertools
import json
import random
import shutil
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

import balancer
import httpx
import joblib
import numpy as np
import pandas as pd
import pytest
from conftest import UNTRACED, Server, free_port
from postgresql import Server as Postgresql
from sklearn.linear_model import LinearRegression

from flight_delay.flight import Flight
from flight_delay.model.convert import convert_apart

CLIENTS = 6
SPOOLED_BEHIND_S = 1.0
TODAY = dt.date(2026, 1, 1)


class Answered(NamedTuple):
    """A prediction that a client got."""

    sent: float
    received: float
    version: int
    id: int | None
    request_id: str
    dep_delay: float
    minutes: float


class Change(NamedTuple):
    """That another version was made live, between two moments."""

    begin: float
    end: float
    before: int
    after: int


class Cluster:
    """Three replicas, the database and the load balancer."""

    def __init__(self, folder, trained, start_server, **settings):
        self.database = Postgresql()
        self._settings = settings | UNTRACED | {"FLIGHT_DELAY_DATABASE_URL": self.database.new_database()}
        self._start_server = start_server
        self.replicas: list[Server] = []
        for number in range(3):
            own = folder / f"replica{number}"
            shutil.copytree(trained.model.parent, own / "model")
            self.replicas.append(start_server(own, **self._settings))
        self.port = free_port()
        self._balancer = balancer.start(folder, self.port, [replica.port for replica in self.replicas])
        for replica in self.replicas:
            replica.wait()
        self.wait()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def client(self, **options):
        return httpx.Client(base_url=self.url, timeout=60, trust_env=False, **options)

    def wait(self, seconds=30):
        """Return after how many seconds the balancer reaches a replica that is ready."""
        began = time.monotonic()
        with self.client() as client:
            while time.monotonic() - began < seconds:
                with suppress(httpx.TransportError):
                    if client.get("/health/ready/").status_code == 200:
                        return time.monotonic() - began
                time.sleep(0.02)
        raise AssertionError([replica.log() for replica in self.replicas])

    def kill_and_restart(self, number):
        dead = self.replicas[number]
        dead.kill()
        time.sleep(0.3)
        self.replicas[number] = self._start_server(dead.folder, "--port", str(dead.port), **self._settings)
        self.replicas[number].port = dead.port
        self.replicas[number].wait()

    def kill_database(self, seconds_away):
        self.database.kill()
        time.sleep(seconds_away)
        self.database.start()
        self.wait()

    def stop(self):
        self._balancer.terminate()
        self._balancer.wait(10)
        for replica in self.replicas:
            replica.stop()
        self.database.stop()


@pytest.fixture
def cluster(tmp_path, trained, start_server):
    started = []

    def start(**settings):
        started.append(Cluster(tmp_path, trained, start_server, **settings))
        return started[0]

    yield start
    for one in started:
        one.stop()


@pytest.fixture(scope="module")
def other():
    """Another model of ten fields: a file, and what it is converted to."""
    numbers = np.random.default_rng(2013)
    table = pd.DataFrame({"month": numbers.integers(1, 13, 500), "dep_delay": numbers.normal(10, 30, 500)})
    table["carrier_DL"] = numbers.integers(0, 2, 500)
    file = io.BytesIO()
    joblib.dump(LinearRegression().fit(table, 1000 + table.dep_delay + 5 * table.carrier_DL), file)
    return file.getvalue(), convert_apart(file, "other.joblib").model


class Load:
    """Clients that ask of distinct flights, and keep what they are answered."""

    def __init__(self, cluster, documented, expected):
        self.answered: list[Answered] = []
        self.refused: Counter[str] = Counter()
        self.wrong: list[Answered] = []
        self._cluster, self._documented, self._expected = cluster, documented, expected
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(CLIENTS)
        self._running = [self._pool.submit(self._ask, client) for client in range(CLIENTS)]

    def stop(self):
        self._stopped.set()
        for one in self._running:
            one.result()
        self._pool.shutdown()

    def _ask(self, number):
        with self._cluster.client() as client:
            for count in itertools.count():
                if self._stopped.is_set():
                    return
                self._predict(client, number * 500 + count / 1000, f"client-{number}-{count}")

    def _predict(self, client, dep_delay, request_id):
        flight = self._documented | {"dep_delay": dep_delay, "year": 2013}
        sent = time.monotonic()
        try:
            response = client.post("/model/predict/", json=flight, headers={"X-Request-Id": request_id})
        except httpx.TransportError as error:
            self.refused[type(error).__name__] += 1
            return
        if response.status_code != 200:
            self.refused[str(response.status_code)] += 1
            time.sleep(0.02)
            return
        headers = response.headers
        version, prediction_id = int(headers["X-Model-Version"]), headers.get("X-Prediction-Id")
        answered = Answered(
            sent, time.monotonic(), version, prediction_id and int(prediction_id), request_id, dep_delay,
            response.json()["prediction"],
        )  # fmt: skip
        self.answered.append(answered)
        if answered.minutes != self._expected(version, flight):
            self.wrong.append(answered)


def expectations(artifact, other):
    """Return what each version answers to a flight: version 1 is the trained one, 2 the other."""

    def expected(version, flight):
        asked = Flight.model_validate(flight)
        return artifact.answer(asked, TODAY).minutes if version == 1 else other.answer(asked, TODAY)

    return expected


def change_models(cluster, changes, log):
    """Promote and roll back in turns; where an answer is lost, look what became of it."""
    versions = itertools.cycle([2, 1])
    with cluster.client() as client:
        for number in range(changes):
            before, after = 3 - (wanted := next(versions)), wanted
            begin = time.monotonic()
            way = f"/model/versions/{after}/promote/" if after == 2 else "/model/rollback/"
            while True:
                try:
                    response = client.post(way)
                    if response.status_code == 200:
                        assert response.json()["version"] == after
                        break
                    live = client.get("/model/")
                    if live.status_code == 200 and live.json()["version"] == after:
                        break
                except httpx.TransportError:
                    pass
                time.sleep(0.05)
            log.append(Change(begin, time.monotonic(), before, after))
            time.sleep(0.05 + 0.1 * random.Random(number).random())


def may_answer(answered, changes):
    """Return the versions that were live at some moment between a question and its answer.

    One that was spooled was answered by a replica that did not know yet that the database is back: within a second.
    """
    versions, since = {1}, answered.sent - (SPOOLED_BEHIND_S if answered.id is None else 0.0)
    for change in changes:
        if change.end <= since:
            versions = {change.after}
        elif change.begin <= answered.received:
            versions |= {change.before, change.after}
    return versions


def history_of(client):
    with client.stream("GET", "/model/history/", headers={"Accept": "application/x-ndjson"}) as response:
        return [json.loads(line) for line in response.iter_lines()]


def check(load, changes, history):
    assert load.wrong == [], "an answer is not that of the version that it names"
    assert [one for one in load.answered if one.version not in may_answer(one, changes)] == []
    assert len({entry["id"] for entry in history}) == len(history)
    by_request = Counter(entry["request_id"] for entry in history)
    kept = {entry["request_id"]: entry for entry in history}
    for answered in load.answered:
        assert by_request[answered.request_id] == 1, answered
        entry = kept[answered.request_id]
        assert (entry["prediction"], entry["model_version"]) == (answered.minutes, answered.version)
        assert answered.id in {None, entry["id"]}


def upload_other(cluster, content):
    with cluster.client() as client:
        response = client.post("/model/load/?promote=false", files={"file": ("other.joblib", content)})
        assert response.status_code == 200, response.text
        assert response.headers["Location"] == "/model/versions/2/"


def test_every_replica_follows_a_promotion_within_a_second(cluster, documented, other):
    running = cluster()
    upload_other(running, other[0])
    with running.client() as client:
        for version in (2, 1, 2):
            assert client.post(f"/model/versions/{version}/promote/").status_code == 200
            promoted = time.monotonic()
            for replica in running.replicas:
                with replica.client() as own:
                    answer = own.post("/model/predict/", json=documented)
                    assert answer.headers["X-Model-Version"] == str(version)
                    assert own.get("/health/ready/").json()["model_version"] == version
            assert time.monotonic() - promoted < 1.0


def test_a_replica_without_a_model_is_not_ready(documented, start_server, tmp_path):
    """One that starts with neither a model of its own nor one in the database is not ready."""
    (tmp_path / "empty").mkdir()
    postgresql = Postgresql()
    server = start_server(tmp_path / "empty", FLIGHT_DELAY_DATABASE_URL=postgresql.new_database())
    server.wait("/health/")
    with server.client() as client:
        assert client.get("/health/ready/").status_code == 503
        assert client.post("/model/predict/", json=documented).status_code == 503
    server.stop()
    postgresql.stop()


@pytest.mark.parametrize(("when_away", "count", "kills"), [("refuse", 50, 3), ("spool", 15, 1)])
def test_models_change_under_load_while_processes_and_the_database_are_killed(
    cluster, documented, artifact, other, when_away, count, kills
):
    running = cluster(FLIGHT_DELAY_WHEN_AWAY=when_away)
    upload_other(running, other[0])
    changes: list[Change] = []
    load = Load(running, documented, expectations(artifact, other[1]))
    changing = threading.Thread(target=change_models, args=(running, count, changes))
    changing.start()
    time.sleep(1)
    for number in range(kills):
        running.kill_and_restart(number)
        time.sleep(0.5)
        running.kill_database(seconds_away=1.0)
        time.sleep(0.5)
    changing.join()
    load.stop()
    recovered = running.wait()
    with running.client() as client:
        assert client.get("/model/").json()["version"] == changes[-1].after
        assert len(client.get("/model/deployments/").json()["deployments"]) > count
        history = _settled(client, load) if when_away == "spool" else history_of(client)
    print(f"{when_away}: {len(load.answered)} answered, refused {dict(load.refused)}, back after {recovered:.2f} s")
    assert len(load.answered) > 500
    check(load, changes, history)


def _settled(client, load):
    """Return the history once all that was spooled has been taken up, for which there are some seconds."""
    asked = {answered.request_id for answered in load.answered}
    for _ in range(100):
        history = history_of(client)
        if asked <= {entry["request_id"] for entry in history}:
            break
        time.sleep(0.2)
    return history
