"""Golden rows: the same flights, answered by the object that was sent and by what it was converted to."""

from __future__ import annotations

import datetime as dt
import math
import warnings
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from lightgbm import Booster
from numpy.typing import NDArray
from pydantic import ValidationError
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import FunctionTransformer

from flight_delay.errors import BrokenArtifact, ModelRefused
from flight_delay.flight import Flight
from flight_delay.model.features import Codes
from flight_delay.model.foreign.columns import Frame, Text
from flight_delay.model.foreign.inputs import inputs
from flight_delay.model.foreign.state import kind_of, refusing
from flight_delay.model.point.columns import Columns, Number, Table, Value, fields_of, is_missing
from flight_delay.model.point.model import LIMIT_MIN, PointModel

ROWS = 200
TOLERANCE = 1e-6
"""Of the larger answer, or of a minute."""
TODAY = dt.date(2013, 7, 1)
_DEP_DELAYS = (0.0, -12.0, 3.0, 45.0, -2.0, 17.5, 130.0, 0.5, -25.0, 300.0, 8.0, 600.0)
_CLOCKS = (1630, 600, 2359, 5, 1245, 815, 2010, 1100, 545, 1745, 2400)
_NUMBERS = {
    "month": tuple(range(1, 13)),
    "day": (1, 4, 9, 15, 20, 23, 28, 13),
    "sched_arr_time": (1930, 820, 15, 1010, 2244, 1301, 2355),
    "year": (2013,),
    "flight": (1, 1545, 21, 4309, 725, 301),
}
_CODES = {
    "origin": ("JFK", "EWR", "LGA"),
    "dest": ("LAX", "BOS", "ORD", "ATL", "SFO", "MIA", "HNL"),
    "carrier": ("DL", "UA", "AA", "B6", "9E"),
    "tailnum": ("N725MQ", "N14228"),
}
_UNKNOWN = {"origin": "QQQ", "dest": "ZZZ", "carrier": "ZZ", "tailnum": "Z0Z0Z0"}
_OPTIONAL = ("dep_delay", "sched_arr_time", "flight", "tailnum")


class Facts(NamedTuple):
    """What the golden rows showed: how many, the largest difference, and the least and the greatest answer."""

    rows: int
    largest_difference: float
    least: float
    greatest: float


def check(model: Any, converted: PointModel) -> Facts:
    """Answer golden rows by the object's own `predict` and by the conversion; raises `ModelRefused` if they differ.

    The object is made ready for it: it gets no threads, prints nothing, and finds its columns by place, for which
    pandas is not needed. Answers must be finite, and less than 100,000 minutes.
    """
    with refusing():
        frame, parts = inputs(model), list(_parts(model, set()))
        _tame(parts)
        strict = any(vars(part).get("handle_unknown") == "error" for part in parts)
        flights = golden(converted, strict=strict)
        return _compared(flights, _own(model, flights, converted, frame), converted)


def golden(converted: PointModel, *, strict: bool) -> list[Flight]:
    """Return flights across the vocabulary that the model has an answer for, always the same ones.

    Unknown airports and airlines are among them unless an encoder of the model is `strict` about them, and so
    are flights that lack what the model can do without.
    """
    flights = [flight for flight in islice(_flights(converted, strict=strict), 4 * ROWS) if not converted.needs(flight)]
    if not flights:
        raise ModelRefused("refused_predict", problem="no flight")
    return flights[:ROWS]


def _compared(flights: Sequence[Flight], own: NDArray[np.float64], converted: PointModel) -> Facts:
    difference = 0.0
    answers = []
    for row, (flight, expected) in enumerate(zip(flights, own.tolist(), strict=True)):
        answer = _answer(converted, flight, row)
        if not math.isfinite(expected):
            raise ModelRefused("refused_not_finite", what=f"predict, {row}")
        if abs(expected) >= LIMIT_MIN:
            raise ModelRefused("refused_implausible", row=row, minutes=f"{expected:.6g}", most=int(LIMIT_MIN))
        if abs(answer - expected) > TOLERANCE * max(1.0, abs(expected)):
            raise ModelRefused("refused_golden", row=row, own=f"{expected:.9g}", converted=f"{answer:.9g}")
        difference = max(difference, abs(answer - expected))
        answers.append(answer)
    return Facts(len(answers), difference, min(answers), max(answers))


