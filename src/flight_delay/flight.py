"""The vocabulary of a flight: its fields, units, ranges and codes, and when each is known.

`Flight` is the one schema. The request body, the input of the model and the contract of the
processed table all derive from it.
"""

from __future__ import annotations

import datetime as dt
from enum import IntEnum
from functools import lru_cache
from typing import Annotated, Any, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError


class Known(IntEnum):
    """The moment from which a value is known; a horizon sees only what is known at its cut-off."""

    SCHEDULED = 0
    PRE_DEPARTURE = 1
    DEPARTED = 2
    ARRIVED = 3


def _whole(value: Any) -> Any:
    """Take 7 and 7.0, as JSON does; refuse "7" and true, which are no numbers."""
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise PydanticCustomError("whole_number", "a whole number is needed")


def _number(value: Any) -> Any:
    if type(value) is float or type(value) is int:
        return value
    raise PydanticCustomError("number", "a number is needed")


def is_clock_time(hhmm: int) -> bool:
    """Whether a number is a time of the day, written hhmm."""
    return hhmm % 100 < 60 and 0 <= hhmm <= 2400


def _clock_time(value: int) -> int:
    if not is_clock_time(value):
        raise PydanticCustomError("clock_time", "hhmm, from 0 to 2359, or 2400 for midnight")
    return value


def hours(hhmm: int) -> tuple[int, ...]:
    """Return the hours that a clock time may be said to have: midnight is hour 24, or hour 0."""
    return (24, 0) if hhmm == 2400 else (hhmm // 100,)


def _whole_field(known: Known, description: str, ge: int, le: int) -> Any:
    return Field(description=description, ge=ge, le=le, json_schema_extra={"known": known.name.lower()})


def _number_field(known: Known, description: str, ge: float, le: float) -> Any:
    extra: dict[str, Any] = {"known": known.name.lower()}
    return Field(description=description, ge=ge, le=le, allow_inf_nan=False, json_schema_extra=extra)


def _code_field(description: str, pattern: str) -> Any:
    return Field(description=description, pattern=pattern, json_schema_extra={"known": "scheduled"})


Whole = Annotated[int, BeforeValidator(_whole)]
Number = Annotated[float, BeforeValidator(_number)]
ClockTime = Annotated[Whole, AfterValidator(_clock_time)]
AIRPORT_PATTERN = "^[A-Z]{3}$"
CARRIER_PATTERN = "^(?:[A-Z][A-Z0-9]|[0-9][A-Z])$"
AirportCode = Annotated[str, _code_field("IATA code of an airport", AIRPORT_PATTERN)]


class Weather(BaseModel):
    """The last report of an airport's weather, in metric units; what was not measured is absent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    temp_c: Annotated[Number | None, _number_field(Known.PRE_DEPARTURE, "Temperature, °C", -90, 60)] = None
    dewp_c: Annotated[Number | None, _number_field(Known.PRE_DEPARTURE, "Dew point, °C", -100, 60)] = None
    humid_pct: Annotated[Number | None, _number_field(Known.PRE_DEPARTURE, "Relative humidity, %", 0, 100)] = None
    wind_dir_deg: Annotated[
        Number | None, _number_field(Known.PRE_DEPARTURE, "Direction the wind comes from, degrees; 0 is calm", 0, 360)
    ] = None
    wind_speed_ms: Annotated[Number | None, _number_field(Known.PRE_DEPARTURE, "Wind speed, m/s", 0, 120)] = None
    wind_gust_ms: Annotated[Number | None, _number_field(Known.PRE_DEPARTURE, "Gust, m/s", 0, 150)] = None
    precip_mm: Annotated[Number | None, _number_field(Known.PRE_DEPARTURE, "Precipitation in the hour, mm", 0, 500)] = (
        None
    )
    pressure_hpa: Annotated[Number | None, _number_field(Known.PRE_DEPARTURE, "Sea-level pressure, hPa", 850, 1100)] = (
        None
    )
    visib_km: Annotated[Number | None, _number_field(Known.PRE_DEPARTURE, "Visibility, km", 0, 200)] = None


class Flight(BaseModel):
    """A flight as it is known before it arrives."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "month": 7,
                    "day": 23,
                    "hour": 16,
                    "sched_dep_time": 1630,
                    "sched_arr_time": 1930,
                    "origin": "JFK",
                    "dest": "LAX",
                    "carrier": "DL",
                    "distance": 3983.0,
                    "dep_delay": 10.0,
                }
            ]
        },
    )

    month: Annotated[Whole, _whole_field(Known.SCHEDULED, "Month of the scheduled departure", 1, 12)]
    day: Annotated[Whole, _whole_field(Known.SCHEDULED, "Day of the month, at the origin", 1, 31)]
    hour: Annotated[
        Whole | None, _whole_field(Known.SCHEDULED, "Hour of sched_dep_time, with which it must agree", 0, 24)
    ] = None
    sched_dep_time: Annotated[
        ClockTime, _whole_field(Known.SCHEDULED, "Scheduled departure, hhmm at the origin; 2400 is midnight", 0, 2400)
    ]
    sched_arr_time: Annotated[
        ClockTime | None,
        _whole_field(Known.SCHEDULED, "Scheduled arrival, hhmm at the destination; 2400 is midnight", 0, 2400),
    ] = None
    origin: AirportCode
    dest: AirportCode
    carrier: Annotated[str, _code_field("IATA code of the airline", CARRIER_PATTERN)]
    distance: Annotated[
        Number | None,
        _number_field(Known.SCHEDULED, "Kilometres; used only where an airport is not known", 0, 20_040),
    ] = None
    dep_delay: Annotated[
        Number | None,
        _number_field(Known.DEPARTED, "Departure delay, minutes, early is negative; absent: not yet left", -180, 3000),
    ] = None
    year: Annotated[
        Whole | None, _whole_field(Known.SCHEDULED, "Absent: the occurrence of the date nearest to today", 1987, 2100)
    ] = None
    flight: Annotated[Whole | None, _whole_field(Known.SCHEDULED, "Flight number", 1, 9999)] = None
    tailnum: Annotated[str | None, _code_field("Tail number of the aircraft", "^[A-Z0-9-]{2,10}$")] = None
    weather: Annotated[
        Weather | None,
        Field(description="At the origin, as last reported", json_schema_extra={"known": "pre_departure"}),
    ] = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.hour is not None and self.hour not in hours(self.sched_dep_time):
            raise PydanticCustomError("hour_disagrees", "hour is not the hour of sched_dep_time", {"field": "hour"})
        if not date_exists(self.year, self.month, self.day):
            raise PydanticCustomError("no_such_date", "there is no such date", {"field": "day"})
        return self


