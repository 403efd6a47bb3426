"""The history as a client and a person at the terminal meet it: filtered, exported, pruned, deleted from."""

import csv
import datetime as dt
import hashlib
import io
import json
import os
import pty
import re
import subprocess
import sys

import httpx
import pytest
from conftest import SOURCE, run_command

from flight_delay.flight import Flight, Weather
from flight_delay.store import models
from flight_delay.store.database import database_at, opened, transaction
from flight_delay.store.rows import Prediction, insert

NOW = dt.datetime.now(dt.UTC)
CSV, NDJSON = {"Accept": "text/csv"}, {"Accept": "application/x-ndjson"}


@pytest.fixture
def client(server):
    with server.client() as client:
        yield client


def predict(client, documented, **fields):
    request_id = fields.pop("request_id", None)
    headers = {"X-Request-Id": request_id} if request_id else {}
    return client.post("/model/predict/", json=documented | fields, headers=headers).json()["prediction"]


def delays(response):
    return [entry["input"]["dep_delay"] for entry in response.json()["history"]]


def lines(response):
    return [json.loads(line) for line in response.text.splitlines()]


def keep_many(database_file, count):
    """Put many predictions, 100 days old and older, into the history of a service that has never been started."""
    database = database_at(f"sqlite:///{database_file}")
    database.migrate()
    flight = json.dumps(
        {"month": 7, "day": 23, "sched_dep_time": 1630, "origin": "JFK", "dest": "LAX", "carrier": "DL"}
    )
    with opened(database) as connection:
        made = models.Made(b"", "0" * 64, "m.joblib", "a test", "{}")
        version = models.add(connection, made, NOW)
        at = [(NOW - dt.timedelta(days=100, seconds=count - number)).isoformat() for number in range(count)]
        answered = [Prediction(at[number], f"request-{number + 1}", 1, version, flight, 1.5) for number in range(count)]
        with transaction(connection):
            insert(connection, answered)


class TestFilters:
    def test_pages_keep_the_filter(self, client, documented):
        for delay in range(12):
            predict(client, documented, dep_delay=float(delay), carrier=("DL", "AA")[delay % 2])
        newest = client.get("/model/history/?carrier=AA&limit=2")
        assert delays(newest) == [9.0, 11.0]
        older = client.get(newest.links["prev"]["url"])
        assert delays(older) == [5.0, 7.0]
        oldest = client.get(older.links["prev"]["url"])
        assert delays(oldest) == [1.0, 3.0]
        none = client.get(oldest.links["prev"]["url"])
        assert delays(none) == []
        assert delays(client.get(none.links["next"]["url"])) == [1.0, 3.0]
        assert delays(client.get(oldest.links["next"]["url"])) == [5.0, 7.0]
        nothing_yet = client.get(newest.links["next"]["url"])
        assert delays(nothing_yet) == []
        predict(client, documented, dep_delay=100.0, carrier="DL")
        predict(client, documented, dep_delay=101.0, carrier="AA")
        assert delays(client.get(nothing_yet.links["next"]["url"])) == [101.0]

    def test_each_filter(self, client, documented):
        predict(client, documented, dep_delay=1.0, origin="LGA", request_id="mine+1")
        predict(client, documented, dep_delay=2.0, dest="SFO")
        today = dt.datetime.now(dt.UTC)
        tomorrow = (today + dt.timedelta(days=1)).date()
        for query, found in [
            ({"origin": "LGA"}, [1.0]),
            ({"dest": "SFO"}, [2.0]),
            ({"request_id": "mine+1"}, [1.0]),
            ({"model_version": 1}, [1.0, 2.0]),
            ({"model_version": 2}, []),
            ({"since": today.date() - dt.timedelta(days=1), "until": tomorrow}, [1.0, 2.0]),
            ({"since": tomorrow}, []),
            ({"until": f"{today:%Y-%m-%dT%H:%M}:00-14:00"}, [1.0, 2.0]),
        ]:
            response = client.get("/model/history/", params=query)
            assert delays(response) == found, query
            assert delays(client.get(response.links["next"]["url"])) == [], query

    def test_a_plus_that_was_not_escaped_is_understood(self, client, documented):
        predict(client, documented, dep_delay=1.0)
        assert delays(client.get("/model/history/?since=2026-01-01T00:00:00+02:00")) == [1.0]

    @pytest.mark.parametrize(
        "query",
        ["carrier=dl", "origin=JFKX", "dest=", "model_version=x", "since=noon", "until=2026-01-01T12:00:00", "request_id=",
         "since=0001-01-01T00:00:00%2B14:00", "carier=DL"],
    )  # fmt: skip
    def test_a_filter_that_cannot_be(self, shared_server, query):
        with shared_server.client() as client:
            response = client.get(f"/model/history/?{query}")
        assert response.status_code == 422
        assert response.json()["errors"][0]["field"] == query.split("=")[0]


