"""The body of a prediction: read without pydantic where it is as it should be, by pydantic where it is not.

What is read quickly has the names, the types and the ranges of `Flight` itself. It never refuses anything: all that
is not understood at once is given to `Flight`, whose verdict and whose words count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, Any, cast

import msgspec

from flight_delay.flight import Flight, date_exists, hours, is_clock_time, ranges
from flight_delay.model.any_flight import AnyFlight

_KINDS = {"integer": int, "number": float, "string": str}
_CODES_KEPT = 65_536
_LARGEST_NUMBER = ranges(Flight)["flight"].high


def read(body: bytes) -> AnyFlight:
    """Return the flight of a body; raises pydantic's `ValidationError`."""
    try:
        flight = _DECODER.decode(body)
        agrees = _agrees(flight)
    except (msgspec.MsgspecError, UnicodeDecodeError, OverflowError, RecursionError):
        return Flight.model_validate_json(body)
    return cast("AnyFlight", flight) if agrees else Flight.model_validate_json(body)


def write(flight: AnyFlight) -> str:
    """Return the JSON of what is given of a flight."""
    if isinstance(flight, Flight):
        return flight.model_dump_json(exclude_none=True)
    return _ENCODER.encode(flight).decode()


def structure(name: str, schema: Mapping[str, Any], others: Mapping[str, Any]) -> type[msgspec.Struct]:
    """Return a structure with the fields of a JSON schema, their types and their ranges; not with their patterns.

    `others` are the schemas that it refers to.
    """
    fields: list[Any] = []
    for field, described in schema["properties"].items():
        if field in schema["required"]:
            fields.append((field, _kind(described, others)))
        else:
            fields.append((field, _kind(described, others) | None, None))
    return msgspec.defstruct(
        name, fields, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True
    )


def _kind(described: Mapping[str, Any], others: Mapping[str, Any]) -> Any:
    one = described["anyOf"][0] if "anyOf" in described else described
    if "$ref" in one:
        name = one["$ref"].rpartition("/")[2]
        return structure(name, {"required": ()} | others[name], others)
    meta = msgspec.Meta(ge=one.get("minimum"), le=one.get("maximum"))
    return Annotated[_KINDS[one["type"]], meta]


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
