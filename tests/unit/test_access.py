"""Keys, their form, the settings that hold them, and what a request needs."""

import asyncio
import datetime as dt
import json
import timeit

import pytest
from pydantic import ValidationError
from starlette.datastructures import Headers

from flight_delay.api.access import Access, needed
from flight_delay.api.errors import ProblemError
from flight_delay.settings import Settings
from flight_delay.store import keys
from flight_delay.store.database import Lasting, database_at, opened
from flight_delay.store.keys import Scope

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


def issued(name="ci", scopes=(Scope.PREDICT,)):
    return keys.issue(name, scopes, "a test", NOW)


@pytest.fixture
def database(tmp_path):
    """A database that is not there until it is migrated."""
    return database_at(f"sqlite:///{tmp_path}/flight_delay.sqlite3")


@pytest.fixture
def lasting(database):
    lasting = Lasting(database)
    yield lasting
    lasting.close()


def asked(access, scope=Scope.PREDICT, **headers):
    """Return who is let in, or the type and the status of what is said instead."""
    sent = Headers({name.replace("_", "-"): value for name, value in headers.items()})
    try:
        return asyncio.run(access.check(sent, scope))
    except ProblemError as problem:
        return problem.key, problem.status


class TestKey:
    def test_its_form(self):
        whole, key = issued()
        prefix, public, secret = whole.split("_")
        assert (prefix, public, len(public), len(bytes.fromhex(secret))) == ("fd", key.id, 8, 32)
        assert keys.id_of(whole) == key.id

    def test_no_two_are_the_same(self):
        assert len({issued()[0] for _ in range(100)}) == 100

    @pytest.mark.parametrize("given", ["", "fd_", "fd_123_x", "fd_1234567G_x", "12345678", "Fd_12345678_x"])
    def test_what_names_no_id(self, given):
        assert keys.id_of(given) == ""

    def test_neither_it_nor_its_hash_is_shown(self):
        whole, key = issued()
        assert key.sha256 not in repr(key)
        assert whole not in repr(key)

    def test_an_entry_comes_back_from_the_setting(self, monkeypatch):
        first, second = (issued(name, scopes)[1] for name, scopes in [("ci", Scope), ("joão@x", [Scope.READ])])
        monkeypatch.setenv("FLIGHT_DELAY_API_KEYS", f"{keys.entry(first)}, {keys.entry(second)},\n")
        both = keys.of_entries(Settings().api_keys.get_secret_value())
        assert [(key.name, key.sha256, key.scopes) for key in both] == [
            ("ci", first.sha256, frozenset(Scope)),
            ("joão@x", second.sha256, {Scope.READ}),
        ]


class TestSettings:
    @pytest.mark.parametrize("scope", Scope)
    def test_each_scope_can_be_set(self, scope):
        assert Settings(api_keys=f"ci:{scope}:{'a' * 64}").api_keys.get_secret_value()

    @pytest.mark.parametrize(
        "entry",
        ["{whole}", "ci:predict", "ci:predict:{whole}", "ci:admin:{sha256}", "ci::{sha256}", ":predict:{sha256}",
         "c i:predict:{sha256}", "ci:predict:{sha256}0", "ci:predict+:{sha256}"],
    )  # fmt: skip
    def test_a_wrong_one_is_said_by_its_number_and_not_repeated(self, monkeypatch, entry):
        whole, key = issued()
        wrong = entry.format(whole=whole, sha256=key.sha256)
        monkeypatch.setenv("FLIGHT_DELAY_API_KEYS", f"{keys.entry(key)},{wrong}")
        with pytest.raises(ValidationError) as refused:
            Settings()
        said = str(refused.value)
        assert "api_keys" in said
        assert "entry 2" in said
        assert whole not in said
        assert key.sha256 not in said

    def test_they_are_not_shown(self):
        _, key = issued()
        settings = Settings(api_keys=keys.entry(key))
        assert key.sha256 not in repr(settings)
        assert key.sha256 not in json.dumps(settings.model_dump(), default=str)


class TestNeeded:
    @pytest.mark.parametrize(
        ("method", "path", "scope"),
        [
            ("GET", "/health/", None),
            ("GET", "/health/ready/", None),
            ("GET", "/docs", None),
            ("GET", "/redoc", None),
            ("GET", "/openapi.json", None),
            ("GET", "/static-offline-docs/swagger-ui.css", None),
            ("POST", "/model/predict/", Scope.PREDICT),
            ("POST", "/model/predict/batch/", Scope.PREDICT),
            ("POST", "/model/outcomes/", Scope.PREDICT),
            ("GET", "/model/predict/", Scope.READ),
            ("GET", "/model/history/", Scope.READ),
            ("HEAD", "/model/history/", Scope.READ),
            ("GET", "/model/", Scope.READ),
            ("POST", "/model/load/", Scope.MANAGE),
            ("POST", "/model/versions/3/promote/", Scope.MANAGE),
            ("DELETE", "/model/history/", Scope.MANAGE),
            ("DELETE", "/model/predict/", Scope.MANAGE),
        ],
    )
    def test_of_what_there_is(self, method, path, scope):
        assert needed(method, path) is scope

    @pytest.mark.parametrize(
        "path",
        ["/", "/new/", "/docs/", "/healthy", "/health/../model/history/", "//model/history/", "/MODEL/history/",
         "/model", "/static-offline-docs", "/x/docs"],
    )  # fmt: skip
    def test_what_is_not_known_to_be_open_is_closed(self, path):
        assert needed("GET", path) is Scope.READ
        assert needed("POST", path) is Scope.MANAGE


