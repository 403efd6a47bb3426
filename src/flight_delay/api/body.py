"""The body of a prediction: read without pydantic where it is as it should be, by pydantic where it is not.

What is read quickly has the names, the types and the ranges of `Flight` itself. It never refuses anything: all that
is not understood at once is given to `Flight`, whose verdict and whose words count.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any, cast

import msgspec
from msgspec.structs import astuple
from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from flight_delay.flight import Flight, Weather, date_exists, hours, is_clock_time, ranges
from flight_delay.model.any_flight import AnyFlight

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, OverflowError, RecursionError)
"""What msgspec raises at a body that is not as it should be."""
_KINDS = {"integer": int, "number": float, "string": str}
_CODES_KEPT = 65_536
_FIELDS, _OF_WEATHER = len(Flight.model_fields), len(Weather.model_fields)
_REPEATED = PydanticCustomError("repeated_key", "given more than once")
_RANGES = ranges(Flight) | ranges(Weather)
_LARGEST_NUMBER = _RANGES["flight"].high


def read(body: bytes) -> AnyFlight:
    """Return the flight of a body; raises pydantic's `ValidationError`."""
    try:
        flight: Any = _DECODER.decode(body)
        agrees = _agrees(flight)
    except UNREADABLE:
        agrees = False
    if not agrees:
        flight = Flight.model_validate_json(body)
        _check_each_key_once(body)
    # Neither the keys nor the codes of a flight have a colon: there are as many as keys, of which some may be null.
    elif body.count(b":") != _keys(flight):
        _check_each_key_once(body)
    return cast("AnyFlight", flight)


def write(flight: AnyFlight) -> str:
    """Return the JSON of what is given of a flight."""
    if isinstance(flight, Flight):
        return flight.model_dump_json(exclude_none=True)
    return _ENCODER.encode(flight).decode()


def structure(name: str, schema: Mapping[str, Any], others: Mapping[str, Any]) -> type[msgspec.Struct]:
    """Return a structure with the fields of a JSON schema, their types, and the ranges of `Flight`; not their patterns.

    `others` are the schemas that it refers to.
    """
    fields: list[Any] = []
    for field, described in schema["properties"].items():
        if field in schema["required"]:
            fields.append((field, _kind(field, described, others)))
        else:
            fields.append((field, _kind(field, described, others) | None, None))
    return msgspec.defstruct(
        name, fields, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True
    )


def _kind(field: str, described: Mapping[str, Any], others: Mapping[str, Any]) -> Any:
    one = described["anyOf"][0] if "anyOf" in described else described
    if "$ref" in one:
        name = one["$ref"].rpartition("/")[2]
        return structure(name, {"required": ()} | others[name], others)
    kind = _KINDS[one["type"]]
    if kind is str or field not in _RANGES:
        return kind
    # As a schema, pydantic does not always have the ranges under the names that schemas have for them.
    return Annotated[kind, msgspec.Meta(ge=_RANGES[field].low, le=_RANGES[field].high)]


def _agrees(flight: Any) -> bool:
    """Whether what no range says of the fields is so, too."""
    departs, arrives = flight.sched_dep_time, flight.sched_arr_time
    return (
        is_clock_time(departs)
        and (arrives is None or is_clock_time(arrives))
        and (flight.hour is None or flight.hour in hours(departs))
        and date_exists(flight.year, flight.month, flight.day)
        and _is_origin(flight.origin)
        and _is_dest(flight.dest)
        and _is_carrier(flight.carrier)
        # msgspec looks at no range of a number that does not fit into 64 bits.
        and (flight.flight is None or flight.flight <= _LARGEST_NUMBER)
        and (flight.tailnum is None or _is_tailnum(flight.tailnum))
    )


def _keys(flight: Any) -> int:
    """Return how many fields are given."""
    weather = flight.weather
    given = _FIELDS - astuple(flight).count(None)
    return given if weather is None else given + _OF_WEATHER - astuple(weather).count(None)


class _Pairs(list[tuple[str, Any]]):
    """An object of JSON, key by key as it was sent."""


def _check_each_key_once(body: bytes) -> None:
    """Refuse a body with a key that an object has twice: which of the two counts, nobody can know (RFC 8259, 4)."""
    refused = [
        InitErrorDetails(type=_REPEATED, loc=location, input=value)
        for location, value in _repeated(json.loads(body, object_pairs_hook=_Pairs))
    ]
    if refused:
        raise ValidationError.from_exception_data("Flight", refused)


def _repeated(pairs: _Pairs) -> Iterator[tuple[tuple[str, ...], Any]]:
    seen = set()
    for key, value in pairs:
        if key in seen:
            yield (key,), None if isinstance(value, _Pairs) else value
        seen.add(key)
        if isinstance(value, _Pairs):
            yield from (((key, *inner), twice) for inner, twice in _repeated(value))


def _matching(described: Mapping[str, Any]) -> Callable[[str], bool]:
    """Return whether a code has the form that its field asks for; the same codes come again and again."""
    one = described["anyOf"][0] if "anyOf" in described else described
    pattern = re.compile(one["pattern"].removeprefix("^").removesuffix("$"))
    return lru_cache(maxsize=_CODES_KEPT)(lambda code: pattern.fullmatch(code) is not None)


_SCHEMA = Flight.model_json_schema()
_DECODER = msgspec.json.Decoder(structure("Flight", _SCHEMA, _SCHEMA["$defs"]))
_ENCODER = msgspec.json.Encoder()
_is_origin, _is_dest, _is_carrier, _is_tailnum = (
    _matching(_SCHEMA["properties"][name]) for name in ("origin", "dest", "carrier", "tailnum")
)
