"""What weather and airport services answer, by their own schemas."""

from __future__ import annotations

import datetime as dt
import json

KENNEDY = {
    "ident": "KJFK", "type": "large_airport", "name": "John F Kennedy International Airport", "latitude_deg": 40.639447,
    "longitude_deg": "-73.779317", "elevation_ft": "13", "continent": "NA", "iso_country": "US", "iata_code": "JFK",
    "icao_code": "KJFK", "country": {"code": "US"}, "runways": [], "freqs": [], "navaids": [],
}  # fmt: skip


def days_of(query):
    first = dt.date.fromisoformat(query["start_date"])
    return [first + dt.timedelta(n) for n in range((dt.date.fromisoformat(query["end_date"]) - first).days)]


def open_meteo(query):
    """As the archive answers: one list for each variable."""
    days = [*days_of(query), dt.date.fromisoformat(query["end_date"])]
    hours = [f"{day}T{hour:02d}:00" for day in days for hour in range(24)]
    variables = query["hourly"].split(",")
    values = {name: [None if number % 24 == 3 else number % 24 for number in range(len(hours))] for name in variables}
    return json.dumps(
        {
            "latitude": 40.63,
            "longitude": -73.78,
            "generationtime_ms": 0.2,
            "utc_offset_seconds": 0,
            "timezone": "GMT",
            "timezone_abbreviation": "GMT",
            "elevation": 4.0,
            "hourly_units": {"time": "iso8601"} | dict.fromkeys(variables, "x"),
            "hourly": {"time": hours} | values,
        }
    ).encode()


def weatherbit(query):
    """As the service answers; a vector for each hour. What is not measured is null, or not there."""
    hours = [
        {
            "timestamp_utc": f"{day}T{hour:02d}:00:00", "timestamp_local": f"{day}T{hour:02d}:00:00", "datetime": f"{day}:{hour:02d}",
            "ts": 0, "temp": 3.1, "app_temp": 1, "dewpt": -1.5, "rh": 53, "wind_dir": 310, "wind_spd": 6.9,
            "wind_gust_spd": None, "precip": 0, "pres": 1011, "slp": 1012.5, "clouds": 0, "pod": "d", "revision_status": "final",
            "weather": {"icon": "c01d", "code": 800, "description": "Clear sky"},
        }
        for day in days_of(query) for hour in range(24)
    ]  # fmt: skip
    return json.dumps({"data": hours, "city_name": "Queens", "timezone": "America/New_York", "sources": ["x"]}).encode()


def mesonet(query):
    """As asos.py answers: onlycomma, M for what is missing."""
    first = dt.date(*(int(query[f"{part}1"]) for part in ("year", "month", "day")))
    last = dt.date(*(int(query[f"{part}2"]) for part in ("year", "month", "day")))
    lines = [
        "station,valid,tmpf,dwpf,relh,drct,sknt,p01i,alti,mslp,vsby,gust,skyc1,wxcodes,metar",
        *(
            f"{query['station']},{first + dt.timedelta(n)} {hour:02d}:51,212.00,M,53.10,310.00,10.00,0.0001,29.92,1012.50,10.00,M,CLR,M,METAR"
            for n in range((last - first).days + 1)
            for hour in range(24)
        ),
    ]
    return ("#DEBUG: a remark\n" + "\n".join(lines) + "\n").encode()
