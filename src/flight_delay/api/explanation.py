"""Why an answer is what it is, and what is to be known about it, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator

from flight_delay.api.answer import Answer
from flight_delay.api.live import Minutes
from flight_delay.messages import Language, known, text
from flight_delay.model.any_flight import AnyFlight
from flight_delay.model.artifact import Artifact, Explained, Moved
from flight_delay.model.features import Codes, Specialist

SHOWN = 5
"""How many features an explanation names."""


def explained(whole: Explained, flight: AnyFlight, language: Language) -> dict[str, object]:
    """Return the documented explanation: base, the largest features, and the rest, which add up to the answer."""
    shown = whole.moved[:SHOWN]
    return {
        "base": whole.base,
        "features": [_reason(moved, flight, language) for moved in shown],
        "others": sum(moved.minutes for moved in whole.moved[SHOWN:]),
    }


def sentence(moved: Moved, flight: AnyFlight, language: Language) -> str:
    """Return what a feature did to an answer, as a traveller understands it."""
    value = moved.value
    facts: dict[str, object] = {"origin": flight.origin, "dest": flight.dest, "carrier": flight.carrier}
    key = _key(moved.feature.name, value)
    if not math.isnan(value):
        clock = f"{int(value) // 60 % 24:02d}:{int(value) % 60:02d}"
        facts |= {"value": abs(value) if key.endswith("_below") else value, "clock": clock}
    reason = text(key, language, **facts)
    return text("why", language, reason=reason, minutes=round(moved.minutes, 1) or 0.0)


def notes(answer: Answer, language: Language) -> list[str]:
    """Return what is to be known about an answer, a sentence each."""
    flight = answer.flight
    facts = {"origin": flight.origin, "dest": flight.dest, "carrier": flight.carrier}
    return [text(key, language, **facts) for key in _notes(answer)]


def _reason(moved: Moved, flight: AnyFlight, language: Language) -> dict[str, object]:
    feature = moved.feature
    value: object = None if math.isnan(moved.value) else moved.value
    return {
        "feature": feature.name,
        "value": getattr(flight, feature.name) if feature.categorical else value,
        "unit": feature.unit,
        "minutes": moved.minutes,
        "text": sentence(moved, flight, language),
    }


def _key(name: str, value: float) -> str:
    """Return the name of the words for a value: some numbers have their own."""
    if math.isnan(value):
        return f"why_{name}_unknown"
    candidates = [f"why_{name}_{round(value)}", f"why_{name}_below" if value < 0 else f"why_{name}"]
    return next((key for key in candidates if known(key)), f"why_{name}")


def _notes(answer: Answer) -> Iterator[str]:
    model, said = answer.loaded.model, answer.said
    if isinstance(model, Artifact) and not isinstance(said, Minutes):
        yield from _notes_of_specialist(answer.flight, model.codes, said.specialist)
        return
    yield "note_only_minutes"
    if model.is_strange(answer.flight):
        yield "note_strange"


def _notes_of_specialist(flight: AnyFlight, codes: Codes, specialist: Specialist) -> Iterator[str]:
    for name, met in (("carrier", codes.carriers), ("origin", codes.origins), ("dest", codes.dests)):
        if getattr(flight, name) not in met:
            yield f"note_new_{name}"
    if not specialist.sees_network:
        yield "note_nothing_heard"
    if specialist is Specialist.SCHEDULE:
        if flight.weather is not None:
            yield "note_weather_unused"
    elif flight.weather is None:
        yield "note_no_weather"
    if flight.flight is None and specialist.sees_habits:
        yield "note_no_flight_number"
    if flight.distance is not None:
        located = flight.origin in codes.airports and flight.dest in codes.airports
        yield "note_distance_ignored" if located else "note_distance_used"
