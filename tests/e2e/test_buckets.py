"""The four buckets as the closed API answered them: the chances are those of the prediction route."""

import lines
import pytest
from amadeus import Client, ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flight_delay.api.buckets import PARAMETERS, PATH, TOKEN_PATH

RESULTS = [
    "LESS_THAN_30_MINUTES", "BETWEEN_30_AND_60_MINUTES", "BETWEEN_60_AND_120_MINUTES", "OVER_120_MINUTES_OR_CANCELLED",
]  # fmt: skip
ASKED = {
    "originLocationCode": "JFK",
    "destinationLocationCode": "LAX",
    "departureDate": "2026-12-23",
    "departureTime": "16:30:00",
    "arrivalDate": "2026-12-23",
    "arrivalTime": "19:30:00",
    "aircraftCode": "32A",
    "carrierCode": "DL",
    "flightNumber": "1609",
    "duration": "PT6H",
}
FLIGHT = {
    "year": 2026, "month": 12, "day": 23, "sched_dep_time": 1630, "sched_arr_time": 1930, "origin": "JFK",
    "dest": "LAX", "carrier": "DL", "flight": 1609,
}  # fmt: skip
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def client(shared_server):
    with shared_server.client() as client:
        yield client


@pytest.fixture
def amadeus(shared_server):
    """The client library of the API that closed, sent here instead."""
    return Client(client_id="x", client_secret="y", host="127.0.0.1", port=shared_server.port, ssl=False)


def chances(client):
    """What the prediction route says to the same flight."""
    said = client.post("/model/predict/?include=probabilities", json=FLIGHT).json()["probabilities"]
    return [said[name] for name in ("under_30", "from_30_to_60", "from_60_to_120", "over_120_or_cancelled")]


def issues(response, status=400):
    assert response.status_code == status
    assert response.json().keys() == {"errors"}
    assert all(issue["status"] == status for issue in response.json()["errors"])
    return [(issue["code"], issue["source"]["parameter"]) for issue in response.json()["errors"]]


class TestAnswer:
    def test_its_form(self, client):
        response = client.get(PATH, params=ASKED)
        body = response.json()
        assert [list(item) for item in body["data"]] == [["id", "result", "probability", "subType", "type"]] * 4
        assert {item["id"] for item in body["data"]} == {"DL1609JFKLAX20261223"}
        assert {(item["type"], item["subType"]) for item in body["data"]} == {("prediction", "flight-delay")}
        assert [item["result"] for item in body["data"]] == RESULTS
        assert body["meta"] == {"count": 4, "links": {"self": str(response.url)}}

    def test_the_chances_are_the_model_s_own(self, client):
        said = [float(item["probability"]) for item in client.get(PATH, params=ASKED).json()["data"]]
        assert said == chances(client)
        assert sum(said) == pytest.approx(1)

    def test_by_the_client_of_the_original(self, amadeus, client):
        answer = amadeus.travel.predictions.flight_delay.get(**ASKED)
        assert [float(item["probability"]) for item in answer.data] == chances(client)
        with pytest.raises(ClientError, match="YYYY-MM-DD"):
            amadeus.travel.predictions.flight_delay.get(**ASKED | {"departureDate": "tomorrow"})

    @pytest.mark.parametrize(
        ("accept", "media_type"),
        [
            ("*/*", "application/vnd.amadeus+json"),
            ("application/vnd.amadeus+json", "application/vnd.amadeus+json"),
            ("application/json", "application/json"),
            ("text/html", "application/vnd.amadeus+json"),
        ],
    )
    def test_in_either_media_type(self, client, accept, media_type):
        response = client.get(PATH, params=ASKED, headers={"Accept": accept})
        assert (response.headers["Content-Type"], response.headers["Vary"]) == (media_type, "Accept")

    def test_the_last_slash_may_be_there(self, client):
        one, other = client.get(PATH, params=ASKED), client.get(f"{PATH}/", params=ASKED)
        assert one.json() == other.json()

    @pytest.mark.parametrize(
        "change",
        [
            {"departureTime": "16:30"},
            {"departureTime": "16:30:59.5"},
            {"duration": "P1DT1H"},
            {"aircraftCode": "777"},
            {"duration": "PT31H10M"},
        ],
    )
    def test_what_moves_no_answer(self, client, change):
        assert client.get(PATH, params=ASKED | change).json()["data"] == client.get(PATH, params=ASKED).json()["data"]

    @pytest.mark.parametrize(
        "change",
        [
            {"destinationLocationCode": "HNL", "arrivalTime": "16:10:00"},  # five hours behind
            {"destinationLocationCode": "ZZZ", "arrivalTime": "06:30:00"},  # nobody knows where
            {"originLocationCode": "PAR", "carrierCode": "ZZ"},
            {"arrivalDate": "2026-12-24", "arrivalTime": "00:10:00"},
        ],
    )
    def test_other_flights(self, client, change):
        assert client.get(PATH, params=ASKED | change).status_code == 200

    def test_it_is_a_prediction_of_the_history(self, client):
        response = client.get(PATH, params=ASKED, headers={"X-Request-Id": "by-buckets"})
        assert response.headers["X-Request-Id"] == "by-buckets"
        number = int(response.headers["X-Prediction-Id"])
        (kept,) = client.get("/model/history/", params={"after": number - 1, "limit": 1}).json()["history"]
        assert kept["input"] == FLIGHT


