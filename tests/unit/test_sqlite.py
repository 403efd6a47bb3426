"""What is particular to SQLite: one file, which may be lost, replaced, or no database at all."""

import asyncio
import datetime as dt
import sqlite3

import pytest

from flight_delay.errors import StoreUnavailable
from flight_delay.store import models
from flight_delay.store.database import database_at, opened, prove_writable
from flight_delay.store.predictions import PredictionLog
from flight_delay.store.rows import Prediction

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


def at(path):
    return database_at(f"sqlite:///{path}")


@pytest.fixture
def database(tmp_path):
    database = at(tmp_path / "deep" / "flight_delay.sqlite3")
    database.migrate()
    return database


def promote_one(database):
    with opened(database) as connection:
        version = models.add(connection, models.Made(b"first", "a" * 64, "m.joblib", "a test", "{}"), NOW)
        return models.promote(connection, version, models.Change(models.PROMOTION, "a test", "a test"), NOW)


def test_it_is_new_enough():
    assert sqlite3.sqlite_version_info >= (3, 38), "RETURNING and ->>"


async def back(log):
    """Wait until a log has found its database again."""
    async with asyncio.timeout(20):
        while log.problem is not None:
            await asyncio.sleep(0.02)


def test_a_commit_is_durable_and_readers_do_not_wait(database):
    with opened(database) as connection:
        assert connection.query("PRAGMA journal_mode") == [("wal",)]
        assert connection.query("PRAGMA synchronous") == [(2,)]


def test_a_database_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable):
        at(tmp_path / "file" / "db.sqlite3").migrate()
    with pytest.raises(StoreUnavailable):
        at(tmp_path / "no" / "db.sqlite3").connect()


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "db.sqlite3").write_text("not a database" * 100)
    with pytest.raises(StoreUnavailable):
        at(tmp_path / "db.sqlite3").migrate()


def test_a_database_that_is_not_there_is_not_made_anew(tmp_path):
    with pytest.raises(StoreUnavailable):
        at(tmp_path / "lost.sqlite3").connect()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_committed_to_a_file_that_was_deleted(database):
    live = promote_one(database)

    async def append():
        log = PredictionLog(database)
        prediction = Prediction(NOW.isoformat(), "request", live.generation, live.version, "{}", 1.0)
        try:
            assert await log.append(prediction) == 1
            assert log.problem is None
            for file in database.path.parent.iterdir():
                file.unlink()
            with pytest.raises(StoreUnavailable):
                await log.append(prediction)
            assert log.problem is not None
            database.migrate()
            promote_one(database)
            await back(log)
            assert await log.append(prediction) == 1
        finally:
            await asyncio.to_thread(log.close)

    asyncio.run(append())


def test_a_lost_file_takes_no_rows(database):
    prove_writable(database)
    database.path.unlink()
    with pytest.raises(StoreUnavailable):
        prove_writable(database)