class TestAccess:
    def test_before_the_database_was_read_nobody_is_let_in(self, database, lasting):
        access = Access(lasting, "", required=False)
        assert asked(access) == ("store_unavailable", 503)
        assert asked(access, authorization="Bearer fd_12345678_x") == ("store_unavailable", 503)
        assert not access.is_open
        database.migrate()
        assert asked(access) == "anyone"
        assert access.is_open

    def test_health_is_asked_by_anyone_at_any_time(self, lasting):
        assert asked(Access(lasting, "", required=True), None) == "anyone"

    def test_a_key_of_the_settings_needs_no_database(self, database, lasting):
        whole, key = issued()
        access = Access(lasting, keys.entry(key), required=False)
        assert asked(access, authorization=f"Bearer {whole}") == "ci"
        assert asked(access) == ("no_key", 401)
        assert asked(access, authorization="Bearer another") == ("store_unavailable", 503)
        database.migrate()
        assert asked(access, authorization="Bearer another") == ("wrong_key", 401)
        assert not access.is_open

    @pytest.mark.parametrize(
        "headers",
        [
            {"authorization": "Bearer {}"},
            {"authorization": "bearer  {} "},
            {"x_api_key": "{}"},
            {"authorization": "Basic dXNlcjpwYXNz", "x_api_key": "{}"},
        ],
    )
    def test_ways_to_send_a_key(self, lasting, headers):
        whole, key = issued()
        access = Access(lasting, keys.entry(key), required=False)
        assert asked(access, **{name: value.format(whole) for name, value in headers.items()}) == "ci"

    @pytest.mark.parametrize("change", [lambda key: key[:-1], lambda key: key + "0", str.upper, lambda key: key[12:]])
    def test_almost_a_key_is_none(self, database, lasting, change):
        database.migrate()
        whole, key = issued()
        with opened(database) as connection:
            keys.add(connection, key)
        access = Access(lasting, "", required=False)
        asyncio.run(access.follow())
        assert asked(access, authorization=f"Bearer {whole}") == "ci"
        assert asked(access, authorization=f"Bearer {change(whole)}") == ("wrong_key", 401)
        assert asked(access, authorization=f"Bearer {whole}", scope=Scope.MANAGE) == ("scope_lacking", 403)

    @pytest.mark.parametrize("given", ["\u00e9" * 10, "\x00", "fd_12345678_\u00ff", "x" * 100_000])
    def test_whatever_is_sent_is_answered(self, database, lasting, given):
        database.migrate()
        _, key = issued()
        assert asked(Access(lasting, keys.entry(key), required=False), x_api_key=given) == ("wrong_key", 401)

    def test_the_hash_is_not_a_key(self, database, lasting):
        database.migrate()
        _, key = issued()
        access = Access(lasting, keys.entry(key), required=False)
        assert asked(access, x_api_key=key.sha256) == ("wrong_key", 401)
        assert asked(access, x_api_key="0" * 64) == ("wrong_key", 401)

    def test_where_keys_are_required_and_there_is_none_nobody_is_let_in(self, database, lasting):
        database.migrate()
        access = Access(lasting, "", required=True)
        assert asked(access) == asked(access, x_api_key="x") == ("keys_required", 503)
        whole, key = issued()
        with opened(database) as connection:
            keys.add(connection, key)
        asyncio.run(access.follow())
        assert asked(access, x_api_key=whole) == "ci"

    def test_keys_outlast_their_database(self, database, lasting, tmp_path):
        database.migrate()
        whole, key = issued()
        with opened(database) as connection:
            keys.add(connection, key)
        access = Access(lasting, "", required=False)
        assert asked(access, x_api_key=whole) == "ci"
        for file in tmp_path.iterdir():
            file.unlink()
        with pytest.raises(Exception, match="unable to open"):
            asyncio.run(access.follow())
        assert asked(access, x_api_key=whole) == "ci"
        database.migrate()
        asyncio.run(access.follow())
        assert asked(access) == ("no_key", 401)

    def test_it_takes_next_to_no_time(self, database, lasting):
        database.migrate()
        whole, key = issued()
        with opened(database) as connection:
            keys.add(connection, key)
        access = Access(lasting, "", required=False)
        headers = Headers({"authorization": f"Bearer {whole}"})

        async def check_often():
            await access.follow()
            started = timeit.default_timer()
            for _ in range(2000):
                await access.check(headers, needed("POST", "/model/predict/"))
            return (timeit.default_timer() - started) / 2000

        assert asyncio.run(check_often()) < 100e-6
