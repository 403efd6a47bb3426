"""Where raw records come from; each source's own columns, under the names of the vocabulary."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from flight_delay.errors import SourceMissing

NULLS = ("", "NA", "N/A", "NULL", "null", "\\N")
"""The ways in which sources write that there is no value."""


@dataclass(frozen=True)
class CsvTable:
    """A CSV file, or a zip that holds just one, and its columns.

    `columns` maps the source's own column, in the order of the file, to the name under which the
    transformations know it. A name says its unit: `distance_mi`, `wind_speed_mph`.
    """

    path: Path
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Source:
    """The raw tables of one source. All text; casting is the work of the transformations."""

    name: str
    flights: CsvTable
    weather: CsvTable
    airports: CsvTable
    planes: CsvTable
    airlines: CsvTable
    reference_airports: CsvTable

    def tables(self) -> dict[str, CsvTable]:
        """Return the tables by name."""
        return {
            "flights": self.flights,
            "weather": self.weather,
            "airports": self.airports,
            "planes": self.planes,
            "airlines": self.airlines,
            "reference_airports": self.reference_airports,
        }

    def digest(self) -> str:
        """Return the SHA-256 over the names and contents of all the files."""
        total = hashlib.sha256(self.name.encode())
        for name, table in self.tables().items():
            with table.path.open("rb") as file:
                total.update(f"{name}:{hashlib.file_digest(file, 'sha256').hexdigest()}".encode())
        return total.hexdigest()


def package_folder(package: str) -> Path:
    """Return the folder of an installed package without importing it.

    Raises `SourceMissing` where it is not installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SourceMissing(package, f"pip install {package}")
    return Path(spec.submodule_search_locations[0])


def reference_airports() -> CsvTable:
    """Return the airports of the world that have an IATA code (registry package `airportsdata`)."""
    columns = ("icao", "iata", "name", "city", "subd", "country", "elevation", "lat", "lon", "tz", "lid")
    return CsvTable(
        package_folder("airportsdata") / "airports.csv", {name: name for name in columns} | {"iata": "code"}
    )