class TestRefusals:
    def test_all_that_is_missing_is_named_with_an_example(self, client):
        response = client.get(PATH, headers=ENGLISH)
        assert issues(response) == [(32171, name) for name in PARAMETERS]
        assert response.json()["errors"][2] == {
            "status": 400,
            "code": 32171,
            "title": "MANDATORY DATA MISSING",
            "detail": "required, but absent",
            "source": {"parameter": "departureDate", "example": "2020-08-01"},
        }

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("originLocationCode", "jfk"),
            ("originLocationCode", "JFK\n"),
            ("destinationLocationCode", ""),
            ("departureDate", "2026-02-30"),
            ("departureDate", "23/12/2026"),
            ("departureDate", "1950-01-01"),
            ("departureTime", "24:00:00"),
            ("arrivalTime", "7pm"),
            ("aircraftCode", "A320"),
            ("carrierCode", "D"),
            ("flightNumber", "0"),
            ("flightNumber", "16A"),
            ("flightNumber", "١٢٣"),
            ("duration", "6h"),
            ("duration", "PT"),
        ],
    )
    def test_a_value_that_has_not_the_form(self, client, name, value):
        assert issues(client.get(PATH, params=ASKED | {name: value})) == [(477, name)]

    @pytest.mark.parametrize(
        "change",
        [
            {"arrivalTime": "09:30:00"},
            {"arrivalDate": "2026-12-22"},
            {"destinationLocationCode": "ZZZ", "arrivalDate": "2026-12-20"},
        ],
    )
    def test_an_arrival_before_the_departure(self, client, change):
        assert issues(client.get(PATH, params=ASKED | change)) == [(4926, "arrivalTime")]

    def test_a_parameter_that_there_is_not(self, client):
        response = client.get(PATH, params=ASKED | {"flightNo": "1"}, headers=ENGLISH)
        assert issues(response) == [(572, "flightNo")]
        assert response.json()["errors"][0]["detail"] == "unknown parameter; did you mean flightNumber?"

    def test_a_parameter_that_is_given_twice(self, client):
        assert issues(client.get(PATH, params=[*ASKED.items(), ("duration", "PT6H")])) == [(4926, "duration")]

    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [("GET", "/v1/travel", 404, 38196), ("POST", PATH, 405, 38195), ("GET", TOKEN_PATH, 405, 38195)],
    )
    def test_what_there_is_not(self, client, method, path, status, code):
        response = client.request(method, path)
        assert (response.status_code, response.json()["errors"][0]["code"]) == (status, code)

    def test_a_model_that_knows_minutes_alone(self, start_server, tmp_path):
        lines.promote(tmp_path)
        server = start_server(tmp_path)
        server.wait()
        with server.client() as client:
            response = client.get(PATH, params=ASKED, headers=ENGLISH)
            assert response.status_code == 400
            assert "minutes alone" in response.json()["errors"][0]["detail"]
            assert client.get("/model/history/").json() == {"history": []}

    def test_without_a_model(self, start_server, tmp_path):
        server = start_server(tmp_path)
        server.wait("/health/")
        with server.client() as client:
            response = client.get(PATH, params=ASKED)
        assert (response.status_code, response.json()["errors"][0]["code"]) == (503, 141)


GRANT = {"grant_type": "client_credentials", "client_id": "me", "client_secret": "anything"}


class TestToken:
    def test_a_client_gets_back_the_key_that_it_came_with(self, client):
        response = client.post(TOKEN_PATH, data=GRANT)
        assert response.headers["Cache-Control"] == "no-store"
        assert response.json()["access_token"] == "anything"
        assert (response.json()["token_type"], response.json()["expires_in"]) == ("Bearer", 1799)

    @pytest.mark.parametrize("change", [{"grant_type": "password"}, {"client_id": ""}, {"client_secret": ""}])
    def test_another_grant(self, client, change):
        response = client.post(TOKEN_PATH, data=GRANT | change)
        assert (response.status_code, list(response.json())) == (400, ["errors"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    change=st.dictionaries(
        st.sampled_from(list(PARAMETERS)) | st.text(max_size=5),
        st.text(max_size=12) | st.from_regex(r"\A\d{4}-\d\d-\d\d\Z") | st.from_regex(r"\A\d\d:\d\d:\d\d\Z"),
        max_size=3,
    )
)
def test_whatever_is_asked_is_answered_or_refused(client, change):
    response = client.get(PATH, params=ASKED | change)
    assert response.status_code in {200, 400}
    assert response.json().keys() in ({"data", "meta"}, {"errors"})


@given(query=st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_bytes_of_a_query_are_understood_or_refused(query):
    from flight_delay.api.buckets import _given
    from flight_delay.api.errors import ProblemError

    with pytest.raises(ProblemError):
        _given(query)