@lru_cache(maxsize=65_536)
def date_exists(year: int | None, month: int, day: int) -> bool:
    """Whether the day exists; without a year, whether it exists in any year (29 February does)."""
    try:
        dt.date(2000 if year is None else year, month, day)
    except ValueError:
        return False
    return True


def local_date(flight: Flight, today: dt.date) -> dt.date:
    """Return the date of the scheduled departure at the origin.

    Without a year it is the occurrence of that month and day nearest to `today`; of two equally
    near ones, the one to come.
    """
    return date_of(flight.year, flight.month, flight.day, today)


@lru_cache(maxsize=65_536)
def date_of(year: int | None, month: int, day: int, today: dt.date) -> dt.date:
    """Return the same of the fields alone."""
    return nearest_date(month, day, today) if year is None else dt.date(year, month, day)


def nearest_date(month: int, day: int, today: dt.date) -> dt.date:
    """Return the occurrence of that month and day nearest to `today`."""
    # 29 February can be up to eight years apart, where a century has no leap year.
    years = range(today.year - 8, today.year + 9) if (month, day) == (2, 29) else range(today.year - 1, today.year + 2)
    dates = [dt.date(year, month, day) for year in years if date_exists(year, month, day)]
    return min(dates, key=lambda date: (abs(date - today), date < today))


def minute_of_day(hhmm: int) -> int:
    """Return minutes since midnight of a clock time written hhmm (1630 is 990; 2400 is 1440)."""
    return hhmm // 100 * 60 + hhmm % 100


class Range(NamedTuple):
    """The least and the greatest value of a field, both allowed."""

    low: float
    high: float


def ranges(model: type[BaseModel]) -> dict[str, Range]:
    """Return the range of every numeric field, for the contract of the processed table."""
    found = {}
    for name, field in model.model_fields.items():
        bounds = {type(item).__name__: item for item in field.metadata}
        if "Ge" in bounds and "Le" in bounds:
            found[name] = Range(bounds["Ge"].ge, bounds["Le"].le)
    return found
