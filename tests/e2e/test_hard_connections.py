"""Connections that are slow, broken off, or too many: a flight is answered beside them in the usual time."""

import resource
import socket
import struct
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from watched import MEGABYTE, memory
from wire import FLIGHT, HEALTH, PREDICT, Received, ask, ask_last, connect, head, post, seconds_to_answer

MANY = 10_000
SOON_S = 8
"""Sooner than anything that waits comes to its end: who answers in it is not stuck, however slow the machine."""
SOURCES = [f"127.0.0.{number}" for number in range(2, 12)]
"""An address has less than 30,000 ports, of which some are in use for a minute after their connection."""


@pytest.fixture(autouse=True)
def port(shared_server):
    """Where the service is; after each test it answers as before, and has failed at nothing."""
    yield shared_server.port
    assert seconds_to_answer(shared_server.port) < SOON_S
    assert "Traceback" not in shared_server.log()


@contextmanager
def open_files(most):
    """Let this process open more files."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < most:
        pytest.skip(f"this process may open {before[1]} files, of which {most} are needed (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(most, before[0]), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def files(server):
    """Return how many files a service has open."""
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def wait_until(holds, seconds=30):
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < seconds
        time.sleep(0.05)


class TestSlow:
    def test_heads_and_bodies_that_do_not_come(self, port):
        with ExitStack() as held:
            silent, in_head, in_body = (
                [held.enter_context(connect(port, seconds=30)) for _ in range(100)] for _ in range(3)
            )
            started = time.monotonic()
            for client in in_head:
                client.sendall(HEALTH[:-2])
            for client in in_body:
                client.sendall(post()[:-20])
            while time.monotonic() - started < 14:
                assert seconds_to_answer(port) < SOON_S
                # A byte at a time is no faster.
                in_head[0].send(b"") if time.monotonic() - started > 9 else in_head[0].sendall(b"A")
                time.sleep(0.2)
            for client in silent:
                assert Received(client).next() is None
            for client in in_head:
                received = Received(client)
                assert received.next().problem == "head-too-slow"
                assert received.next() is None
            for client in in_body:
                client.sendall(post()[-20:])
                assert Received(client).next().status == 200

    @pytest.mark.parametrize(
        "sent", [HEALTH[:-9], post()[:-9], post() * 20, b"\x00"], ids=["head", "body", "answers", "junk"]
    )
    def test_who_leaves_in_the_middle(self, port, shared_server, sent):
        before = files(shared_server)
        for number in range(200):
            with connect(port) as client:
                client.sendall(sent)
                if number % 2:  # as one that breaks down, not as one that says good-bye
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wait_until(lambda: files(shared_server) <= before + 2)

    def test_answers_that_nobody_reads(self, port, shared_server):
        before = memory(shared_server)
        with ExitStack() as held:
            for _ in range(30):
                client = held.enter_context(connect(port))
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.sendall(head(b"GET", b"/openapi.json") * 90)
            assert seconds_to_answer(port) < SOON_S
            assert memory(shared_server) < before + 100 * MEGABYTE


def served(port):
    """Return a connection that there is room for; one that has just been closed may still take some."""
    for _ in range(20):
        client = connect(port)
        client.sendall(HEALTH)
        if Received(client).next().status == 200:
            return client
        client.close()
        time.sleep(0.1)
    raise AssertionError("there is no room")


class TestMany:
    def test_ten_thousand_idle_connections(self, port, shared_server):
        before = memory(shared_server)
        with open_files(MANY + 500), ExitStack() as held:
            opened = time.monotonic()
            for number in range(MANY):
                held.enter_context(connect(port, SOURCES[number % len(SOURCES)]))
            wait_until(lambda: files(shared_server) > MANY or time.monotonic() - opened > 9)
            if time.monotonic() - opened > 9:
                pytest.skip("this machine takes so long to open them that the first are let go before the last is open")
            assert sorted(seconds_to_answer(port) for _ in range(100))[90] < 1
            assert memory(shared_server) < before + 100 * MEGABYTE
        wait_until(lambda: files(shared_server) < 200)

    def test_more_than_there_is_room_for(self, start_server, workspace):
        server = start_server(workspace, FLIGHT_DELAY_MAX_CONNECTIONS="50")
        server.wait()
        with ExitStack() as held:
            for _ in range(50):
                client = held.enter_context(served(server.port))
            refused = ask_last(server.port, b"", 1)
            assert (refused.status, refused.problem) == (503, "too-many-connections")
            assert refused.headers["retry-after"]
            client.sendall(post())
            assert Received(client).next().status == 200
        server.wait_for_words("turned away")
        assert seconds_to_answer(server.port) < SOON_S

    def test_more_files_than_it_may_open(self, start_server, workspace):
        server = start_server(workspace)
        server.wait()
        with closing(connect(server.port)) as kept:
            kept.sendall(post())
            received = Received(kept)
            assert received.next().status == 200
            before = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (files(server) + 3, before[1]))
            with ExitStack() as held:
                for _ in range(20):
                    client = held.enter_context(connect(server.port))
                    client.sendall(b"")
                for _ in range(100):
                    kept.sendall(post())
                    assert received.next().status == 200
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, before)
        wait_until(lambda: ask_or_none(server.port) == 200)


def ask_or_none(port):
    try:
        return ask(port, post(FLIGHT, path=PREDICT)).status
    except (AssertionError, AttributeError, ConnectionError):
        return None
