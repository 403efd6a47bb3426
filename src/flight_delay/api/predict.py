"""`POST /model/predict/`: from the bytes of a body to an answer that history already holds."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Collection
from typing import NamedTuple

from pydantic import ValidationError
from starlette.types import Receive, Send

from flight_delay.api import include
from flight_delay.api.answer import Answer
from flight_delay.api.errors import ProblemError, refusal
from flight_delay.api.live import LiveModel
from flight_delay.api.shadow import Answered, Scorer
from flight_delay.errors import FieldsNeeded, FlightDelayError, StoreUnavailable
from flight_delay.flight import Flight
from flight_delay.messages import from_accept_language
from flight_delay.store.predictions import PredictionLog, Superseded
from flight_delay.store.rows import Prediction

MAX_BODY_BYTES = 64 * 1024
_MOST_PROMOTIONS_MET = 20


class Predictor:
    """Answers flights with the live model, and keeps every answer before it is given."""

    def __init__(self, live: LiveModel, log: PredictionLog, scorer: Scorer, now: Callable[[], dt.datetime]) -> None:
        self._live = live
        self._log = log
        self._scorer = scorer
        self._now = now

    async def answer(self, flight: Flight, request_id: str, asked: Collection[str]) -> Answer:
        """Predict, commit, return.

        Raises `ProblemError`: 422 where the live model cannot say what is asked, of this flight or of any; 503
        where there is no model or no database.
        """
        try:
            return await self._committed(flight, request_id, asked)
        except FieldsNeeded as error:
            raise ProblemError.of_fields(
                [refusal("needed", (name,), None) for name in error.facts["fields"]]
            ) from error
        except FlightDelayError as error:
            raise ProblemError.of(error) from error

    async def _committed(self, flight: Flight, request_id: str, asked: Collection[str]) -> Answer:
        loaded = self._live.current or await self._live.follow()
        now = self._now()
        given = flight.model_dump_json(exclude_unset=True)
        for _ in range(_MOST_PROMOTIONS_MET):
            said = loaded.answer(flight, now)
            include.check(asked, said)
            generation, version = loaded.live
            prediction = Prediction(now.isoformat(), request_id, generation, version, given, said.minutes)
            try:
                prediction_id = await self._log.append(prediction)
            except Superseded:
                loaded = await self._live.follow()
                continue
            if prediction_id is not None:
                self._scorer.note(Answered(prediction_id, flight, now))
            return Answer(flight, said, loaded, prediction_id, now)
        raise StoreUnavailable("the live model changes faster than a prediction can be committed")

    async def answer_body(self, body: bytes, request_id: str, asked: Collection[str]) -> Answer:
        """Validate the bytes of a body, then `answer`. Raises `ProblemError` (422, 503)."""
        try:
            flight = Flight.model_validate_json(body)
        except ValidationError as error:
            raise ProblemError.of_fields(error.errors(include_url=False)) from error
        return await self.answer(flight, request_id, asked)


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


class Reply(NamedTuple):
    """What is sent: the body, and the headers that belong to it."""

    body: bytes
    headers: dict[str, str]


async def reply(answer: Answer, asked: Collection[str], accept_language: str) -> Reply:
    """Return the documented body of an answer, with all that was asked to be included."""
    if not asked:
        return Reply(include.body(answer, asked, "pt"), answer.headers())
    language = from_accept_language(accept_language)
    headers = answer.headers()
    if include.has_text(asked):
        headers |= {"Content-Language": language, "Vary": "Accept-Language"}
    if include.takes_long(asked):
        return Reply(await asyncio.to_thread(include.body, answer, asked, language), headers)
    return Reply(include.body(answer, asked, language), headers)


async def send_reply(send: Send, reply: Reply) -> None:
    """Send a reply as JSON."""
    headers = [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
    headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(reply.body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