class TestExports:
    def test_as_csv(self, client, documented):
        weather = {"temp_c": 31.5, "wind_gust_ms": 12}
        answer = predict(client, documented, weather=weather, tailnum="-17TW", request_id="=1+1")
        response = client.get("/model/history/", headers=CSV)
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert response.headers["X-Model-Version"] == "1"
        [row] = csv.DictReader(io.StringIO(response.text))
        asked = [name for name in Flight.model_fields if name != "weather"]
        reported = [f"weather_{name}" for name in Weather.model_fields]
        head = ["id", "predicted_at", "request_id", "model_version"]
        assert list(row) == [*head, *asked, *reported, "prediction"]
        assert (row["id"], row["model_version"], float(row["prediction"])) == ("1", "1", answer)
        assert (row["carrier"], row["distance"], row["year"]) == ("DL", "3983.0", "")
        assert (row["weather_temp_c"], row["weather_wind_gust_ms"], row["weather_precip_mm"]) == ("31.5", "12.0", "")
        assert (row["request_id"], row["tailnum"]) == ("'=1+1", "'-17TW"), "no formula in a spreadsheet"

    def test_as_ndjson(self, client, documented):
        answer = predict(client, documented, request_id='a"b')
        [line] = lines(client.get("/model/history/", headers=NDJSON))
        assert dt.datetime.fromisoformat(line.pop("predicted_at")) >= NOW
        expected = {"id": 1, "request_id": 'a"b', "model_version": 1, "input": documented, "prediction": answer}
        assert line == expected

    def test_what_is_asked_for_and_nothing_else(self, client, documented):
        for delay in range(10):
            predict(client, documented, dep_delay=float(delay), carrier=("DL", "AA")[delay % 2])

        def ids(query):
            return [line["id"] for line in lines(client.get(f"/model/history/?{query}", headers=NDJSON))]

        assert ids("") == list(range(1, 11))
        assert ids("carrier=DL") == [1, 3, 5, 7, 9]
        assert ids("carrier=DL&limit=2") == [7, 9]
        assert ids("carrier=DL&limit=2&before=7") == [3, 5]
        assert ids("limit=2&after=3") == [4, 5]
        assert ids("after=8") == [9, 10]
        assert ids("origin=LGA") == ids("origin=LGA&limit=3") == []

    @pytest.mark.parametrize(
        ("accept", "media_type"),
        [
            ("*/*", "application/json"),
            ("", "application/json"),
            ("application/*", "application/json"),
            ("text/*", "text/csv"),
            ("text/html, */*;q=0.1", "application/json"),
            ("application/json;q=0.5, text/csv;q=0.9", "text/csv"),
            ("text/csv;q=0.1, application/x-ndjson; q=0.2", "application/x-ndjson"),
            ("*/*, application/json;q=0", "text/csv"),
            ("TEXT/CSV;charset=utf-8", "text/csv"),
        ],
    )
    def test_the_form_that_is_liked_best(self, shared_server, accept, media_type):
        with shared_server.client() as client:
            response = client.get("/model/history/", headers={"Accept": accept})
        assert response.headers["Content-Type"].partition(";")[0] == media_type
        assert response.headers["Vary"] == "Accept"

    @pytest.mark.parametrize("accept", ["text/html", "application/xml, text/csv;q=0", "text/csv;q=2", "csv"])
    def test_a_form_that_there_is_not(self, shared_server, accept):
        with shared_server.client() as client:
            response = client.get("/model/history/", headers={"Accept": accept, "Accept-Language": "en"})
        assert (response.status_code, response.json()["type"]) == (406, "urn:flight-delay:problem:not-acceptable")
        assert "application/json, text/csv, application/x-ndjson" in response.json()["detail"]


