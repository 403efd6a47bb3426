"""A batch is committed by the model that is live, whatever this process has heard of that."""

import asyncio
import datetime as dt

import pytest
from batches import JSON, read, written

from flight_delay.api.batch import Batches
from flight_delay.api.errors import ProblemError
from flight_delay.api.live import LiveModel
from flight_delay.api.metrics import Metrics
from flight_delay.store import batches, models
from flight_delay.store.database import opened
from flight_delay.store.predictions import PredictionLog

NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
FLIGHT = {"month": 7, "day": 23, "sched_dep_time": 1630, "origin": "JFK", "dest": "LAX", "carrier": "DL"}


class LettingGo:
    """A database whose connections are all let go at the end, those of a model that is followed too."""

    def __init__(self, database):
        self._database, self._connections = database, []

    def connect(self):
        self._connections.append(self._database.connect())
        return self._connections[-1]

    def close(self):
        for connection in self._connections:
            connection.close()


@pytest.fixture
def service_database(database):
    letting_go = LettingGo(database)
    yield letting_go
    letting_go.close()


def promote(database):
    with opened(database) as connection:
        models.promote(connection, 1, models.Change(models.PROMOTION, "a test", "again"), NOON)


@pytest.mark.parametrize("rows", [1, 300])
def test_a_batch_of_a_superseded_model_is_answered_again(service_database, trained, rows):
    database = service_database
    with opened(database) as connection:
        made = models.Made(trained.artifact.read_bytes(), "a" * 64, "model.joblib", "a test", "{}")
        models.add(connection, made, NOON)
    promote(database)
    columns = read(written([FLIGHT] * rows, JSON)).columns

    async def answered():
        live, log = LiveModel(database, lambda: NOON), PredictionLog(database)
        answering = Batches(live, database, log, Metrics(), lambda: NOON, at_once=1)
        try:
            await live.follow()
            await asyncio.to_thread(promote, database)
            return await answering.answer(columns, "mine")
        finally:
            answering.close()
            await asyncio.to_thread(log.close)

    answer = asyncio.run(answered())
    assert answer.loaded.live.generation == 2
    assert answer.batch_id == 1
    with opened(database) as connection:
        [kept] = batches.page(connection, 10)
    assert (kept.rows, kept.request_id, kept.model_version) == (rows, "mine", 1)


def test_without_a_model_it_is_refused(service_database):
    database = service_database
    columns = read(written([FLIGHT], JSON)).columns

    async def answered():
        log = PredictionLog(database)
        answering = Batches(LiveModel(database, lambda: NOON), database, log, Metrics(), lambda: NOON, at_once=1)
        try:
            await answering.answer(columns, "mine")
        finally:
            answering.close()
            await asyncio.to_thread(log.close)

    with pytest.raises(ProblemError) as refused:
        asyncio.run(answered())
    assert (refused.value.status, refused.value.key) == (503, "no_model")
