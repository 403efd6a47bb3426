"""What holds of batches on SQLite and on PostgreSQL alike: how they are kept, listed, and deleted."""

import datetime as dt
import hashlib
import json
import threading

import pytest

from flight_delay.errors import StoreUnavailable
from flight_delay.store import batches, models, retention
from flight_delay.store.batches import Batch, Content, New
from flight_delay.store.database import Lasting, database_at, opened, transaction
from flight_delay.store.predictions import Superseded
from flight_delay.store.retention import Chosen
from flight_delay.store.rows import Prediction, insert

NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


def with_a_model(database):
    with opened(database) as connection:
        models.add(connection, models.Made(b"a", "a" * 64, "model.joblib", "a test", "{}"), NOON)
        models.promote(connection, 1, models.Change(models.TRAINING, "a test", "first"), NOON)


@pytest.fixture
def lasting(database):
    """The database, with a model that is live by the first generation."""
    with_a_model(database)
    lasting = Lasting(database)
    yield lasting
    lasting.close()


def new(number=1, rows=3, generation=1):
    at = (NOON + dt.timedelta(seconds=number - 1)).isoformat()
    return New(at, f"request-{number}", generation, 1, rows, b"\x00asked\xff" * number, b"answered")


def ids(lasting):
    return [one.id for one in batches.page(lasting.connection(), 100)]


class TestKeeping:
    def test_what_was_kept_is_there(self, lasting):
        assert batches.keep(lasting, new(2, rows=7)) == 1
        assert batches.page(lasting.connection(), 10) == [
            Batch(1, (NOON + dt.timedelta(seconds=1)).isoformat(), "request-2", 1, 7)
        ]
        assert batches.content(lasting.connection(), 1) == Content(b"\x00asked\xff" * 2, b"answered")
        assert batches.content(lasting.connection(), 2) is None

    def test_one_of_a_superseded_model_is_not_kept(self, lasting):
        connection = lasting.connection()
        models.promote(connection, 1, models.Change(models.PROMOTION, "a test", "again"), NOON)
        with pytest.raises(Superseded):
            batches.keep(lasting, new(generation=1))
        assert ids(lasting) == []
        assert batches.keep(lasting, new(generation=2)) == 1

    def test_ids_come_in_the_order_of_commits(self, lasting, database):
        given = []

        def keep():
            own = Lasting(database)
            given.extend(batches.keep(own, new()) for _ in range(5))
            own.close()

        threads = [threading.Thread(target=keep) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(given) == ids(lasting) == list(range(1, 16))

    def test_a_version_that_there_is_not_is_refused(self, lasting):
        with pytest.raises(StoreUnavailable):
            batches.keep(lasting, new()._replace(model_version=9))
        assert ids(lasting) == []


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"limit": 2}, [5, 6]),
        ({"limit": 2, "before": 5}, [3, 4]),
        ({"limit": 2, "after": 3}, [4, 5]),
        ({"limit": 9, "after": 2, "before": 5}, [3, 4]),
        ({"limit": 2, "after": 6}, []),
    ],
)
def test_a_page_is_of_the_newest_oldest_first(lasting, asked, found):
    for number in range(1, 7):
        batches.keep(lasting, new(number))
    assert [one.id for one in batches.page(lasting.connection(), **asked)] == found


class TestDeleting:
    @pytest.fixture
    def database_of_four(self, lasting, database):
        for number in range(1, 5):
            batches.keep(lasting, new(number, rows=number))
        with opened(database) as connection, transaction(connection):
            insert(connection, [Prediction(NOON.isoformat(), "request-2", 1, 1, "{}", 1.0)] * 2)
        return database

    @pytest.mark.parametrize(
        ("chosen", "deleted", "stay"),
        [
            (Chosen(batch_ids=(2, 3)), [2, 3], [1, 4]),
            (Chosen(batch_ids=(2, 2, 9)), [2], [1, 3, 4]),
            (Chosen(request_id="request-2"), [2, 2], [1, 3, 4]),
            (Chosen(until=NOON + dt.timedelta(seconds=2)), [2, 1, 2], [3, 4]),
            (Chosen(ids=(1, 2)), [2], [1, 2, 3, 4]),
            (Chosen(request_id="nobody"), [], [1, 2, 3, 4]),
        ],
    )
    def test_it_counts_the_predictions_within(self, database_of_four, lasting, chosen, deleted, stay):
        assert retention.count(lasting.connection(), chosen) == sum(deleted)
        assert list(retention.delete(database_of_four, chosen, "ana", NOON)) == deleted
        assert ids(lasting) == stay
        assert retention.count(lasting.connection(), chosen) == 0

    def test_the_record_says_how_many_and_not_which_request(self, database_of_four, lasting):
        list(retention.delete(database_of_four, Chosen(request_id="request-2"), "ana", NOON))
        list(retention.delete(database_of_four, Chosen(batch_ids=(3,)), "bia", NOON))
        kept = retention.deletions(lasting.connection())
        assert [(one.deleted_by, one.predictions, one.batches) for one in kept] == [
            ("ana", 2, 0),
            ("ana", 2, 1),
            ("bia", 3, 1),
        ]
        digest = hashlib.sha256(b"request-2").hexdigest()
        assert [json.loads(one.criteria) for one in kept[1:]] == [{"request_id_sha256": digest}, {"batch": [3]}]

    def test_an_id_is_not_given_again(self, database_of_four, lasting):
        list(retention.delete(database_of_four, Chosen(batch_ids=(3, 4)), "ana", NOON))
        assert batches.keep(lasting, new()) == 5
        list(retention.delete(database_of_four, Chosen(until=NOON + dt.timedelta(days=1)), "ana", NOON))
        assert batches.keep(lasting, new()) == 6


def test_what_was_deleted_is_not_in_the_file(tmp_path):
    database = database_at(f"sqlite:///{tmp_path}/flight_delay.sqlite3")
    database.migrate()
    lasting = Lasting(database)
    with_a_model(database)
    batches.keep(lasting, new()._replace(inputs=b"A-SECRET-FLIGHT" * 1000))
    list(retention.delete(database, Chosen(batch_ids=(1,)), "ana", NOON))
    assert not any(b"A-SECRET-FLIGHT" in file.read_bytes() for file in tmp_path.iterdir())
    lasting.close()
