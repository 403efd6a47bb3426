"""`POST /model/predict/`: from the bytes of a body to an answer that history already holds."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Collection
from typing import NamedTuple

from pydantic import ValidationError

from flight_delay.api import body as bodies
from flight_delay.api import include
from flight_delay.api.answer import Answer
from flight_delay.api.errors import ProblemError, refusal
from flight_delay.api.live import LiveModel, Loaded, Said
from flight_delay.api.metrics import Metrics
from flight_delay.api.shadow import Answered, Scorer
from flight_delay.errors import FieldsNeeded, FlightDelayError, StoreUnavailable
from flight_delay.messages import from_accept_language
from flight_delay.model.any_flight import AnyFlight
from flight_delay.store.predictions import PredictionLog, Superseded
from flight_delay.store.rows import Prediction

MAX_BODY_BYTES = 64 * 1024
_MOST_PROMOTIONS_MET = 20


class Predictor:
    """Answers flights with the live model, and keeps every answer before it is given, if there is a log."""

    def __init__(
        self,
        live: LiveModel,
        log: PredictionLog | None,
        scorer: Scorer,
        metrics: Metrics,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._live = live
        self._log = log
        self._scorer = scorer
        self._metrics = metrics
        self._now = now

    def answer_body(self, body: bytes, request_id: str, asked: Collection[str]) -> Awaitable[Answer]:
        """Validate the bytes of a body, then `answer`. Raises `ProblemError` (422, 503)."""
        try:
            flight = bodies.read(body)
        except ValidationError as error:
            raise ProblemError.of_fields(error.errors(include_url=False)) from error
        return self.answer(flight, request_id, asked)

    async def answer(self, flight: AnyFlight, request_id: str, asked: Collection[str]) -> Answer:
        """Predict, commit, return.

        Raises `ProblemError`: 422 where the live model cannot say what is asked, of this flight or of any; 503
        where there is no model or no database.
        """
        try:
            loaded = self._live.current or await self._live.follow()
            now = self._now()
            if self._log is None:
                answer = Answer(flight, _said(loaded, flight, now, asked), loaded, now, None, False)
            else:
                answer = await self._kept(self._log, loaded, flight, now, request_id, asked)
        except FieldsNeeded as error:
            raise ProblemError.of_fields(
                [refusal("needed", (name,), None) for name in error.facts["fields"]]
            ) from error
        except FlightDelayError as error:
            raise ProblemError.of(error) from error
        self._metrics.predicted(answer.said.horizon.value)
        self._metrics.note(flight)
        return answer

    async def _kept(
        self,
        log: PredictionLog,
        loaded: Loaded,
        flight: AnyFlight,
        now: dt.datetime,
        request_id: str,
        asked: Collection[str],
    ) -> Answer:
        given, at = bodies.write(flight), now.isoformat()
        for _ in range(_MOST_PROMOTIONS_MET):
            said = _said(loaded, flight, now, asked)
            generation, version = loaded.live
            try:
                prediction_id = await log.append(Prediction(at, request_id, generation, version, given, said.minutes))
            except Superseded:
                loaded = await self._live.follow()
                continue
            if prediction_id is not None:
                self._scorer.note(Answered(prediction_id, flight, now))
            return Answer(flight, said, loaded, now, prediction_id, prediction_id is None)
        raise StoreUnavailable("the live model changes faster than a prediction can be committed")


def _said(loaded: Loaded, flight: AnyFlight, now: dt.datetime, asked: Collection[str]) -> Said:
    if not asked or include.OF_DISTRIBUTION.isdisjoint(asked):
        return loaded.point(flight, now)
    said = loaded.answer(flight, now)
    include.check(asked, said)
    return said


class Reply(NamedTuple):
    """What is sent: the body, and the headers that belong to it."""

    body: bytes
    headers: dict[str, str]


async def reply(answer: Answer, asked: Collection[str], accept_language: str) -> Reply:
    """Return the documented body of an answer with all that was asked to be included."""
    language = from_accept_language(accept_language)
    headers = answer.headers()
    if include.has_text(asked):
        headers |= {"Content-Language": language, "Vary": "Accept-Language"}
    if include.takes_long(asked):
        return Reply(await asyncio.to_thread(include.body, answer, asked, language), headers)
    return Reply(include.body(answer, asked, language), headers)
