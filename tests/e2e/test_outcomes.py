"""The service is told what became of flights, keeps it, and answers by it."""

import datetime as dt
import json
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from flight_delay.api.outcomes import leg_told
from flight_delay.flight import Flight
from flight_delay.store.database import database_at
from flight_delay.store.outcomes import Told

CUT = dt.datetime(2013, 7, 22, 18)
"""A day of thunderstorms; what is told is what was known at 14:00 in New York."""
FLIGHT = {
    "year": 2013, "month": 7, "day": 22, "sched_dep_time": 1630, "sched_arr_time": 1930, "origin": "JFK", "dest": "LAX",
    "carrier": "DL",
}  # fmt: skip


@pytest.fixture(scope="session")
def told(processed):
    """The flights of a day as outcomes: those that have left, have arrived, or should have left, by the cut."""
    columns = (
        "year, month, day, sched_dep_time, sched_arr_time, origin, dest, carrier, flight, tailnum, "
        "dep_delay, arr_delay, air_time_min, cancelled, dep_utc, arr_utc"
    )
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT {columns} FROM read_parquet('{processed}/**/*.parquet', hive_partitioning = true) "
            "WHERE month = 7 AND day = 22 AND sched_dep_utc < ? ORDER BY sched_dep_utc, carrier, flight",
            [CUT],
        ).fetchall()
    return [outcome_of(dict(zip(columns.split(", "), row, strict=True))) for row in rows]


def outcome_of(row):
    left, arrived = (row.pop(name) is not None and moment < CUT for name, moment in moments(row))
    air_time = row.pop("air_time_min")
    outcome = {name: value for name, value in row.items() if value is not None}
    if not left:
        outcome.pop("dep_delay", None)
    if not (left and arrived and "arr_delay" in outcome):
        outcome.pop("arr_delay", None)
    elif air_time is not None:
        outcome["air_time"] = air_time
    return outcome


def moments(row):
    return [(name, row[name] or dt.datetime.max) for name in ("dep_utc", "arr_utc")]


@pytest.fixture
def own(server):
    with server.client() as client:
        yield client


def horizon(client, **change):
    response = client.post("/model/predict/?include=metadata", json=FLIGHT | change)
    metadata = response.json()["metadata"]
    return response.json()["prediction"], metadata["horizon"], metadata["told"]


def kept(folder):
    with sqlite3.connect(folder / "data" / "flight_delay.sqlite3") as connection:
        rows = connection.execute("SELECT outcome, prediction_id FROM outcomes ORDER BY id").fetchall()
    connection.close()
    return [(json.loads(outcome), prediction_id) for outcome, prediction_id in rows]


def tell(client, outcomes):
    response = client.post("/model/outcomes/", json=outcomes)
    assert response.status_code == 200, response.text
    return response.json()


