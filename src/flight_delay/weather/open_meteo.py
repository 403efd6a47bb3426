"""Open-Meteo's archive: the ERA5 reanalysis by the hour, since 1940, everywhere; no key.

https://open-meteo.com/en/docs/historical-weather-api
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator

from flight_delay.weather import Place, Report, Request, number

_COLUMNS = {
    "temperature_2m": "temp_c",
    "dew_point_2m": "dewp_c",
    "relative_humidity_2m": "humid_pct",
    "wind_direction_10m": "wind_dir_deg",
    "wind_speed_10m": "wind_speed_ms",
    "wind_gusts_10m": "wind_gust_ms",
    "precipitation": "precip_mm",
    "pressure_msl": "pressure_hpa",
}


class OpenMeteo:
    """The archive at an address."""

    name = "open-meteo"
    suffix = ".json"
    window_days = 92
    lag_days = 5
    pause_s = 0.75
    """The free plan allows 5,000 requests an hour, 10,000 a day."""

    def __init__(self, url: str) -> None:
        self._url = url

    def request(self, place: Place, first: dt.date, last: dt.date) -> Request:
        """Return the request for some days, both included, in UTC and in metric units."""
        return Request(
            f"{self._url}/archive",
            {
                "latitude": f"{place.lat:.6f}",
                "longitude": f"{place.lon:.6f}",
                "start_date": first.isoformat(),
                "end_date": last.isoformat(),
                "hourly": ",".join(_COLUMNS),
                "timezone": "GMT",
                "wind_speed_unit": "ms",
            },
        )

    def reports(self, place: Place, body: bytes) -> Iterator[Report]:
        """Yield one report for each hour that has any value."""
        answer = json.loads(body)
        if answer.get("error"):
            raise ValueError(answer.get("reason", "an error"))
        if answer["utc_offset_seconds"] != 0:
            raise ValueError(f"hours {answer['utc_offset_seconds']} seconds from UTC")
        hourly = answer["hourly"]
        columns = [hourly[name] for name in _COLUMNS]
        for hour, *values in zip(hourly["time"], *columns, strict=True):
            if any(value is not None for value in values):
                observed = dt.datetime.fromisoformat(hour).replace(tzinfo=dt.UTC)
                yield Report(place.code, observed, **dict(zip(_COLUMNS.values(), map(number, values), strict=True)))
