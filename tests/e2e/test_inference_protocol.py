"""The Open Inference Protocol, by the client of Triton as by hand: the answers are those of the prediction route."""

import json
import struct

import lines
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tritonclient import http
from tritonclient.utils import InferenceServerException

from flight_delay import __version__
from flight_delay.api.infer import OUTPUTS
from flight_delay.api.tables import FIELDS

MODEL = "flight-delay"
INFER = f"/v2/models/{MODEL}/infer"
OTHER = {
    "month": 12, "day": 24, "sched_dep_time": 800, "origin": "EWR", "dest": "SFO", "carrier": "UA", "temp_c": -3.5,
}  # fmt: skip
TYPES = {np.dtype(np.int64): "INT64", np.dtype(np.float64): "FP64", np.dtype(object): "BYTES"}


@pytest.fixture
def client(shared_server):
    with shared_server.client() as client:
        yield client


@pytest.fixture
def triton(shared_server):
    """The client library of the protocol that Triton comes with."""
    client = http.InferenceServerClient(f"127.0.0.1:{shared_server.port}")
    yield client
    client.close()


@pytest.fixture
def rows(documented):
    """Two flights, one of which has not left; measures of the weather stand beside the rest."""
    return [documented, OTHER]


def predicted(client, row, *include):
    """What the prediction route answers to the same flight."""
    body = {name: value for name, value in row.items() if name != "temp_c"}
    if "temp_c" in row:
        body["weather"] = {"temp_c": row["temp_c"]}
    return client.post("/model/predict/", params={"include": include}, json=body).json()


def columns(rows):
    """The columns of rows as pandas would have them: whole numbers with a gap are floats."""
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        if any(isinstance(value, str) for value in values):
            yield name, np.array([value or "" for value in values], dtype=object)
        elif all(isinstance(value, int) for value in values):
            yield name, np.array(values, np.int64)
        else:
            yield name, np.array([np.nan if value is None else value for value in values], np.float64)


def tensors(rows, *, binary=True):
    """The same as tensors of the client."""
    made = []
    for name, column in columns(rows):
        made.append(http.InferInput(name, list(column.shape), TYPES[column.dtype]))
        made[-1].set_data_from_numpy(column, binary_data=binary)
    return made


def request(rows, **more):
    """The same as JSON; None where a value is missing."""
    inputs = [
        {
            "name": name,
            "shape": [len(rows)],
            "datatype": TYPES[column.dtype],
            "data": [row.get(name) for row in rows],
        }
        for name, column in columns(rows)
    ]
    return {"inputs": inputs, **more}


