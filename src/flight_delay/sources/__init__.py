"""Where raw records come from; each source's own columns, under the names of the vocabulary."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from flight_delay.errors import SourceMissing

NULLS = ("", "NA", "N/A", "NULL", "null", "\\N", "M", "NaN", "nan", "None")
"""The ways in which sources write that there is no value."""


class Clocks(StrEnum):
    """Whose clocks a source's times are of; each has its own first transformation, in `etl/sql/clocks`."""

    LOCAL = "local"
    """Those of the airport: hhmm, with delays in minutes beside them."""
    BRASILIA = "brasilia"
    """Those of Brasília, with their dates, wherever the airport is; delays are left to the reader."""


@dataclass(frozen=True)
class Form:
    """How the lines of a file are written.

    Attributes
    ----------
    columns
        The file's own columns, in its order, and the name under which the transformations know each:
        "" for one that is not read. A name says its unit: `distance_mi`, `wind_speed_mph`. A header
        may have them in another order, and in capitals or not.
    optional
        Own columns that a file may lack; their values are then NULL.
    headless
        A file may lack the header; what is in the columns is then known by their number.
    """

    columns: Mapping[str, str]
    optional: frozenset[str] = frozenset()
    delimiter: str = ","
    headless: bool = False


@dataclass(frozen=True)
class CsvTable:
    """CSV files, or zips that hold one each, that make up one table; each is written in one of the forms.

    `preamble` is how a line begins that may stand before the header; `encodings` are tried in turn.
    """

    paths: tuple[Path, ...]
    forms: tuple[Form, ...]
    preamble: str = ""
    encodings: tuple[str, ...] = ("utf-8",)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the table: those of all the forms."""
        return tuple(dict.fromkeys(name for form in self.forms for name in form.columns.values() if name))


@dataclass(frozen=True)
class Source:
    """The raw tables of one source. All text; casting is the work of the transformations.

    `dated_by` is the column of `flights` in which the year of a flight stands.
    """

    name: str
    flights: CsvTable
    weather: CsvTable
    airports: CsvTable
    planes: CsvTable
    airlines: CsvTable
    reference_airports: CsvTable
    clocks: Clocks = Clocks.LOCAL
    dated_by: str = "year"

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
        """Return the SHA-256 over the names and contents of all the files.

        Raises `SourceMissing` where one is not there.
        """
        total = hashlib.sha256(self.name.encode())
        for name, table in self.tables().items():
            for path in table.paths:
                if not path.is_file():
                    raise SourceMissing(self.name, path)
                with path.open("rb") as file:
                    total.update(f"{name}:{hashlib.file_digest(file, 'sha256').hexdigest()}".encode())
        return total.hexdigest()


def csv_table(path: Path, columns: Mapping[str, str]) -> CsvTable:
    """Return the table of one file in the one form that such files have."""
    return CsvTable((path,), (Form(columns),))


def record_files(source: str, where: Path) -> tuple[Path, ...]:
    """Return a file of records, or those of a folder: CSV or zip, by name. What is still being fetched is not one.

    Raises `SourceMissing` where there is none.
    """
    if where.is_file():
        return (where,)
    found = sorted(path for path in where.rglob("*") if path.suffix.lower() in {".csv", ".zip"} and path.is_file())
    if not found:
        raise SourceMissing(source, where)
    return tuple(found)


def package_folder(package: str) -> Path:
    """Return the folder of an installed package without importing it.

    Raises `SourceMissing` where it is not installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SourceMissing(package, f"pip install {package}")
    return Path(spec.submodule_search_locations[0])


def reference_airports() -> CsvTable:
    """Return the airports of the world (registry package `airportsdata`), by ICAO code, most without an IATA code."""
    columns = ("icao", "iata", "name", "city", "subd", "country", "elevation", "lat", "lon", "tz", "lid")
    return csv_table(
        package_folder("airportsdata") / "airports.csv", {name: name for name in columns} | {"iata": "code"}
    )


def reference_airlines() -> CsvTable:
    """Return airlines by their ICAO designator, which has one meaning; an IATA code is given to others again."""
    return csv_table(Path(__file__).with_name("airlines.csv"), {"icao": "icao", "iata": "carrier", "name": "name"})
