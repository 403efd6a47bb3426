"""Iowa Environmental Mesonet: the routine reports (METAR) of airports all over the world; no key.

https://mesonet.agron.iastate.edu/cgi-bin/request/asos.py?help
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator

from flight_delay.weather import Place, Report, Request, number

_KNOT_MS = 1852 / 3600
_INCH_MM = 25.4
_MILE_KM = 1.609344
_STATES = "K"
"""The prefix of the 48 states; the service knows their stations without it, all others by the whole ICAO code."""


class Mesonet:
    """The archive at an address."""

    name = "mesonet"
    suffix = ".csv"
    window_days = 366
    lag_days = 0
    pause_s = 1.0

    def __init__(self, url: str) -> None:
        self._url = url

    def request(self, place: Place, first: dt.date, last: dt.date) -> Request:
        """Return the request for some days, in UTC; the day at its end is not in it."""
        end = last + dt.timedelta(days=1)
        station = place.icao or place.code
        return Request(
            f"{self._url}/cgi-bin/request/asos.py",
            {
                "station": station.removeprefix(_STATES) if len(station) == 4 else station,
                "data": "all",
                "year1": str(first.year), "month1": str(first.month), "day1": str(first.day),
                "year2": str(end.year), "month2": str(end.month), "day2": str(end.day),
                "tz": "Etc/UTC",
                "format": "onlycomma",
                "latlon": "no",
                "elev": "no",
                "missing": "M",
                "trace": "0.0001",
                # Routine reports only: p01i of a special one is of a part of the hour.
                "report_type": "3",
            },
        )  # fmt: skip

    def reports(self, place: Place, body: bytes) -> Iterator[Report]:
        """Yield one report for each line; what is missing is `M`, and lines that begin with # are remarks."""
        lines = (line for line in body.decode("utf-8").splitlines() if not line.startswith("#"))
        rows = csv.DictReader(lines, strict=True)
        if "valid" not in (rows.fieldnames or ()):
            raise ValueError("no column `valid`")
        for row in rows:
            observed = dt.datetime.strptime(row["valid"], "%Y-%m-%d %H:%M").replace(tzinfo=dt.UTC)
            yield Report(
                place.code,
                observed,
                temp_c=_celsius(row["tmpf"]),
                dewp_c=_celsius(row["dwpf"]),
                humid_pct=_number(row["relh"]),
                wind_dir_deg=_number(row["drct"]),
                wind_speed_ms=_number(row["sknt"], _KNOT_MS),
                wind_gust_ms=_number(row["gust"], _KNOT_MS),
                precip_mm=_number(row["p01i"], _INCH_MM),
                pressure_hpa=_number(row["mslp"]),
                visib_km=_number(row["vsby"], _MILE_KM),
            )


def _number(text: str, unit: float = 1.0) -> float | None:
    return number(None if text in ("", "M", "null") else float(text), unit)


def _celsius(text: str) -> float | None:
    fahrenheit = _number(text)
    return None if fahrenheit is None else (fahrenheit - 32) / 1.8