class TestWithAClientOfTheProtocol:
    def test_health_and_metadata(self, triton):
        assert triton.is_server_live()
        assert triton.is_server_ready()
        assert triton.is_model_ready(MODEL)
        assert triton.is_model_ready(MODEL, "1")
        assert not triton.is_model_ready(MODEL, "7")
        assert not triton.is_model_ready("another")
        assert triton.get_server_metadata() == {
            "name": MODEL, "version": __version__, "extensions": ["binary_tensor_data"]
        }  # fmt: skip

    @pytest.mark.parametrize("version", ["", "1"])
    def test_the_metadata_name_a_tensor_for_every_field(self, triton, version):
        metadata = triton.get_model_metadata(MODEL, version)
        assert metadata["versions"] == ["1"]
        assert [tensor["name"] for tensor in metadata["inputs"]] == list(FIELDS)
        assert all(tensor["shape"] == [-1] for tensor in metadata["inputs"])
        types = {tensor["name"]: tensor["datatype"] for tensor in metadata["inputs"]}
        assert (types["month"], types["dep_delay"], types["origin"]) == ("INT64", "FP64", "BYTES")
        assert [tensor["name"] for tensor in metadata["outputs"]] == list(OUTPUTS)

    @pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
    @pytest.mark.parametrize("version", ["", "1"])
    def test_many_flights_are_answered_as_one_by_one(self, client, triton, rows, binary, version):
        answer = triton.infer(MODEL, tensors(rows, binary=binary), model_version=version, request_id="42")
        said = [predicted(client, row, "quantiles", "probabilities", "metadata") for row in rows]
        assert answer.get_response()["id"] == "42"
        assert answer.get_response()["model_version"] == "1"
        assert answer.as_numpy("prediction").tolist() == [one["prediction"] for one in said]
        assert answer.as_numpy("quantiles").tolist() == [list(one["quantiles"].values()) for one in said]
        assert answer.as_numpy("probabilities").tolist() == [list(one["probabilities"].values()) for one in said]
        assert answer.as_numpy("horizon").tolist() == [one["metadata"]["horizon"].encode() for one in said]
        assert answer.as_numpy("version").tolist() == [1, 1]

    @pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
    def test_one_flight(self, client, triton, documented, binary):
        asked = [http.InferRequestedOutput("prediction", binary_data=binary)]
        answer = triton.infer(MODEL, tensors([documented], binary=binary), outputs=asked)
        assert answer.as_numpy("prediction").tolist() == [predicted(client, documented)["prediction"]]
        assert [output["name"] for output in answer.get_response()["outputs"]] == ["prediction"]

    def test_some_outputs_in_binary_and_some_not(self, triton, rows):
        asked = [
            http.InferRequestedOutput("horizon", binary_data=True),
            http.InferRequestedOutput("prediction", binary_data=False),
        ]
        answer = triton.infer(MODEL, tensors(rows), outputs=asked)
        assert answer.as_numpy("horizon").tolist() == [b"departed", b"schedule"]
        assert answer.as_numpy("prediction").shape == (2,)

    def test_smaller_types_and_columns_of_one(self, client, triton, documented):
        made = tensors([documented])
        small = http.InferInput("month", [1, 1], "INT32")
        small.set_data_from_numpy(np.array([[documented["month"]]], np.int32))
        answer = triton.infer(MODEL, [small, *(one for one in made if one.name() != "month")])
        assert answer.as_numpy("prediction").tolist() == [predicted(client, documented)["prediction"]]

    def test_a_refusal_is_read_by_the_client(self, triton, rows):
        with pytest.raises(InferenceServerException, match="month: required, but absent"):
            triton.infer(MODEL, tensors(rows)[1:], headers={"Accept-Language": "en"})


