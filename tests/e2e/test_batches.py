"""Batches as clients meet them: in every form, refused, passed over, kept, deleted; and while others are answered."""

import csv
import io
import json
import os
import socket
import statistics
import threading
import time
from pathlib import Path

import httpx
import joblib
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from batches import ARROW, FORMS, JSON, NDJSON, PARQUET, answered, as_arrow, written
from conftest import run_command
from sklearn.linear_model import LinearRegression

PATH = "/model/predict/batch/"
HISTORY = "/model/history/batches/"
ENGLISH = {"Accept-Language": "en"}
FLIGHT = {"month": 7, "day": 23, "sched_dep_time": 1630, "origin": "JFK", "dest": "LAX", "carrier": "DL"}
ROWS = [
    FLIGHT | {"day": number % 28 + 1, "dest": ("LAX", "SFO", "MIA")[number % 3], "dep_delay": number / 16 - 20.0}
    for number in range(1500)
]


@pytest.fixture
def client(shared_server):
    with shared_server.client() as client:
        yield client


@pytest.fixture
def own(server):
    with server.client() as client:
        yield client


def send(client, rows, form=JSON, query="", **headers):
    body = rows if isinstance(rows, bytes) else written(rows, form)
    given = {"Content-Type": form} | {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(f"{PATH}{query}", content=body, headers=given)


def minutes(response, form=JSON):
    assert response.status_code == 200, response.text
    return [row["prediction"] for row in answered(response.content, form)]


@pytest.fixture(scope="module")
def alone(shared_server):
    """What each of the first rows is answered when it is asked alone."""
    with shared_server.client() as client:
        return [client.post("/model/predict/", json=row).json()["prediction"] for row in ROWS[:40]]


class TestForms:
    @pytest.mark.parametrize("form", FORMS)
    def test_it_is_answered_in_its_form_and_order_as_single_flights_are(self, client, alone, form):
        response = send(client, ROWS, form)
        assert response.headers["Content-Type"] == form
        assert int(response.headers["X-Batch-Id"]) > 0
        assert response.headers["X-Model-Version"] == "1"
        assert response.headers["X-Request-Id"]
        found = minutes(response, form)
        assert len(found) == len(ROWS)
        assert found[:40] == alone

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("asked", FORMS)
    def test_another_form_is_answered_where_it_is_asked_for(self, client, alone, form, asked):
        response = send(client, ROWS[:40], form, Accept=asked)
        assert response.headers["Content-Type"] == asked
        assert minutes(response, asked) == alone

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("ids", [["a", "ç", None], [3, -1, 2**53]])
    def test_an_id_comes_back_beside_its_answer(self, client, form, ids):
        rows = [row | {"id": one} for row, one in zip(ROWS, ids, strict=False)]
        assert [row["id"] for row in answered(send(client, rows, form).content, form)] == ids

    @pytest.mark.parametrize(("body", "form"), [(b"[]", JSON), (b"", NDJSON)])
    def test_no_rows_are_answered_by_none_and_not_kept(self, client, body, form):
        response = send(client, body, form)
        assert response.status_code == 200
        assert answered(response.content, form) == []
        assert "X-Batch-Id" not in response.headers

    @pytest.mark.parametrize("form", [ARROW, PARQUET])
    def test_a_table_of_no_rows_too(self, client, form):
        table = pa.Table.from_pylist(ROWS[:1]).slice(0, 0)
        file = io.BytesIO()
        pq.write_table(table, file)
        response = send(client, as_arrow(table) if form == ARROW else file.getvalue(), form)
        assert answered(response.content, form) == []

    def test_without_a_type_it_is_json(self, client):
        assert client.post(PATH, content=written(ROWS[:2], JSON)).status_code == 200

    @pytest.mark.parametrize(
        ("headers", "status", "words"),
        [
            ({"Content-Type": "text/csv"}, 415, "application/x-ndjson"),
            ({"Content-Encoding": "gzip"}, 415, "gzip"),
            ({"Accept": "image/png"}, 406, "application/x-ndjson"),
        ],
    )
    def test_a_form_that_there_is_not_is_refused_with_those_that_there_are(self, client, headers, status, words):
        response = client.post(PATH, content=b"[]", headers=ENGLISH | headers)
        assert response.status_code == status
        assert words in response.json()["detail"]

    @pytest.mark.parametrize(("query", "field"), [("?on_error=ignore", "on_error"), ("?on_eror=skip", "on_eror")])
    def test_a_parameter_that_there_is_not_is_refused(self, client, query, field):
        response = send(client, ROWS[:1], query=query)
        assert response.status_code == 422
        assert [error["field"] for error in response.json()["errors"]] == [field]


class TestProblems:
    WRONG = (ROWS[0] | {"month": 13}, ROWS[1], ROWS[2] | {"day": 31, "month": 6})

    @pytest.mark.parametrize("form", FORMS)
    def test_all_or_nothing(self, own, form):
        response = send(own, list(self.WRONG), form, **ENGLISH)
        assert response.status_code == 422
        problem = response.json()
        assert "2 row(s)" in problem["detail"]
        assert "on_error=skip" in problem["detail"]
        assert [(one["field"], one["value"], one["message"]) for one in problem["errors"]] == [
            ("0.month", 13, "must be at most 12"),
            ("2.day", 31, "there is no such date"),
        ]
        assert own.get(HISTORY).json() == {"batches": []}

    @pytest.mark.parametrize("form", FORMS)
    def test_rows_with_problems_may_be_passed_over(self, own, alone, form):
        rows = [row | {"id": f"row {number}"} for number, row in enumerate(self.WRONG)]
        response = send(own, rows, form, "?on_error=skip", **ENGLISH)
        found = answered(response.content, form)
        assert [row["id"] for row in found] == ["row 0", "row 1", "row 2"]
        assert [row["prediction"] for row in found] == [None, alone[1], None]
        assert [row.get("error") for row in found] == ["month: must be at most 12", None, "day: there is no such date"]
        number = response.headers["X-Batch-Id"]
        assert [one["input"] for one in own.get(f"{HISTORY}{number}/").json()["history"]] == [ROWS[1]]

    def test_where_no_row_is_left_nothing_is_kept(self, own):
        response = send(own, [self.WRONG[0]] * 100, query="?on_error=skip")
        assert [row["prediction"] for row in response.json()] == [None] * 100
        assert own.get(HISTORY).json() == {"batches": []}

    def test_a_key_that_is_not_known_is_refused_with_the_nearest(self, client):
        response = send(client, [ROWS[0], ROWS[1] | {"carier": "DL"}], **ENGLISH)
        assert [(one["field"], one["message"]) for one in response.json()["errors"]] == [
            ("1.carier", "unknown field; did you mean carrier?")
        ]

    def test_the_first_hundred_are_named_and_all_are_counted(self, client):
        response = send(client, [self.WRONG[0]] * 1000, **ENGLISH)
        assert "1000 row(s)" in response.json()["detail"]
        assert len(response.json()["errors"]) == 100

    def test_words_are_in_portuguese_unless_english_is_asked_for(self, client):
        response = send(client, list(self.WRONG))
        assert "linha(s) do lote têm problemas" in response.json()["detail"]

    @pytest.mark.parametrize(
        ("body", "form"),
        [
            (b"[{]", JSON),
            (b"[" * 100_000, JSON),
            (b"\xff\xfe", JSON),
            (b"{", NDJSON),
            (b"ARROW1\0\0", ARROW),
            (b"\xff\xff\xff\xff" + b"\x7f" * 100, ARROW),
            (b"PAR1" + bytes(100) + b"PAR1", PARQUET),
            (b"", PARQUET),
        ],
    )
    def test_bytes_of_no_such_form_are_refused_and_the_service_goes_on(self, client, body, form):
        assert send(client, body, form).status_code in {413, 422}
        assert client.get("/health/").status_code == 200

    def test_parquet_that_ends_its_reader_does_not_end_the_service(self, client):
        whole = written(ROWS, PARQUET)
        for place in range(10, len(whole) - 8, len(whole) // 12):
            damaged = whole[:place] + b"\xff" * 8 + whole[place + 8 :]
            assert send(client, damaged, PARQUET).status_code in {200, 413, 422}
        assert client.get("/health/").status_code == 200


class TestLimits:
    @pytest.fixture
    def small(self, start_server, workspace):
        server = start_server(workspace, FLIGHT_DELAY_BATCH_ROWS="100", FLIGHT_DELAY_BATCH_MB="1")
        server.wait()
        with server.client() as client:
            yield client

    @pytest.mark.parametrize("form", FORMS)
    def test_more_rows_are_refused(self, small, form):
        assert send(small, ROWS[:100], form).status_code == 200
        response = send(small, ROWS[:101], form, **ENGLISH)
        assert response.status_code == 413
        assert "up to 100 rows" in response.json()["detail"]

    def test_a_body_may_be_larger_than_that_of_one_flight_up_to_its_own_limit(self, small):
        assert send(small, b" " * 900_000 + written(ROWS[:100], JSON)).status_code == 200
        response = send(small, b" " * 2_000_000 + written(ROWS[:100], JSON))
        assert response.status_code == 413
        assert "1048576" in response.json()["detail"]

    def test_parquet_that_unpacks_to_more_than_a_batch_is_refused(self, small):
        table = pa.Table.from_pylist([FLIGHT] * 100_000)
        file = io.BytesIO()
        pq.write_table(table, file, compression="zstd")
        assert len(file.getvalue()) < 100_000
        assert send(small, file.getvalue(), PARQUET).status_code == 413


class TestHistory:
    @pytest.mark.parametrize("form", FORMS)
    def test_it_has_all_rows_as_one_entry(self, own, form):
        response = send(own, ROWS, form, X_Request_Id="mine-1")
        found = minutes(response, form)
        [one] = own.get(HISTORY).json()["batches"]
        assert one | {"predicted_at": ""} == {
            "id": 1, "predicted_at": "", "request_id": "mine-1", "model_version": 1, "rows": 1500,
        }  # fmt: skip
        history = own.get(f"{HISTORY}1/").json()["history"]
        assert [entry["input"] for entry in history] == ROWS
        assert [entry["prediction"] for entry in history] == found
        assert own.get("/model/history/").json() == {"history": []}

    def test_every_field_is_kept_as_it_was_asked(self, own):
        rows = [
            FLIGHT | {"weather": {"temp_c": -3.25, "visib_km": 16.0}, "tailnum": "N713TW", "flight": 1609},
            FLIGHT | {"hour": 16, "sched_arr_time": 1930, "distance": 3983.5, "year": 2026},
            FLIGHT | {"distance": 20040.0, "dep_delay": 3000.0},
        ]
        send(own, rows)
        assert [one["input"] for one in own.get(f"{HISTORY}1/").json()["history"]] == rows

    def test_it_is_read_as_a_file(self, own):
        found = minutes(send(own, ROWS))
        lines = own.get(f"{HISTORY}1/", headers={"Accept": "application/x-ndjson"}).text.splitlines()
        assert [json.loads(line) for line in lines] == [
            {"input": row, "prediction": number} for row, number in zip(ROWS, found, strict=True)
        ]
        table = list(csv.DictReader(io.StringIO(own.get(f"{HISTORY}1/", headers={"Accept": "text/csv"}).text)))
        assert [float(row["prediction"]) for row in table] == found
        assert [row["dest"] for row in table] == [row["dest"] for row in ROWS]
        assert own.get(f"{HISTORY}1/", headers={"Accept": "image/png"}).status_code == 406

    def test_pages_lead_to_each_other(self, own):
        for _ in range(5):
            send(own, ROWS[:2])
        newest = own.get(f"{HISTORY}?limit=2")
        assert [one["id"] for one in newest.json()["batches"]] == [4, 5]
        older = own.get(newest.links["prev"]["url"])
        assert [one["id"] for one in older.json()["batches"]] == [2, 3]
        assert own.get(newest.links["next"]["url"]).json() == {"batches": []}
        assert own.get(f"{HISTORY}?limt=2").status_code == 422

    def test_one_that_there_is_not_is_not_found(self, client):
        assert client.get(f"{HISTORY}999999/").status_code == 404
        assert client.delete(f"{HISTORY}999999/").status_code == 404
        assert client.get(f"{HISTORY}{2**70}/").status_code == 422

    def test_they_are_deleted_by_id_by_request_and_by_age(self, own):
        for name in ("a", "b", "c"):
            send(own, ROWS[:10], X_Request_Id=name)
        assert own.delete(f"{HISTORY}1/").json() == {"deleted": 10}
        assert own.delete("/model/history/?request_id=b").json() == {"deleted": 10}
        assert [one["id"] for one in own.get(HISTORY).json()["batches"]] == [3]
        assert own.delete("/model/history/?until=2100-01-01").json() == {"deleted": 10}
        told = own.get("/model/history/deletions/").json()["deletions"]
        assert [(one["deleted"], one["batches"]) for one in told] == [(10, 1)] * 3
        assert send(own, ROWS[:1]).headers["X-Batch-Id"] == "4"

    def test_the_command_deletes_them_too(self, own, server):
        send(own, ROWS[:10])
        done = run_command("history", "delete", "--batch", "1", folder=server.folder)
        assert "10 prediction(s) deleted" in done.stdout
        assert own.get(HISTORY).json() == {"batches": []}
        assert run_command("history", "delete", "--batch", "1", "--id", "1", folder=server.folder).returncode == 2

    def test_where_no_history_is_kept_nothing_is(self, start_server, workspace):
        server = start_server(workspace, FLIGHT_DELAY_KEEP_HISTORY="false")
        server.wait()
        with server.client() as client:
            response = send(client, ROWS)
            assert len(minutes(response)) == len(ROWS)
            assert "X-Batch-Id" not in response.headers
            assert client.get(HISTORY).json() == {"batches": []}


class TestModels:
    def test_a_batch_is_answered_by_the_version_that_its_entry_names(self, own, server):
        model = (server.folder / "model" / "flight_delay_model.joblib").read_bytes()
        send(own, ROWS[:10])
        assert own.post("/model/load/", files={"file": ("m.joblib", model)}).status_code == 200
        promoted = own.get("/model/").json()["version"]
        assert send(own, ROWS).headers["X-Model-Version"] == str(promoted)
        assert own.get(HISTORY).json()["batches"][-1]["model_version"] == promoted

    def test_what_a_service_was_told_lately_counts_as_for_a_single_flight(self, own):
        now = time.gmtime()
        flight = FLIGHT | {"month": now.tm_mon, "day": now.tm_mday, "year": now.tm_year, "sched_dep_time": 1}
        told = flight | {"flight": 12, "dep_delay": 1.0, "arr_delay": 40.0}
        assert own.post("/model/outcomes/", json=told).status_code == 200
        rows = [flight | {"dep_delay": number / 2, "origin": ("JFK", "EWR")[number % 2]} for number in range(300)]
        singly = [own.post("/model/predict/", json=row).json()["prediction"] for row in rows[:30]]
        assert minutes(send(own, rows))[:30] == singly

    def test_a_model_of_anothers_making_answers_batches_too(self, own, tmp_path):
        table = pd.DataFrame({"month": [1, 2, 3, 4], "dep_delay": [0.0, 10.0, 30.0, 5.0]})
        joblib.dump(LinearRegression().fit(table, table.dep_delay), tmp_path / "other.joblib")
        with (tmp_path / "other.joblib").open("rb") as file:
            assert own.post("/model/load/", files={"file": ("other.joblib", file)}).status_code == 200
        singly = [own.post("/model/predict/", json=row).json()["prediction"] for row in ROWS[:20]]
        assert minutes(send(own, ROWS))[:20] == singly
        response = send(own, [ROWS[0], FLIGHT])
        assert response.status_code == 422
        assert [error["field"] for error in response.json()["errors"]] == ["dep_delay"]

    def test_batches_and_promotions_meet_and_each_is_answered_whole_by_one_version(self, own, server):
        model = (server.folder / "model" / "flight_delay_model.joblib").read_bytes()
        assert own.post("/model/load/", files={"file": ("m.joblib", model)}).status_code == 200
        other = own.get("/model/").json()["version"]
        named = {}
        stop = threading.Event()

        def load():
            with server.client() as client:
                while not stop.is_set():
                    headers = send(client, ROWS).headers
                    named[int(headers["X-Batch-Id"])] = int(headers["X-Model-Version"])

        threads = [threading.Thread(target=load) for _ in range(2)]
        for thread in threads:
            thread.start()
        for turn in range(6):
            version = (1, other)[turn % 2]
            assert own.post(f"/model/versions/{version}/promote/").status_code == 200
            assert send(own, ROWS[:2]).headers["X-Model-Version"] == str(version)
        stop.set()
        for thread in threads:
            thread.join()
        kept = {one["id"]: one["model_version"] for one in own.get(f"{HISTORY}?limit=1000").json()["batches"]}
        assert named.items() <= kept.items()


class TestWhileABatchRuns:
    def test_others_are_answered(self, server, own):
        body = written(ROWS * 60, JSON)
        stop = threading.Event()
        done = []

        def load():
            with server.client() as client:
                while not stop.is_set():
                    done.append(send(client, body).status_code)

        threads = [threading.Thread(target=load) for _ in range(2)]
        waited = []
        for thread in threads:
            thread.start()
        try:
            while len(done) < 4:
                for ask in (lambda: own.get("/health/"), lambda: own.post("/model/predict/", json=FLIGHT)):
                    started = time.perf_counter()
                    assert ask().status_code == 200
                    waited.append(time.perf_counter() - started)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert set(done) == {200}
        assert statistics.median(waited) < 0.1
        assert max(waited) < 1.0

    def test_more_than_there_is_room_for_are_asked_to_come_again(self, start_server, workspace):
        server = start_server(workspace, FLIGHT_DELAY_BATCHES_AT_ONCE="1")
        server.wait()
        head = b"POST /model/predict/batch/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n["
        halves = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(4)]
        try:
            for half in halves:
                half.sendall(head)
            time.sleep(0.5)
            with server.client() as client:
                response = send(client, ROWS[:1])
                assert response.status_code == 503
                assert response.headers["Retry-After"] == "1"
                assert client.post("/model/predict/", json=FLIGHT).status_code == 200
        finally:
            for half in halves:
                half.close()
        with server.client() as client:
            for _ in range(100):
                if (found := send(client, ROWS[:1]).status_code) == 200:
                    break
                time.sleep(0.05)
            assert found == 200

    def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(self, server, own):
        for form in FORMS:
            body = written(ROWS, form)
            with socket.create_connection(("127.0.0.1", server.port)) as connection:
                head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: {form}\r\nContent-Length: {len(body)}\r\n\r\n"
                connection.sendall(head.encode() + body[: len(body) // 2])
                time.sleep(0.2)
        time.sleep(0.5)
        assert own.get(HISTORY).json() == {"batches": []}
        assert "Traceback" not in server.log()
        assert send(own, ROWS[:2]).headers["X-Batch-Id"] == "1"

    def test_a_service_that_is_told_to_end_answers_what_it_has(self, server):
        body = written(ROWS * 60, JSON)
        found = []

        def ask():
            with server.client() as client:
                try:
                    found.append(send(client, body))
                except httpx.TransportError as error:
                    found.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(0.15)
        server.stop()
        thread.join()
        [outcome] = found
        if isinstance(outcome, httpx.Response) and outcome.status_code == 200:
            assert len(outcome.json()) == len(ROWS) * 60
        assert "Traceback" not in server.log()

    def test_memory_stays_bounded(self, server, own):
        def resident_mb():
            pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
            return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

        bodies = {form: written(ROWS * 66, form) for form in FORMS}
        own.post("/model/predict/", json=FLIGHT)
        before = resident_mb()
        most = 0.0
        for turn in range(3):
            for form, body in bodies.items():
                assert send(own, body, form).status_code == 200
                most = max(most, resident_mb())
            if not turn:
                first = resident_mb()
        assert most - before < 150
        assert resident_mb() - first < 40


class TestWhileTheDatabaseIsAway:
    @pytest.mark.parametrize(("when_away", "words"), [("refuse", "could not be used"), ("spool", "are not kept")])
    def test_a_batch_is_refused(self, start_server, workspace, when_away, words):
        server = start_server(workspace, FLIGHT_DELAY_WHEN_AWAY=when_away)
        server.wait()
        with server.client() as client:
            assert send(client, ROWS[:2]).status_code == 200
            (server.folder / "data").rename(server.folder / "gone")
            response = send(client, ROWS[:2], **ENGLISH)
            assert response.status_code == 503
            assert words in response.json()["detail"]
            assert response.headers["Retry-After"]