class TestAnswers:
    def test_they_go_by_what_was_told(self, own, told):
        before, *schedule = horizon(own)
        departed_before, *alone = horizon(own, dep_delay=20.0)
        assert (schedule, alone) == (["schedule", False], ["departed", False])
        assert tell(own, told) == {"accepted": len(told)}
        after, *pre_departure = horizon(own)
        departed_after, *departed = horizon(own, dep_delay=20.0)
        assert (pre_departure, departed) == (["pre_departure", True], ["departed", True])
        assert abs(after - before) > 1
        assert departed_after != departed_before

    def test_an_airport_of_which_nothing_was_told_is_not_answered_by_it(self, own, told):
        tell(own, told)
        assert horizon(own, origin="LAX", dest="JFK")[1:] == ("schedule", False)

    def test_they_are_those_of_the_model_told_the_same(self, own, told, artifact):
        tell(own, told)
        state = artifact.state()
        now = dt.datetime.now(dt.UTC)
        for number, outcome in enumerate(told):
            if (leg := leg_told(Told(number, now.isoformat(), json.dumps(outcome)), artifact.codes)) is not None:
                state.tell(leg)
        for change in ({}, {"dep_delay": 33.0}, {"tailnum": told[-1]["tailnum"]}, {"carrier": "B6", "dest": "MCO"}):
            flight = Flight.model_validate(FLIGHT | change)
            expected = artifact.answer(flight, now.date(), state, now.timestamp() / 60).minutes
            assert horizon(own, **change)[0] == expected

    def test_the_flight_before_of_the_same_aircraft_counts(self, own, told):
        tell(own, told)
        aircraft = {"tailnum": "N999ZZ"}
        before = horizon(own, **aircraft)[0]
        inbound = FLIGHT | aircraft | {"sched_dep_time": 900, "sched_arr_time": 1530, "origin": "LAX", "dest": "JFK"}
        tell(own, inbound | {"sched_dep_time": 700})
        assert horizon(own, **aircraft)[0] != before

    def test_the_explanation_says_it(self, own, told):
        tell(own, told)
        body = own.post(
            "/model/predict/?include=explanation,notes", json=FLIGHT, headers={"Accept-Language": "en"}
        ).json()
        assert any(
            "lately" in feature["text"] or "in the last" in feature["text"]
            for feature in body["explanation"]["features"]
        )
        assert not any("Nothing was heard" in note for note in body["notes"])

    def test_a_restart_keeps_it(self, start_server, workspace, told):
        first = start_server(workspace)
        first.wait()
        with first.client() as client:
            tell(client, told[: len(told) // 2])
            tell(client, told[len(told) // 2 :])
            answered = horizon(client)
        first.kill()
        second = start_server(workspace)
        second.wait()
        with second.client() as client:
            assert horizon(client) == answered
            assert answered[2]

    def test_a_promotion_keeps_it(self, own, workspace, told):
        tell(own, told)
        answered = horizon(own)
        content = (workspace / "model" / "flight_delay_model.joblib").read_bytes()
        assert own.post("/model/load/", files={"file": ("m.joblib", content)}).status_code == 200
        assert horizon(own) == answered

    def test_two_workers_agree_soon(self, start_server, workspace, told):
        server = start_server(workspace, "--workers", "2")
        server.wait()
        time.sleep(1)
        with server.client() as client:
            tell(client, told)
        time.sleep(1.5)

        def ask(_):
            with server.client() as client:
                return horizon(client)

        with ThreadPoolExecutor(8) as pool:
            answers = set(pool.map(ask, range(60)))
        assert len(answers) == 1
        assert answers.pop()[1:] == ("pre_departure", True)

    @pytest.mark.parametrize(("days", "expected"), [(2.9, "pre_departure"), (3.1, "schedule")])
    def test_what_was_told_days_ago_has_faded(self, start_server, workspace, told, days, expected):
        path = workspace / "data" / "flight_delay.sqlite3"
        database_at(f"sqlite:///{path}").migrate()
        moment = (dt.datetime.now(dt.UTC) - dt.timedelta(days=days)).isoformat()
        with sqlite3.connect(path) as connection:
            connection.executemany(
                "INSERT INTO outcomes (told_at, outcome) VALUES (?, ?)", [(moment, json.dumps(one)) for one in told]
            )
        connection.close()
        server = start_server(workspace)
        server.wait()
        with server.client() as client:
            assert horizon(client)[1] == expected
            tell(client, FLIGHT | {"origin": "GRU"})
            assert horizon(client)[1] == expected

    def test_a_row_that_is_not_understood_is_logged_and_passed_over(self, start_server, workspace, told):
        path = workspace / "data" / "flight_delay.sqlite3"
        database_at(f"sqlite:///{path}").migrate()
        with sqlite3.connect(path) as connection:
            connection.execute(
                'INSERT INTO outcomes (told_at, outcome) VALUES (?, \'{"of": "tomorrow"}\')',
                (dt.datetime.now(dt.UTC).isoformat(),),
            )
        connection.close()
        server = start_server(workspace)
        server.wait()
        with server.client() as client:
            tell(client, told)
            assert horizon(client)[1] == "pre_departure"
        assert "outcome 1 is not understood" in server.log()


class TestKeeping:
    def test_one_or_many_as_they_were_told(self, server, own):
        first = FLIGHT | {"dep_delay": 5.0, "arr_delay": -3.0, "air_time": 320.0, "weather": {"temp_c": 20.0}}
        second, third = FLIGHT | {"cancelled": True}, dict(FLIGHT)
        assert tell(own, first) == {"accepted": 1}
        assert tell(own, [second, third]) == {"accepted": 2}
        assert tell(own, []) == {"accepted": 0}
        assert kept(server.folder) == [(first, None), (second, None), (third, None)]

    def test_of_a_prediction(self, server, own, documented):
        answer = own.post("/model/predict/?include=metadata", json=documented)
        number = answer.json()["metadata"]["id"]
        tell(own, {"prediction_id": number, "arr_delay": 7.0})
        tell(own, [{"prediction_id": number, "dep_delay": 12.0, "arr_delay": 8.0, "air_time": 300.0}])
        tell(own, {"prediction_id": number, "cancelled": True})
        later = {"dep_delay": 12.0, "arr_delay": 8.0, "air_time": 300.0}
        assert kept(server.folder) == [
            (documented | {"arr_delay": 7.0}, number),
            (documented | later, number),
            (documented | {"cancelled": True}, number),
        ]

    def test_an_airport_that_is_not_known_is_kept(self, server, own):
        strange = FLIGHT | {"origin": "ZZZ", "dep_delay": 5.0}
        tell(own, strange)
        tell(own, FLIGHT | {"dest": "ZZZ", "dep_delay": 5.0, "arr_delay": 5.0, "air_time": 100.0})
        assert kept(server.folder)[0] == (strange, None)
        assert horizon(own)[0]

    def test_without_a_model_too(self, start_server, tmp_path):
        server = start_server(tmp_path)
        server.wait("/health/")
        with server.client() as client:
            tell(client, FLIGHT)
        assert kept(tmp_path) == [(FLIGHT, None)]

    def test_a_database_that_is_lost_is_said(self, server, own):
        for file in (server.folder / "data").iterdir():
            file.unlink()
        response = own.post("/model/outcomes/", json=FLIGHT)
        assert response.status_code == 503
        assert response.json()["type"] == "urn:flight-delay:problem:store-unavailable"


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "field", "said"),
        [
            (FLIGHT | {"arr_delay": 5.0}, "arr_delay", "needs dep_delay"),
            (FLIGHT | {"air_time": 5.0}, "air_time", "needs arr_delay"),
            (FLIGHT | {"dep_delay": 1.0, "arr_delay": 5.0, "cancelled": True}, "cancelled", "cannot have arrived"),
            (FLIGHT | {"dep_delay": 1.0, "arr_delay": 3001.0}, "arr_delay", "at most 3,000"),
            (FLIGHT | {"dep_delay": 1.0, "arr_delay": 1.0, "air_time": 0.0}, "air_time", "at least 1"),
            (FLIGHT | {"cancelled": "yes"}, "cancelled", "true or false"),
            (FLIGHT | {"arr_dely": 1.0}, "arr_dely", "did you mean arr_delay?"),
            (FLIGHT | {"month": 13}, "month", "at most 12"),
            (FLIGHT | {"hour": 3}, "hour", "is not the hour"),
            (FLIGHT | {"year": 2100, "dep_delay": 1.0}, "dep_delay", "still to come"),
            ({"prediction_id": 10**9, "arr_delay": 1.0}, "prediction_id", "no prediction of that number"),
            ({"prediction_id": 1}, "arr_delay", "what became of the flight"),
            ({"prediction_id": 1, "arr_delay": 1.0, "month": 7}, "month", "unknown field"),
            ({"prediction_id": 0, "arr_delay": 1.0}, "prediction_id", "at least 1"),
            (7, "", "must be a JSON object"),
        ],
        ids=lambda value: str(value)[-40:],
    )  # fmt: skip
    def test_what_cannot_be_is_named_by_index_and_field(self, shared_server, body, field, said):
        with shared_server.client() as client:
            for sent, name in ((body, field), ([FLIGHT, body], f"1.{field}".rstrip("."))):
                response = client.post("/model/outcomes/", json=sent, headers={"Accept-Language": "en"})
                assert response.status_code == 422
                (error,) = response.json()["errors"]
                assert error["field"] == name
                assert said.replace(",", "") in error["message"].replace(",", "")

    def test_all_or_nothing(self, server, own):
        own.post("/model/outcomes/", json=[FLIGHT, FLIGHT | {"month": 13}])
        assert kept(server.folder) == []

    @pytest.mark.parametrize("body", [b"", b"{", b"[", b"null", b"\xff", b'[{"arr_delay": NaN}]', b"[" * 5000])
    def test_what_is_no_outcome(self, shared_server, body):
        with shared_server.client() as client:
            response = client.post("/model/outcomes/", content=body)
        assert response.status_code == 422
        assert response.json()["errors"]

    def test_too_many(self, shared_server):
        with shared_server.client() as client:
            response = client.post("/model/outcomes/", json=[{"month": 7}] * 10_001)
        assert response.status_code == 422
        assert "10.001" in response.json()["detail"] or "10001" in response.json()["detail"]

    def test_errors_are_not_listed_without_end(self, shared_server):
        with shared_server.client() as client:
            response = client.post("/model/outcomes/", json=[{}] * 5000)
        assert len(response.json()["errors"]) == 100

    def test_too_large(self, shared_server):
        with shared_server.client() as client:
            response = client.post("/model/outcomes/", content=b" " * (8 * 1024 * 1024 + 1))
        assert response.status_code == 413
        assert "8388608" in response.json()["detail"].replace(".", "")

    def test_in_the_reader_s_language_and_without_the_last_slash(self, shared_server):
        with shared_server.client() as client:
            portuguese = client.post("/model/outcomes", json=FLIGHT | {"arr_delay": 5.0})
            english = client.post("/model/outcomes", json={}, headers={"Accept-Language": "en"})
        assert "precisa de dep_delay" in portuguese.text
        assert "required, but absent" in english.text


def test_openapi_documents_it(shared_server):
    with shared_server.client() as client:
        document = client.get("/openapi.json").json()
    body = document["paths"]["/model/outcomes/"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schemas = document["components"]["schemas"]
    assert "#/components/schemas/OutcomeOfPrediction" in json.dumps(body)
    assert set(Flight.model_fields) < set(schemas["Outcome"]["properties"])
    assert all(field["description"] for field in schemas["OutcomeOfPrediction"]["properties"].values())
    assert schemas["Outcome"]["additionalProperties"] is False