class TestByHand:
    def test_the_last_slash_is_there_or_not(self, client, rows):
        paths = ["/v2", "/v2/health/live", "/v2/health/ready", f"/v2/models/{MODEL}", f"/v2/models/{MODEL}/versions/1"]
        for path in [*paths, f"/v2/models/{MODEL}/ready", f"/v2/models/{MODEL}/versions/1/ready"]:
            one, other = client.get(path), client.get(f"{path}/")
            assert (one.status_code, one.json()) == (200, other.json())
        assert client.post(f"{INFER}/", json=request(rows)).status_code == 200

    def test_it_is_ready(self, client):
        assert client.get("/v2/health/live").json() == {"live": True}
        assert client.get("/v2/health/ready").json() == {"live": True, "ready": True}
        assert client.get(f"/v2/models/{MODEL}/ready").json() == {"name": MODEL, "ready": True}

    def test_without_outputs_all_of_them_are_answered(self, client, rows):
        answer = client.post(INFER, json=request(rows)).json()
        assert answer.keys() == {"model_name", "model_version", "outputs"}
        assert {output["name"]: output["shape"] for output in answer["outputs"]} == {
            "prediction": [2], "quantiles": [2, 19], "probabilities": [2, 8], "horizon": [2], "version": [2]
        }  # fmt: skip

    def test_data_may_be_nested(self, client, documented):
        body = request([documented], outputs=[{"name": "prediction"}])
        for tensor in body["inputs"]:
            tensor["shape"], tensor["data"] = [1, 1], [tensor["data"]]
        (output,) = client.post(INFER, json=body).json()["outputs"]
        assert output["data"] == [predicted(client, documented)["prediction"]]

    def test_nothing_is_asked_and_nothing_answered(self, client):
        empty = {"inputs": [{"name": "month", "shape": [0], "datatype": "INT64", "data": []}]}
        answer = client.post(INFER, json=empty).json()
        assert [output["data"] for output in answer["outputs"]] == [[]] * 5

    def test_what_does_not_change_the_answer_may_be_there(self, client, documented):
        more = {"id": None, "parameters": {"priority": 3, "mine": "x"}, "outputs": None, "timestamp": 1}
        assert client.post(INFER, json=request([documented], **more)).status_code == 200

    def test_one_flight_is_one_prediction_of_the_history(self, client, documented):
        response = client.post(INFER, json=request([documented]), headers={"X-Request-Id": "by-tensors"})
        assert response.headers["X-Request-Id"] == "by-tensors"
        number = int(response.headers["X-Prediction-Id"])
        (kept,) = client.get("/model/history/", params={"after": number - 1, "limit": 1}).json()["history"]
        assert kept == {"input": documented, "prediction": response.json()["outputs"][0]["data"][0]}

    def test_many_flights_are_one_batch(self, client, rows):
        assert int(client.post(INFER, json=request(rows)).headers["X-Batch-Id"]) > 0

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/v2/models/another", 404),
            ("GET", "/v2/models/another/ready", 404),
            ("POST", "/v2/models/another/infer", 404),
            ("GET", f"/v2/models/{MODEL}/versions/2", 404),
            ("GET", f"/v2/models/{MODEL}/versions/01", 404),
            ("GET", f"/v2/models/{MODEL}/versions/x/ready", 404),
            ("GET", f"/v2/models/{MODEL}/versions/{10**30}", 404),
            ("POST", f"/v2/models/{MODEL}/versions/2/infer", 404),
            ("GET", "/v2/nowhere", 404),
            ("GET", INFER, 405),
        ],
    )
    def test_what_there_is_not(self, client, rows, method, path, status):
        response = client.request(method, path, json=request(rows) if method == "POST" else None)
        assert (response.status_code, list(response.json())) == (status, ["error"])

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"name": "mont"}, "did you mean month?"),
            ({"name": "day"}, "more than once"),
            ({"datatype": "BYTES"}, "must be INT64"),
            ({"datatype": "BOOL"}, "must be INT64"),
            ({"datatype": "FP128"}, "Invalid enum value"),
            ({"data": [7]}, "has 1 values, and its shape says 2"),
            ({"shape": [2, 2]}, "must be [n] or [n, 1]"),
            ({"shape": []}, "must be [n] or [n, 1]"),
            ({"shape": [-1]}, "must be [n] or [n, 1]"),
            ({"shape": [1], "data": [1]}, "the same n"),
            ({"data": ["1", "2"]}, "not of the type INT64"),
            ({"data": [True, 2]}, "not of the type INT64"),
            ({"data": [1.5, 2]}, "not of the type INT64"),
            ({"data": [13, 99]}, "0.month: must be at most 12; 1.month: must be at most 12"),
            ({"data": [7, None]}, "1.month: required, but absent"),
            ({"data": [7, 10**400]}, "1.month: must be at most 12"),
            ({"data": None}, "needs data"),
            ({"parameters": {"binary_data_size": 8}}, "and not both"),
            ({"data": None, "parameters": {"binary_data_size": 16}}, "binary data"),
            ({"parameters": {"shared_memory_region": "x"}}, "not served here"),
        ],
    )
    def test_a_wrong_tensor(self, client, rows, change, words):
        body = request(rows)
        body["inputs"][0] |= change
        response = client.post(INFER, json=body, headers={"Accept-Language": "en"})
        assert (response.status_code, list(response.json())) == (400, ["error"])
        assert words in response.json()["error"]

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"outputs": [{"name": "minutes"}]}, "it has prediction, quantiles"),
            ({"outputs": [{"name": "prediction", "parameters": {"classification": 2}}]}, "not served here"),
            ({"outputs": [{"name": "prediction", "parameters": {"binary_data": 1}}]}, "not served here"),
            ({"id": 7}, "Expected `str"),
            ({"inputs": {}}, "Expected `array`"),
        ],
    )
    def test_a_wrong_request(self, client, documented, more, words):
        response = client.post(INFER, json=request([documented]) | more, headers={"Accept-Language": "en"})
        assert (response.status_code, words in response.json()["error"]) == (400, True)

    def test_a_compressed_body(self, client, documented):
        response = client.post(INFER, json=request([documented]), headers={"Content-Encoding": "gzip"})
        assert (response.status_code, list(response.json())) == (415, ["error"])

    @pytest.mark.parametrize(
        ("length", "raw"),
        [("x", b""), ("-1", b""), (str(10**30), b""), (None, b"1234"), (None, struct.pack("<I", 9) + b"JFK")],
    )
    def test_binary_data_that_are_not_as_announced(self, client, documented, length, raw):
        body = request([documented])
        (origin,) = (tensor for tensor in body["inputs"] if tensor["name"] == "origin")
        del origin["data"]
        origin["parameters"] = {"binary_data_size": len(raw)}
        head = json.dumps(body).encode()
        headers = {"Inference-Header-Content-Length": length or str(len(head))}
        response = client.post(INFER, content=head + raw, headers=headers)
        assert (response.status_code, list(response.json())) == (400, ["error"])


