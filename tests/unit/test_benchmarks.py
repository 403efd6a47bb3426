"""What the benchmarks' figures are made of: the client that checks every answer, and the arithmetic of their page."""

import contextlib
import math
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent.parent / "benchmarks"))
import chart
import client
import figures


@pytest.fixture
def answering():
    """Serve one connection with some bytes for each request, cut into pieces; return its port."""
    with contextlib.ExitStack() as stack:

        def serve(pieces, after_s=0.0, close_after_s=None):
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def run():
                connection, _ = listening.accept()
                with connection:
                    connection.settimeout(close_after_s)
                    with contextlib.suppress(TimeoutError):
                        while connection.recv(65536):
                            time.sleep(after_s)
                            for piece in pieces:
                                connection.sendall(piece)

            threading.Thread(target=run, daemon=True).start()
            return listening.getsockname()[1]

        yield serve


def ask(port, is_right=lambda _, body: body == b"[1]"):
    return client.measure([port], 1, [client.post("/", b"{}")], is_right, 0.05)


@pytest.mark.parametrize(
    "pieces",
    [
        [b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n[1]"],
        [b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nx: y\r\n", b"\r\n[1", b"]"],
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n[\r\n2\r\n1]\r\n", b"0\r\n\r\n"],
    ],
)
def test_an_answer_is_put_together_of_what_comes(answering, pieces):
    load = ask(answering(pieces))
    assert load.rate > 0
    assert load.refused == 0
    assert load.answers >= 1
    assert 0 < load.p50_ms <= load.p99_ms


def test_a_server_may_close_a_connection_that_asks_no_more(answering):
    whole = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n[1]"
    slow, quick = (
        answering([whole], after_s=0.5),
        answering([whole], close_after_s=0.2),
    )
    load = client.measure([slow, quick], 2, [client.post("/", b"{}")], lambda _, body: body == b"[1]", 0.05)
    assert load.answers >= 2


def test_a_refusal_is_counted_apart(answering):
    load = ask(answering([b"HTTP/1.1 503 Busy\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"]))
    assert load.rate == 0
    assert load.refused > 0
    assert math.isnan(load.p99_ms)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n[2]",
        b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 500 Broken\r\ncontent-length: 3\r\n\r\n[1]",
    ],
)
def test_a_wrong_answer_ends_the_measurement(answering, answer):
    with pytest.raises(client.WrongAnswer):
        ask(answering([answer]))


@pytest.mark.parametrize(
    ("values", "percent", "found"), [([1, 2, 3, 4], 50, 2), ([1, 2, 3, 4], 99, 4), ([7], 50, 7), (range(100), 99, 98)]
)
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(values, percent, found):
    assert client.percentile(values, percent) == found


def test_a_ratio_is_formed_within_each_turn():
    ours, constant = [{"rate": 50}, {"rate": 30}, {"rate": 45}], [{"rate": 100}, {"rate": 50}, {"rate": 100}]
    assert figures.ratios(ours, constant) == [0.5, 0.6, 0.45]
    assert figures.spread([0.5, 0.6, 0.45]) == "0.50 [0.45 to 0.60]"
    assert figures.best(ours, [{"rate": 40}] * 3) == [{"rate": 50}, {"rate": 40}, {"rate": 45}]


def test_two_processes_are_compared_with_one_held_alike():
    loads = {"held 1": [{"rate": 100}], "held 2": [{"rate": 190}]}
    assert list(figures.of_two_processes({"share": 0.25, "loads": loads}).values()) == [[1.9]]


def test_the_longest_bar_is_the_greatest_value():
    drawn = chart.bars("Rates", {"slow & old": 10, "fast": 1000}, "fast")
    assert "slow &amp; old" in drawn
    assert drawn.index("1,000") < drawn.index(">10<")
