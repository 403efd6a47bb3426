"""`include=` of `POST /model/predict/`: what is answered besides the prediction, from the same call of the model."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from difflib import get_close_matches
from urllib.parse import parse_qsl

import msgspec
from pydantic_core import ErrorDetails
from starlette.types import Scope

from flight_delay.api import explanation
from flight_delay.api.answer import Answer
from flight_delay.api.errors import ProblemError, refusal
from flight_delay.api.live import Minutes, Said
from flight_delay.messages import Language
from flight_delay.model import artifact
from flight_delay.model.artifact import Artifact
from flight_delay.model.distribution import INTERVALS, PERCENTS

PARAMETER = "include"
_ENCODER = msgspec.json.Encoder()
OF_DISTRIBUTION = frozenset({"interval", "quantiles", "probabilities", "explanation"})
"""What needs more of the model than the minutes."""
_NOTHING: frozenset[str] = frozenset()


def asked(scope: Scope) -> frozenset[str]:
    """Return what a request's URL asks to include, given repeatedly or with commas.

    Raises `ProblemError` (422) for what is not known: it is not passed over in silence.
    """
    query: bytes = scope["query_string"]
    if not query:
        return _NOTHING
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    words = dict.fromkeys(word.strip() for name, value in given if name == PARAMETER for word in value.split(","))
    refused = [
        _unknown("no_parameter", name, value, name, [PARAMETER]) for name, value in given if name != PARAMETER
    ] + [_unknown("no_include", PARAMETER, word, word, list(INCLUDES)) for word in words if word not in INCLUDES]
    if refused:
        raise ProblemError.of_fields(refused)
    return frozenset(words)


def body(answer: Answer, asked: Collection[str], language: Language) -> bytes:
    """Return the JSON of an answer with all that was asked for."""
    if not asked:
        return only_minutes(answer)
    included = {name: include(answer, language) for name, include in INCLUDES.items() if name in asked}
    whole = {"prediction": answer.minutes} | included
    return json.dumps(whole, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def only_minutes(answer: Answer) -> bytes:
    """Return the documented JSON of an answer."""
    return b'{"prediction":%s}' % _ENCODER.encode(answer.said.minutes)


def has_text(asked: Collection[str]) -> bool:
    """Whether some of it is in a language."""
    return "explanation" in asked or "notes" in asked


def takes_long(asked: Collection[str]) -> bool:
    """Whether it takes milliseconds, during which others should be answered."""
    return "explanation" in asked


def check(asked: Collection[str], said: Said) -> None:
    """Refuse what a model of another's making cannot say; raises `ProblemError` (422)."""
    if asked and isinstance(said, Minutes) and (beyond := sorted(set(asked) & OF_DISTRIBUTION)):
        raise ProblemError.of_fields([refusal("only_minutes", (PARAMETER,), word, given=word) for word in beyond])


def _interval(answer: Answer, _: Language) -> object:
    said = _whole(answer)
    return {str(width): said.quantiles(percents) for width, percents in INTERVALS.items()}


def _quantiles(answer: Answer, _: Language) -> object:
    return dict(zip(map(str, PERCENTS), _whole(answer).quantiles(), strict=True))


def _probabilities(answer: Answer, _: Language) -> object:
    return _whole(answer).probabilities()._asdict()


def _explanation(answer: Answer, language: Language) -> object:
    model = answer.loaded.model
    assert isinstance(model, Artifact), "checked before it was predicted"
    return explanation.explained(model.explain(_whole(answer)), answer.flight, language)


def _whole(answer: Answer) -> artifact.Answer:
    assert isinstance(answer.said, artifact.Answer), "checked before it was predicted"
    return answer.said


def _metadata(answer: Answer, _: Language) -> object:
    return {
        "id": answer.prediction_id,
        "model_version": answer.loaded.live.version,
        "horizon": answer.said.horizon.value,
        "told": answer.said.told,
        "predicted_at": answer.predicted_at.isoformat(),
    }


INCLUDES: dict[str, Callable[[Answer, Language], object]] = {
    "interval": _interval,
    "quantiles": _quantiles,
    "probabilities": _probabilities,
    "explanation": _explanation,
    "metadata": _metadata,
    "notes": explanation.notes,
}
"""What can be included, in the order in which it is answered, and how it is made."""


def _unknown(kind: str, location: str, value: str, given: str, choices: list[str]) -> ErrorDetails:
    nearest = get_close_matches(given, choices, n=1)
    if nearest:
        return refusal(f"{kind}_nearest", (location,), value, given=given or '""', nearest=nearest[0])
    return refusal(kind, (location,), value, given=given or '""', known=", ".join(choices))
