"""Connections that keep a server waiting, on real sockets, with times of fractions of a second."""

import asyncio
import select
import socket
import struct
import threading
import time
from contextlib import ExitStack, contextmanager, suppress

import pytest
import uvicorn
from wire import HEALTH, Received, ask, ask_last, connect, head

from flight_delay.api import connection
from flight_delay.api.connection import Connection

LARGE = 20_000_000


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    """All limits in seconds are tenths of what they are, or less."""
    monkeypatch.setattr(connection, "_LOOK_S", 0.02)
    monkeypatch.setattr(connection, "HEAD_S", 0.4)
    monkeypatch.setattr(connection, "DRAIN_S", 0.4)
    monkeypatch.setattr(connection, "CLOSE_S", 0.4)


@contextmanager
def serving(app, **settings):
    """Serve in a thread; give the port."""
    config = uvicorn.Config(app, http=Connection, ws="none", lifespan="off", log_config=None, **settings)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(10)


async def answer(_, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


async def answer_much(_, __, send):
    headers = [(b"content-length", b"%d" % LARGE), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": bytes(LARGE)})


@pytest.fixture
def port():
    with serving(answer, timeout_keep_alive=0.2) as port:
        yield port


def end_of(client):
    """Return what still comes, and after how many seconds the connection ends."""
    started = time.monotonic()
    received = Received(client)
    answers = []
    while (one := received.next()) is not None:
        answers.append(one)
    return [one.problem for one in answers], time.monotonic() - started


class TestWaiting:
    def test_who_says_nothing_is_not_answered(self, port):
        with connect(port) as client:
            said, seconds = end_of(client)
        assert said == []
        assert 0.3 < seconds < 2

    def test_half_a_head(self, port):
        with connect(port) as client:
            client.sendall(HEALTH[:-2])
            said, seconds = end_of(client)
        assert said == ["head-too-slow"]
        assert 0.3 < seconds < 2

    def test_a_head_that_comes_byte_by_byte(self, port):
        with connect(port) as client:
            started = time.monotonic()
            client.settimeout(0.05)
            received = Received(client)
            for byte in HEALTH * 10:
                client.sendall(bytes([byte]))
                try:
                    one = received.next()
                except TimeoutError:
                    continue
                assert one.problem == "head-too-slow"
                assert 0.3 < time.monotonic() - started < 2
                return
        raise AssertionError("it was waited for")

    def test_who_asks_nothing_more_is_let_go(self, port):
        with connect(port) as client:
            client.sendall(HEALTH)
            assert Received(client).next().status == 200
            said, seconds = end_of(client)
        assert said == []
        assert 0.1 < seconds < 2

    def test_half_a_head_after_a_request(self, port):
        with connect(port) as client:
            client.sendall(HEALTH + HEALTH[:9])
            assert Received(client).next().status == 200
            assert end_of(client)[0] == ["head-too-slow"]

    def test_who_asks_again_and_again_may_stay(self, port):
        with connect(port) as client:
            received = Received(client)
            for _ in range(20):
                client.sendall(HEALTH)
                assert received.next().status == 200
                time.sleep(0.05)

    def test_an_answer_that_takes_its_time_is_waited_for(self):
        async def slow(scope, receive, send):
            await asyncio.sleep(1)
            await answer(scope, receive, send)

        with serving(slow) as port:
            assert ask(port, HEALTH).status == 200


class TestReading:
    @pytest.mark.parametrize("fields", [[], [b"Connection: close"]])
    def test_who_does_not_take_the_answer_is_dropped(self, fields):
        with serving(answer_much) as port, connect(port) as client:
            client.sendall(head(b"GET", b"/", *fields))
            time.sleep(1)
            taken = 0
            with suppress(ConnectionError):
                while some := client.recv(2**16):
                    taken += len(some)
        assert taken < LARGE

    def test_who_takes_it_slowly_gets_it_whole(self):
        async def stream(_, __, send):
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"8000000")]})
            for _ in range(80):
                await send({"type": "http.response.body", "body": bytes(100_000), "more_body": True})
            await send({"type": "http.response.body"})

        with serving(stream) as port, connect(port) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
            client.sendall(head(b"GET", b"/", b"Connection: close"))
            taken = 0
            while some := client.recv(200_000):
                taken += len(some)
                time.sleep(0.02)
        assert taken > 8_000_000

    def test_an_answer_that_others_wait_behind_is_told_that_the_client_left(self):
        left = threading.Event()

        async def wait(_, receive, __):
            while (await receive())["type"] != "http.disconnect":
                pass
            left.set()

        with serving(wait) as port:
            with connect(port) as client:
                client.sendall(HEALTH * 2)
                time.sleep(0.1)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            assert left.wait(5)


class TestMany:
    def test_there_is_room_for_so_many_and_again_when_some_have_left(self):
        with serving(answer, limit_concurrency=20) as port:
            held = [connect(port) for _ in range(20)]
            for client in held:
                client.sendall(HEALTH)
                assert Received(client).next().status == 200
            refused = ask_last(port, b"")
            assert (refused.problem, refused.headers["retry-after"]) == ("too-many-connections", "1")
            for client in held:
                client.close()
            time.sleep(0.1)
            assert ask(port, HEALTH).status == 200

    def test_where_there_is_hardly_room_nobody_may_stay_without_asking(self):
        with serving(answer, limit_concurrency=20, timeout_keep_alive=60) as port:
            few = [connect(port) for _ in range(10)]
            time.sleep(0.2)
            for client in few:
                client.sendall(HEALTH)
                assert Received(client).next().status == 200
            with ExitStack() as many:
                for client in few:
                    many.enter_context(client)
                for _ in range(200):
                    many.enter_context(connect(port))
                    if select.select(few, [], [], 0.02)[0]:
                        break
                assert all(end_of(client)[1] < 3 for client in few)

    def test_more_requests_at_once_than_are_answered(self, port):
        *answers, last = ask_last(port, HEALTH * 150, 102)
        assert {one.status for one in answers} == {200}
        assert last.problem == "too-many-at-once"

    def test_no_limit_but_that_of_open_files(self):
        with serving(answer) as port:
            assert ask(port, HEALTH).status == 200
