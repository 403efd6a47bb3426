"""Flights as training and evaluation read them: the processed table, or any table with its columns."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import nan
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from flight_delay.airports import Airport
from flight_delay.errors import DatasetMissing, DatasetUnreadable
from flight_delay.flight import Flight, Weather, local_date
from flight_delay.model.features import PRE_DEPARTURE_LEAD_MIN, Codes, Horizon, flown, leg_of
from flight_delay.model.means import Leg
from flight_delay.model.split import months_of

MANIFEST = "dataset.json"
FIELDS = [name for name in Flight.model_fields if name not in ("weather", "hour", "distance")]
"""The fields of a flight that are columns under their own names."""
MEASURES = list(Weather.model_fields)
OLDEST_REPORT_MIN = 360.0
"""A report that is older says nothing about the weather."""
_OLDEST_REPORT = f"INTERVAL '{OLDEST_REPORT_MIN:.0f}' MINUTE"


@dataclass(frozen=True)
class Flights:
    """Flights in the order of their scheduled departure.

    Attributes
    ----------
    flights : each as it is known when it has left, with the last weather report by then
    weather_before : the last report two hours before its scheduled departure; None where there is none
    legs : each with all that became known of it
    arr_delay : (flights,), float64, minutes; NaN for one that did not arrive
    """

    flights: list[Flight]
    weather_before: list[Weather | None]
    legs: list[Leg]
    arr_delay: NDArray[np.float64]

    def seen_from(self, horizon: Horizon) -> list[Flight]:
        """Return the flights with no more than is known at a horizon."""
        if horizon is Horizon.DEPARTED:
            return self.flights
        weather = self.weather_before if horizon is Horizon.PRE_DEPARTURE else [None] * len(self.flights)
        return [
            flight.model_copy(update={"dep_delay": None, "weather": report})
            for flight, report in zip(self.flights, weather, strict=True)
        ]

    def cut_offs(self, horizon: Horizon) -> NDArray[np.float64]:
        """Return each flight's cut-off, in minutes UTC since 1970; NaN where it has not left."""
        minutes = np.array([(leg.sched_dep, leg.dep) for leg in self.legs], np.float64).reshape(-1, 2)
        cut_offs: NDArray[np.float64] = horizon.cut_off(minutes[:, 0], minutes[:, 1])
        return cut_offs


@dataclass(frozen=True)
class Dataset(Flights):
    """The processed table.

    Attributes
    ----------
    dates : (flights,), days of the scheduled departure at the origin
    airports : by IATA code
    source : name of the source that they came from
    digest : of everything that decides what the table holds
    """

    dates: NDArray[np.datetime64]
    airports: dict[str, Airport]
    source: str
    digest: str

    @cached_property
    def arrived(self) -> NDArray[np.bool_]:
        """Which flights did: the others were cancelled or diverted."""
        return ~np.isnan(self.arr_delay)

    def months(self) -> int:
        """Return how many months have flights."""
        return len(np.unique(months_of(self.dates)))


def load(folder: Path) -> Dataset:
    """Read the processed table.

    Raises `DatasetMissing` where there is none, `DatasetUnreadable` where it is damaged.
    """
    if not (folder / MANIFEST).is_file():
        raise DatasetMissing(folder)
    try:
        facts = json.loads((folder / MANIFEST).read_text("utf-8"))
        airports = _airports(folder / "airports.csv")
        read = _read(folder, "sched_dep_utc, carrier, flight, origin", airports)
        return Dataset(
            **vars(read),
            dates=np.array([f"{f.year:04d}-{f.month:02d}-{f.day:02d}" for f in read.flights], "datetime64[D]"),
            airports=airports,
            source=facts["source"],
            digest=facts["digest"],
        )
    except (duckdb.Error, ValueError, KeyError, FileNotFoundError) as error:
        raise DatasetUnreadable(folder, str(error)) from error


def _read(folder: Path, order: str, airports: Mapping[str, Airport]) -> Flights:
    pattern = str(folder / "**" / "*.parquet").replace("'", "''")
    with duckdb.connect() as connection:
        connection.execute(
            f"CREATE VIEW flights AS SELECT * FROM read_parquet('{pattern}', hive_partitioning = true);"
            f"CREATE TABLE reports AS SELECT DISTINCT origin, weather_utc, {', '.join(MEASURES)} FROM flights "
            "WHERE weather_utc IS NOT NULL"
        )
        reports = {
            (origin, at): Weather.model_construct(**dict(zip(MEASURES, measures, strict=True)))
            for origin, at, *measures in connection.execute("SELECT * FROM reports").fetchall()
        }
        rows = connection.execute(
            f"SELECT {', '.join(f'f.{name}' for name in FIELDS)}, f.distance_km, f.arr_delay, f.air_time_min, "
            f"{_last_report('latest', 'f.dep_utc')}, {_last_report('earlier', 'f.known_utc')} "
            f"FROM (SELECT *, sched_dep_utc - INTERVAL '{PRE_DEPARTURE_LEAD_MIN:.0f}' MINUTE AS known_utc "
            "FROM flights) AS f "
            "ASOF LEFT JOIN reports AS latest ON f.origin = latest.origin AND f.dep_utc >= latest.weather_utc "
            "ASOF LEFT JOIN reports AS earlier ON f.origin = earlier.origin AND f.known_utc >= earlier.weather_utc "
            f"ORDER BY {', '.join(f'f.{name}' for name in order.split(', '))}"
        ).fetchall()
    flights = [_flight(row, reports) for row in rows]
    places = Codes(airports, {}, {}, {}, ())
    return Flights(
        flights=flights,
        weather_before=[reports.get((flight.origin, row[-1])) for flight, row in zip(flights, rows, strict=True)],
        legs=[
            flown(leg_of(flight, local_date(flight, _NO_DAY), places), row[_ARR_DELAY], row[_AIR_TIME])
            for flight, row in zip(flights, rows, strict=True)
        ],
        arr_delay=np.array([_number(row[_ARR_DELAY]) for row in rows], np.float64),
    )


_NO_DAY = dt.date(1970, 1, 1)
"""What a flight without a year would be understood from: those of a table have one."""
_DISTANCE = len(FIELDS)
_ARR_DELAY = _DISTANCE + 1
_AIR_TIME = _DISTANCE + 2


def _last_report(name: str, cut_off: str) -> str:
    """Return the time of the last report, unless it is too old to say anything."""
    return f"CASE WHEN {name}.weather_utc >= {cut_off} - {_OLDEST_REPORT} THEN {name}.weather_utc END"


def _flight(row: tuple[Any, ...], reports: Mapping[tuple[str, Any], Weather]) -> Flight:
    # The table's contract has checked the ranges, so the values are taken as they are.
    fields = dict(zip(FIELDS, row[:_DISTANCE], strict=True))
    weather = reports.get((fields["origin"], row[-2]))
    return Flight.model_construct(**fields, distance=row[_DISTANCE], weather=weather)


def _number(value: float | None) -> float:
    return nan if value is None else float(value)


def _airports(path: Path) -> dict[str, Airport]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["code"]: Airport(float(row["lat"]), float(row["lon"]), row["tz"]) for row in csv.DictReader(file)}
