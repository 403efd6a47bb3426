"""What happens after a flight's cut-off moves no feature of it: neither weather, nor other flights, nor its own fate."""

import csv
import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
import written

from flight_delay.etl import pipeline
from flight_delay.model.dataset import Flights, load
from flight_delay.model.features import FEATURES, Horizon, Specialist, features_of
from flight_delay.model.pipeline import FlightFeatures
from flight_delay.model.views import Views
from flight_delay.sources import csv_files, csv_table, nycflights13

pytestmark = pytest.mark.usefixtures("untraced")
WEEK = [str(day) for day in range(1, 8)]
COLUMN = {feature.name: number for number, feature in enumerate(FEATURES)}


@pytest.fixture(scope="module")
def flights(tmp_path_factory):
    """All flights of a week in July."""
    path = tmp_path_factory.mktemp("raw") / "flights.csv"
    chosen = [record for record in written.all_records() if record["month"] == "7" and record["day"] in WEEK]
    path.write_text("\n".join([",".join(chosen[0]), *(",".join(record.values()) for record in chosen)]) + "\n")
    return path


@pytest.fixture(scope="module")
def read(flights, tmp_path_factory):
    """The flights as training reads them, when the weather is changed by a function."""

    def read(change):
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
        return load(folder / "processed")

    return read


@pytest.fixture(scope="module")
def real(read):
    return read(lambda row: row)


@pytest.fixture(scope="module")
def features(real):
    return FlightFeatures(real.airports, []).fit(real.flights)


@pytest.fixture(scope="module")
def as_it_was(features, real):
    return Views.of(features, real).matrices


def minute(moment):
    return moment.replace(tzinfo=dt.UTC).timestamp() / 60


def moved(before, after):
    """Which rows have a feature that is another now."""
    return ~((before == after) | (np.isnan(before) & np.isnan(after))).all(axis=1)


@pytest.mark.parametrize("horizon", list(Horizon))
@pytest.mark.parametrize("cut_off", [dt.datetime(2013, 7, 2, 15, 30), dt.datetime(2013, 7, 4, 23, 59)])
def test_weather_that_is_observed_later(read, real, features, as_it_was, horizon, cut_off):
    def change(row):
        """Make every later report another, and one that is believable."""
        if dt.datetime.fromisoformat(row["time_hour"]) < cut_off.replace(tzinfo=dt.UTC):
            return row
        return row | {"temp": "99", "dewp": "98", "humid": "97", "wind_dir": "10", "wind_speed": "55", "wind_gust": "66",
                      "precip": "2", "pressure": "977", "visib": "1"}  # fmt: skip

    changed = Views.of(features, read(change)).matrices[horizon]
    rows = moved(as_it_was[horizon], changed)
    asked_at = real.cut_offs(horizon)
    past = asked_at <= minute(cut_off)
    assert past.sum() > (0 if horizon is Horizon.SCHEDULE else 1000)
    assert not (rows & past).any()
    # The change was not a change of nothing: most of those asked later had it, where weather is known at all.
    later = asked_at > minute(cut_off) + 120
    assert (rows & later).sum() > 0.8 * later.sum() or horizon is Horizon.SCHEDULE
    assert horizon is not Horizon.SCHEDULE or not rows.any()


@pytest.mark.parametrize("horizon", list(Horizon))
@pytest.mark.parametrize("cut_off", [dt.datetime(2013, 7, 3, 14, 0), dt.datetime(2013, 7, 5, 20, 17)])
def test_departures_and_arrivals_that_come_later(real, features, as_it_was, horizon, cut_off):
    now = minute(cut_off)

    def other(leg):
        """Let what has not happened by then happen hours later, and in another way."""
        later = leg._replace(arr=leg.arr + 500, air_time=leg.air_time * 3) if not leg.arr < now else leg
        return later._replace(dep=later.dep + 400) if not leg.dep < now else later

    changed = replace(real, legs=[other(leg) for leg in real.legs], arr_delay=real.arr_delay + 1000)
    rows = moved(as_it_was[horizon], Views.of(features, changed).matrices[horizon])
    # Who is asked as it leaves is asked later now, if it was to leave at that very minute.
    asked_at = real.cut_offs(horizon)
    past = asked_at < now if horizon is Horizon.DEPARTED else asked_at <= now
    assert not (rows & past).any()
    if horizon is not Horizon.SCHEDULE:
        assert past.sum() > 1000
        assert (rows & ~past).sum() > 1000


@pytest.mark.parametrize("horizon", [Horizon.SCHEDULE, Horizon.PRE_DEPARTURE])
def test_its_own_fate(real, features, as_it_was, horizon):
    """How late a flight leaves and arrives, and whether it does, moves nothing before it leaves: it alone is changed."""
    for number in range(0, len(real.flights), 997):
        legs, flights = list(real.legs), list(real.flights)
        legs[number] = legs[number]._replace(dep=legs[number].sched_dep + 600, arr=np.nan, air_time=np.nan)
        flights[number] = flights[number].model_copy(update={"dep_delay": 600.0})
        changed = Flights(flights, real.weather_before, legs, real.arr_delay)
        rows = moved(as_it_was[horizon], Views.of(features, changed).matrices[horizon])
        assert not rows[number]


def test_only_what_is_known_at_departure_is_a_feature():
    seen = {specialist: {feature.name for feature in features_of(specialist)} for specialist in Specialist}
    weather = {
        "temp_c",
        "dewp_c",
        "humid_pct",
        "wind_north_ms",
        "wind_east_ms",
        "precip_mm",
        "pressure_hpa",
        "visib_km",
    }
    assert seen[Specialist.SCHEDULE].isdisjoint(weather | {"dep_delay", "dep_min"})
    assert seen[Specialist.PRE_DEPARTURE].isdisjoint({"dep_delay", "dep_min"})
    assert weather < seen[Specialist.PRE_DEPARTURE] & seen[Specialist.DEPARTED]
    assert not [name for name in COLUMN if name.startswith("dest_") or "air_time" in name]
