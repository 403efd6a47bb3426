"""What training computes over the table, the service computes over one request: to the last bit."""

import datetime as dt
import random

import joblib
import numpy as np
import pytest

from flight_delay.flight import Flight
from flight_delay.model.features import FEATURES, Horizon, features_of, values
from flight_delay.model.pipeline import columns

TODAY = dt.date(2026, 11, 23)


@pytest.fixture(scope="module")
def pipeline(trained):
    return joblib.load(trained.model)


@pytest.fixture(scope="module")
def flights(dataset):
    return random.Random(2013).sample(dataset.flights, 4000)


def requests(flights, **changes):
    """The flights as they would come in as JSON."""
    fields = {
        "flight",
        "tailnum",
        "year",
        "month",
        "day",
        "sched_dep_time",
        "sched_arr_time",
        "origin",
        "dest",
        "carrier",
    }
    for flight in flights:
        body = flight.model_dump(mode="json", include=fields | {"dep_delay", "weather"}, exclude_none=True)
        yield Flight.model_validate_json(Flight.model_validate(body | changes).model_dump_json(exclude_unset=True))


def test_features(pipeline, flights, artifact):
    trained_on = pipeline.named_steps["features"].transform(flights)
    for horizon in Horizon:
        served = [
            values(features_of(horizon), request, dt.date(request.year, request.month, request.day), artifact.codes)
            for request in requests(flights)
        ]
        np.testing.assert_array_equal(np.array(served), trained_on[:, columns(horizon)])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dep_delay": None},
        {"weather": None},
        {"weather": None, "sched_arr_time": None},
        {"carrier": "ZZ", "dest": "GRU"},
    ],
    ids=["departed", "schedule", "no weather", "little said", "unknown codes"],
)
def test_predictions(pipeline, flights, artifact, changes):
    asked = list(requests(flights[:1500], **changes))
    matrix = pipeline.named_steps["features"].transform(asked)
    served = [artifact.predict(request, TODAY) for request in asked]
    np.testing.assert_array_equal(served, pipeline.predict(asked))
    chances = [artifact.probability_late(request, TODAY) for request in asked]
    np.testing.assert_allclose(chances, pipeline.named_steps["delay"].predict_late(matrix), rtol=1e-12)


def test_every_feature_is_served():
    assert {f for horizon in Horizon for f in features_of(horizon)} == set(FEATURES)


def test_the_pipeline_takes_a_data_frame(pipeline, documented, artifact):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        [documented | {"year": 2013, "arr_delay": 99}, documented | {"year": 2013, "dep_delay": None}]
    )
    expected = [
        artifact.predict(Flight.model_validate(documented | changes | {"year": 2013}), TODAY)
        for changes in ({}, {"dep_delay": None})
    ]
    assert pipeline.predict(frame).tolist() == expected


def test_the_pipeline_takes_mappings_and_nothing(pipeline, documented):
    assert np.isfinite(pipeline.predict([documented])).all()
    assert pipeline.predict([]).tolist() == []
