"""The database: its schema, the models in it, and the log of predictions."""

import asyncio
import datetime as dt
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from flight_delay.errors import StoreBusy, StoreUnavailable
from flight_delay.store import models, outcomes, schema
from flight_delay.store.predictions import Prediction, PredictionLog, Superseded, history
from flight_delay.store.schema import connect, migrate, opened, prove_writable, transaction

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "deep" / "flight_delay.sqlite3"
    migrate(path)
    return path


@pytest.fixture
def live(path):
    """The first of two models is live."""
    with opened(path) as connection:
        first = models.add(connection, b"first", "a" * 64, NOW)
        models.add(connection, b"second", "b" * 64, NOW)
        return models.promote(connection, first, "a test", NOW)


def prediction(generation, number=0):
    return Prediction(NOW.isoformat(), "request", generation, 1, f'{{"number":{number}}}', float(number))


def logged(path, *predictions, **options):
    """Append predictions all at once; return what came of each."""

    async def append_all():
        log = PredictionLog(path, **options)
        try:
            return await asyncio.gather(*(log.append(item) for item in predictions), return_exceptions=True)
        finally:
            await asyncio.to_thread(log.close)

    return asyncio.run(append_all())


class TestSchema:
    def test_migrating_again_changes_nothing(self, path, live):
        migrate(path)
        with opened(path) as connection:
            assert models.live(connection) == live

    def test_ten_at_once(self, tmp_path):
        path = tmp_path / "new.sqlite3"
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(migrate, [path] * 10))
        with opened(path) as connection:
            assert connection.execute("SELECT count(*) FROM predictions").fetchone() == (0,)

    def test_a_commit_is_durable_and_readers_do_not_wait(self, path):
        with opened(path) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert connection.execute("PRAGMA synchronous").fetchone() == (2,)

    def test_a_failure_undoes_the_transaction(self, path):
        row = ("x", "x", b"x", "x")
        with opened(path) as connection:
            with pytest.raises(sqlite3.IntegrityError), transaction(connection):
                connection.executemany(
                    "INSERT INTO models (sha256, source_sha256, artifact, added_at) VALUES (?, ?, ?, ?)", [row, row]
                )
            assert connection.execute("SELECT count(*) FROM models").fetchone() == (0,)

    def test_a_database_that_cannot_be(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(StoreUnavailable):
            migrate(tmp_path / "file" / "db.sqlite3")
        with pytest.raises(StoreUnavailable):
            connect(tmp_path / "no" / "db.sqlite3")

    def test_a_file_that_is_no_database(self, tmp_path):
        (tmp_path / "db.sqlite3").write_text("not a database" * 100)
        with pytest.raises(StoreUnavailable):
            migrate(tmp_path / "db.sqlite3")


class TestModels:
    def test_nothing_is_live_at_first(self, path):
        with opened(path) as connection:
            assert models.live(connection) is None

    def test_the_newest_promotion_is_live(self, path, live):
        with opened(path) as connection:
            assert models.promote(connection, 2, "newer", NOW) == (live.generation + 1, 2)
            assert models.promote(connection, 1, "back", NOW) == (live.generation + 2, 1)
            assert models.live(connection) == (live.generation + 2, 1)
            assert models.artifact(connection, 1) == b"first"

    def test_the_same_artefact_is_one_version(self, path, live):
        with opened(path) as connection:
            assert models.add(connection, b"first", "a" * 64, NOW) == live.version
            assert models.version_of_source(connection, "a" * 64) == live.version
            assert models.version_of_source(connection, "c" * 64) is None

    @pytest.mark.parametrize("statement", ["DELETE FROM promotions", "UPDATE promotions SET version = 2"])
    @pytest.mark.usefixtures("live")
    def test_what_was_live_when_cannot_be_rewritten(self, path, statement):
        with pytest.raises(StoreUnavailable, match="append-only"), opened(path) as connection:
            connection.execute(statement)

    @pytest.mark.usefixtures("live")
    def test_only_a_model_that_is_there_can_be_promoted(self, path):
        with pytest.raises(StoreUnavailable, match="FOREIGN KEY"), opened(path) as connection:
            models.promote(connection, 99, "no such", NOW)


class TestPredictionLog:
    def test_ids_are_in_the_order_of_the_history(self, path, live):
        ids = logged(path, *(prediction(live.generation, number) for number in range(50)))
        assert ids == list(range(1, 51))
        with opened(path) as connection:
            assert [kept.minutes for kept in history(connection, 100)] == list(range(50))

    def test_a_model_that_is_no_longer_live_writes_nothing(self, path, live):
        with opened(path) as connection:
            newer = models.promote(connection, 2, "newer", NOW)
        old, new = logged(path, prediction(live.generation), prediction(newer.generation, 7))
        assert isinstance(old, Superseded)
        assert new == 1
        with opened(path) as connection:
            assert [kept.minutes for kept in history(connection, 10)] == [7.0]

    def test_too_many_at_once(self, path, live):
        outcomes = logged(path, *(prediction(live.generation) for _ in range(5)), max_waiting=0)
        assert all(isinstance(outcome, StoreBusy) for outcome in outcomes)

    def test_a_database_that_is_away_fails_and_comes_back(self, path, live):
        async def scenario():
            log = PredictionLog(path)
            with opened(path) as other:
                other.execute("ALTER TABLE predictions RENAME TO hidden")
                with pytest.raises(StoreUnavailable):
                    await log.append(prediction(live.generation))
                other.execute("ALTER TABLE hidden RENAME TO predictions")
            kept = await log.append(prediction(live.generation))
            await asyncio.to_thread(log.close)
            return kept

        assert asyncio.run(scenario()) == 1

    def test_no_database_at_all(self, tmp_path):
        (outcome,) = logged(tmp_path / "no" / "db.sqlite3", prediction(1))
        assert isinstance(outcome, StoreUnavailable)

    def test_who_goes_away_does_not_disturb_the_others(self, path, live):
        async def scenario():
            log = PredictionLog(path)
            impatient = asyncio.create_task(log.append(prediction(live.generation, 1)))
            patient = asyncio.create_task(log.append(prediction(live.generation, 2)))
            await asyncio.sleep(0)
            impatient.cancel()
            kept = await patient
            await asyncio.to_thread(log.close)
            return kept

        assert asyncio.run(scenario()) == 2


class TestHistory:
    @pytest.fixture
    def connection(self, path, live):
        logged(path, *(prediction(live.generation, number) for number in range(1, 31)))
        with opened(path) as connection:
            yield connection

    @pytest.mark.parametrize(
        ("limit", "before", "after", "ids"),
        [
            (5, None, None, [26, 27, 28, 29, 30]),
            (5, 26, None, [21, 22, 23, 24, 25]),
            (5, 3, None, [1, 2]),
            (5, None, 0, [1, 2, 3, 4, 5]),
            (5, None, 28, [29, 30]),
            (5, 10, 7, [8, 9]),
            (100, None, None, list(range(1, 31))),
            (5, 1, None, []),
        ],
    )
    def test_pages(self, connection, limit, before, after, ids):
        assert [kept.id for kept in history(connection, limit, before, after)] == ids

    def test_input_is_what_was_written(self, connection):
        assert history(connection, 1)[0].input == '{"number":30}'


class TestOutcomes:
    def add(self, connection, *texts, at=NOW):
        outcomes.add(connection, [outcomes.New(text, None) for text in texts], at)

    def test_they_are_read_in_the_order_in_which_they_were_told(self, path):
        with opened(path) as connection:
            self.add(connection, '{"n":1}', '{"n":2}')
            self.add(connection, '{"n":3}')
            assert [told.outcome for told in outcomes.since(connection, 0)] == ['{"n":1}', '{"n":2}', '{"n":3}']
            assert outcomes.since(connection, 2) == [outcomes.Told(3, NOW.isoformat(), '{"n":3}')]
            assert outcomes.since(connection, 3) == []

    def test_what_was_told_before_a_moment(self, path):
        day = dt.timedelta(days=1)
        with opened(path) as connection:
            assert outcomes.last_before(connection, NOW) == 0
            self.add(connection, "{}", "{}", at=NOW - 4 * day)
            self.add(connection, "{}", at=NOW - 2 * day)
            assert outcomes.last_before(connection, NOW - 5 * day) == 0
            assert outcomes.last_before(connection, NOW - 3 * day) == 2
            assert outcomes.last_before(connection, NOW) == 3

    def test_all_or_none(self, path):
        bad = [outcomes.New("{}", None), outcomes.New("{}", 99)]
        with pytest.raises(StoreUnavailable, match="FOREIGN KEY"), opened(path) as connection:
            outcomes.add(connection, bad, NOW)
        with opened(path) as connection:
            assert outcomes.since(connection, 0) == []

    def test_the_flights_of_predictions(self, path, live):
        logged(path, prediction(live.generation, 7), prediction(live.generation, 8))
        with opened(path) as connection:
            assert outcomes.flights_of(connection, [2, 3]) == {2: '{"number":8}'}
            outcomes.add(connection, [outcomes.New("{}", 2)], NOW)

    @pytest.mark.parametrize("statement", ["DELETE FROM outcomes", "UPDATE outcomes SET outcome = '{}'"])
    def test_what_was_told_cannot_be_rewritten(self, path, statement):
        with opened(path) as connection:
            self.add(connection, "{}")
        with pytest.raises(StoreUnavailable, match="append-only"), opened(path) as connection:
            connection.execute(statement)

    def test_a_database_of_before_gets_them(self, tmp_path, monkeypatch):
        path = tmp_path / "old.sqlite3"
        everything = list(schema._migrations())
        monkeypatch.setattr(schema, "_migrations", lambda: iter(everything[:1]))
        migrate(path)
        with opened(path) as connection:
            models.add(connection, b"first", "a" * 64, NOW)
        monkeypatch.setattr(schema, "_migrations", lambda: iter(everything))
        migrate(path)
        with opened(path) as connection:
            assert models.artifact(connection, 1) == b"first"
            assert outcomes.since(connection, 0) == []


def test_sqlite_is_new_enough():
    assert sqlite3.sqlite_version_info >= (3, 24), "ON CONFLICT"


class TestAdopting:
    def test_ten_processes_that_start_at_once_promote_it_once(self, path):
        def adopt(_):
            with opened(path) as connection:
                return models.adopt(connection, b"artefact", "c" * 64, "trained", NOW)

        with ThreadPoolExecutor(10) as pool:
            promoted = [live for live in pool.map(adopt, range(10)) if live is not None]
        with opened(path) as connection:
            assert promoted == [models.live(connection)] == [models.Live(1, 1)]
            assert models.add(connection, b"next", "d" * 64, NOW) == 2

    def test_what_was_kept_once_is_not_made_live_again(self, path, live):
        with opened(path) as connection:
            assert models.adopt(connection, b"second", "b" * 64, "trained", NOW) is None
            assert models.live(connection) == live


class TestALostFile:
    def test_a_database_that_is_not_there_is_not_made_anew(self, tmp_path):
        with pytest.raises(StoreUnavailable):
            connect(tmp_path / "lost.sqlite3")
        assert list(tmp_path.iterdir()) == []

    def test_nothing_is_committed_to_a_file_that_was_deleted(self, path, live):
        async def append():
            log = PredictionLog(path)
            try:
                assert await log.append(prediction(live.generation)) == 1
                assert log.problem is None
                for file in path.parent.iterdir():
                    file.unlink()
                with pytest.raises(StoreUnavailable):
                    await log.append(prediction(live.generation))
                assert log.problem is not None
                migrate(path)
                with opened(path) as connection:
                    models.promote(connection, models.add(connection, b"first", "a" * 64, NOW), "a test", NOW)
                assert await log.append(prediction(live.generation)) == 1
                assert log.problem is None
            finally:
                await asyncio.to_thread(log.close)

        asyncio.run(append())

    def test_proving_that_it_takes_rows_changes_nothing(self, path, live):
        prove_writable(path)
        with opened(path) as connection:
            assert models.live(connection) == live
        path.unlink()
        with pytest.raises(StoreUnavailable):
            prove_writable(path)
