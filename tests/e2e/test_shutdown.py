"""A service that is told to end finishes what it accepted, and takes no more."""

import json
import os
import signal
import socket
import threading
import time

import httpx
import pytest

FLIGHT = {"month": 7, "day": 23, "sched_dep_time": 1630, "origin": "JFK", "dest": "LAX", "carrier": "DL"}
BODY = json.dumps(FLIGHT).encode()


class Load:
    """Clients that send distinct flights until they are refused, and keep what became of each."""

    def __init__(self, server, clients, *, keep_alive=True):
        self.answered: dict[float, float] = {}
        self.ended: list[str] = []
        self._server, self._keep_alive = server, keep_alive
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(clients)]
        for thread in self._threads:
            thread.start()

    def wait(self):
        for thread in self._threads:
            thread.join()

    def _send(self, number):
        headers = {} if self._keep_alive else {"Connection": "close"}
        with self._server.client() as client:
            for count in range(100_000):
                delay = float(number) + count / 1000
                try:
                    response = client.post("/model/predict/", json=FLIGHT | {"dep_delay": delay}, headers=headers)
                except httpx.TransportError as error:
                    self.ended.append(type(error).__name__)
                    return
                if response.status_code != 200:
                    self.ended.append(response.text)
                    return
                self.answered[delay] = response.json()["prediction"]


class Slow:
    """A request by hand, sent in parts."""

    def __init__(self, server, path, content_type, body):
        self.body = body
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._socket.sendall(head.encode())

    def send(self, begin, end):
        self._socket.sendall(self.body[begin:end])

    def close(self):
        self._socket.close()

    def answer(self):
        """Return the status, the headers and the body; the connection has to end with it."""
        received = b""
        while part := self._socket.recv(65536):
            received += part
        head, _, body = received.partition(b"\r\n\r\n")
        status, *headers = head.decode("latin-1").split("\r\n")
        return int(status.split()[1]), "\r\n".join(headers).lower(), body


@pytest.fixture
def slow_request():
    """Begin a request by hand; its connection is closed with the test."""
    begun = []

    def begin(server, path="/model/predict/", content_type="application/json", body=BODY):
        begun.append(Slow(server, path, content_type, body))
        return begun[-1]

    yield begin
    for one in begun:
        one.close()


def whole_history(client):
    entries, url = [], "/model/history/?limit=1000&after=0"
    while True:
        response = client.get(url)
        page = response.json()["history"]
        if not page:
            return entries
        entries += page
        url = response.links["next"]["url"]


def told_to_end(server):
    server.process.send_signal(signal.SIGTERM)
    return time.monotonic()


def has_ended(server, since, within):
    assert server.process.wait(within + 20) == 0, server.log()
    assert time.monotonic() - since < within, server.log()


def upload_of(folder):
    model = (folder / "model" / "flight_delay_model.joblib").read_bytes()
    boundary = "0123456789abcdef"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="m.joblib"\r\n\r\n'
    return f"multipart/form-data; boundary={boundary}", head.encode() + model + f"\r\n--{boundary}--\r\n".encode()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_under_load_all_that_is_accepted_is_answered_and_kept(start_server, workspace, workers):
    server = start_server(workspace, "--workers", workers)
    server.wait()
    load = Load(server, clients=12)
    time.sleep(2)
    since = told_to_end(server)
    load.wait()
    has_ended(server, since, within=5)
    # Refused is who asked after the end; nobody was cut off, or left without an answer.
    assert load.ended == ["ConnectError"] * 12
    assert len(load.answered) > 100
    again = start_server(workspace)
    again.wait()
    with again.client() as client:
        kept = whole_history(client)
    assert {entry["input"]["dep_delay"]: entry["prediction"] for entry in kept} == load.answered
    assert len(kept) == len(load.answered)


