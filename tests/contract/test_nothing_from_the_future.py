"""Weather that is observed after a flight's cut-off moves no feature of it."""

import csv
import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
import written

from flight_delay.etl import pipeline
from flight_delay.model.dataset import load
from flight_delay.model.features import FEATURES, Codes, Known, values
from flight_delay.sources import csv_files, csv_table, nycflights13

WEEK = [str(day) for day in range(1, 8)]
WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")


@pytest.fixture(scope="module")
def flights(tmp_path_factory):
    """All flights of a week in July."""
    path = tmp_path_factory.mktemp("raw") / "flights.csv"
    chosen = [record for record in written.all_records() if record["month"] == "7" and record["day"] in WEEK]
    path.write_text("\n".join([",".join(chosen[0]), *(",".join(record.values()) for record in chosen)]) + "\n")
    return path


@pytest.fixture(scope="module")
def features(flights, tmp_path_factory):
    """The features of each flight, with its departure, when the weather is changed by a function."""

    def features(change):
        folder = tmp_path_factory.mktemp("data")
        weather = nycflights13.source().weather
        with weather.paths[0].open(newline="") as file:
            rows = list(csv.DictReader(file))
        with (folder / "weather.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(change(row) for row in rows)
        source = replace(csv_files.source(flights), weather=csv_table(folder / "weather.csv", weather.forms[0].columns))
        pipeline.run(source, folder / "processed", lambda _: None)
        dataset = load(folder / "processed")
        codes = Codes(dataset.airports, {"UA": 0}, {"EWR": 0, "JFK": 1, "LGA": 2}, {"LAX": 0}, ())
        return {
            (flight.carrier, flight.flight, flight.day, flight.origin): (
                departure(flight, dataset.airports[flight.origin].tz),
                values(FEATURES, flight, dt.date(flight.year, flight.month, flight.day), codes),
            )
            for flight in dataset.flights
        }

    return features


def departure(flight, tz):
    """The actual departure in UTC: New York is four hours behind in July."""
    assert tz == "America/New_York"
    local = dt.datetime(flight.year, flight.month, flight.day) + dt.timedelta(
        hours=flight.sched_dep_time // 100, minutes=flight.sched_dep_time % 100 + flight.dep_delay
    )
    return local + dt.timedelta(hours=4)


@pytest.fixture(scope="module")
def real(features):
    return features(lambda row: row)


@pytest.mark.parametrize("cut_off", [dt.datetime(2013, 7, 2, 15, 30), dt.datetime(2013, 7, 4, 23, 59)])
def test_what_is_observed_later_moves_no_feature(features, real, cut_off):
    def change(row):
        """Make every later report another, and one that is believable."""
        if dt.datetime.fromisoformat(row["time_hour"]) <= cut_off.replace(tzinfo=dt.UTC):
            return row
        return row | {"temp": "99", "dewp": "98", "humid": "97", "wind_dir": "10", "wind_speed": "55", "wind_gust": "66",
                      "precip": "2", "pressure": "977", "visib": "1"}  # fmt: skip

    changed = features(change)
    assert changed.keys() == real.keys()
    moved = {key for key in real if not np.array_equal(real[key][1], changed[key][1], equal_nan=True)}
    gone = {key for key, (leaves, _) in real.items() if leaves <= cut_off}
    assert len(gone) > 1000
    assert not moved & gone
    # The change was not a change of nothing: most flights of the next days had it; some leave before their report.
    later = {key for key, (leaves, _) in real.items() if leaves > cut_off + dt.timedelta(hours=2)}
    assert len(later & moved) > 0.8 * len(later)


def test_only_what_is_known_at_departure_is_weather():
    assert {feature.name for feature in FEATURES if feature.known is Known.SCHEDULED}.isdisjoint(
        {"temp_c", "dewp_c", "humid_pct", "wind_north_ms", "wind_east_ms", "precip_mm", "pressure_hpa", "visib_km"}
    )
    assert not [
        feature.name for feature in FEATURES if feature.name.startswith("dest_") or feature.known is Known.ARRIVED
    ]
