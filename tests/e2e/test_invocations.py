"""MLflow's scoring protocol: each of its forms answers what the prediction route answers to the same flights."""

import csv
import io
import json

import lines
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flight_delay import __version__

OTHER = {"month": 12, "day": 24, "sched_dep_time": 800, "origin": "EWR", "dest": "SFO", "carrier": "UA", "flight": 7}
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def client(shared_server):
    with shared_server.client() as client:
        yield client


@pytest.fixture
def rows(documented):
    return [documented, OTHER]


@pytest.fixture
def frame(rows):
    """The flights as pandas has them: what is missing is NaN, and makes floats of whole numbers."""
    return pd.DataFrame(rows)


def predicted(client, row, **parameters):
    return client.post("/model/predict/", json=row, params=parameters).json()


def invoke(client, body, **headers):
    """Send what Python's json makes of it, NaN among it, as MLflow's own client does."""
    return client.post("/invocations", content=json.dumps(body), headers={"Content-Type": "application/json"} | headers)


def refused(response):
    assert response.headers["Content-Type"] == "application/json"
    assert response.json().keys() == {"error_code", "message"}
    return response.status_code, response.json()["error_code"], response.json()["message"]


def split_of(frame):
    """A frame in columns and data alone."""
    return {name: part for name, part in frame.to_dict(orient="split").items() if name != "index"}


FORMS = {
    "dataframe_split": lambda frame: {"dataframe_split": frame.to_dict(orient="split")},
    "dataframe_split without index": lambda frame: {"dataframe_split": split_of(frame)},
    "dataframe_records": lambda frame: {"dataframe_records": frame.to_dict(orient="records")},
    "instances as records": lambda frame: {"instances": frame.to_dict(orient="records")},
    "instances as columns": lambda frame: {"instances": frame.to_dict(orient="list")},
    "inputs as columns": lambda frame: {"inputs": frame.to_dict(orient="list")},
    "inputs as records": lambda frame: {"inputs": frame.to_dict(orient="records")},
    "inputs as matrices": lambda frame: {"inputs": {name: [[one] for one in frame[name].tolist()] for name in frame}},
    "with other keys": lambda frame: {
        "instances": frame.to_dict(orient="records"),
        "signature_name": "x",
        "params": None,
    },
}


class TestForms:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("count", [1, 2])
    def test_each_answers_as_the_prediction_route(self, client, rows, form, count):
        response = invoke(client, FORMS[form](pd.DataFrame(rows[:count])))
        assert response.json() == {"predictions": [predicted(client, row)["prediction"] for row in rows[:count]]}

    @pytest.mark.parametrize("index", [True, False])
    @pytest.mark.parametrize("media_type", ["text/csv", "text/csv; charset=UTF-8"])
    def test_csv_as_pandas_writes_it(self, client, frame, rows, index, media_type):
        body = frame.to_csv(index=index)
        response = client.post("/invocations", content=body, headers={"Content-Type": media_type})
        assert response.json() == {"predictions": [predicted(client, row)["prediction"] for row in rows]}

    def test_one_flight_that_is_no_list(self, client, documented):
        assert invoke(client, {"inputs": documented}).json() == {
            "predictions": [predicted(client, documented)["prediction"]]
        }

    def test_weather_in_one_piece_or_beside_the_rest(self, client, documented):
        row = documented | {"weather": {"temp_c": -3.5, "visib_km": 0.4}}
        beside = documented | row["weather"]
        expected = predicted(client, row)["prediction"]
        for records in (
            [row, row],
            [beside, beside],
            [documented | {"weather": {"temp_c": -3.5}, "visib_km": 0.4}] * 2,
        ):
            assert invoke(client, {"dataframe_records": records}).json() == {"predictions": [expected] * 2}
            assert invoke(client, {"dataframe_records": records[:1]}).json() == {"predictions": [expected]}

    @pytest.mark.parametrize(
        "body", [{"dataframe_records": []}, {"dataframe_split": {"columns": ["month"], "data": []}}, {"inputs": []}]
    )
    def test_no_flights(self, client, body):
        assert invoke(client, body).json() == {"predictions": []}

    @pytest.mark.parametrize("include", [["interval", "notes"], "interval,notes"])
    @pytest.mark.parametrize("count", [1, 2])
    def test_params_include_what_the_prediction_route_includes(self, client, rows, include, count):
        body = {"dataframe_records": rows[:count], "params": {"include": include}}
        response = invoke(client, body, **ENGLISH)
        assert response.headers["Content-Language"] == "en"
        with_notes = [
            client.post("/model/predict/?include=interval,notes", json=row, headers=ENGLISH).json()
            for row in rows[:count]
        ]
        assert response.json() == {"predictions": with_notes}