class TestLongExports:
    COUNT = 60_000

    @pytest.fixture
    def server(self, start_server, workspace):
        keep_many(workspace / "data" / "flight_delay.sqlite3", self.COUNT)
        server = start_server(workspace)
        server.wait()
        return server

    @pytest.fixture
    def client(self, server):
        with server.client() as client:
            yield client

    def test_all_of_it_while_others_are_answered(self, client, documented):
        with client.stream("GET", "/model/history/", headers=NDJSON) as response:
            pieces = response.iter_bytes()
            received = [next(pieces)]
            predict(client, documented)
            received += pieces
        assert client.get("/model/history/?limit=1").json()["history"][0]["input"] == documented
        ids = [json.loads(line)["id"] for line in b"".join(received).splitlines()]
        assert ids == list(range(1, self.COUNT + 1))

    def test_a_database_that_fails_in_the_middle_cuts_it(self, client, workspace):
        with client.stream("GET", "/model/history/", headers=NDJSON) as response:
            pieces = response.iter_bytes()
            next(pieces)
            with opened(database_at(f"sqlite:///{workspace}/data/flight_delay.sqlite3")) as connection:
                connection.change("ALTER TABLE predictions RENAME TO hidden")
            with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
                list(pieces)

    def test_a_client_that_leaves_does_no_harm(self, client, server, documented):
        for form in (CSV, NDJSON) * 5:
            with client.stream("GET", "/model/history/", headers=form) as response:
                next(response.iter_bytes())
        predict(client, documented)
        assert client.get("/health/ready/").status_code == 200
        server.stop()
        assert "Traceback" not in server.log()


def test_without_a_database_an_export_is_refused(client, server):
    for file in (server.folder / "data").iterdir():
        file.unlink()
    assert client.get("/model/history/", headers=CSV).status_code == 503
    assert client.delete("/model/history/?id=1").status_code == 503
    assert client.get("/model/history/deletions/").status_code == 503


class TestDeleting:
    def test_by_id_by_request_and_by_age_with_a_record(self, client, documented):
        for delay in range(8):
            predict(client, documented, dep_delay=float(delay), request_id=f"mine-{delay}")
        assert client.delete("/model/history/1/").json() == {"deleted": 1}
        assert client.delete("/model/history/2").json() == {"deleted": 1}
        assert client.delete("/model/history/?id=3&id=4,5&id=99").json() == {"deleted": 3}
        assert client.delete("/model/history/?request_id=mine-5").json() == {"deleted": 1}
        assert delays(client.get("/model/history/")) == [6.0, 7.0]
        until = dt.datetime.now(dt.UTC)
        predict(client, documented, dep_delay=100.0)
        assert client.delete("/model/history/", params={"until": until.isoformat()}).json() == {"deleted": 2}
        assert delays(client.get("/model/history/")) == [100.0]

        record = client.get("/model/history/deletions/").json()["deletions"]
        assert [one["deleted"] for one in record] == [1, 1, 3, 1, 2]
        assert [one["criteria"] for one in record] == [
            {"id": [1]}, {"id": [2]}, {"id": [3, 4, 5, 99]},
            {"request_id_sha256": hashlib.sha256(b"mine-5").hexdigest()}, {"until": until.isoformat()},
        ]  # fmt: skip
        assert {one["deleted_by"] for one in record} == {"anyone"}
        assert all(dt.datetime.fromisoformat(one["deleted_at"]) >= NOW for one in record)

    def test_an_id_that_was_deleted_is_not_given_again(self, client, documented):
        for _ in range(3):
            predict(client, documented)
        client.delete("/model/history/?id=2,3")
        response = client.post("/model/predict/", json=documented)
        assert response.headers["X-Prediction-Id"] == "4"

    def test_what_is_not_there(self, client):
        response = client.delete("/model/history/7/")
        assert (response.status_code, response.json()["type"]) == (404, "urn:flight-delay:problem:no-prediction")
        assert client.delete("/model/history/?id=7").json() == {"deleted": 0}

    @pytest.mark.parametrize("query", ["", "?id=1&request_id=a", "?until=2026-01-01&id=1"])
    def test_without_one_criterion_nothing_is_deleted(self, client, documented, query):
        predict(client, documented)
        response = client.delete(f"/model/history/{query}")
        assert (response.status_code, response.json()["type"]) == (422, "urn:flight-delay:problem:one-criterion")
        assert len(client.get("/model/history/").json()["history"]) == 1

    @pytest.mark.parametrize(
        ("query", "field"),
        [("carrier=DL", "carrier"), ("id=x", "id.0"), ("id=1,,2", "id.1"), ("id=0", "id.0"), ("until=soon", "until"),
         (f"id={','.join(map(str, range(1, 1002)))}", "id"), ("request_id=%00", "request_id")],
    )  # fmt: skip
    def test_a_criterion_that_cannot_be(self, shared_server, query, field):
        with shared_server.client() as client:
            response = client.delete(f"/model/history/?{query}")
        assert response.status_code == 422
        assert response.json()["errors"][0]["field"] == field

    def test_a_path_with_two_methods_names_both(self, shared_server):
        with shared_server.client() as client:
            response = client.put("/model/history/")
        assert (response.status_code, response.headers["Allow"]) == (405, "DELETE, GET")


