"""What holds of the store on SQLite and on PostgreSQL alike: schema, models, the log of predictions, outcomes."""

import asyncio
import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest

from flight_delay.errors import NoSuchVersion, NothingBefore, StoreBusy, StoreUnavailable, VersionInUse
from flight_delay.store import history, models, outcomes
from flight_delay.store.database import migrations, opened, prove_writable, transaction
from flight_delay.store.predictions import PredictionLog, Superseded
from flight_delay.store.rows import Prediction

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
BROKEN = b"broken"


def made(artifact, source):
    return models.Made(artifact, source * 64, "model.joblib", "a test", "{}")


def change(reason, action=models.PROMOTION):
    return models.Change(action, "a test", reason)


@pytest.fixture
def live(database):
    """The first of two models is live."""
    with opened(database) as connection:
        first = models.add(connection, made(b"first", "a"), NOW)
        models.add(connection, made(b"second", "b"), NOW)
        return models.promote(connection, first, change("first"), NOW)


def prediction(generation, number=0):
    return Prediction(NOW.isoformat(), "request", generation, 1, f'{{"number":{number}}}', float(number))


def logged(database, *predictions, **options):
    """Append predictions all at once; return what came of each."""

    async def append_all():
        log = PredictionLog(database, **options)
        try:
            return await asyncio.gather(*(log.append(item) for item in predictions), return_exceptions=True)
        finally:
            await asyncio.to_thread(log.close)

    return asyncio.run(append_all())


