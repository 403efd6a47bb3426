"""Weather and airports from other people's services."""

import csv
import datetime as dt
import json
import logging

import pytest
from answers import KENNEDY, days_of, mesonet, open_meteo, weatherbit
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from somewhere import somewhere

from flight_delay.errors import RemoteFailed, RemoteRefused, SourceUnreadable
from flight_delay.remote import Remote
from flight_delay.weather import Place, Report
from flight_delay.weather.airportdb import AirportDb, Known
from flight_delay.weather.archive import Archive, windows
from flight_delay.weather.mesonet import Mesonet
from flight_delay.weather.open_meteo import OpenMeteo
from flight_delay.weather.weatherbit import Weatherbit

KEY = SecretStr("s3cr3t-key")
JFK = Place("JFK", "KJFK", 40.639751, -73.778925)
HNL = Place("HNL", "PHNL", 21.318681, -157.922428)
NEW_YEAR = dt.date(2013, 1, 1)
TODAY = dt.date(2026, 11, 23)


def instant(*parts):
    return dt.datetime(*parts, tzinfo=dt.UTC)


@pytest.fixture
def place(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with somewhere() as place:
        place.files["/archive"] = open_meteo
        place.files["/history/hourly"] = weatherbit
        place.files["/cgi-bin/request/asos.py"] = mesonet
        yield place


@pytest.fixture
def ask(tmp_path):
    """Ask a provider for some places and days; return the rows of the file."""

    def ask(provider, needed, today=TODAY):
        with Remote(timeout_s=1, tries=2, backoff_s=0.01) as remote:
            archive = Archive(provider, remote, tmp_path / "cache", today)
            table = archive.reports(needed, tmp_path / "weather.csv", lambda _: None)
        with table.paths[0].open(newline="") as file:
            return list(csv.DictReader(file))

    return ask


def kept(tmp_path):
    return sorted(str(path.relative_to(tmp_path / "cache")) for path in (tmp_path / "cache").rglob("*.*"))


class TestWindows:
    @given(st.sets(st.dates(dt.date(1987, 1, 1), dt.date(2026, 12, 31)), max_size=40), st.integers(1, 400), st.dates())
    def test_every_day_that_there_is_lies_in_one_window(self, days, length, newest):
        found = windows(days, length, newest)
        assert found == sorted(set(found))
        for window in found:
            assert 0 <= (window.last - window.first).days < length
            assert (window.first - dt.date(1970, 1, 1)).days % length == 0
            assert window.last <= newest
        for day in days:
            assert sum(window.first <= day <= window.last for window in found) == (day <= newest)

    def test_what_is_asked_for_a_day_does_not_depend_on_the_others(self):
        few = windows([NEW_YEAR], 10, TODAY)
        many = windows([NEW_YEAR + dt.timedelta(n) for n in range(-40, 40)], 10, TODAY)
        assert set(few) < set(many)


class TestOpenMeteo:
    def test_metric_units_in_utc(self, place, ask):
        rows = ask(OpenMeteo(place.url), [(JFK, NEW_YEAR)])
        (query,) = place.queries
        assert (query["wind_speed_unit"], query["timezone"]) == ("ms", "GMT")
        assert (query["latitude"], query["longitude"]) == ("40.639751", "-73.778925")
        row = next(row for row in rows if row["observed_utc"] == "2013-01-01T07:00:00Z")
        assert row["airport"] == "JFK"
        assert {row[name] for name in ("temp_c", "wind_speed_ms", "wind_gust_ms", "precip_mm")} == {"7.0"}
        assert row["visib_km"] == ""

    def test_an_hour_without_a_value_is_no_report(self, place, ask):
        rows = ask(OpenMeteo(place.url), [(JFK, NEW_YEAR)])
        assert not [row for row in rows if "T03:00" in row["observed_utc"]]

    def test_it_says_what_it_does_not_like(self, place, ask):
        place.troubles["/archive"] = ['status 400 body: {"error":true,"reason":"latitude"}']
        with pytest.raises(RemoteRefused, match="latitude"):
            ask(OpenMeteo(place.url), [(JFK, NEW_YEAR)])

    def test_an_answer_in_another_zone_is_refused(self, place, ask):
        place.files["/archive"] = lambda query: open_meteo(query).replace(b'seconds": 0', b'seconds": -18000')
        with pytest.raises(SourceUnreadable, match=r"open-meteo \(JFK.*-18000"):
            ask(OpenMeteo(place.url), [(JFK, NEW_YEAR)])

    def test_days_that_are_not_there_yet_are_not_asked_for(self, place, ask):
        newest = TODAY - dt.timedelta(days=6)
        rows = ask(OpenMeteo(place.url), [(JFK, TODAY), (JFK, newest)])
        (query,) = place.queries
        assert query["end_date"] == newest.isoformat()
        assert max(row["observed_utc"] for row in rows) == f"{newest}T23:00:00Z"
        place.queries.clear()
        assert ask(OpenMeteo(place.url), [(JFK, TODAY)]) == []
        assert place.queries == []


class TestWeatherbit:
    def test_ten_days_at_a_time(self, place, ask):
        needed = [(JFK, NEW_YEAR + dt.timedelta(n)) for n in range(20)]
        rows = ask(Weatherbit(place.url, KEY), needed)
        assert len(place.queries) == 3
        for query in place.queries:
            assert len(days_of(query)) == 10
            assert (query["units"], query["tz"], query["key"]) == ("M", "utc", "s3cr3t-key")
        assert len(rows) == 3 * 240
        assert len({row["observed_utc"] for row in rows}) == 3 * 240
        assert rows[0] == {
            "airport": "JFK", "observed_utc": rows[0]["observed_utc"], "temp_c": "3.1", "dewp_c": "-1.5", "humid_pct": "53.0",
            "wind_dir_deg": "310.0", "wind_speed_ms": "6.9", "wind_gust_ms": "", "precip_mm": "0.0", "pressure_hpa": "1012.5", "visib_km": "",
        }  # fmt: skip

    def test_a_day_at_a_time_with_a_trial_key(self, place, ask):
        ask(Weatherbit(place.url, KEY, window_days=1), [(JFK, NEW_YEAR), (JFK, NEW_YEAR + dt.timedelta(2))])
        assert [query["start_date"] for query in place.queries] == ["2013-01-01", "2013-01-03"]

    @pytest.mark.parametrize("trouble", ["status 403 body: bad s3cr3t-key", "status 500"])
    def test_the_key_is_nowhere(self, place, ask, tmp_path, caplog, trouble):
        caplog.set_level(logging.DEBUG)
        ask(Weatherbit(place.url, KEY), [(JFK, NEW_YEAR)])
        place.troubles["/history/hourly"] = [trouble] * 9
        with pytest.raises((RemoteFailed, RemoteRefused)) as caught:
            ask(Weatherbit(place.url, KEY), [(HNL, NEW_YEAR)])
        texts = [caplog.text, str(caught.value), *kept(tmp_path)]
        texts += [path.read_text() for path in (tmp_path / "cache").rglob("*.json")]
        assert not [text for text in texts if "s3cr3t" in text]

    def test_too_many_requests(self, place, ask):
        place.troubles["/history/hourly"] = ["status 429 Retry-After: 1"]
        assert len(ask(Weatherbit(place.url, KEY), [(JFK, NEW_YEAR)])) == 240


class TestMesonet:
    def test_a_routine_report_in_metric_units(self, place, ask):
        row = ask(Mesonet(place.url), [(JFK, NEW_YEAR)])[0]
        report = Report(
            row.pop("airport"), None, *(float(v) if v else None for n, v in row.items() if n != "observed_utc")
        )
        assert report.airport == "JFK"
        assert row["observed_utc"].endswith("T00:51:00Z")
        assert report.temp_c == pytest.approx(100)
        assert report.wind_speed_ms == pytest.approx(5.1444, abs=1e-4)
        assert report.visib_km == pytest.approx(16.0934, abs=1e-4)
        assert report.precip_mm == pytest.approx(0.00254)
        assert report.pressure_hpa == 1012.5
        assert (report.dewp_c, report.wind_gust_ms) == (None, None)
        assert place.queries[0]["report_type"] == "3"

    @pytest.mark.parametrize(
        ("place_asked", "station"),
        [(JFK, "JFK"), (HNL, "PHNL"), (Place("AVL", "KAVL", 0, 0), "AVL"), (Place("ZZZ", None, 0, 0), "ZZZ")],
    )
    def test_stations_by_their_icao_code(self, place, ask, place_asked, station):
        ask(Mesonet(place.url), [(place_asked, NEW_YEAR)])
        assert place.queries[0]["station"] == station

    def test_the_day_after_is_not_taken_twice(self, place, ask):
        days = [NEW_YEAR + dt.timedelta(n) for n in range(0, 800, 100)]
        rows = ask(Mesonet(place.url), [(JFK, day) for day in days])
        assert len(rows) == len({row["observed_utc"] for row in rows})

    @pytest.mark.parametrize(
        "body", [b"", b"<html>Sorry</html>", b"station,valid\nJFK,2013-01-01 06:51\n", b"\xff\xfe"]
    )
    def test_another_answer_is_refused(self, place, ask, tmp_path, body):
        place.files["/cgi-bin/request/asos.py"] = body
        with pytest.raises(SourceUnreadable, match=r"mesonet \(JFK, 2012"):
            ask(Mesonet(place.url), [(JFK, dt.date(2012, 6, 1))])
        assert not (tmp_path / "cache").exists()


class TestCache:
    def test_an_answer_is_asked_for_once(self, place, ask, tmp_path):
        first = ask(Weatherbit(place.url, KEY), [(JFK, NEW_YEAR), (HNL, NEW_YEAR)])
        assert kept(tmp_path) == [f"weatherbit/{code}/2012-12-26_2013-01-04.json" for code in ("HNL", "JFK")]
        place.queries.clear()
        assert ask(Weatherbit(place.url, KEY), [(JFK, NEW_YEAR), (HNL, NEW_YEAR)]) == first
        assert place.queries == []

    def test_a_window_that_today_cuts_short_is_asked_for_again(self, place, ask):
        day = dt.date(2013, 1, 3)
        ask(Weatherbit(place.url, KEY), [(JFK, NEW_YEAR)], today=day)
        ask(Weatherbit(place.url, KEY), [(JFK, NEW_YEAR)], today=day)
        ask(Weatherbit(place.url, KEY), [(JFK, NEW_YEAR)], today=day + dt.timedelta(1))
        assert [query["end_date"] for query in place.queries] == ["2013-01-03", "2013-01-04"]

    @pytest.mark.parametrize("damage", [b"", b'{"data": [', b"[]", b'{"data": [{"timestamp_utc": 5}]}'])
    def test_a_damaged_one_is_asked_for_again(self, place, ask, tmp_path, damage):
        first = ask(Weatherbit(place.url, KEY), [(JFK, NEW_YEAR)])
        (path,) = (tmp_path / "cache").rglob("*.json")
        path.write_bytes(damage)
        assert ask(Weatherbit(place.url, KEY), [(JFK, NEW_YEAR)]) == first
        assert len(place.queries) == 2
        assert path.read_bytes() != damage

    def test_what_came_before_a_failure_is_kept(self, place, ask):
        needed = [(JFK, NEW_YEAR), (JFK, NEW_YEAR + dt.timedelta(30))]
        place.troubles["/history/hourly"] = ["", "status 500", "status 500"]
        with pytest.raises(RemoteFailed):
            ask(Weatherbit(place.url, KEY), needed)
        place.queries.clear()
        ask(Weatherbit(place.url, KEY), needed)
        assert len(place.queries) == 1


class TestAirportDb:
    @pytest.fixture
    def locate(self, place, tmp_path):
        place.files["/airport/KJFK"] = json.dumps(KENNEDY).encode()

        def locate(*known):
            with Remote(timeout_s=1, tries=2, backoff_s=0.01) as remote:
                service = AirportDb(place.url, KEY, remote, tmp_path / "cache")
                table = service.airports(known, tmp_path / "airports.csv", lambda _: None)
            with table.paths[0].open(newline="") as file:
                return list(csv.DictReader(file))

        return locate

    JFK = Known("JFK", "KJFK", "America/New_York")

    def test_where_an_airport_is(self, place, locate):
        (row,) = locate(self.JFK)
        assert row == {
            "code": "JFK", "name": "John F Kennedy International Airport", "lat": "40.639447", "lon": "-73.779317",
            "tz": "America/New_York",
        }  # fmt: skip
        assert place.queries == [{"apiToken": "s3cr3t-key"}]
        locate(self.JFK)
        assert len(place.queries) == 1

    def test_one_that_it_does_not_know_is_left_to_the_reference(self, locate):
        assert [row["code"] for row in locate(Known("ZZZ", "ZZZZ", "UTC"), self.JFK)] == ["JFK"]

    def test_a_wrong_key(self, place, locate):
        place.troubles["/airport/KJFK"] = ["status 401 body: token s3cr3t-key is not valid"]
        with pytest.raises(RemoteRefused, match=r"401.*token \*\*\* is not valid"):
            locate(self.JFK)

    def test_another_airport_is_refused(self, place, locate):
        place.files["/airport/KJFK"] = json.dumps(KENNEDY | {"ident": "KLGA"}).encode()
        with pytest.raises(SourceUnreadable, match="KLGA"):
            locate(self.JFK)
