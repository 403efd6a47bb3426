"""One flight and many are computed by different means: whatever they are, the features and the answers are the same."""

import datetime as dt
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flight_delay.airports import Airport
from flight_delay.flight import Flight, Weather, local_date, ranges
from flight_delay.model.features import FEATURES, leg_of, situation, values
from flight_delay.model.flight_columns import FlightColumns
from flight_delay.model.matrix import Played, habits, matrix, sched_deps

TODAY = dt.date(2026, 11, 23)
OVER_THE_DATE_LINE = {
    "AKL": Airport(-37.008, 174.792, "Pacific/Auckland"),
    "PPG": Airport(-14.331, -170.71, "Pacific/Pago_Pago"),
    "LHR": Airport(51.47, -0.46, "Europe/London"),
}
MORE_THAN_ONE_BY_ONE = 16
CLOCK_TIMES = st.builds(lambda hour, minute: hour * 100 + minute, st.integers(0, 23), st.integers(0, 59)) | st.just(
    2400
)
CLOCKS_CHANGE = [dt.date(2013, 3, 9), dt.date(2013, 3, 10), dt.date(2013, 3, 11), dt.date(2013, 11, 2),
                 dt.date(2013, 11, 3), dt.date(2013, 4, 7), dt.date(2013, 9, 29), dt.date(2013, 3, 31)]  # fmt: skip
DATES = st.sampled_from([*CLOCKS_CHANGE, dt.date(2024, 2, 29)]) | st.dates(dt.date(1987, 1, 1), dt.date(2100, 12, 31))


@st.composite
def flights(draw):
    date = draw(DATES)
    said = {
        "year": st.just(date.year) if (date.month, date.day) != (2, 29) else st.sampled_from([None, date.year]),
        "sched_arr_time": CLOCK_TIMES,
        "distance": st.floats(*ranges(Flight)["distance"]),
        "dep_delay": st.floats(*ranges(Flight)["dep_delay"]) | st.integers(-180, 3000),
        "flight": st.integers(1, 20) | st.just(9999),
        "tailnum": st.just("N1"),
        "weather": st.builds(
            Weather, **{name: st.none() | st.floats(*bounds) for name, bounds in ranges(Weather).items()}
        ),
    }
    return Flight(
        month=date.month,
        day=date.day,
        sched_dep_time=draw(CLOCK_TIMES),
        origin=draw(st.sampled_from(["JFK", "EWR", "LGA", "HNL", "ZZZ", *OVER_THE_DATE_LINE])),
        dest=draw(st.sampled_from(["LAX", "HNL", "SJU", "PHX", "ANC", "ZZZ", *OVER_THE_DATE_LINE])),
        carrier=draw(st.sampled_from(["DL", "9E", "HA", "ZZ"])),
        **draw(st.fixed_dictionaries({}, optional=said)),
    )


@pytest.fixture(scope="module")
def model(artifact):
    """The trained model, in a world with a few airports more."""
    return replace(artifact, codes=replace(artifact.codes, airports=artifact.codes.airports | OVER_THE_DATE_LINE))


many = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


@many
@given(asked=st.lists(flights(), min_size=1, max_size=5))
def test_features_and_instants(model, asked):
    columns = FlightColumns.of(asked)
    dates = [local_date(flight, TODAY) for flight in asked]
    recalled = [
        model.at_rest.recall(leg_of(*flight, model.codes), math.nan) for flight in zip(asked, dates, strict=True)
    ]
    alone = [
        values(FEATURES, situation(*of, model.codes, known)) for *of, known in zip(asked, dates, recalled, strict=True)
    ]
    np.testing.assert_array_equal(matrix(asked, TODAY, model.codes, Played.of(recalled)), np.array(alone, float))
    np.testing.assert_array_equal(np.array(habits(columns, model.at_rest)), Played.of(recalled).means.T)
    sched_dep = [leg_of(*flight, model.codes).sched_dep for flight in zip(asked, dates, strict=True)]
    np.testing.assert_array_equal(sched_deps(columns, TODAY, model.codes), sched_dep)


@many
@given(asked=st.lists(flights(), min_size=1, max_size=5), often=st.sampled_from([1, MORE_THAN_ONE_BY_ONE]))
def test_minutes(model, asked, often):
    answers = [model.answer(flight, TODAY) for flight in asked]
    points = [model.point(SimpleNamespace(**dict(flight)), TODAY) for flight in asked]
    assert points == [(answer.minutes, answer.specialist) for answer in answers]
    together = model.minutes(FlightColumns.of(asked * often), TODAY)
    assert together.tolist() == [answer.minutes for answer in answers] * often


@many
@given(asked=st.lists(flights(), min_size=1, max_size=4), before=st.integers(-60, 800), ahead=st.integers(-60, 400))
def test_minutes_of_flights_from_where_departures_were_told(model, asked, before, ahead):
    """What was told of the first one's airport is fresh, or too long ago, or the flight is too far ahead."""
    first = leg_of(asked[0], local_date(asked[0], TODAY), model.codes)
    state, now = model.state(), first.sched_dep - ahead
    told = first._replace(flight=7, tailnum="N1", sched_dep=now - before - 9, sched_arr=now + 300, dep=now - before)
    state.tell(told)
    answers = [model.answer(flight, TODAY, state, now) for flight in asked]
    points = [model.point(flight, TODAY, state, now) for flight in asked]
    assert points == [(answer.minutes, answer.specialist) for answer in answers]
    together = model.minutes(FlightColumns.of(asked * MORE_THAN_ONE_BY_ONE), TODAY, state, now)
    assert together.tolist() == [answer.minutes for answer in answers] * MORE_THAN_ONE_BY_ONE
