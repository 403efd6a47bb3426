"""What is particular to PostgreSQL: a server that goes away and comes back, and a password in its address."""

import asyncio
import datetime as dt
import sys

import pytest

from flight_delay.errors import DriverMissing, StoreUnavailable
from flight_delay.store import models
from flight_delay.store.database import Lasting, database_at, opened
from flight_delay.store.predictions import PredictionLog
from flight_delay.store.rows import Prediction

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def server():
    """A server of this module's own: it is killed."""
    from postgresql import Server

    server = Server()
    yield server
    server.stop()


@pytest.fixture
def database(server):
    database = database_at(server.new_database())
    database.migrate()
    return database


async def back(log):
    """Wait until a log has found its database again."""
    async with asyncio.timeout(20):
        while log.problem is not None:
            await asyncio.sleep(0.02)


def test_a_server_that_was_killed_is_found_again(server, database):
    with opened(database) as connection:
        version = models.add(connection, models.Made(b"first", "a" * 64, "m.joblib", "a test", "{}"), NOW)
        live = models.promote(connection, version, models.Change(models.PROMOTION, "a test", "a test"), NOW)
    prediction = Prediction(NOW.isoformat(), "request", live.generation, live.version, "{}", 1.0)

    async def append():
        log = PredictionLog(database)
        try:
            assert await log.append(prediction) == 1
            server.kill()
            with pytest.raises(StoreUnavailable):
                await log.append(prediction)
            server.start()
            await back(log)
            assert await log.append(prediction) == 2
        finally:
            await asyncio.to_thread(log.close)

    asyncio.run(append())


def test_a_connection_that_died_while_nobody_looked_costs_no_answer(server, database):
    lasting = Lasting(database)
    with lasting.transaction() as connection:
        connection.query("SELECT 1")
    assert lasting.connection().query("SELECT 1") == [(1,)]
    for use in (lasting.connection, lambda: lasting.transaction().__enter__()):
        server.kill()
        server.start()
        assert use().query("SELECT 1") == [(1,)]
    lasting.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://flights:secret@127.0.0.1:1/flights",
        "postgresql://flights:secret@/flights?host=/nowhere",
        "postgresql://flights:secret@127.0.0.1:1/flights?connect_timeout=x",
        "postgresql://flights:secret@[::1/flights",
    ],
)
def test_the_password_is_in_no_error(url):
    with pytest.raises(StoreUnavailable) as refused:
        database_at(url).connect()
    assert "secret" not in str(refused.value)


def test_without_its_driver(monkeypatch):
    monkeypatch.delitem(sys.modules, "flight_delay.store.postgresql", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(DriverMissing):
        database_at("postgresql://localhost/flights")
