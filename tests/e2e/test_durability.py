"""Nothing that was answered is lost, and all workers agree."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import joblib
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression


def whole_history(client):
    entries, url = [], "/model/history/?limit=1000&after=0"
    while True:
        response = client.get(url)
        page = response.json()["history"]
        if not page:
            return entries
        entries += page
        url = response.links["next"]["url"]


class Load:
    """Clients that send distinct flights until the service goes away, and keep what was answered."""

    def __init__(self, server, documented, clients):
        self.answered: dict[float, float] = {}
        self._server, self._documented = server, documented
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(clients)]

    def start(self):
        for thread in self._threads:
            thread.start()

    def wait(self):
        for thread in self._threads:
            thread.join()

    def _send(self, number):
        with self._server.client() as client:
            for count in range(100_000):
                delay = float(number) + count / 1000
                try:
                    response = client.post("/model/predict/", json=self._documented | {"dep_delay": delay})
                except httpx.TransportError:
                    return
                assert response.status_code == 200
                self.answered[delay] = response.json()["prediction"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_kill_in_the_middle_loses_no_answer(start_server, workspace, documented, workers):
    server = start_server(workspace, "--workers", workers)
    server.wait()
    load = Load(server, documented, clients=8)
    load.start()
    time.sleep(2)
    server.kill()
    load.wait()
    assert len(load.answered) > 100
    again = start_server(workspace)
    again.wait()
    with again.client() as client:
        kept = whole_history(client)
    history = {entry["input"]["dep_delay"]: entry["prediction"] for entry in kept}
    assert len(history) == len(kept)
    assert history.items() >= load.answered.items()


def test_two_workers_have_one_history(start_server, workspace, documented):
    server = start_server(workspace, "--workers", "2")
    server.wait()

    def predict(delay):
        # A client of its own, so that connections spread over the workers.
        with server.client() as client:
            return delay, client.post("/model/predict/", json=documented | {"dep_delay": delay}).json()["prediction"]

    with ThreadPoolExecutor(8) as pool:
        answers = dict(pool.map(predict, [float(delay) for delay in range(200)]))
    for _ in range(20):
        with server.client() as client:
            kept = {
                e["input"]["dep_delay"]: e["prediction"]
                for e in client.get("/model/history/?limit=1000").json()["history"]
            }
        assert kept == answers


def test_two_workers_change_models_at_the_same_answer(start_server, workspace, documented, trained):
    """Once an upload is answered, no worker answers with the model before it."""
    table = pd.DataFrame({"month": [1, 2, 3, 4], "dep_delay": [0.0, 10.0, 30.0, 5.0]})
    joblib.dump(LinearRegression().fit(table, table.dep_delay), workspace / "other.joblib", compress=3)
    server = start_server(workspace, "--workers", "2")
    server.wait()

    def version(_):
        with server.client() as client:
            return client.post("/model/predict/", json=documented).headers["X-Model-Version"]

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(version, range(50))) == {"1"}
        for path, expected in (
            (workspace / "other.joblib", "2"),
            (trained.model, "1"),
            (workspace / "other.joblib", "2"),
        ):
            with server.client() as client:
                loaded = client.post("/model/load/", files={"file": (path.name, path.read_bytes())})
            assert loaded.headers["X-Model-Version"] == expected
            assert set(pool.map(version, range(50))) == {expected}
    with server.client() as client:
        assert len(json.loads(client.get("/model/history/?limit=1000").text)["history"]) == 200


def test_two_services_that_start_at_once_share_a_new_database(start_server, workspace, documented):
    servers = [start_server(workspace) for _ in range(3)]
    for server in servers:
        server.wait()
    for server in servers:
        with server.client() as client:
            assert client.post("/model/predict/", json=documented).status_code == 200
    for server in servers:
        with server.client() as client:
            assert len(client.get("/model/history/").json()["history"]) == 3
