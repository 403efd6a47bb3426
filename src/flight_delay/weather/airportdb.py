"""AirportDB: where an airport is, by its ICAO code; a key is needed.

https://airportdb.io: the fields are those of OurAirports. It knows no time zones: those stay the reference's.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr

from flight_delay.errors import RemoteRefused
from flight_delay.remote import Remote
from flight_delay.sources import CsvTable, Form
from flight_delay.weather.cache import cached

_NOT_FOUND = 404


class Known(NamedTuple):
    """An airport of the reference: IATA code, ICAO code, IANA time zone."""

    code: str
    icao: str
    tz: str


class Located(NamedTuple):
    """An airport with its name and where it is: degrees north and east."""

    code: str
    name: str
    lat: float
    lon: float
    tz: str


class AirportDb:
    """The service at an address, for the holder of a key; what it answers is kept in a folder."""

    name = "airportdb"
    pause_s = 0.2

    def __init__(self, url: str, key: SecretStr, remote: Remote, cache: Path) -> None:
        self._url = url
        self._key = key
        self._remote = remote
        self._cache = cache / self.name

    def airports(self, known: Iterable[Known], path: Path, on_airport: Callable[[str], None]) -> CsvTable:
        """Write where some airports are to a file; return it as a table. One that the service knows not is not in it.

        Raises `RemoteFailed`, `RemoteRefused`, and `SourceUnreadable` for an answer that is not an airport.
        """
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(Located._fields)
            for airport in known:
                on_airport(airport.code)
                if located := self._locate(airport):
                    writer.writerow(located)
        return CsvTable((path,), (Form({name: name for name in Located._fields}),))

    def _locate(self, airport: Known) -> Located | None:
        try:
            return cached(
                self._cache / f"{airport.icao}.json",
                ask=lambda: self._remote.get(f"{self._url}/airport/{airport.icao}", {"apiToken": self._key}),
                read=lambda body: _read(airport, body),
                asked=f"{self.name} ({airport.icao})",
            )
        except RemoteRefused as refusal:
            if refusal.facts["status"] == _NOT_FOUND:
                return None
            raise


def _read(airport: Known, body: bytes) -> Located:
    answer = json.loads(body)
    if answer["ident"] != airport.icao:
        raise ValueError(f"it is of {answer['ident']}")
    return Located(
        airport.code, answer["name"], float(answer["latitude_deg"]), float(answer["longitude_deg"]), airport.tz
    )
