"""What holds of the history on SQLite and on PostgreSQL alike: pages, filters, exports, deletions and their record."""

import asyncio
import datetime as dt
import hashlib
import json
import threading
import time

import pytest

from flight_delay.errors import StoreUnavailable
from flight_delay.store import history, models, outcomes, retention
from flight_delay.store.database import database_at, opened, transaction
from flight_delay.store.history import Filter, Span
from flight_delay.store.predictions import PredictionLog
from flight_delay.store.retention import Chosen
from flight_delay.store.rows import Prediction, insert

NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """A database with thirty predictions, a second apart from noon on, and two models."""
    if request.param == "sqlite":
        database = database_at(f"sqlite:///{tmp_path}/flight_delay.sqlite3")
    else:
        database = database_at(request.getfixturevalue("postgresql").new_database())
    database.migrate()
    with opened(database) as connection:
        for name in ("a", "b"):
            models.add(connection, models.Made(name.encode(), name * 64, "model.joblib", "a test", "{}"), NOON)
        models.promote(connection, 1, models.Change(models.PROMOTION, "a test", "first"), NOON)
    keep(database, range(1, 31))
    return database


@pytest.fixture
def connection(database):
    with opened(database) as connection:
        yield connection


def keep(database, ids, at=NOON, **fields):
    """Put predictions into the history, which get these ids: of DL from JFK where the id is odd, else AA from LGA."""
    answered = []
    for number in ids:
        flight = {"number": number, "origin": ("LGA", "JFK")[number % 2], "dest": "LAX"}
        flight |= {"carrier": ("AA", "DL")[number % 2]} | fields
        moment = (at + dt.timedelta(seconds=number - 1)).isoformat()
        version = 1 if number < 16 else 2
        answered.append(Prediction(moment, f"request-{number}", 1, version, json.dumps(flight), float(number)))
    with opened(database) as connection, transaction(connection):
        assert insert(connection, answered) == ids


def ids_of(connection):
    return [kept.id for kept in history.page(connection, 1000)]


def delete(database, by="ana", **chosen):
    return sum(retention.delete(database, Chosen(**chosen), by, NOON))


def predict(database):
    """Answer a prediction as the service does; return its id."""

    async def one():
        log = PredictionLog(database)
        try:
            return await log.append(Prediction(NOON.isoformat(), "later", 1, 1, "{}", 0.0))
        finally:
            await asyncio.to_thread(log.close)

    return asyncio.run(one())


class TestPages:
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
        assert [kept.id for kept in history.page(connection, limit, before, after)] == ids

    def test_input_is_what_was_written(self, connection):
        written = '{"number": 30, "origin": "LGA", "dest": "LAX", "carrier": "AA"}'
        assert history.page(connection, 1)[0].input == written

    @pytest.mark.parametrize(
        ("chosen", "before", "after", "ids"),
        [
            ({"carrier": "DL"}, None, None, [25, 27, 29]),
            ({"carrier": "DL"}, 25, None, [19, 21, 23]),
            ({"carrier": "DL"}, None, 25, [27, 29]),
            ({"carrier": "DL"}, 3, None, [1]),
            ({"origin": "LGA"}, None, 0, [2, 4, 6]),
            ({"dest": "LAX", "carrier": "AA"}, None, None, [26, 28, 30]),
            ({"dest": "JFK"}, None, None, []),
            ({"model_version": 1}, None, None, [13, 14, 15]),
            ({"model_version": 1, "carrier": "AA"}, None, None, [10, 12, 14]),
            ({"request_id": "request-7"}, None, None, [7]),
            ({"request_id": "request-7", "carrier": "AA"}, None, None, []),
        ],
    )
    def test_filters(self, connection, chosen, before, after, ids):
        assert [kept.id for kept in history.page(connection, 3, before, after, Filter(**chosen))] == ids

    @pytest.mark.parametrize(
        ("since", "until", "ids"),
        [
            (NOON + dt.timedelta(seconds=27), None, [28, 29, 30]),
            (NOON + dt.timedelta(seconds=27) - MICROSECOND, None, [28, 29, 30]),
            (NOON + dt.timedelta(seconds=27) + MICROSECOND, None, [29, 30]),
            (None, NOON + dt.timedelta(seconds=2), [1, 2]),
            (None, NOON + dt.timedelta(seconds=2) - MICROSECOND, [1, 2]),
            (None, NOON + dt.timedelta(seconds=2) + MICROSECOND, [1, 2, 3]),
            (NOON.astimezone(dt.timezone(dt.timedelta(hours=-3))), NOON + dt.timedelta(seconds=1), [1]),
            (NOON, NOON, []),
        ],
    )
    def test_from_a_moment_on_and_before_a_moment(self, connection, since, until, ids):
        chosen = Filter(since=since, until=until)
        assert [kept.id for kept in history.page(connection, 100, chosen=chosen)] == ids
        assert history.count(connection, chosen) == len(ids)

    def test_fractions_of_a_second_are_in_their_place(self, database, connection):
        keep(database, range(31, 32), at=NOON - dt.timedelta(seconds=30) + MICROSECOND)
        for moment, first in ((NOON, True), (NOON + MICROSECOND, False), (NOON + 2 * MICROSECOND, False)):
            found = [kept.id for kept in history.page(connection, 100, chosen=Filter(since=moment))]
            assert (1 in found) is first
            assert (31 in found) is (moment <= NOON + MICROSECOND)


