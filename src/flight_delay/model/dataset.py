"""The processed table as training reads it."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from flight_delay.airports import Airport
from flight_delay.errors import DatasetMissing, DatasetUnreadable
from flight_delay.flight import Flight, Weather

MANIFEST = "dataset.json"
_FIELDS = [name for name in Flight.model_fields if name not in ("weather", "hour", "distance")]
_MEASURES = list(Weather.model_fields)


@dataclass(frozen=True)
class Dataset:
    """The flights that arrived, in the order of their scheduled departure.

    Attributes
    ----------
    flights : what was known of each before it arrived
    arr_delay : (flights,), float64, minutes
    months : (flights,), `2013-01` and so on
    airports : by IATA code
    source : name of the source that they came from
    digest : of everything that decides what the table holds
    """

    flights: list[Flight]
    arr_delay: NDArray[np.float64]
    months: NDArray[np.str_]
    airports: dict[str, Airport]
    source: str
    digest: str

    def month_names(self) -> list[str]:
        """Return the months that have flights, in order."""
        return sorted(set(self.months.tolist()))


def load(folder: Path) -> Dataset:
    """Read the processed table.

    Raises `DatasetMissing` where there is none, `DatasetUnreadable` where it is damaged.
    """
    if not (folder / MANIFEST).is_file():
        raise DatasetMissing(folder)
    try:
        return _read(folder)
    except (duckdb.Error, ValueError, KeyError, FileNotFoundError) as error:
        raise DatasetUnreadable(folder, str(error)) from error


def _read(folder: Path) -> Dataset:
    manifest = folder / MANIFEST
    facts = json.loads(manifest.read_text("utf-8"))
    pattern = str(folder / "**" / "*.parquet").replace("'", "''")
    # Who leaves early leaves before the last report that the schedule would let one wait for.
    known = [f"CASE WHEN weather_utc <= dep_utc THEN {name} END" for name in _MEASURES]
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT {', '.join(_FIELDS + known)}, distance_km, arr_delay "
            f"FROM read_parquet('{pattern}', hive_partitioning = true) "
            "WHERE arr_delay IS NOT NULL ORDER BY sched_dep_utc, carrier, flight, origin"
        ).fetchall()
    return Dataset(
        flights=[_flight(row) for row in rows],
        arr_delay=np.array([row[-1] for row in rows], np.float64),
        months=np.array([f"{row[_YEAR]:04d}-{row[_MONTH]:02d}" for row in rows]),
        airports=_airports(folder / "airports.csv"),
        source=facts["source"],
        digest=facts["digest"],
    )


_YEAR, _MONTH = _FIELDS.index("year"), _FIELDS.index("month")


def _flight(row: tuple[Any, ...]) -> Flight:
    # The table's contract has checked the ranges, so the values are taken as they are.
    weather = Weather.model_construct(**dict(zip(_MEASURES, row[len(_FIELDS) : -2], strict=True)))
    fields = dict(zip(_FIELDS, row[: len(_FIELDS)], strict=True))
    return Flight.model_construct(**fields, distance=row[-2], weather=weather)


def _airports(path: Path) -> dict[str, Airport]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["code"]: Airport(float(row["lat"]), float(row["lon"]), row["tz"]) for row in csv.DictReader(file)}