class TestVersions:
    def test_one_that_is_not_live_is_known_and_does_not_answer(self, server, rows):
        other = lines.keep(server.folder)
        with server.client() as client:
            path = f"/v2/models/{MODEL}/versions"
            for response in (
                client.get(f"{path}/{other}"),
                client.get(f"{path}/{other}/ready"),
                client.post(f"{path}/{other}/infer", json=request(rows), headers={"Accept-Language": "en"}),
            ):
                assert (response.status_code, list(response.json())) == (400, ["error"])
            assert "Version 2 is not live: 1 answers" in response.json()["error"]
            assert client.post(f"{path}/1/infer", json=request(rows)).json()["model_version"] == "1"
            assert client.get("/model/history/").json()["history"] == []

    def test_one_of_another_s_making_answers_what_it_can(self, start_server, tmp_path, rows):
        lines.promote(tmp_path)
        server = start_server(tmp_path)
        server.wait()
        late = [row | {"dep_delay": 10.0} for row in rows]
        with server.client() as client:
            metadata = client.get(f"/v2/models/{MODEL}").json()
            assert [tensor["name"] for tensor in metadata["outputs"]] == ["prediction", "horizon", "version"]
            assert metadata["platform"] == "flight_delay_point"
            for some in (late, late[:1]):
                outputs = client.post(INFER, json=request(some)).json()["outputs"]
                assert [output["data"][0] for output in outputs] == [7.0, "departed", 1]
                assert {len(output["data"]) for output in outputs} == {len(some)}
                refused = client.post(INFER, json=request(some, outputs=[{"name": "quantiles"}]))
                assert (refused.status_code, "quantiles" in refused.json()["error"]) == (400, True)
            refused = client.post(INFER, json=request(rows))
            assert (refused.status_code, "dep_delay" in refused.json()["error"]) == (400, True)

    def test_without_a_model_it_is_alive_but_not_ready(self, start_server, tmp_path, rows):
        server = start_server(tmp_path)
        server.wait("/v2/health/live")
        with server.client() as client:
            for response in (
                client.get("/v2/health/ready"),
                client.get(f"/v2/models/{MODEL}/ready"),
                client.get(f"/v2/models/{MODEL}"),
                client.post(INFER, json=request(rows)),
            ):
                assert (response.status_code, list(response.json())) == (503, ["error"])
                assert response.headers["Retry-After"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
given_tensors = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(FIELDS) | json_values, "shape": st.lists(st.integers(-1, 3)) | json_values},
        optional={
            "datatype": st.sampled_from(["INT64", "FP64", "BYTES", "BOOL", "FP16"]) | json_values,
            "data": st.lists(st.integers() | st.floats() | st.none() | st.text(max_size=4), max_size=3) | json_values,
            "parameters": st.dictionaries(st.just("binary_data_size"), st.integers(-1, 40)) | json_values,
        },
    ),
    max_size=8,
)
requests = st.fixed_dictionaries(
    {"inputs": given_tensors | json_values},
    optional={
        "id": st.text() | json_values,
        "outputs": st.lists(st.fixed_dictionaries({"name": st.sampled_from([*OUTPUTS, "x"])})) | json_values,
        "parameters": json_values,
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=(requests | json_values).map(lambda value: json.dumps(value).encode()) | st.binary(),
    raw=st.binary(max_size=40),
    length=st.none() | st.integers(-1, 200) | st.text("0123456789x", max_size=6),
)
def test_whatever_is_sent_is_answered_or_refused(client, body, raw, length):
    headers = {"Inference-Header-Content-Length": str(len(body) if length is None else length)}
    response = client.post(INFER, content=body + raw, headers=headers)
    assert response.status_code in {200, 400}
    assert response.status_code == 200 or list(response.json()) == ["error"]
