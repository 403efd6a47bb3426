"""Whatever is sent: a flight is answered, anything else is refused, and what is kept is what was meant."""

import datetime as dt
import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from flight_delay.api import include
from flight_delay.api.answer import Answer, Answered
from flight_delay.api.errors import ProblemError
from flight_delay.api.live import Loaded
from flight_delay.api.outcomes import Outcome, leg_told, record
from flight_delay.flight import Flight, Weather, ranges
from flight_delay.messages import LANGUAGES
from flight_delay.store.models import Live
from flight_delay.store.outcomes import Told

TODAY = dt.date(2026, 11, 23)
TOLD_MINUTE = dt.datetime(2026, 11, 23, 12, 5, tzinfo=dt.UTC).timestamp() / 60
clock_times = st.builds(lambda hour, minute: hour * 100 + minute, st.integers(0, 23), st.integers(0, 59)) | st.just(
    2400
)
codes = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3)


def numbers(model, name):
    return st.floats(*ranges(model)[name])


@st.composite
def flights(draw):
    """Bodies that are flights, with any of the optional fields."""
    date = draw(st.dates(dt.date(1987, 1, 1), dt.date(2100, 12, 31)))
    sched_dep_time = draw(clock_times)
    body = {
        "month": date.month,
        "day": date.day,
        "sched_dep_time": sched_dep_time,
        "origin": draw(codes | st.sampled_from(["JFK", "EWR", "LGA"])),
        "dest": draw(codes | st.sampled_from(["LAX", "HNL", "SJU"])),
        "carrier": draw(st.sampled_from(["DL", "9E", "B6", "ZZ"])),
    }
    optional = {
        "year": st.just(date.year),
        "hour": st.just(sched_dep_time // 100),
        "sched_arr_time": clock_times,
        "distance": numbers(Flight, "distance"),
        "dep_delay": numbers(Flight, "dep_delay"),
        "flight": st.integers(1, 9999),
        "tailnum": st.from_regex(r"\A[A-Z0-9-]{2,10}\Z"),
        "weather": st.fixed_dictionaries({}, optional={name: numbers(Weather, name) for name in Weather.model_fields}),
    }
    return body | draw(st.fixed_dictionaries({}, optional=optional))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(body=flights())
def test_every_flight_is_answered_with_a_finite_number(artifact, body):
    flight = Flight.model_validate_json(json.dumps(body))
    answer = artifact.answer(flight, TODAY)
    assert math.isfinite(answer.minutes)
    quantiles, chances = answer.quantiles(), answer.probabilities()
    assert quantiles == sorted(quantiles)
    assert all(0 <= chance <= 1 for chance in chances)
    assert math.isclose(sum((*chances[3:6], chances.over_120_or_cancelled)), 1)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(body=flights())
def test_every_answer_is_explained_in_words_that_add_up(artifact, body):
    flight = Flight.model_validate_json(json.dumps(body))
    said = artifact.answer(flight, TODAY)
    loaded = Loaded(Live(1, 1), artifact, artifact.at_rest)
    answer = Answer(flight, said, loaded, dt.datetime(2026, 11, 23, tzinfo=dt.UTC), 1, False)
    for language in LANGUAGES:
        whole = Answered.model_validate_json(include.body(answer, include.INCLUDES, language))
        reasons = whole.explanation.features
        total = whole.explanation.base + sum(reason.minutes for reason in reasons) + whole.explanation.others
        assert math.isclose(total, whole.prediction, abs_tol=1e-9)
        assert not any("nan" in reason.text or "{" in reason.text for reason in reasons)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(body=flights(), dep_delay=numbers(Outcome, "dep_delay"), arr_delay=numbers(Outcome, "arr_delay"))
def test_what_became_of_any_flight_can_be_told_and_asked_of(artifact, body, dep_delay, arr_delay):
    outcome = json.dumps(body | {"dep_delay": dep_delay, "arr_delay": arr_delay})
    leg = leg_told(Told(1, "2026-11-23T12:00:00+00:00", outcome), artifact.codes)
    state = artifact.state()
    if leg is not None:
        state.tell(leg)
        assert not leg.dep > TOLD_MINUTE
        assert not leg.arr > TOLD_MINUTE
    for asked in (body, {**body, "dep_delay": None}):
        flight = Flight.model_validate_json(json.dumps(asked))
        assert math.isfinite(artifact.answer(flight, TODAY, state, TOLD_MINUTE).minutes)


@given(body=flights())
def test_what_is_kept_is_what_was_sent(body):
    kept = Flight.model_validate_json(json.dumps(body)).model_dump_json(exclude_unset=True)
    assert json.loads(kept) == body
    assert Flight.model_validate_json(kept).model_dump_json(exclude_unset=True) == kept


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(body=flights(), field=st.sampled_from(list(Flight.model_fields)), value=anything)
def test_one_field_of_anything_is_taken_or_named(body, field, value):
    try:
        Flight.model_validate_json(json.dumps(body | {field: value}))
    except ValidationError as error:
        problem = ProblemError.of_fields(error.errors(include_url=False))
        for language in LANGUAGES:
            for item in json.loads(problem.body("/", language))["errors"]:
                assert item["field"].split(".")[0] in {field, "hour", "day"}
                assert item["message"]


@pytest.mark.parametrize("language", LANGUAGES)
@given(content=st.binary() | anything.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_refused_in_words(language, content):
    with pytest.raises(ValidationError) as caught:
        Flight.model_validate_json(content)
    body = ProblemError.of_fields(caught.value.errors(include_url=False)).body("/model/predict/", language)
    assert json.loads(body)["errors"]
    assert "valor inválido" not in body.decode()
    assert "invalid value" not in body.decode()


@given(body=flights(), key=st.text(min_size=1).filter(lambda key: key not in Flight.model_fields))
def test_an_unknown_key_is_never_taken(body, key):
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Flight.model_validate_json(json.dumps(body | {key: 1}))


@pytest.mark.parametrize("language", LANGUAGES)
@given(content=st.binary() | (anything | st.lists(anything)).map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_refused_as_outcomes_in_words(tmp_path_factory, language, content):
    if content.strip() == b"[]":
        return
    with pytest.raises(ProblemError) as caught:
        record(tmp_path_factory.getbasetemp() / "none", content, dt.datetime(2026, 11, 23, tzinfo=dt.UTC))
    assert caught.value.status == 422
    body = caught.value.body("/model/outcomes/", language).decode()
    assert "valor inválido" not in body
    assert "invalid value" not in body