class TestInstants:
    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2026-11-23", NOON.replace(hour=0)),
            ("2026-11-23T12:00:00Z", NOON),
            ("2026-11-23T09:00-03:00", NOON),
            ("2026-11-23 12:00:00.000001+00:00", NOON + MICROSECOND),
        ],
    )
    def test_what_is_one(self, text, moment):
        assert history.instant(text) == moment

    @pytest.mark.parametrize(
        "text", ["", "noon", "2026-11-23T12:00:00", "2026-13-01", "0001-01-01T00:00:00+14:00", "12:00Z", "1795435200"]
    )
    def test_what_is_none(self, text):
        with pytest.raises(ValueError, match=r"."):
            history.instant(text)


class TestExports:
    @pytest.fixture(autouse=True)
    def small_pages(self, monkeypatch):
        monkeypatch.setattr(history, "PAGE", 4)

    def ids(self, connection, within, chosen=history.EVERYTHING):
        pages = list(history.records(connection, within, chosen))
        assert all(len(page) == 4 for page in pages[:-1])
        return [record.id for page in pages for record in page]

    @pytest.mark.parametrize(
        ("before", "after", "ids"),
        [(None, None, range(1, 31)), (29, None, range(1, 29)), (None, 22, range(23, 31)), (9, 4, range(5, 9))],
    )
    def test_all_in_their_order(self, connection, before, after, ids):
        assert self.ids(connection, history.span(connection, before, after)) == list(ids)

    def test_those_that_the_filter_lets_pass(self, connection):
        assert self.ids(connection, Span(3, 20), Filter(carrier="DL", model_version=1)) == [3, 5, 7, 9, 11, 13, 15]

    def test_an_empty_history(self, database, connection):
        delete(database, until=NOON + dt.timedelta(days=1))
        assert self.ids(connection, history.span(connection)) == []

    def test_all_that_is_kept(self, connection):
        [[record]] = history.records(connection, Span(16, 16))
        assert record[:4] == (16, "2026-11-23T12:00:15+00:00", "request-16", 2)
        assert (json.loads(record.input)["number"], record.minutes) == (16, 16.0)

    def test_what_comes_in_meanwhile_is_left_out_and_what_is_deleted_is_missing(self, database, connection):
        pages = history.records(connection, history.span(connection))
        first = next(pages)
        keep(database, range(31, 33))
        delete(database, ids=(2, 6, 7))
        assert [record.id for record in first] == [1, 2, 3, 4]
        assert [record.id for page in pages for record in page] == [5, *range(8, 31)]


class TestDeleting:
    def test_by_id(self, database, connection):
        assert delete(database, ids=(5, 7, 7, 99)) == 2
        assert ids_of(connection) == [*range(1, 5), 6, *range(8, 31)]

    def test_by_the_key_of_a_request(self, database, connection):
        assert delete(database, request_id="request-9") == 1
        assert 9 not in ids_of(connection)

    def test_by_age(self, database, connection):
        assert delete(database, until=NOON + dt.timedelta(seconds=25)) == 25
        assert ids_of(connection) == [26, 27, 28, 29, 30]

    def test_what_is_to_be_deleted_can_be_counted(self, connection):
        assert retention.count(connection, Chosen(ids=(5, 7, 7, 99))) == 2
        assert retention.count(connection, Chosen(request_id="request-9")) == 1
        assert retention.count(connection, Chosen(until=NOON + dt.timedelta(seconds=25))) == 25

    def test_an_id_is_not_given_again(self, database):
        delete(database, ids=(30, 29))
        assert predict(database) == 31
        delete(database, until=NOON + dt.timedelta(days=1))
        assert predict(database) == 32

    def test_what_a_shadow_answered_goes_too_and_no_other(self, database, connection):
        statement = "INSERT INTO shadow_predictions (prediction_id, model_version, prediction) VALUES (?, ?, ?)"
        connection.insert(statement, [(number, 2, 1.0) for number in (4, 5, 6)])
        delete(database, ids=(5,))
        assert connection.query("SELECT prediction_id FROM shadow_predictions ORDER BY 1") == [(4,), (6,)]

    def test_what_became_of_the_flight_stays(self, database, connection):
        outcomes.add(connection, [outcomes.New("{}", 5)], NOON)
        delete(database, ids=(5,))
        assert connection.query("SELECT prediction_id FROM outcomes") == [(5,)]