class TestHistory:
    def test_one_flight_is_one_prediction(self, client, documented):
        response = invoke(client, {"inputs": [documented]}, **{"X-Request-Id": "by-mlflow"})
        assert response.headers["X-Request-Id"] == "by-mlflow"
        number = int(response.headers["X-Prediction-Id"])
        (kept,) = client.get("/model/history/", params={"after": number - 1, "limit": 1}).json()["history"]
        assert kept == {"input": documented, "prediction": response.json()["predictions"][0]}

    def test_many_are_one_batch(self, client, rows):
        assert int(invoke(client, {"inputs": rows}).headers["X-Batch-Id"]) > 0


class TestBeside:
    def test_ping(self, client):
        response = client.get("/ping")
        assert (response.status_code, response.text) == (200, "\n")
        assert client.get("/ping/").status_code == client.get("/health").status_code == 200

    def test_version(self, client):
        assert client.get("/version").text == client.get("/version/").text == __version__

    def test_the_last_slash_may_be_there(self, client, documented):
        assert client.post("/invocations/", json={"inputs": [documented]}).status_code == 200

    def test_without_a_model(self, start_server, tmp_path, documented):
        server = start_server(tmp_path)
        server.wait("/health/")
        with server.client() as client:
            for response in (client.get("/ping"), invoke(client, {"inputs": [documented]})):
                assert refused(response)[:2] == (503, "TEMPORARILY_UNAVAILABLE")

    def test_a_model_that_knows_minutes_alone(self, start_server, tmp_path, documented):
        lines.promote(tmp_path)
        server = start_server(tmp_path)
        server.wait()
        with server.client() as client:
            for count in (1, 2):
                body = {"inputs": [documented] * count}
                assert invoke(client, body).json() == {"predictions": [7.0] * count}
                noted = invoke(client, body | {"params": {"include": "metadata"}}).json()["predictions"]
                assert [one["metadata"]["horizon"] for one in noted] == ["departed"] * count
                status, _, message = refused(invoke(client, body | {"params": {"include": "quantiles"}}, **ENGLISH))
                assert (status, "no quantiles" in message) == (400, True)


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ([], "Expected `object`"),
            ({}, "exactly one of the fields dataframe_split"),
            ({"inputs": [], "instances": []}, "it has inputs, instances"),
            ({"columns": [], "data": []}, "it has columns, data"),
            ({"inputs": 3}, "a list of objects"),
            ({"inputs": [[1, 2]]}, "a list of objects"),
            ({"instances": [1.0]}, "a list of objects"),
            ({"inputs": {"month": [1], "day": [1, 2]}}, "columns of the same length"),
            ({"inputs": {"month": [1], "day": 1}}, "columns of the same length"),
            ({"dataframe_records": {"month": 1}}, "a list of objects"),
            ({"dataframe_split": []}, "columns, a list of distinct names"),
            ({"dataframe_split": {"columns": ["month"], "data": [[1, 2]]}}, "columns, a list of distinct names"),
            ({"dataframe_split": {"columns": ["month", "month"], "data": []}}, "columns, a list of distinct names"),
            ({"dataframe_split": {"columns": [1], "data": []}}, "columns, a list of distinct names"),
            ({"inputs": [{"mont": 1}]}, "did you mean month?"),
            ({"inputs": [], "params": []}, "an object with include"),
            ({"inputs": [], "params": {"include": [1]}}, "an object with include"),
            ({"inputs": [], "params": {"include": ["interval", "x"]}}, "there is no x"),
            ({"inputs": [], "params": {"inclde": "x"}}, "did you mean include?"),
        ],
    )
    def test_what_is_no_form(self, client, body, words):
        status, code, message = refused(invoke(client, body, **ENGLISH))
        assert (status, code) == (400, "BAD_REQUEST")
        assert words in message

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"month": 13}, "month: must be at most 12"),
            ({"month": "7"}, "month: must be a whole number"),
            ({"month": True}, "month: must be a whole number"),
            ({"month": None}, "month: required, but absent"),
            ({"month": 10**400}, "month: must be at most 12"),
            ({"origin": 3}, "origin: must be a text"),
            ({"origin": "jfk"}, "origin: has not the expected form"),
            ({"distance": float("inf")}, "distance"),
            ({"hour": 3}, "hour: is not the hour of sched_dep_time"),
            ({"weather": 3}, "weather"),
            ({"weather": {"temp": 3}}, "weather.temp: unknown field"),
            ({"temp_c": 200}, "weather.temp_c: must be at most 60"),
        ],
    )
    def test_what_is_no_flight_is_named_with_its_row(self, client, documented, change, words):
        for records, place in ([[documented | change], ""], [[documented, documented | change], "1."]):
            status, _, message = refused(invoke(client, {"dataframe_records": records}, **ENGLISH))
            assert (status, f"{place}{words}" in message) == (400, True), message

    @pytest.mark.parametrize("media_type", ["", "text/plain", "application/json; charset=latin-1", "x"])
    def test_another_media_type(self, client, media_type):
        response = client.post("/invocations", content=b"{}", headers={"Content-Type": media_type})
        assert (response.status_code, response.headers["Content-Type"]) == (415, "text/plain; charset=utf-8")

    @pytest.mark.parametrize("body", ["", "\n", "month,month\n1,2\n", "month,day\n1\n", 'month\n"1\n', "month\n\x00\n"])
    def test_what_is_no_csv(self, client, body):
        response = client.post("/invocations", content=body, headers={"Content-Type": "text/csv"} | ENGLISH)
        assert refused(response)[:2] == (400, "BAD_REQUEST")

    def test_a_cell_that_is_no_number(self, client, documented):
        file = io.StringIO()
        csv.writer(file).writerows([documented, {**documented, "month": "seven"}.values()])
        response = client.post("/invocations", content=file.getvalue(), headers={"Content-Type": "text/csv"} | ENGLISH)
        assert "month: must be a whole number" in refused(response)[2]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
names = st.sampled_from(["month", "day", "origin", "weather", "temp_c", "dep_delay", "x"])
records = st.dictionaries(names, st.integers(-1, 13) | json_values, max_size=5)
columns = st.dictionaries(names, st.lists(json_values, max_size=2) | json_values, max_size=5)
splits = st.fixed_dictionaries(
    {"columns": st.lists(names, max_size=3) | json_values, "data": st.lists(st.lists(json_values), max_size=2)}
)
bodies = st.dictionaries(
    st.sampled_from(["dataframe_split", "dataframe_records", "instances", "inputs", "params", "x"]),
    st.lists(records, max_size=3) | columns | splits | json_values,
    max_size=3,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=(bodies | json_values).map(lambda value: json.dumps(value).encode()) | st.binary() | st.text().map(str.encode),
    media_type=st.sampled_from(["application/json", "text/csv"]),
)
def test_whatever_is_sent_is_answered_or_refused(client, body, media_type):
    response = client.post("/invocations", content=body, headers={"Content-Type": media_type})
    assert response.status_code in {200, 400}
    assert response.json().keys() in ({"predictions"}, {"error_code", "message"})
