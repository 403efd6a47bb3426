"""`POST /model/predict/`: from the bytes of a body to an answer that history already holds."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import parse_qsl

from pydantic import ValidationError
from starlette.types import Receive, Scope, Send

from flight_delay.api.errors import ProblemError
from flight_delay.api.live import LiveModel
from flight_delay.errors import FlightDelayError, StoreUnavailable
from flight_delay.flight import Flight
from flight_delay.store.predictions import Prediction, PredictionLog, Superseded

MAX_BODY_BYTES = 64 * 1024
_MOST_PROMOTIONS_MET = 20


class Answer(NamedTuple):
    """A prediction that is in the history."""

    minutes: float
    model_version: int
    prediction_id: int

    def headers(self) -> dict[str, str]:
        """Return the facts that travel beside the documented body."""
        return {"X-Model-Version": str(self.model_version), "X-Prediction-Id": str(self.prediction_id)}


class Predictor:
    """Answers flights with the live model, and keeps every answer before it is given."""

    def __init__(self, live: LiveModel, log: PredictionLog, now: Callable[[], dt.datetime]) -> None:
        self._live = live
        self._log = log
        self._now = now

    async def answer(self, flight: Flight, request_id: str) -> Answer:
        """Predict, commit, return. Raises `ProblemError` (503) where there is no model or no database."""
        try:
            return await self._committed(flight, request_id)
        except FlightDelayError as error:
            raise ProblemError.of(error) from error

    async def _committed(self, flight: Flight, request_id: str) -> Answer:
        loaded = self._live.current or await self._live.follow()
        now = self._now()
        given = flight.model_dump_json(exclude_unset=True)
        for _ in range(_MOST_PROMOTIONS_MET):
            minutes = loaded.artifact.predict(flight, now.date())
            generation, version = loaded.live
            prediction = Prediction(now.isoformat(), request_id, generation, version, given, minutes)
            try:
                return Answer(minutes, version, await self._log.append(prediction))
            except Superseded:
                loaded = await self._live.follow()
        raise StoreUnavailable("the live model changes faster than a prediction can be committed")

    async def answer_body(self, body: bytes, request_id: str) -> Answer:
        """Validate the bytes of a body, then `answer`. Raises `ProblemError` (422, 503)."""
        try:
            flight = Flight.model_validate_json(body)
        except ValidationError as error:
            raise ProblemError.of_fields(error.errors(include_url=False)) from error
        return await self.answer(flight, request_id)


async def read_body(receive: Receive) -> bytes | None:
    """Return a request's body, or None where the client left."""
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body


def refuse_parameters(scope: Scope) -> None:
    """Raise `ProblemError` (422) for parameters in the URL: what is not understood is not passed over in silence."""
    given = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    if given:
        raise ProblemError.of_fields(
            {"type": "extra_forbidden", "loc": ("query", name), "msg": "", "input": value} for name, value in given
        )


async def send_answer(send: Send, answer: Answer) -> None:
    """Send the documented body."""
    body = b'{"prediction":%s}' % json.dumps(answer.minutes).encode()
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers().items()]
    headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
