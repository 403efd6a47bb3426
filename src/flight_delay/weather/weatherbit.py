"""Weatherbit's hourly history: stations and models, by coordinates; a key is needed.

https://www.weatherbit.io/api/historical-weather-hourly
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator

from pydantic import SecretStr

from flight_delay.weather import Place, Report, Request, number

LONGEST_DAYS = 10
"""The longest span that one request may be for; with a trial key, one day."""

_COLUMNS = {
    "temp": "temp_c",
    "dewpt": "dewp_c",
    "rh": "humid_pct",
    "wind_dir": "wind_dir_deg",
    "wind_spd": "wind_speed_ms",
    "wind_gust_spd": "wind_gust_ms",
    "precip": "precip_mm",
    "slp": "pressure_hpa",
    "vis": "visib_km",
}


class Weatherbit:
    """The history at an address, for the holder of a key."""

    name = "weatherbit"
    suffix = ".json"
    lag_days = 0
    pause_s = 1.0

    def __init__(self, url: str, key: SecretStr, window_days: int = LONGEST_DAYS) -> None:
        self.window_days = window_days
        self._url = url
        self._key = key

    def request(self, place: Place, first: dt.date, last: dt.date) -> Request:
        """Return the request for some days, in UTC and in metric units; the day at its end is not in it."""
        return Request(
            f"{self._url}/history/hourly",
            {
                "lat": f"{place.lat:.6f}",
                "lon": f"{place.lon:.6f}",
                "start_date": first.isoformat(),
                "end_date": (last + dt.timedelta(days=1)).isoformat(),
                "tz": "utc",
                "units": "M",
                "key": self._key,
            },
        )

    def reports(self, place: Place, body: bytes) -> Iterator[Report]:
        """Yield one report for each hour."""
        for hour in json.loads(body)["data"]:
            observed = dt.datetime.fromisoformat(hour["timestamp_utc"]).replace(tzinfo=dt.UTC)
            values = {name: number(hour.get(own)) for own, name in _COLUMNS.items()}
            yield Report(place.code, observed, **values)