class TestCommands:
    @pytest.fixture
    def folder(self, tmp_path):
        keep_many(tmp_path / "data" / "flight_delay.sqlite3", 30)
        return tmp_path

    def ids(self, folder):
        assert run_command("history", "export", "left.ndjson", folder=folder).returncode == 0
        return [json.loads(line)["id"] for line in (folder / "left.ndjson").read_text().splitlines()]

    def test_export(self, folder):
        done = run_command(
            "history", "export", "out/of.csv", "--carrier", "dl", "--until", f"{NOW:%Y-%m-%d}", folder=folder
        )
        assert done.stdout == "30 prediction(s) in out/of.csv.\n"
        rows = list(csv.DictReader(io.StringIO((folder / "out" / "of.csv").read_text())))
        assert [row["id"] for row in rows] == [str(number) for number in range(1, 31)]
        assert [file.name for file in (folder / "out").iterdir()] == ["of.csv"]

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("export", "out.txt"), ".csv, .ndjson"),
            (("export", "out.csv", "--carrier", "DLX"), "carrier: has not the expected form"),
            (("export", "out.csv", "--since", "noon"), "since: must be a date"),
            (("prune", "--older-than", "90"), "must be an age in days"),
            (("prune", "--older-than", "9999999999d"), "must be an age in days"),
            (("delete",), "exactly one of these"),
            (("delete", "--id", "1", "--request-id", "x"), "exactly one of these"),
        ],
    )
    def test_what_cannot_be(self, folder, arguments, said):
        done = run_command("history", *arguments, folder=folder)
        assert done.returncode in {1, 2}
        assert said in " ".join(re.sub("[│╭╮╰╯─]", " ", done.stderr).split())
        assert {file.name for file in folder.iterdir()} == {"data"}

    def test_a_database_that_is_not_there_is_not_made(self, tmp_path):
        for command in (["export", "out.csv"], ["prune", "--older-than", "1d"], ["deletions"]):
            assert run_command("history", *command, folder=tmp_path).returncode == 1
        assert list(tmp_path.iterdir()) == []

    def test_a_file_that_is_there_stays_where_the_export_fails(self, folder):
        (folder / "out.csv").write_text("of before")
        with opened(database_at(f"sqlite:///{folder}/data/flight_delay.sqlite3")) as connection:
            connection.change("UPDATE predictions SET input = 'broken' WHERE id = 20")
        assert run_command("history", "export", "out.csv", folder=folder).returncode == 1
        assert (folder / "out.csv").read_text() == "of before"
        assert {file.name for file in folder.iterdir()} == {"data", "out.csv"}

    def test_prune_delete_and_the_record(self, folder):
        assert run_command("history", "deletions", folder=folder).stdout == "Nothing was ever deleted.\n"
        pruned = run_command("history", "prune", "--older-than", "90d", folder=folder, LOGNAME="ana")
        assert pruned.stdout == "30 prediction(s) deleted, and that recorded.\n"
        assert self.ids(folder) == []
        again = run_command("history", "prune", "--older-than", "90d", folder=folder)
        assert again.stdout == "There is nothing to delete.\n"
        [header, *_, row] = [
            line for line in run_command("history", "deletions", folder=folder).stdout.splitlines() if line.strip()
        ]
        assert header.startswith("What was deleted")
        assert "ana" in row
        assert '{"until": ' in row
        assert row.split()[-2:] == ["30", "0"]

    def test_delete_by_id_and_by_request(self, folder):
        done = run_command("history", "delete", "--id", "5", "--id", "7", "--id", "99", folder=folder)
        assert done.stdout == "2 prediction(s) deleted, and that recorded.\n"
        run_command("history", "delete", "--request-id", "request-9", folder=folder)
        assert self.ids(folder) == [1, 2, 3, 4, 6, 8, *range(10, 31)]

    def test_young_ones_stay(self, folder):
        run_command("history", "prune", "--older-than", f"{NOW - dt.timedelta(days=110):%Y-%m-%d}", folder=folder)
        assert len(self.ids(folder)) == 30

    @pytest.mark.parametrize(("typed", "arguments", "left"), [(b"n\n", [], 30), (b"y\n", [], 0), (b"", ["--yes"], 0)])
    def test_on_a_terminal_it_asks(self, folder, typed, arguments, left):
        controller, terminal = pty.openpty()
        os.write(controller, typed)
        done = subprocess.run(
            [sys.executable, "-m", "flight_delay", "history", "prune", "--older-than", "90d", *arguments],
            cwd=folder, env=os.environ | {"PYTHONPATH": str(SOURCE)}, stdin=terminal, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        os.close(controller)
        os.close(terminal)
        assert ("Delete 30 prediction(s)" in done.stdout) is (typed != b"")
        assert len(self.ids(folder)) == left
