"""What an answer carries besides the minutes, where it is asked for."""

import datetime as dt
import json
import math

import pytest

from flight_delay.api.answer import Answered, Chances
from flight_delay.flight import Flight
from flight_delay.model.distribution import INTERVALS, PERCENTS, Probabilities

EVERYTHING = "interval,quantiles,probabilities,explanation,metadata,notes"


@pytest.fixture
def client(shared_server):
    with shared_server.client() as client:
        yield client


@pytest.fixture
def ask(client, documented):
    def ask(*include, change=None, **headers):
        body = documented | {"year": 2013} | (change or {})
        body = {name: value for name, value in body.items() if value is not ...}
        response = client.post("/model/predict/", json=body, params=[("include", i) for i in include], headers=headers)
        assert response.status_code == 200, response.text
        return response

    return ask


def test_without_include_the_body_is_the_documented_one(ask):
    response = ask()
    assert response.text == f'{{"prediction":{response.json()["prediction"]}}}'
    assert "Content-Language" not in response.headers


def test_it_may_be_repeated_or_separated_by_commas(ask):
    apart, together = ask("interval", "quantiles"), ask("quantiles, interval")
    assert apart.content == together.content
    assert list(apart.json()) == ["prediction", "interval", "quantiles"]


@pytest.mark.parametrize("change", [{}, {"dep_delay": ...}, {"carrier": "ZZ", "origin": "ZZZ"}], ids=str)
def test_everything_is_as_documented_and_the_prediction_is_the_same(ask, change):
    response = ask(EVERYTHING, change=change)
    body = json.loads(response.text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    Answered.model_validate_json(response.text)
    assert list(body) == ["prediction", *EVERYTHING.split(",")]
    assert body["prediction"] == ask(change=change).json()["prediction"]


def test_quantiles_and_intervals_are_the_model_s_own(ask, artifact, documented):
    body = ask("quantiles", "interval").json()
    said = artifact.answer(Flight.model_validate(documented | {"year": 2013}), dt.date(2026, 1, 1))
    assert body["quantiles"] == dict(zip(map(str, PERCENTS), said.quantiles(), strict=True))
    for width, (low, high) in INTERVALS.items():
        assert body["interval"][str(width)] == [body["quantiles"][str(low)], body["quantiles"][str(high)]]
    assert list(body["quantiles"].values()) == sorted(body["quantiles"].values())


@pytest.mark.parametrize("delay", [-10.0, 0.0, 40.0, 500.0])
def test_probabilities_agree_with_each_other(ask, delay):
    chances = ask("probabilities", change={"dep_delay": delay}).json()["probabilities"]
    assert tuple(chances) == Probabilities._fields == tuple(Chances.model_fields)
    buckets = ("under_30", "from_30_to_60", "from_60_to_120", "over_120_or_cancelled")
    assert math.isclose(sum(chances[name] for name in buckets), 1)
    assert math.isclose(chances["on_time"] + chances["late_15"], 1)
    assert chances["late_15"] >= chances["late_30"]
    assert chances["over_120_or_cancelled"] >= chances["cancelled"] > 0


class TestExplanation:
    @pytest.mark.parametrize("change", [{}, {"dep_delay": ...}, {"dep_delay": 90.0, "carrier": "ZZ"}], ids=str)
    def test_its_parts_add_up_to_the_prediction(self, ask, change):
        body = ask("explanation", change=change).json()
        explanation = body["explanation"]
        assert len(explanation["features"]) == 5
        total = explanation["base"] + sum(f["minutes"] for f in explanation["features"]) + explanation["others"]
        assert math.isclose(total, body["prediction"], abs_tol=1e-9)

    def test_the_departure_delay_is_said_in_minutes(self, ask):
        first = ask("explanation", change={"dep_delay": 90.0}, **{"Accept-Language": "en"}).json()["explanation"]
        reason = first["features"][0]
        assert (reason["feature"], reason["value"], reason["unit"]) == ("dep_delay", 90.0, "min")
        assert reason["minutes"] > 60
        assert reason["text"] == f"The flight left 90 min late: {reason['minutes']:+.1f} min"

    def test_in_the_reader_s_language(self, ask):
        portuguese, english = ask("explanation"), ask("explanation", **{"Accept-Language": "en"})
        assert portuguese.headers["Content-Language"] == "pt"
        assert english.headers["Content-Language"] == "en"
        assert english.headers["Vary"] == "Accept-Language"
        assert "O voo saiu com 10 min de atraso: +" in portuguese.text
        assert "The flight left 10 min late: +" in english.text

    def test_what_is_not_known_is_null_and_said(self, ask):
        features = ask(
            "explanation", change={"dep_delay": ..., "sched_arr_time": ...}, **{"Accept-Language": "en"}
        ).json()["explanation"]["features"]
        unknown = [feature for feature in features if feature["value"] is None]
        assert unknown
        assert all("known" in feature["text"] for feature in unknown)


class TestMetadata:
    @pytest.mark.parametrize(("change", "horizon"), [({}, "departed"), ({"dep_delay": ...}, "schedule")])
    def test_which_answer_it_is(self, ask, change, horizon):
        response = ask("metadata", change=change)
        metadata = response.json()["metadata"]
        assert metadata["id"] == int(response.headers["X-Prediction-Id"])
        assert metadata["model_version"] == int(response.headers["X-Model-Version"])
        assert (metadata["horizon"], metadata["told"]) == (horizon, False)
        age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(metadata["predicted_at"])
        assert dt.timedelta(0) <= age < dt.timedelta(minutes=1)


class TestNotes:
    @pytest.mark.parametrize(
        ("change", "said", "not_said"),
        [
            ({}, ["Nothing was heard lately", "weather at JFK was not told", "did not count"], ["never", "number"]),
            ({"dep_delay": ...}, ["flight number was not told"], ["field weather"]),
            ({"carrier": "ZZ"}, ["never met the airline ZZ"], []),
            ({"origin": "GRU", "dest": "GIG"}, ["never met flights from GRU", "never met flights to GIG"], []),
            ({"origin": "ZZZ"}, ["The distance in the request was used"], ["The distance in the request did not"]),
            ({"distance": ..., "flight": 1609, "dep_delay": ...}, [], ["distance", "flight number"]),
            ({"weather": {"temp_c": 20.0}}, [], ["weather"]),
            ({"weather": {"temp_c": 20.0}, "dep_delay": ...}, ["The weather did not count"], ["not told (field weather)"]),
        ],
        ids=str,
    )  # fmt: skip
    def test_what_is_to_be_known(self, ask, change, said, not_said):
        notes = ask("notes", change=change, **{"Accept-Language": "en"}).json()["notes"]
        for words in said:
            assert any(words in note for note in notes), notes
        for words in not_said:
            assert not any(words in note for note in notes), notes

    def test_a_stranger_s_interval_is_wider(self, ask):
        known, strange = (ask("interval", change=change).json()["interval"]["90"] for change in ({}, {"carrier": "ZZ"}))
        assert strange[1] - strange[0] > known[1] - known[0]

    def test_in_portuguese(self, ask):
        response = ask("notes", change={"carrier": "ZZ"})
        assert response.json()["notes"][0].startswith("O modelo nunca encontrou a companhia ZZ")
        assert response.headers["Content-Language"] == "pt"


class TestRefusals:
    @pytest.mark.parametrize(
        ("query", "field", "value", "said"),
        [
            ("include=intervals", "include", "intervals", "did you mean interval?"),
            ("include=interval&include=explantion", "include", "explantion", "did you mean explanation?"),
            ("include=interval,note", "include", "note", "did you mean notes?"),
            ("include=zzz", "include", "zzz", "there are interval, quantiles,"),
            ("include=", "include", "", "there are interval, quantiles,"),
            ("includes=interval", "includes", "interval", "did you mean include?"),
            ("carrier=DL", "carrier", "DL", "there is include"),
        ],
    )
    def test_what_is_not_known_is_named_with_the_nearest_that_is(self, client, documented, query, field, value, said):
        response = client.post(f"/model/predict/?{query}", json=documented, headers={"Accept-Language": "en"})
        assert response.status_code == 422
        (error,) = response.json()["errors"]
        assert (error["field"], error["value"]) == (field, value)
        assert said in error["message"]

    def test_in_portuguese(self, client, documented):
        response = client.post("/model/predict/?include=intervals", json=documented)
        assert response.json()["errors"][0]["message"] == "intervals não existe; você quis dizer interval?"


def test_openapi_documents_it(client):
    document = client.get("/openapi.json").json()
    (parameter,) = document["paths"]["/model/predict/"]["post"]["parameters"]
    assert parameter["schema"]["items"]["enum"] == EVERYTHING.split(",")
    schemas = document["components"]["schemas"]
    assert list(schemas["Answered"]["properties"]) == ["prediction", *EVERYTHING.split(",")]
    assert schemas["Answered"]["required"] == ["prediction"]
    assert all(field["description"] for field in schemas["Chances"]["properties"].values())
