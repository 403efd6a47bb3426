"""Clients that ask the service all the while, and an account of what became of each request."""

from __future__ import annotations

import http.client
import json
import math
import threading
import time
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from cluster import NODE, PORT

CLIENTS = 8
PAUSE_S = 0.02
"""Between an answer and the next request of a client: enough for some 300 requests a second of all."""
REQUESTS_ON_A_CONNECTION = 50
PATIENCE_S = 15
QUIET_S = 4
_URL = f"http://{NODE}:{PORT}"
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Asked(NamedTuple):
    """A request, and what came of it.

    Attributes
    ----------
    number : which flight was asked about
    sent, ended : by `time.monotonic`
    outcome : answered, refused, unanswered or wrong
    id, version, minutes : of an answer
    told : of what was no answer, why
    """

    number: int
    sent: float
    ended: float
    outcome: str
    id: int = 0
    version: int = 0
    minutes: float = math.nan
    told: str = ""


@dataclass
class Account:
    """What became of the requests of a drill; `recovery_s` is from the end of the fault to the last that failed."""

    answered: int
    refused: int
    unanswered: int
    wrong: int
    lost: int
    recovery_s: float
    told: dict[str, int] = field(default_factory=dict)


def fetch(path: str, accept: str = "application/json") -> str:
    """Return what the service answers."""
    request = urllib.request.Request(_URL + path, headers={"Accept": accept})
    with _opener.open(request, timeout=60) as answer:
        return str(answer.read().decode())


def live_version() -> int:
    """Return the version of the model that answers."""
    return int(json.loads(fetch("/health/ready/"))["model_version"])


def history(after: int = 0) -> dict[int, dict[str, Any]]:
    """Return the predictions that are kept, by their ids."""
    lines = fetch(f"/model/history/?after={after}", "application/x-ndjson").splitlines()
    return {row["id"]: row for row in map(json.loads, lines)}


class Load:
    """Asks for the length of a block; every answer is held against what the model of its version is known to answer."""

    def __init__(self, flights: Sequence[dict[str, Any]], right: Mapping[int, Sequence[float]]) -> None:
        self._flights, self._right = flights, right
        self._bodies = [json.dumps(flight) for flight in flights]
        self._asked: list[Asked] = []
        self._ends = threading.Event()
        self._pool = ThreadPoolExecutor(CLIENTS)
        self._clients: list[Future[None]] = []

    def __enter__(self) -> Self:
        self._before = max(history(), default=0)
        self._clients = [self._pool.submit(self._ask, number) for number in range(CLIENTS)]
        try:
            self.wait_for_quiet()
        except BaseException:
            self._ends.set()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._pool.shutdown()
        self._raise_of_clients()

    def _raise_of_clients(self) -> None:
        """Raise what ended a client: an answer that it could not even judge."""
        for client in self._clients:
            if client.done():
                client.result()

    def wait_for_quiet(self, seconds: float = 240) -> None:
        """Wait until every request has been answered for a while."""
        begun = time.monotonic()
        while True:
            time.sleep(0.1)
            self._raise_of_clients()
            now, seen = time.monotonic(), list(self._asked)
            failed = max((one.ended for one in seen if one.outcome != "answered"), default=begun)
            answered = max((one.ended for one in seen if one.outcome == "answered"), default=-math.inf)
            if now - max(failed, begun) > QUIET_S and now - answered < 1:
                return
            assert now - begun < seconds, f"no recovery in {seconds:.0f} s: {seen[-1:]}"

    def answered_since(self, moment: float) -> list[Asked]:
        """Return the answers to what was asked after a moment."""
        return [one for one in list(self._asked) if one.sent > moment and one.outcome == "answered"]

    def account(self, mended: float) -> Account:
        """Hold what was answered against the history; the fault ended at `mended`."""
        asked = list(self._asked)
        kept = history(self._before)
        answers = [one for one in asked if one.outcome == "answered"]
        assert len({one.id for one in answers}) == len(answers), "an id was given twice"
        told: dict[str, int] = {}
        for one in asked:
            if one.told:
                told[one.told] = told.get(one.told, 0) + 1
        count = {name: sum(one.outcome == name for one in asked) for name in ("refused", "unanswered", "wrong")}
        failed = [one.ended for one in asked if one.outcome != "answered"]
        return Account(
            answered=len(answers),
            lost=sum(not self._is_kept(one, kept) for one in answers),
            recovery_s=max([0.0, *(ended - mended for ended in failed)]),
            told=told,
            **count,
        )

    def _is_kept(self, one: Asked, kept: Mapping[int, dict[str, Any]]) -> bool:
        """Whether the history has an answer as it was given."""
        row = kept.get(one.id)
        return row is not None and row["prediction"] == one.minutes and row["input"] == self._flights[one.number]

    def _ask(self, client: int) -> None:
        """Be one client."""
        connection = http.client.HTTPConnection(NODE, PORT, timeout=PATIENCE_S)
        turn = 0
        while not self._ends.wait(PAUSE_S):
            number = (client + turn * CLIENTS) % len(self._bodies)
            one = self._one(connection, number)
            self._asked.append(one)
            turn += 1
            if one.outcome != "answered" or turn % REQUESTS_ON_A_CONNECTION == 0:
                connection.close()
        connection.close()

    def _one(self, connection: http.client.HTTPConnection, number: int) -> Asked:
        sent = time.monotonic()
        try:
            connection.request("POST", "/model/predict/", self._bodies[number], {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
        except ConnectionRefusedError as error:  # no replica is ready: nothing was sent
            return Asked(number, sent, time.monotonic(), "refused", told=type(error).__name__)
        except (OSError, http.client.HTTPException) as error:
            return Asked(number, sent, time.monotonic(), "unanswered", told=type(error).__name__)
        ended = time.monotonic()
        if answer.status == http.HTTPStatus.SERVICE_UNAVAILABLE and answer.getheader("Retry-After"):
            return Asked(number, sent, ended, "refused", told="503 " + json.loads(content)["type"].rpartition("/")[2])
        if answer.status != http.HTTPStatus.OK:
            return Asked(number, sent, ended, "wrong", told=f"{answer.status} {content[:300]!r}")
        version, minutes = int(answer.headers["X-Model-Version"]), json.loads(content)["prediction"]
        is_right = math.isclose(minutes, self._right[version][number], rel_tol=1e-9)
        told = "" if is_right else f"{minutes} by version {version}, not {self._right[version][number]}"
        return Asked(
            number,
            sent,
            ended,
            "answered" if is_right else "wrong",
            int(answer.headers["X-Prediction-Id"]),
            version,
            minutes,
            told,
        )
