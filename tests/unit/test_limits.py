"""So many requests a minute for each caller, and no more."""

import asyncio
import datetime as dt
import json

import pytest

from flight_delay.api import limits
from flight_delay.api.access import Access
from flight_delay.api.errors import ProblemError
from flight_delay.api.limits import Limits, is_limited
from flight_delay.store import keys
from flight_delay.store.database import Lasting, database_at, opened
from flight_delay.store.keys import Scope


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """A clock that is moved by hand: `clock[0]` is what it shows, in seconds."""
    shown = [1000.0]
    monkeypatch.setattr(limits, "monotonic", lambda: shown[0])
    return shown


def taken(limited, count, caller="ana"):
    """Return how many of so many requests are let through."""
    through = 0
    for _ in range(count):
        try:
            limited.take(caller)
        except ProblemError:
            continue
        through += 1
    return through


def test_without_a_limit_all_are_let_through():
    assert taken(Limits(None), 10_000) == 10_000


@pytest.mark.parametrize("per_minute", [1, 2, 7, 60, 1000])
def test_a_minutes_worth_may_come_at_once(per_minute):
    assert taken(Limits(per_minute), per_minute + 5) == per_minute


@pytest.mark.parametrize("per_minute", [1, 6, 60])
def test_over_an_hour_no_more_come_through_than_the_limit_says(clock, per_minute):
    limited = Limits(per_minute)
    through = 0
    for _ in range(36_000):
        through += taken(limited, 1)
        clock[0] += 0.1
    assert through == pytest.approx(per_minute + 60 * per_minute, abs=1)


def test_what_was_refused_does_not_count(clock):
    limited = Limits(60)
    assert taken(limited, 1000) == 60
    clock[0] += 10
    assert taken(limited, 1000) == 10


def test_after_a_quiet_minute_the_bucket_is_full_and_not_fuller(clock):
    limited = Limits(30)
    assert taken(limited, 30) == 30
    clock[0] += 3600
    assert taken(limited, 100) == 30


def test_each_caller_has_a_bucket_of_its_own():
    limited = Limits(2)
    assert [taken(limited, 3, caller) for caller in ("ana", "bia", "anyone")] == [2, 2, 2]


@pytest.mark.parametrize(("per_minute", "wait_s"), [(1, "60"), (6, "10"), (60, "1"), (600, "1")])
def test_who_is_refused_is_told_how_long_to_wait_and_it_is_enough(clock, per_minute, wait_s):
    limited = Limits(per_minute)
    taken(limited, per_minute)
    with pytest.raises(ProblemError) as refused:
        limited.take("ana")
    assert refused.value.headers()["Retry-After"] == wait_s
    clock[0] += int(wait_s)
    limited.take("ana")


@pytest.mark.parametrize(("language", "remedy"), [("pt", "espere 30 s"), ("en", "wait 30 s")])
def test_the_refusal_names_the_caller_the_limit_and_the_remedy(language, remedy):
    limited = Limits(2)
    taken(limited, 2)
    with pytest.raises(ProblemError) as refused:
        limited.take("ana")
    problem = json.loads(refused.value.body("/model/predict/", language))
    assert problem["status"] == 429
    assert problem["type"] == "urn:flight-delay:problem:too-many-requests"
    for said in ("ana", "2", remedy, "/model/predict/batch/"):
        assert said in problem["detail"]


def test_a_callers_own_limit_goes_before_the_general_one():
    limited = Limits(5)
    limited.own({"bulk": 100, "guest": 1})
    assert [taken(limited, 200, caller) for caller in ("bulk", "guest", "ana")] == [100, 1, 5]


def test_a_callers_own_limit_needs_no_general_one():
    limited = Limits(None)
    limited.own({"guest": 1})
    assert [taken(limited, 200, caller) for caller in ("guest", "ana")] == [1, 200]


@pytest.mark.parametrize(
    "path", ["/health/", "/health/ready/", "/metrics/", "/v2/health/live", "/docs", "/openapi.json"]
)
def test_what_watches_the_service_is_not_limited(path):
    assert not is_limited(path)


@pytest.mark.parametrize("path", ["/model/predict/", "/model/predict/batch/", "/model/history/", "/nothing", "/"])
def test_everything_else_is(path):
    assert is_limited(path)


@pytest.mark.parametrize("revoked", [False, True])
def test_limits_of_keys_are_read_from_the_database(tmp_path, revoked):
    now = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
    database = database_at(f"sqlite:///{tmp_path}/x.sqlite3")
    database.migrate()
    with opened(database) as connection:
        for per_minute in (None, 3):
            _, key = keys.issue("ci", [Scope.PREDICT], "a test", now, per_minute)
            keys.add(connection, key)
        if revoked:
            keys.revoke(connection, key.id, "a test", now)
        assert {one.requests_per_minute for one in keys.all_of(connection)} == {None, 3}
    limited = Limits(50)
    lasting = Lasting(database)
    asyncio.run(Access(lasting, "", required=False, limits=limited).follow())
    lasting.close()
    assert taken(limited, 100, "ci") == (50 if revoked else 3)
