"""Predictions that were answered while the database was away come into the history, each once."""

import asyncio
import datetime as dt
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from flight_delay.errors import SpoolFull, StoreUnavailable
from flight_delay.store import history, models
from flight_delay.store.database import Lasting, opened
from flight_delay.store.predictions import PredictionLog
from flight_delay.store.rows import Prediction
from flight_delay.store.spool import Batch, Spool, take_up

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


@pytest.fixture
def live(database):
    with opened(database) as connection:
        version = models.add(connection, models.Made(b"model", "a" * 64, "m.joblib", "a test", "{}"), NOW)
        return models.promote(connection, version, models.Change(models.PROMOTION, "a test", "a test"), NOW)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool"


def prediction(live, number):
    return Prediction(NOW.isoformat(), "request", live.generation, live.version, "{}", float(number))


def in_history(database):
    with opened(database) as connection:
        return [kept.minutes for kept in history.page(connection, 1000)]


@contextmanager
def away(database):
    """Let the database take no predictions for a while."""
    with opened(database) as connection:
        connection.change("ALTER TABLE predictions RENAME TO hidden")
        yield
        connection.change("ALTER TABLE hidden RENAME TO predictions")


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


def test_they_are_answered_at_once_and_kept_until_it_is_back(database, live, folder):
    async def scenario():
        log = PredictionLog(database, folder, 10)
        assert await log.append(prediction(live, 1)) == 1
        with away(database):
            for number in (2, 3):
                assert await log.append(prediction(live, number)) is None
            assert log.problem is not None
        await until(lambda: log.problem is None)
        assert await log.append(prediction(live, 4)) == 4
        await asyncio.to_thread(log.close)

    asyncio.run(scenario())
    assert in_history(database) == [1, 2, 3, 4]
    assert list(folder.iterdir()) == []


def test_predictions_without_end_are_neither_lost_nor_doubled_over_many_absences(database, live, folder):
    async def scenario():
        log = PredictionLog(database, folder, 10)
        answered, stopped = [], False

        async def ask(client):
            number = client
            while not stopped:
                await log.append(prediction(live, number))
                answered.append(number)
                number += 100_000

        clients = [asyncio.create_task(ask(client)) for client in range(8)]
        for _ in range(3):
            await asyncio.sleep(0.2)
            with away(database):
                await asyncio.sleep(0.2)
            await until(lambda: log.problem is None)
        stopped = True
        await asyncio.gather(*clients)
        await asyncio.to_thread(log.close)
        return answered

    answered = asyncio.run(scenario())
    assert len(answered) > 100
    with opened(database) as connection:
        kept = [int(minutes) for (minutes,) in connection.query("SELECT prediction FROM predictions ORDER BY id")]
    assert sorted(kept) == sorted(answered)


def test_a_commit_that_was_not_heard_of_is_not_repeated(database, live, folder, monkeypatch):
    """The connection is lost between the commit and its confirmation."""
    with opened(database) as connection:
        kind = type(connection)
    commit = kind.commit

    def lost(self):
        commit(self)
        monkeypatch.setattr(kind, "commit", commit)
        raise StoreUnavailable("the connection was lost")

    async def scenario():
        log = PredictionLog(database, folder, 10)
        assert await log.append(prediction(live, 1)) == 1
        await until(lambda: not any(thread.name.endswith("recovery") and thread.is_alive() for thread in log._threads))
        monkeypatch.setattr(kind, "commit", lost)
        assert await log.append(prediction(live, 2)) is None
        await until(lambda: log.problem is None)
        assert await log.append(prediction(live, 3)) == 3
        await asyncio.to_thread(log.close)

    asyncio.run(scenario())
    assert in_history(database) == [1, 2, 3]


def test_a_batch_that_was_taken_up_before_it_could_be_forgotten_is_not_taken_twice(database, live, folder):
    spool, lasting = Spool.new(folder, 2**20), Lasting(database)
    spool.append(Batch(1, [prediction(live, 1)]))
    spool.append(Batch(2, [prediction(live, 2)]))
    forget, spool.forget = spool.forget, lambda _: None
    assert take_up(spool, lasting) == 2
    spool.forget = forget
    spool.append(Batch(3, [prediction(live, 3)]))
    while take_up(spool, lasting):
        pass
    lasting.close()
    spool.close()
    assert in_history(database) == [1, 2, 3]


def test_what_a_process_that_was_killed_had_kept_is_taken_up_by_another(database, live, folder):
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from flight_delay.store.spool import Batch, Spool\n"
        "from flight_delay.store.rows import Prediction\n"
        "spool = Spool.new(Path(sys.argv[1]), 2**20)\n"
        f"spool.append(Batch(1, [Prediction{tuple(prediction(live, 7))}]))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code, str(folder)], env=environment, check=False)
    assert len(list(folder.glob("*.spool"))) == 1
    living = Spool.new(folder, 2**20)
    living.append(Batch(1, [prediction(live, 8)]))

    async def start():
        log = PredictionLog(database, folder, 10)
        await until(lambda: in_history(database) == [7])
        await asyncio.to_thread(log.close)

    asyncio.run(start())
    assert living.oldest(), "that of a process that lives is left to it"
    assert [path for path in folder.glob("*.spool") if path != living.path] == []
    living.close()


def test_what_is_left_when_the_service_ends_is_taken_up_when_it_starts_again(database, live, folder):
    async def end():
        log = PredictionLog(database, folder, 10)
        assert await log.append(prediction(live, 1)) is None
        await asyncio.to_thread(log.close)

    async def start():
        log = PredictionLog(database, folder, 10)
        await until(lambda: in_history(database) == [1])
        await asyncio.to_thread(log.close)

    with away(database):
        asyncio.run(end())
    assert len(list(folder.iterdir())) == 1
    asyncio.run(start())
    assert list(folder.iterdir()) == []
    with opened(database) as connection:
        assert connection.query("SELECT count(*) FROM spools") == [(0,)]


def test_a_full_disk_refuses(database, live, folder):
    async def scenario():
        log = PredictionLog(database, folder, 0)
        with away(database), pytest.raises(SpoolFull):
            await log.append(prediction(live, 1))
        await until(lambda: log.problem is None)
        assert await log.append(prediction(live, 2)) == 1
        await asyncio.to_thread(log.close)

    asyncio.run(scenario())


def test_a_folder_that_cannot_be_written_is_said_at_once(database, tmp_path):
    (tmp_path / "file").write_text("")

    async def start():
        PredictionLog(database, tmp_path / "file" / "spool", 10)

    with pytest.raises(StoreUnavailable):
        asyncio.run(start())
