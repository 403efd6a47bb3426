"""An answer to one flight, and the document of the body that says it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from flight_delay.api.live import Loaded, Said
from flight_delay.model.any_flight import AnyFlight

_Interval = Annotated[list[float], Field(min_length=2, max_length=2)]
_Chance = Annotated[float, Field(ge=0, le=1)]


class Answer(NamedTuple):
    """A prediction that is in the history, if one is kept."""

    flight: AnyFlight
    said: Said
    loaded: Loaded
    predicted_at: dt.datetime
    prediction_id: int | None
    """None where it waits on the local disk for a database that is away, or no history is kept."""
    spooled: bool

    @property
    def minutes(self) -> float:
        """Of arrival delay, negative is early."""
        return self.said.minutes

    def headers(self) -> dict[str, str]:
        """Return the facts that travel beside the documented body."""
        return {name.decode(): value.decode() for name, value in self.raw_headers()}

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """Return the same, as a server takes them."""
        version = (b"x-model-version", b"%d" % self.loaded.live.version)
        if self.prediction_id is not None:
            return [version, (b"x-prediction-id", b"%d" % self.prediction_id)]
        return [version, (b"x-history", b"spooled")] if self.spooled else [version]


class _Documented(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Interval(_Documented):
    """Minutes of arrival delay between which a flight arrives so often."""

    eighty: Annotated[_Interval, Field(alias="80", description="The lowest and the highest of 80% of such flights")]
    ninety: Annotated[_Interval, Field(alias="90", description="The lowest and the highest of 90% of such flights")]


class Chances(_Documented):
    """What may become of the flight. The four buckets are of all flights, and sum to 1."""

    on_time: Annotated[_Chance, Field(description="Less than 15 minutes late, if it arrives")]
    late_15: Annotated[_Chance, Field(description="15 minutes late or more, if it arrives")]
    late_30: Annotated[_Chance, Field(description="30 minutes late or more, if it arrives")]
    under_30: Annotated[_Chance, Field(description="First bucket: arrives less than 30 minutes late")]
    from_30_to_60: Annotated[_Chance, Field(description="Second bucket: arrives 30 to 59 minutes late")]
    from_60_to_120: Annotated[_Chance, Field(description="Third bucket: arrives 60 to 120 minutes late")]
    over_120_or_cancelled: Annotated[
        _Chance, Field(description="Fourth bucket: more than 120 minutes late, or never arrives")
    ]
    cancelled: Annotated[_Chance, Field(description="Never arrives: cancelled or diverted; part of the fourth bucket")]


class Reason(_Documented):
    """One feature, and by how much it moved this answer."""

    feature: Annotated[str, Field(description="Name of the feature", examples=["gain_dest_60min"])]
    value: Annotated[float | str | None, Field(description="Its value for this flight; null where it is not known")]
    unit: Annotated[str, Field(examples=["min"])]
    minutes: Annotated[float, Field(description="By how many minutes it moved the prediction")]
    text: Annotated[str, Field(description="The same in words, in the language of Accept-Language")]


class Explanation(_Documented):
    """The prediction taken apart: base, the minutes of all features shown, and others add up to it."""

    base: Annotated[float, Field(description="Minutes that are answered when nothing is known")]
    features: Annotated[list[Reason], Field(description="The five features that moved it most, largest first")]
    others: Annotated[float, Field(description="Minutes that all other features add")]


class Metadata(_Documented):
    """Which answer this is."""

    id: Annotated[
        int | None,
        Field(
            description="Of the prediction; `POST /model/outcomes/` takes it as `prediction_id`. "
            "null while the database is away: it gets one later"
        ),
    ]
    model_version: int
    horizon: Annotated[str, Field(examples=["schedule", "pre_departure", "departed"])]
    told: Annotated[bool, Field(description="Whether it counts what was heard lately of flights from the origin")]
    predicted_at: dt.datetime


class Answered(_Documented):
    """The answer to one flight; all but the prediction only where `include` asks for it."""

    prediction: Annotated[float, Field(description="Arrival delay in minutes, negative is early", examples=[3.7])]
    interval: Interval | None = None
    quantiles: Annotated[
        dict[str, float] | None,
        Field(description='Minutes by percent, "5" to "95": so many percent of such flights are no later'),
    ] = None
    probabilities: Chances | None = None
    explanation: Explanation | None = None
    metadata: Metadata | None = None
    notes: Annotated[
        list[str] | None, Field(description="What is to be known about the answer, in the language of Accept-Language")
    ] = None