def _flights(converted: PointModel, *, strict: bool) -> Iterator[Flight]:
    choices = {name: _choices(converted, name, values, strict=strict) for name, values in (_NUMBERS | _CODES).items()}
    choices["sched_dep_time"] = _departures(converted, strict=strict) or list(_CLOCKS)
    choices |= {
        "dep_delay": list(_DEP_DELAYS),
        "lacking": [(), (), (), (), *((name,) for name in _OPTIONAL), _OPTIONAL],
    }
    wheels = {name: _again_and_again(values, place) for place, (name, values) in enumerate(choices.items())}
    for number in range(100 * ROWS):
        fields = {name: next(wheel) for name, wheel in wheels.items()}
        absent = fields.pop("lacking")
        fields["distance"] = 250.0 + 37.0 * (number % 113)
        try:
            yield Flight(**{name: value for name, value in fields.items() if name not in absent})
        except ValidationError:  # no such date, or a code that no request can have
            continue


def _choices(converted: PointModel, name: str, common: Sequence[Any], *, strict: bool) -> list[Any]:
    if name not in converted.known or not converted.known[name].values:
        return list(common)
    met = [int(value) if isinstance(value, float) else value for value in converted.known[name].values]
    return met if strict or name not in _UNKNOWN else [*met, _UNKNOWN[name]]


def _departures(converted: PointModel, *, strict: bool) -> list[int]:
    """Return clock times, of those hours and minutes that the model met, if it is strict about them."""
    known = converted.known
    if not strict or not known.keys() & {"sched_dep_time", "hour", "minute"}:
        return list(_CLOCKS)
    if "sched_dep_time" in known:
        return [int(value) for value in known["sched_dep_time"].values]
    hours = known["hour"].values if "hour" in known else range(24)
    minutes = known["minute"].values if "minute" in known else (0, 30, 59)
    return [int(hour) * 100 + int(minute) for hour in hours for minute in minutes if int(hour) < 24]


def _again_and_again(values: Sequence[Any], place: int) -> Iterator[Any]:
    """Yield all values, then all in another order, for ever: those of several fields meet in many combinations."""
    random = np.random.default_rng(place)
    while True:
        for one in random.permutation(len(values)):
            yield values[one]


def _own(model: Any, flights: Sequence[Flight], converted: PointModel, frame: Frame) -> NDArray[np.float64]:
    codes = Codes(converted.airports, {}, {}, {}, ())
    rows = [_row(frame, fields_of(flight, TODAY, codes)) for flight in flights]
    texts = any(isinstance(column, Text) for column in frame.columns)
    matrix = np.array(rows, object if texts else np.float64).reshape(len(flights), len(frame.columns))
    threads = {"num_threads": 1} if type(model) is Booster else {}
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # that a matrix has no names of columns
            answers = np.asarray(model.predict(matrix, **threads), np.float64)
    except Exception as error:  # whatever an object leads scikit-learn to that was made by another version, or by hand
        raise ModelRefused("refused_predict", problem=f"{kind_of(error)}: {error}"[:200]) from error
    if answers.size != len(flights):
        raise ModelRefused("refused_schema_outputs", kind=kind_of(model), outputs=answers.size // len(flights))
    return answers.ravel()


def _row(frame: Frame, fields: dict[str, Value]) -> list[Any]:
    """Return the columns that the object itself is given, by the same code that serving computes them with."""
    own = [column for column in frame.columns if isinstance(column, Number | Table)]
    computed = Columns(own).row(fields).tolist()
    numbers = iter(computed)
    return [
        (math.nan if is_missing(fields[column.field]) else fields[column.field])
        if isinstance(column, Text)
        else next(numbers)
        for column in frame.columns
    ]


def _answer(converted: PointModel, flight: Flight, row: int) -> float:
    try:
        return converted.answer(flight, TODAY)
    except BrokenArtifact as error:
        raise ModelRefused("refused_not_finite", what=f"converted, {row}") from error


def _parts(part: Any, seen: set[int]) -> Iterator[Any]:
    """Yield the estimators that an object is made of, itself first, each once."""
    if isinstance(part, np.ndarray) and part.dtype == object:
        part = part.ravel().tolist()
    if isinstance(part, BaseEstimator):
        if id(part) in seen:
            return
        seen.add(id(part))
        yield part
        part = [value for name, value in vars(part).items() if name in _INSIDE]
    if isinstance(part, list | tuple):
        for own in part:
            yield from _parts(own, seen)


_INSIDE = {"steps", "transformers_", "estimators_", "_preprocessor", "init_"}


def _tame(parts: Sequence[Any]) -> None:
    for part in parts:
        vars(part).update({name: calm for name, calm in (("n_jobs", 1), ("verbose", False)) if name in vars(part)})
        vars(part).pop("_sklearn_output_config", None)
        if type(part) is ColumnTransformer:
            places = part._transformer_to_input_indices
            part.transformers_ = [
                (name, _PASSING if isinstance(step, str) and step == "passthrough" else step, list(places[name]))
                for name, step, _ in part.transformers_
            ]


_PASSING = FunctionTransformer(accept_sparse=True)
"""What newer versions of scikit-learn write for "passthrough"."""
