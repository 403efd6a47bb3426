"""What holds of keys on SQLite and on PostgreSQL alike: what is kept, and who is let in."""

import asyncio
import datetime as dt

import pytest
from starlette.datastructures import Headers

from flight_delay.api.access import Access
from flight_delay.api.errors import ProblemError
from flight_delay.errors import NotOneKey
from flight_delay.store import keys
from flight_delay.store.database import Lasting, opened
from flight_delay.store.keys import Scope

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=1)


@pytest.fixture
def connection(database):
    with opened(database) as connection:
        yield connection


def given_out(connection, name="ci", scopes=(Scope.READ, Scope.PREDICT)):
    """Keep a key; return it whole, and what is kept of it."""
    whole, key = keys.issue(name, scopes, "a test", NOW)
    keys.add(connection, key)
    return whole, key


class TestKept:
    def test_what_was_added_is_listed_without_the_key(self, connection):
        whole, key = given_out(connection)
        assert keys.all_of(connection) == [key]
        [row] = connection.query("SELECT * FROM keys")
        assert row == (key.id, "ci", keys.digest(whole), "predict read", NOW.isoformat(), "a test", None, None, None)
        assert whole.split("_")[2] not in str(row)

    def test_oldest_first(self, connection):
        ids = []
        for hour in range(5):
            _, key = keys.issue(str(hour), [Scope.READ], "a test", NOW + dt.timedelta(hours=hour))
            keys.add(connection, key)
            ids.append(key.id)
        assert [key.id for key in keys.all_of(connection)] == ids

    @pytest.mark.parametrize("by", ["id", "name", "itself"])
    def test_revoked_by(self, connection, by):
        whole, key = given_out(connection)
        named = {"id": key.id, "name": "ci", "itself": whole}[by]
        assert keys.revoke(connection, named, "another", LATER) == key
        [kept] = keys.all_of(connection)
        assert (kept.id, kept.revoked_at, kept.revoked_by) == (key.id, LATER.isoformat(), "another")

    def test_what_is_revoked_once_is_not_there_to_be_revoked(self, connection):
        _, key = given_out(connection)
        keys.revoke(connection, key.id, "another", LATER)
        with pytest.raises(NotOneKey, match="no_such_key"):
            keys.revoke(connection, key.id, "a third", LATER)
        assert keys.all_of(connection)[0].revoked_by == "another"

    def test_a_name_of_two_is_not_enough(self, connection):
        ids = sorted(given_out(connection)[1].id for _ in range(2))
        with pytest.raises(NotOneKey, match="several_keys") as refused:
            keys.revoke(connection, "ci", "another", LATER)
        assert refused.value.facts == {"named": "ci", "ids": ", ".join(ids)}
        keys.revoke(connection, ids[0], "another", LATER)
        keys.revoke(connection, "ci", "another", LATER)
        assert all(key.revoked_at for key in keys.all_of(connection))

    def test_a_key_that_is_not_there_is_not_repeated(self, connection):
        whole, key = keys.issue("ci", [Scope.READ], "a test", NOW)
        with pytest.raises(NotOneKey) as refused:
            keys.revoke(connection, whole, "another", LATER)
        assert refused.value.facts["named"] == key.id


class TestAccess:
    @pytest.fixture
    def lasting(self, database):
        lasting = Lasting(database)
        yield lasting
        lasting.close()

    @pytest.fixture
    def let_in(self, lasting):
        """Follow the database, then ask for a scope with a key; return the caller's name, or the status."""
        access = Access(lasting, "", required=False)

        def let_in(whole="", scope=Scope.PREDICT):
            async def ask():
                await access.follow()
                return await access.check(Headers({"Authorization": f"Bearer {whole}"} if whole else {}), scope)

            try:
                return asyncio.run(ask())
            except ProblemError as problem:
                return problem.status

        return let_in

    def test_open_until_the_first_key(self, connection, let_in):
        assert let_in() == let_in("fd_12345678_of_nobody") == "anyone"
        whole, _ = given_out(connection)
        assert let_in() == 401
        assert let_in(whole) == "ci"

    def test_a_revoked_last_key_does_not_open_it_again(self, connection, lasting, let_in):
        whole, key = given_out(connection)
        assert let_in(whole) == "ci"
        keys.revoke(connection, key.id, "a test", LATER)
        assert let_in(whole) == let_in() == 401
        anew = Access(lasting, "", required=False)
        asyncio.run(anew.follow())
        assert not anew.is_open

    def test_each_key_has_the_scopes_that_it_was_given(self, connection, let_in):
        for scope in Scope:
            whole, _ = given_out(connection, scope, [scope])
            assert [let_in(whole, asked) for asked in Scope] == [scope if asked == scope else 403 for asked in Scope]
