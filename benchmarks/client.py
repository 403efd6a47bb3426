"""Many clients at once in one thread: raw sockets, each client waits for its answer, every answer is checked.

It takes no more of the processor than wrk does: nearly all of it goes to the kernel, in both.
"""

from __future__ import annotations

import contextlib
import math
import select
import socket
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

DRAIN_S = 120
_LENGTH = b"\r\ncontent-length: "
_CHUNKED = b"\r\ntransfer-encoding: chunked"


class Load(NamedTuple):
    """What a load met with.

    Attributes
    ----------
    rate : right answers a second, from the first request to the last answer
    refused : answers 503 with Retry-After, a second
    p50_ms, p99_ms : from before a request is sent to when its right answer is there
    answers : how many there were
    client_us : CPU time of the client for each answer
    """

    rate: float
    refused: float
    p50_ms: float
    p99_ms: float
    answers: int
    client_us: float


class Answer(NamedTuple):
    """One answer as it came; times by the clock of `time.perf_counter`."""

    number: int
    sent: float
    came: float
    raw: bytes


class WrongAnswer(Exception):
    """An answer that is neither right nor a refusal; the measurement is worth nothing."""


def post(path: str, body: bytes) -> bytes:
    """Return the bytes of a request."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def measure(
    ports: Sequence[int],
    clients: int,
    requests: Sequence[bytes],
    is_right: Callable[[int, bytes], bool],
    seconds: float,
) -> Load:
    """Send requests for some seconds, the clients shared out among the ports; wait for all answers.

    `is_right` is told which request it was, and the body that came. Raises `WrongAnswer`.
    """
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_connection(("127.0.0.1", ports[number % len(ports)])))
            for number in range(clients)
        ]
        cpu, started = time.process_time(), time.perf_counter()
        answers = _exchange(sockets, requests, started + seconds)
        cpu = time.process_time() - cpu
    right, refused = [], 0
    for answer in answers:
        head, _, rest = answer.raw.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 503") and b"\r\nretry-after: " in head:
            refused += 1
        elif head.startswith(b"HTTP/1.1 200") and is_right(answer.number, _body(head, rest)):
            right.append(answer)
        else:
            raise WrongAnswer(f"request {answer.number}: {answer.raw[:2000].decode(errors='replace')}")
    times = sorted(answer.came - answer.sent for answer in right)
    took = answers[-1].came - started
    return Load(
        rate=len(right) / took,
        refused=refused / took,
        p50_ms=percentile(times, 50) * 1e3,
        p99_ms=percentile(times, 99) * 1e3,
        answers=len(answers),
        client_us=cpu / len(answers) * 1e6,
    )


def _exchange(sockets: Sequence[socket.socket], requests: Sequence[bytes], until: float) -> list[Answer]:
    """Send until a time, and return all answers in the order in which they came."""
    clock, count, many = time.perf_counter, 0, len(requests)
    answers: list[Answer] = []
    sent: dict[int, tuple[int, float]] = {}
    halves: dict[int, bytes] = {}
    by_number = {one.fileno(): one for one in sockets}
    with select.epoll() as ready:
        for file, one in by_number.items():
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ready.register(file, select.EPOLLIN)
            sent[file] = (count % many, clock())
            one.sendall(requests[count % many])
            count += 1
        while sent:
            for file, _ in ready.poll(1):
                one = by_number[file]
                received = one.recv(65536)
                came = clock()
                if not received:
                    raise WrongAnswer("the server closed the connection of a request that it had not answered")
                if file in halves:
                    received = halves.pop(file) + received
                if not _is_whole(received):
                    halves[file] = received
                    continue
                number, at = sent.pop(file)
                answers.append(Answer(number, at, came, received))
                if came > until:
                    ready.unregister(file)  # a server may close a connection that asks no more
                    continue
                sent[file] = (count % many, clock())
                one.sendall(requests[count % many])
                count += 1
            if clock() > until + DRAIN_S:
                raise WrongAnswer(f"{len(sent)} requests had no answer in {DRAIN_S} s")
    return answers


def _is_whole(received: bytes) -> bool:
    """Whether an answer is all there."""
    head = received.find(b"\r\n\r\n")
    if head < 0:
        return False
    if (at := received.find(_LENGTH, 0, head)) < 0:
        assert _CHUNKED in received[:head], received
        return received.endswith(b"\r\n0\r\n\r\n")
    return len(received) >= head + 4 + int(received[at + len(_LENGTH) : received.find(b"\r", at + 2)])


def _body(head: bytes, rest: bytes) -> bytes:
    """Return an answer's body, its chunks put together."""
    if _CHUNKED not in head:
        return rest
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body += rest[: int(size, 16)]
        rest = rest[int(size, 16) + 2 :]
    return body


def percentile(ascending: Sequence[float], percent: float) -> float:
    """Return the least value that so many percent do not exceed; NaN of none."""
    if not ascending:
        return math.nan
    return ascending[max(math.ceil(len(ascending) * percent / 100) - 1, 0)]