async def until(condition):
    """Wait until something is so, for some seconds."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


class TestSchema:
    def test_migrating_again_changes_nothing(self, database, live):
        database.migrate()
        with opened(database) as connection:
            assert models.live(connection) == live

    def test_ten_at_once(self, empty):
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(lambda _: empty.migrate(), range(10)))
        with opened(empty) as connection:
            assert connection.query("SELECT count(*) FROM predictions") == [(0,)]

    def test_a_failure_undoes_the_transaction(self, database):
        row = ("x", "x", b"x", "x")
        statement = "INSERT INTO models (sha256, source_sha256, artifact, added_at) VALUES (?, ?, ?, ?)"
        with opened(database) as connection:
            with pytest.raises(StoreUnavailable, match=r"(?i)unique"), transaction(connection):
                connection.insert(statement, [row, row])
            assert connection.query("SELECT count(*) FROM models") == [(0,)]

    def test_a_transaction_waits_for_the_one_before_it(self, database):
        """Two that read the greatest id and write the next one never write the same."""

        def add_one(number):
            with opened(database) as connection, transaction(connection):
                [(count,)] = connection.query("SELECT count(*) FROM spools")
                connection.insert("INSERT INTO spools (id, batch) VALUES (?, ?)", [(str(count), number)])

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(add_one, range(40)))
        with opened(database) as connection:
            assert connection.query("SELECT count(*) FROM spools") == [(40,)]

    def test_a_database_of_before_gets_what_is_new(self, empty, monkeypatch):
        monkeypatch.setattr(
            f"{type(empty).__module__}.migrations", lambda dialect: [one for one in migrations(dialect) if one[0] <= 2]
        )
        empty.migrate()
        with opened(empty) as connection:
            connection.insert(
                "INSERT INTO models (sha256, source_sha256, artifact, added_at) VALUES (?, ?, ?, ?)",
                [("a" * 64, "b" * 64, b"first", NOW.isoformat())],
            )
            outcomes.add(connection, [outcomes.New("{}", None)], NOW)
        monkeypatch.undo()
        empty.migrate()
        with opened(empty) as connection:
            assert models.artifact(connection, 1) == b"first"
            assert models.version(connection, 1).facts == "{}"
            assert [told.id for told in outcomes.since(connection, 0)] == [1]
            outcomes.add(connection, [outcomes.New("{}", None)], NOW)
            assert [told.id for told in outcomes.since(connection, 1)] == [2]


class TestModels:
    def test_nothing_is_live_at_first(self, database):
        with opened(database) as connection:
            assert models.live(connection) is None

    def test_the_newest_promotion_is_live(self, database, live):
        with opened(database) as connection:
            assert models.promote(connection, 2, change("newer"), NOW) == (live.generation + 1, 2)
            assert models.promote(connection, 1, change("back"), NOW) == (live.generation + 2, 1)
            assert models.live(connection) == (live.generation + 2, 1)
            assert models.artifact(connection, 1) == b"first"

    def test_the_same_artefact_is_one_version(self, database, live):
        with opened(database) as connection:
            assert models.add(connection, made(b"first", "a"), NOW) == live.version
            assert models.version_of_source(connection, "a" * 64) == live.version
            assert models.version_of_source(connection, "c" * 64) is None

    @pytest.mark.usefixtures("live")
    def test_where_a_version_came_from(self, database):
        with opened(database) as connection:
            [first, second] = models.versions(connection)
            assert first == models.version(connection, 1)
            assert (second.version, second.source_sha256, second.filename) == (2, "b" * 64, "model.joblib")
            assert (second.added_by, second.added_at, second.facts) == ("a test", NOW.isoformat(), "{}")
            assert second.deleted_at is None

    @pytest.mark.usefixtures("live")
    def test_what_was_live_when(self, database):
        with opened(database) as connection:
            models.promote(connection, 2, models.Change(models.UPLOAD, "ana", "better", "MAE is worse by 3%"), NOW)
            assert [
                (one.version, one.action, one.promoted_by, one.reason) for one in models.deployments(connection)
            ] == [
                (1, "promotion", "a test", "first"),
                (2, "upload", "ana", "better"),
            ]
            assert models.deployments(connection)[1].overruled == "MAE is worse by 3%"

    @pytest.mark.parametrize("statement", ["DELETE FROM promotions", "UPDATE promotions SET version = 2"])
    @pytest.mark.usefixtures("live")
    def test_what_was_live_when_cannot_be_rewritten(self, database, statement):
        with pytest.raises(StoreUnavailable, match="append-only"), opened(database) as connection:
            connection.change(statement)

    @pytest.mark.usefixtures("live")
    def test_only_a_model_that_is_there_can_be_promoted(self, database):
        with pytest.raises(NoSuchVersion), opened(database) as connection:
            models.promote(connection, 99, change("no such"), NOW)

    @pytest.mark.usefixtures("live")
    def test_a_deleted_model_is_gone_but_its_record_stays(self, database):
        with opened(database) as connection:
            models.delete(connection, 2, "ana", NOW)
            assert models.version(connection, 2).deleted_by == "ana"
            for use in (
                lambda: models.artifact(connection, 2),
                lambda: models.promote(connection, 2, change("gone"), NOW),
                lambda: models.delete(connection, 2, "ana", NOW),
            ):
                with pytest.raises(NoSuchVersion):
                    use()
            assert models.version_of_source(connection, "b" * 64) is None

    @pytest.mark.usefixtures("live")
    def test_a_deleted_model_that_is_sent_again_is_there_again(self, database):
        with opened(database) as connection:
            models.delete(connection, 2, "ana", NOW)
            assert models.add(connection, made(b"second", "b"), NOW) == 2
            assert models.artifact(connection, 2) == b"second"
            assert models.version(connection, 2).deleted_at is None

    def test_the_live_model_cannot_be_deleted(self, database, live):
        with pytest.raises(VersionInUse), opened(database) as connection:
            models.delete(connection, live.version, "ana", NOW)


class TestRollingBack:
    """Numbers are promotions, `<` is a roll-back, `-2` deletes version 2; version 9 is of no use."""

    @pytest.mark.parametrize(
        ("story", "live_after"),
        [
            ("1 2 <", 1),
            ("1 2 3 <", 2),
            ("1 2 3 < <", 1),
            ("1 2 < 3 <", 1),
            ("1 2 1 <", 2),
            ("1 2 2 <", 1),
            ("1 2 3 < 3 < <", 1),
            ("1 2 3 -2 <", 1),
            ("1 9 3 <", 1),
        ],
    )
    def test_to_what_was_live_before(self, database, story, live_after):
        with opened(database) as connection:
            self.tell(connection, story)
            assert models.live(connection).version == live_after
            assert models.deployments(connection)[-1].action == models.ROLLBACK

    @pytest.mark.parametrize("story", ["1 <", "1 1 <", "1 2 < <", "1 2 -1 <", "<"])
    def test_there_was_nothing_before(self, database, story):
        with opened(database) as connection, pytest.raises(NothingBefore):
            self.tell(connection, story)

    def tell(self, connection, story):
        for number in range(1, 9):
            models.add(connection, made(b"model %d" % number, str(number)), NOW)
        models.add(connection, made(BROKEN, "9"), NOW)
        for word in story.split():
            if word == "<":
                models.roll_back(connection, "a test", "it was better", NOW, lambda artifact: artifact != BROKEN)
            elif word.startswith("-"):
                models.delete(connection, int(word[1:]), "a test", NOW)
            else:
                models.promote(connection, int(word), change("next"), NOW)


class TestPredictionLog:
    def test_ids_are_in_the_order_of_the_history(self, database, live):
        ids = logged(database, *(prediction(live.generation, number) for number in range(50)))
        assert ids == list(range(1, 51))
        with opened(database) as connection:
            assert [kept.minutes for kept in history.page(connection, 100)] == list(range(50))

    def test_a_model_that_is_no_longer_live_writes_nothing(self, database, live):
        with opened(database) as connection:
            newer = models.promote(connection, 2, change("newer"), NOW)
        old, new = logged(database, prediction(live.generation), prediction(newer.generation, 7))
        assert isinstance(old, Superseded)
        assert new == 1
        with opened(database) as connection:
            assert [kept.minutes for kept in history.page(connection, 10)] == [7.0]

    def test_too_many_at_once(self, database, live):
        outcomes = logged(database, *(prediction(live.generation) for _ in range(5)), max_waiting=0)
        assert all(isinstance(outcome, StoreBusy) for outcome in outcomes)

    def test_a_database_that_is_away_fails_and_comes_back(self, database, live):
        async def scenario():
            log = PredictionLog(database)
            with opened(database) as other:
                other.change("ALTER TABLE predictions RENAME TO hidden")
                with pytest.raises(StoreUnavailable):
                    await log.append(prediction(live.generation))
                with pytest.raises(StoreUnavailable):
                    await log.append(prediction(live.generation))
                other.change("ALTER TABLE hidden RENAME TO predictions")
            await until(lambda: log.problem is None)
            kept = await log.append(prediction(live.generation))
            await asyncio.to_thread(log.close)
            return kept

        assert asyncio.run(scenario()) == 1

    def test_who_goes_away_does_not_disturb_the_others(self, database, live):
        async def scenario():
            log = PredictionLog(database)
            impatient = asyncio.create_task(log.append(prediction(live.generation, 1)))
            patient = asyncio.create_task(log.append(prediction(live.generation, 2)))
            await asyncio.sleep(0)
            impatient.cancel()
            kept = await patient
            await asyncio.to_thread(log.close)
            return kept

        assert asyncio.run(scenario()) == 2


class TestOutcomes:
    def add(self, connection, *texts, at=NOW):
        outcomes.add(connection, [outcomes.New(text, None) for text in texts], at)

    def test_they_are_read_in_the_order_in_which_they_were_told(self, database):
        with opened(database) as connection:
            self.add(connection, '{"n":1}', '{"n":2}')
            self.add(connection, '{"n":3}')
            assert [told.outcome for told in outcomes.since(connection, 0)] == ['{"n":1}', '{"n":2}', '{"n":3}']
            assert outcomes.since(connection, 2) == [outcomes.Told(3, NOW.isoformat(), '{"n":3}')]
            assert outcomes.since(connection, 3) == []

    def test_what_was_told_before_a_moment(self, database):
        day = dt.timedelta(days=1)
        with opened(database) as connection:
            assert outcomes.last_before(connection, NOW) == 0
            self.add(connection, "{}", "{}", at=NOW - 4 * day)
            self.add(connection, "{}", at=NOW - 2 * day)
            assert outcomes.last_before(connection, NOW - 5 * day) == 0
            assert outcomes.last_before(connection, NOW - 3 * day) == 2
            assert outcomes.last_before(connection, NOW) == 3

    def test_all_or_none(self, database):
        bad = [outcomes.New("{}", None), outcomes.New(None, 99)]
        with pytest.raises(StoreUnavailable), opened(database) as connection:
            outcomes.add(connection, bad, NOW)
        with opened(database) as connection:
            assert outcomes.since(connection, 0) == []

    def test_the_flights_of_predictions(self, database, live):
        logged(database, prediction(live.generation, 7), prediction(live.generation, 8))
        with opened(database) as connection:
            assert outcomes.flights_of(connection, [2, 3]) == {2: '{"number":8}'}
            outcomes.add(connection, [outcomes.New("{}", 2)], NOW)

    @pytest.mark.parametrize("statement", ["DELETE FROM outcomes", "UPDATE outcomes SET outcome = '{}'"])
    def test_what_was_told_cannot_be_rewritten(self, database, statement):
        with opened(database) as connection:
            self.add(connection, "{}")
        with pytest.raises(StoreUnavailable, match="append-only"), opened(database) as connection:
            connection.change(statement)


class TestAdopting:
    def test_ten_processes_that_start_at_once_promote_it_once(self, database):
        def adopt(_):
            with opened(database) as connection:
                return models.adopt(connection, made(b"artefact", "c"), change("trained", models.TRAINING), NOW)

        with ThreadPoolExecutor(10) as pool:
            promoted = [live for live in pool.map(adopt, range(10)) if live is not None]
        with opened(database) as connection:
            assert promoted == [models.live(connection)] == [models.Live(1, 1)]
            assert models.add(connection, made(b"next", "d"), NOW) == 2

    def test_what_was_kept_once_is_not_made_live_again(self, database, live):
        with opened(database) as connection:
            assert models.adopt(connection, made(b"second", "b"), change("trained", models.TRAINING), NOW) is None
            assert models.live(connection) == live


def test_proving_that_it_takes_rows_changes_nothing(database, live):
    prove_writable(database)
    with opened(database) as connection:
        assert models.live(connection) == live
        assert connection.query("SELECT count(*) FROM spools") == [(0,)]
