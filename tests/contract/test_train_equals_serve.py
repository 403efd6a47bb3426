"""What training computes over the table, the service computes over one request and one event at a time."""

import datetime as dt
import random

import joblib
import numpy as np
import pytest

from flight_delay.flight import Flight
from flight_delay.model.dataset import Flights
from flight_delay.model.features import (
    FEATURES,
    Horizon,
    Specialist,
    features_of,
    leg_of,
    situation,
    values,
)
from flight_delay.model.matrix import by_specialist, columns
from flight_delay.model.network_state import NetworkState
from flight_delay.model.views import Views

pytestmark = pytest.mark.usefixtures("untraced")
TODAY = dt.date(2026, 11, 23)
DAY = 1440.0
FIELDS = {"flight", "tailnum", "year", "month", "day", "sched_dep_time", "sched_arr_time", "origin", "dest", "carrier"}


@pytest.fixture(scope="module")
def pipeline(trained):
    return joblib.load(trained.model)


@pytest.fixture(scope="module")
def week(dataset):
    """All flights of a week in which New York had thunderstorms."""
    chosen = [
        number for number, flight in enumerate(dataset.flights) if (flight.month, (flight.day - 6) // 7) == (7, 0)
    ]
    return Flights(
        flights=[dataset.flights[number] for number in chosen],
        weather_before=[dataset.weather_before[number] for number in chosen],
        legs=[dataset.legs[number] for number in chosen],
        arr_delay=dataset.arr_delay[chosen],
    )


def as_request(known, /, **changes):
    """The flight as it would come in as JSON."""
    body = known.model_dump(mode="json", include=FIELDS | {"dep_delay", "weather"}, exclude_none=True)
    return Flight.model_validate_json(Flight.model_validate(body | changes).model_dump_json(exclude_unset=True))


def in_the_order_of_time(week):
    """What happens to each leg, and when each flight is asked about; of one minute the questions come first."""
    for number, leg in enumerate(week.legs):
        for horizon in (Horizon.PRE_DEPARTURE, Horizon.DEPARTED):
            cut_off = horizon.cut_off(leg.sched_dep, leg.dep)
            if not np.isnan(cut_off):
                yield cut_off, 0, number, horizon
        if not np.isnan(leg.dep):
            yield leg.dep, 1, number, leg._replace(arr=np.nan, air_time=np.nan)
        if not np.isnan(leg.arr):
            yield leg.arr, 1, number, leg


@pytest.fixture(scope="module")
def served(week, artifact):
    """The features of every flight at both horizons, from a state that is told one event after the other."""
    state = NetworkState()
    for leg in week.legs:
        state.tell(leg._replace(dep=np.nan, arr=np.nan, air_time=np.nan))
    rows = {}
    for _, _, number, what in sorted(in_the_order_of_time(week), key=lambda moment: moment[:3]):
        if isinstance(what, Horizon):
            flight = as_request(seen(week, what, number))
            date = dt.date(flight.year, flight.month, flight.day)
            leg = leg_of(flight, date, artifact.codes)
            recalled = state.recall(leg, what.cut_off(leg.sched_dep, leg.dep))
            rows[what, number] = values(FEATURES, situation(flight, date, artifact.codes, recalled))
        else:
            state.tell(what)
    return rows


def seen(week, horizon, number):
    flight = week.flights[number]
    if horizon is Horizon.DEPARTED:
        return flight
    return flight.model_copy(update={"dep_delay": None, "weather": week.weather_before[number]})


@pytest.mark.parametrize("horizon", [Horizon.PRE_DEPARTURE, Horizon.DEPARTED])
def test_features_of_thousands_of_flights_with_the_network(pipeline, week, served, horizon):
    played = Views.of(pipeline.named_steps["features"], week).matrices[horizon]
    asked = [number for number in range(len(week.flights)) if (horizon, number) in served]
    assert len(asked) > 5000
    for feature, ours, theirs in zip(
        FEATURES, np.array([served[horizon, number] for number in asked]).T, played[asked].T, strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9, err_msg=feature.name)
        if feature.known <= horizon.known:
            assert np.isfinite(ours).mean() > 0.3, feature.name


def test_an_answer_is_the_pipeline_s_own(pipeline, week, artifact, served):
    """Of each specialist, with all that it says: minutes, scale, the chance of not arriving."""
    delay = pipeline.named_steps["delay"]
    for horizon in (Horizon.PRE_DEPARTURE, Horizon.DEPARTED):
        numbers = [number for number in range(0, len(week.flights), 7) if (horizon, number) in served]
        rows = np.array([served[horizon, number] for number in numbers])
        for specialist, mine in by_specialist(rows):
            spread = delay.spread(specialist, rows[mine])
            expert = artifact.experts[specialist]
            heads = np.array([expert.trees.predict(row) for row in rows[mine][:, columns(specialist)].tolist()])
            known = np.nan_to_num(rows[mine][:, [f.name for f in FEATURES].index("dep_delay")])
            np.testing.assert_array_equal(sum(heads.T[:-2]) / (heads.shape[1] - 2) + known, spread.location)
            np.testing.assert_allclose(np.exp(heads.T[-2]), spread.scale, rtol=1e-12)
            np.testing.assert_allclose(1 / (1 + np.exp(-heads.T[-1])), spread.cancelled, rtol=1e-9)


@pytest.fixture(scope="module")
def flights(dataset):
    return random.Random(2013).sample(dataset.flights, 1500)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dep_delay": None},
        {"weather": None},
        {"weather": None, "sched_arr_time": None},
        {"flight": None, "tailnum": None},
        {"carrier": "ZZ", "dest": "GRU"},
    ],
    ids=["departed", "schedule", "no weather", "little said", "no number", "unknown codes"],
)
def test_requests_without_a_network(pipeline, flights, artifact, changes):
    asked = [as_request(flight, **changes) for flight in flights]
    answers = [artifact.answer(request, TODAY) for request in asked]
    rows = pipeline.named_steps["features"].transform(asked)
    delay = pipeline.named_steps["delay"]
    for specialist, mine in by_specialist(rows):
        spread = delay.spread(specialist, rows[mine])
        own = [answer for answer, is_own in zip(answers, mine, strict=True) if is_own]
        assert {answer.specialist for answer in own} == {specialist}
        np.testing.assert_array_equal([answer.minutes for answer in own], spread.location)
        np.testing.assert_allclose([answer.scale for answer in own], spread.scale, rtol=1e-12)
        np.testing.assert_allclose([answer.quantiles() for answer in own], spread.quantiles(), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(
            [answer.probabilities() for answer in own], np.array(spread.probabilities).T, atol=1e-9
        )
    np.testing.assert_array_equal([answer.minutes for answer in answers], pipeline.predict(asked))


def test_every_feature_is_served():
    assert {f for specialist in Specialist for f in features_of(specialist)} == set(FEATURES)


def test_the_pipeline_takes_a_data_frame(pipeline, documented, artifact):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        [documented | {"year": 2013, "arr_delay": 99}, documented | {"year": 2013, "dep_delay": None}]
    )
    expected = [
        artifact.answer(Flight.model_validate(documented | changes | {"year": 2013}), TODAY).minutes
        for changes in ({}, {"dep_delay": None})
    ]
    assert pipeline.predict(frame).tolist() == expected


def test_the_pipeline_takes_mappings_and_nothing(pipeline, documented):
    assert np.isfinite(pipeline.predict([documented])).all()
    assert pipeline.predict([]).tolist() == []
