"""HTTP by hand: any bytes to a socket, and what comes back."""

import json
import socket
import time
from contextlib import suppress
from typing import NamedTuple

from conftest import DOCUMENTED

PREDICT = b"/model/predict/"
FLIGHT = json.dumps(DOCUMENTED).encode()
HEALTH = b"GET /health/ HTTP/1.1\r\nHost: x\r\n\r\n"


class Answer(NamedTuple):
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self):
        return json.loads(self.body)

    @property
    def problem(self):
        """What kind of problem it is; it must be one."""
        assert self.headers["content-type"] == "application/problem+json", self
        assert self.json()["status"] == self.status
        return self.json()["type"].rpartition(":")[2]

    @property
    def fields(self):
        """The fields that are refused, each with its value."""
        assert self.problem == "invalid-fields", self
        return [(error["field"], error["value"]) for error in self.json()["errors"]]


def head(method=b"POST", path=PREDICT, *fields, version=b"1.1"):
    """Return the head of a request."""
    return b"\r\n".join([b"%s %s HTTP/%s" % (method, path, version), b"Host: x", *fields, b"", b""])


def post(body=FLIGHT, *fields, path=PREDICT):
    """Return a request with a body."""
    return head(b"POST", path, b"Content-Length: %d" % len(body), *fields) + body


def post_chunks(*chunks, path=PREDICT):
    """Return a request with a body in chunks."""
    framed = [b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b"")]
    return head(b"POST", path, b"Transfer-Encoding: chunked") + b"".join(framed)


def connect(port, source="127.0.0.1", seconds=20):
    """Return a connection to a service."""
    return socket.create_connection(("127.0.0.1", port), seconds, (source, 0))


def ask(port, sent, answers=1, *, has_body=True):
    """Return the answers to what was sent, of which there must be so many, and then no end of the connection."""
    with connect(port) as connection:
        send(connection, sent)
        received = Received(connection, has_body=has_body)
        found = [received.next() for _ in range(answers)]
        connection.settimeout(0.1)
        with suppress(TimeoutError):
            assert connection.recv(1) == b"more", "the connection was closed, or more came than was expected"
        assert not received.rest
        return found if answers != 1 else found[0]


def ask_last(port, sent, answers=1, *, ends=False):
    """Return the answers to what was sent, of which there must be so many, and then the end of the connection.

    With `ends` the client says that it sends nothing more.
    """
    with connect(port) as connection:
        send(connection, sent)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        received = Received(connection)
        found = [received.next() for _ in range(answers)]
        assert received.next() is None, "one answer more than was expected"
        return found if answers != 1 else found[0]


def send(connection, sent):
    """Send all, or as much as is taken."""
    with suppress(ConnectionError):
        connection.sendall(sent)


class Received:
    """What comes from a connection, one answer after the other."""

    def __init__(self, connection, *, has_body=True):
        self._connection = connection
        self._has_body = has_body
        self.rest = b""

    def next(self):
        """Return the next answer, or None where the connection ends before it."""
        while b"\r\n\r\n" not in self.rest:
            if not self._more():
                assert not self.rest, self.rest
                return None
        start, _, self.rest = self.rest.partition(b"\r\n\r\n")
        status, *lines = start.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers.get("content-length", 0)) if self._has_body else 0
        while len(self.rest) < length:
            assert self._more(), "the connection ends within an answer"
        body, self.rest = self.rest[:length], self.rest[length:]
        return Answer(int(status.split()[1]), headers, body)

    def _more(self):
        try:
            some = self._connection.recv(2**16)
        except ConnectionError:
            return False
        self.rest += some
        return bool(some)


def seconds_to_answer(port):
    """Return in how many seconds a flight is answered, on a connection of its own."""
    started = time.perf_counter()
    assert ask_last(port, post(FLIGHT, b"Connection: close")).status == 200
    return time.perf_counter() - started