class TestTheRecord:
    def test_when_by_whom_by_what_and_how_many(self, database, connection):
        delete(database, ids=(7, 5))
        delete(database, by="bia", until=NOON + dt.timedelta(seconds=4))
        [first, second] = retention.deletions(connection)
        assert (first.deleted_at, first.deleted_by, first.predictions) == (NOON.isoformat(), "ana", 2)
        assert json.loads(first.criteria) == {"id": [7, 5]}
        assert (second.deleted_by, second.predictions) == ("bia", 4)
        assert json.loads(second.criteria) == {"until": "2026-11-23T12:00:04+00:00"}

    def test_the_key_of_a_request_does_not_live_on_in_it(self, database, connection):
        delete(database, request_id="request-9")
        [deletion] = retention.deletions(connection)
        assert json.loads(deletion.criteria) == {"request_id_sha256": hashlib.sha256(b"request-9").hexdigest()}

    def test_where_nothing_was_deleted_nothing_is_recorded(self, database, connection):
        assert delete(database, ids=(99,)) == 0
        assert delete(database, request_id="request-99") == 0
        assert retention.deletions(connection) == []

    @pytest.mark.parametrize("statement", ["DELETE FROM deletions", "UPDATE deletions SET predictions = 0"])
    def test_it_cannot_be_rewritten(self, database, statement):
        delete(database, ids=(5,))
        with pytest.raises(StoreUnavailable, match="append-only"), opened(database) as connection:
            connection.change(statement)


class TestPruningMuch:
    @pytest.fixture(autouse=True)
    def small_batches(self, monkeypatch):
        monkeypatch.setattr(retention, "BATCH", 4)

    @pytest.mark.parametrize(("seconds", "batches"), [(10, [4, 4, 2]), (8, [4, 4]), (0, [])])
    def test_each_transaction_is_recorded(self, database, connection, seconds, batches):
        until = Chosen(until=NOON + dt.timedelta(seconds=seconds))
        assert list(retention.delete(database, until, "ana", NOON)) == batches
        assert [one.predictions for one in retention.deletions(connection)] == batches

    def test_stopped_in_the_middle_what_is_deleted_is_recorded(self, database, connection):
        deleting = retention.delete(database, Chosen(until=NOON + dt.timedelta(seconds=20)), "ana", NOON)
        next(deleting)
        deleting.close()
        assert len(ids_of(connection)) == 26
        assert [one.predictions for one in retention.deletions(connection)] == [4]

    def test_predictions_are_answered_meanwhile(self, database):
        keep(database, range(31, 81))
        thread = threading.Thread(target=delete, args=(database,), kwargs={"until": NOON + dt.timedelta(days=1)})
        thread.start()
        waited = []
        while thread.is_alive():
            started = time.monotonic()
            predict(database)
            waited.append(time.monotonic() - started)
        thread.join()
        assert len(waited) > 3
        assert max(waited) < 2
        with opened(database) as connection:
            kept = ids_of(connection)
        assert kept[0] > 80
        assert kept[-1] == 80 + len(waited)


def test_of_what_was_deleted_nothing_is_left_in_the_files_of_sqlite(tmp_path):
    database = database_at(f"sqlite:///{tmp_path}/flight_delay.sqlite3")
    database.migrate()
    with opened(database) as connection:
        models.add(connection, models.Made(b"a", "a" * 64, "model.joblib", "a test", "{}"), NOON)
    keep(database, range(1, 16), tailnum="N-SECRET")
    files = list(tmp_path.iterdir())

    def left():
        return [word for word in (b"N-SECRET", b"request-7") for file in files if word in file.read_bytes()]

    with opened(database) as connection:
        # A reader that only stays, as every process of the service does.
        connection.query("SELECT 1 FROM predictions")
        assert left()
        delete(database, until=NOON + dt.timedelta(days=1))
        assert left() == []
