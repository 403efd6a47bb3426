"""`flight-delay etl --weather ... --airports ...`, with services that answer as the real ones do."""

import csv
import json

import duckdb
import pytest
import written
from answers import KENNEDY, mesonet, open_meteo, weatherbit
from conftest import run_command
from somewhere import somewhere


@pytest.fixture
def place(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with somewhere() as place:
        place.files |= {
            "/archive": open_meteo,
            "/history/hourly": weatherbit,
            "/cgi-bin/request/asos.py": mesonet,
            "/airport/KJFK": json.dumps(KENNEDY | {"latitude_deg": 40.7}).encode(),
        }
        yield place


@pytest.fixture
def etl(place, tmp_path):
    """Run the command over a real flight from JFK to MIA and one to LAX in July."""
    flights = [record for record in written.all_records() if record["month"] == "7" and record["day"] == "4"]
    chosen = [next(f for f in flights if (f["origin"], f["dest"]) == ("JFK", dest)) for dest in ("MIA", "LAX")]
    path = tmp_path / "flights.csv"
    path.write_text("\n".join([",".join(chosen[0]), *(",".join(f.values()) for f in chosen)]) + "\n")

    def etl(*arguments, **environment):
        urls = {f"FLIGHT_DELAY_{name}_URL": place.url for name in ("OPEN_METEO", "MESONET", "WEATHERBIT", "AIRPORTDB")}
        return run_command(
            "etl", "--source", "csv", "--input", "flights.csv", *arguments, folder=tmp_path, **(urls | environment)
        )

    return etl


def rows(folder, what):
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        pattern = f"read_parquet('{folder}/data/processed/**/*.parquet', hive_partitioning = true)"
        return connection.execute(f"SELECT {what} FROM {pattern} ORDER BY dest").fetchall()


KEYS = {"FLIGHT_DELAY_WEATHERBIT_KEY": "s3cr3t-w", "FLIGHT_DELAY_AIRPORTDB_KEY": "s3cr3t-a"}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("open-meteo", "temp_c = wind_speed_ms AND visib_km IS NULL"),
        ("mesonet", "temp_c IS NULL AND abs(wind_speed_ms - 5.1444) < 0.001 AND minute(weather_utc) = 51"),
        ("weatherbit", "temp_c = 3.1 AND wind_speed_ms = 6.9 AND wind_gust_ms IS NULL AND precip_mm = 0"),
    ],
)
def test_weather_at_both_ends(etl, tmp_path, name, values):
    done = etl("--weather", name, **KEYS)
    assert done.returncode == 0, done.stderr
    assert "weather JFK 2013-0" in done.stderr
    for at, leaves, reports, old in rows(
        tmp_path,
        f"weather_utc, sched_dep_utc, {values}, dest_weather_utc IS NOT NULL AND dest_weather_utc <= sched_arr_utc",
    ):
        assert at <= leaves
        assert reports
        assert old
    assert json.loads((tmp_path / "data" / "processed" / "dataset.json").read_text())["weather"] == name
    assert "s3cr3t" not in done.stdout + done.stderr


def test_what_is_impossible_is_counted(etl):
    assert "impossible weather value(s)" in etl("--weather", "mesonet").stdout  # 212 °F


def test_it_is_done_once_and_again_with_another_provider(etl, place):
    etl("--weather", "open-meteo")
    asked = len(place.queries)
    assert asked == 3  # one airport of departure, two of arrival
    assert "up to date" in etl("--weather", "open-meteo").stdout
    etl("--weather", "mesonet")
    assert "2 flights written" in etl("--weather", "open-meteo").stdout
    assert len([query for query in place.queries if "hourly" in query]) == asked


def test_airports_of_a_provider(etl, tmp_path):
    done = etl("--airports", "airportdb", **KEYS)
    assert done.returncode == 0, done.stderr
    assert rows(tmp_path, "origin_lat, origin_tz, dest_lat IS NOT NULL") == [(40.7, "America/New_York", True)] * 2
    with (tmp_path / "data" / "processed" / "airports.csv").open(newline="") as file:
        known = {row["code"]: row for row in csv.DictReader(file)}
    assert (known["JFK"]["icao"], known["HNL"]["icao"]) == ("KJFK", "PHNL")
    assert "s3cr3t" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("option", "setting"),
    [
        (("--weather", "weatherbit"), "FLIGHT_DELAY_WEATHERBIT_KEY"),
        (("--airports", "airportdb"), "FLIGHT_DELAY_AIRPORTDB_KEY"),
    ],
)
@pytest.mark.parametrize("language", ["en_US.UTF-8", "pt_BR.UTF-8"])
def test_without_a_key(etl, place, option, setting, language):
    done = etl(*option, LANG=language)
    assert done.returncode == 1
    assert setting in done.stderr
    assert "https://" in done.stderr
    assert place.queries == []


def test_a_failure_leaves_the_old_table(etl, place, tmp_path):
    etl()
    before = (tmp_path / "data" / "processed" / "dataset.json").read_bytes()
    place.troubles["/history/hourly"] = ["", "status 403 body: your API key s3cr3t-w is not valid"]
    done = etl("--weather", "weatherbit", **KEYS)
    assert done.returncode == 1
    assert "403" in done.stderr
    assert "s3cr3t" not in done.stderr
    assert (tmp_path / "data" / "processed" / "dataset.json").read_bytes() == before
