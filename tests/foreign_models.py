"""Flights of a small world, for regressors of others to learn from and to answer."""

import datetime as dt
import warnings

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import (
    LinearRegression,
)
from sklearn.preprocessing import (
    OneHotEncoder,
)

from flight_delay.airports import Airport, great_circle_km
from flight_delay.flight import Flight
from flight_delay.model import foreign
from flight_delay.model.point import PointModel

TODAY = dt.date(2013, 7, 1)
AIRPORTS = {
    "JFK": Airport(40.639751, -73.778925, "America/New_York"),
    "EWR": Airport(40.6925, -74.168667, "America/New_York"),
    "LGA": Airport(40.777245, -73.872608, "America/New_York"),
    "LAX": Airport(33.942536, -118.408075, "America/Los_Angeles"),
    "BOS": Airport(42.364347, -71.005181, "America/New_York"),
    "HNL": Airport(21.318681, -157.922428, "Pacific/Honolulu"),
}
CARRIERS = ["9E", "AA", "B6", "DL", "UA"]
ORIGINS = ["EWR", "JFK", "LGA"]
DESTS = ["BOS", "HNL", "LAX"]
CODES = ["carrier", "origin", "dest"]
NUMBERS = ["month", "day", "hour", "sched_dep_time", "sched_arr_time", "distance", "dep_delay"]


def flights(count, seed, missing=()):
    """Random flights; the fields `missing` are absent from a tenth of them each."""
    random = np.random.default_rng(seed)
    clocks = random.integers(5, 24, (count, 2)) * 100 + random.integers(0, 60, (count, 2))
    rows = {
        "month": random.integers(1, 13, count),
        "day": random.integers(1, 29, count),
        "sched_dep_time": clocks[:, 0],
        "sched_arr_time": clocks[:, 1],
        "origin": random.choice(ORIGINS, count),
        "dest": random.choice(DESTS, count),
        "carrier": random.choice(CARRIERS, count),
        "dep_delay": np.round(random.gamma(1.0, 25.0, count) - 10.0),
        "flight": random.integers(1, 5000, count),
    }
    made = pd.DataFrame(rows).to_dict("records")
    for row in made:
        for name in missing:
            if random.random() < 0.1:
                del row[name]
    return [Flight(**row) for row in made]


def table(some):
    """The flights as the public table has them: hours, and miles."""
    rows = [flight.model_dump(exclude={"weather", "year"}) for flight in some]
    frame = pd.DataFrame(rows)
    places = [(AIRPORTS[flight.origin], AIRPORTS[flight.dest]) for flight in some]
    frame["distance"] = [great_circle_km(*a[:2], *b[:2]) / 1.609344 for a, b in places]
    frame["hour"] = frame.sched_dep_time // 100
    frame["sched_arr_time"] = frame.sched_arr_time.astype(float)
    frame["dep_delay"] = frame.dep_delay.astype(float)
    return frame


TRAIN = table(flights(1500, 1))
TRAIN_WITH_GAPS = table(flights(1500, 2, missing=["sched_arr_time", "dep_delay"]))
NEW = flights(150, 3)
NEW_WITH_GAPS = flights(150, 4, missing=["sched_arr_time", "dep_delay"])


def target(frame):
    noise = np.random.default_rng(9).normal(0, 8, len(frame))
    effects = 5.0 * (frame.carrier == "B6") - 4.0 * (frame.dest == "HNL") + 3.0 * (frame.origin == "JFK")
    delay = frame.dep_delay.fillna(20.0)
    return (delay * 0.9 + effects + 0.3 * (frame.month - 6) ** 2 + frame.distance / 900 + noise).to_numpy()


def converted(model, airports=AIRPORTS):
    result = foreign.convert(model, airports, "0" * 64, {"from": "elsewhere"})
    foreign.check(model, result)
    return PointModel.from_bytes(result.to_bytes())


def assert_answers_alike(model, given_frame, some):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = np.ravel(model.predict(given_frame))
    point = converted(model)
    np.testing.assert_allclose([point.answer(flight, TODAY) for flight in some], expected, rtol=1e-9, atol=1e-9)


def preprocessed(encoder=None, numbers="passthrough", columns=NUMBERS):
    encoder = encoder or OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer([("codes", encoder, CODES), ("numbers", numbers, columns)])


def name_of(value):
    return type(value).__name__


def original(weights):
    """A model of the kind that the original service had, with weights that can be added up by hand."""
    model = LinearRegression()
    model.feature_names_in_ = np.array(list(weights), object)
    model.n_features_in_ = len(weights)
    model.coef_ = np.array(list(weights.values()))
    model.intercept_ = -3.0
    return model