@pytest.mark.parametrize("what", ["prediction", "batch", "upload"])
def test_a_body_that_is_on_its_way_is_waited_for(start_server, slow_request, workspace, what):
    server = start_server(workspace)
    server.wait()
    path, content_type, body = {
        "prediction": ("/model/predict/", "application/json", BODY),
        "batch": ("/model/predict/batch/", "application/json", json.dumps([FLIGHT] * 5000).encode()),
        "upload": ("/model/load/", *upload_of(workspace)),
    }[what]
    slow = slow_request(server, path, content_type, body)
    slow.send(0, len(body) // 2)
    time.sleep(0.2)
    since = told_to_end(server)
    time.sleep(1)
    slow.send(len(body) // 2, len(body))
    status, headers, answer = slow.answer()
    assert status == 200, answer
    assert "connection: close" in headers
    has_ended(server, since, within=10)
    again = start_server(workspace)
    again.wait()
    with again.client() as client:
        kept = {
            "prediction": lambda: client.get("/model/history/").json()["history"],
            "batch": lambda: client.get("/model/history/batches/").json()["batches"],
            "upload": lambda: client.get("/model/deployments/").json()["deployments"][1:],
        }[what]()
    assert len(kept) == 1


def test_who_never_sends_the_rest_does_not_keep_it_from_ending(start_server, slow_request, workspace):
    server = start_server(workspace)
    server.wait()
    slow = slow_request(server)
    slow.send(0, 10)
    has_ended(server, told_to_end(server), within=15)


def test_while_it_drains_it_says_so_and_still_answers(start_server, workspace):
    server = start_server(workspace, FLIGHT_DELAY_DRAIN_S="2")
    server.wait()
    with server.client() as client:
        since = told_to_end(server)
        time.sleep(0.1)
        ready = client.get("/health/ready/", headers={"Accept-Language": "en"})
        assert (ready.status_code, ready.json()["type"]) == (503, "urn:flight-delay:problem:draining")
        assert "about to stop" in ready.json()["detail"]
        assert client.get("/health/").status_code == 200
        while time.monotonic() - since < 1.8:
            assert client.post("/model/predict/", json=FLIGHT).status_code == 200
    has_ended(server, since, within=5)
    assert time.monotonic() - since > 2


def test_a_request_on_an_idle_connection_is_still_answered_and_is_its_last(start_server, workspace):
    server = start_server(workspace)
    server.wait()
    with server.client() as client, server.client() as idle:
        for one in (client, idle):
            one.get("/health/")
        since = told_to_end(server)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:  # until it no longer listens
            try:
                socket.create_connection(("127.0.0.1", server.port)).close()
            except ConnectionRefusedError:
                break
        answer = client.post("/model/predict/", json=FLIGHT)
        assert (answer.status_code, answer.headers["connection"]) == (200, "close")
        has_ended(server, since, within=4)
        with pytest.raises(httpx.ConnectError):
            idle.get("/health/")


@pytest.mark.parametrize(("workers", "number"), [("1", signal.SIGTERM), ("2", signal.SIGTERM), ("1", signal.SIGINT)])
def test_the_same_signal_again_ends_it_at_once(start_server, slow_request, workspace, workers, number):
    server = start_server(workspace, "--workers", workers)
    server.wait()
    slow = slow_request(server)
    slow.send(0, 10)
    time.sleep(0.2)
    server.process.send_signal(number)
    time.sleep(1)
    assert server.process.poll() is None
    server.process.send_signal(number)
    assert server.process.wait(2) == -number


def test_an_interrupt_of_the_whole_group_is_one_signal(start_server, slow_request, workspace):
    """Ctrl+C reaches the workers from the terminal, and again from the process that started them."""
    server = start_server(workspace, "--workers", "2")
    server.wait()
    slow = slow_request(server)
    slow.send(0, 10)
    time.sleep(0.2)
    os.killpg(server.process.pid, signal.SIGINT)
    time.sleep(1.5)
    slow.send(10, None)
    assert slow.answer()[0] == 200
    assert server.process.wait(10) == 0
