"""What a process does beside answering goes on whatever happens, and says what happens once."""

import asyncio
import datetime as dt
import logging

import pytest

from flight_delay.api.access import Access
from flight_delay.api.following import Follower
from flight_delay.api.live import LiveModel
from flight_delay.store import models
from flight_delay.store.database import Lasting, database_at, opened

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


@pytest.fixture
def follow(tmp_path, caplog):
    """Take some steps; return what was logged."""
    path = tmp_path / "flight_delay.sqlite3"
    database = database_at(f"sqlite:///{path}")
    live = LiveModel(database, lambda: NOW)
    follower = Follower(
        live, Access(Lasting(database), "", required=False), database, tmp_path / "none.npz", lambda: NOW
    )

    def steps(count):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            for _ in range(count):
                asyncio.run(follower.step())
        return [record.getMessage() for record in caplog.records]

    steps.path, steps.database, steps.live = path, database, live
    return steps


def test_a_problem_is_said_once_until_it_is_another(follow):
    (no_model,) = follow(3)
    assert no_model.startswith("not ready")
    assert follow(2) == []
    with opened(follow.database) as connection:
        version = models.add(connection, models.Made(b"x", "a" * 64, "m.joblib", "a test", "{}"), NOW)
        models.promote(connection, version, models.Change(models.PROMOTION, "a test", "a test"), NOW)
    (broken,) = follow(3)
    assert broken != no_model
    for file in follow.path.parent.iterdir():
        file.unlink()
    (lost,) = follow(3)
    assert lost != broken


def test_what_nobody_reckoned_with_does_not_stop_it(follow, monkeypatch):
    async def fail():
        raise ZeroDivisionError("of a test")

    monkeypatch.setattr(follow.live, "follow", fail)
    said = follow(3)
    assert said[0] == "ZeroDivisionError: of a test"
    assert len(said) == 2


def test_a_database_that_cannot_be_yet_is_waited_for(follow):
    follow.path.mkdir()
    assert len(follow(2)) == 1
    follow.path.rmdir()
    follow(1)
    assert follow.path.is_file()
