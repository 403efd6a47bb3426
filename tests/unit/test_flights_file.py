"""Flights as anyone has them in files."""

import datetime as dt
import gzip
import math
import zipfile

import duckdb
import numpy as np
import pytest

from flight_delay.airports import Airport
from flight_delay.errors import ColumnsMissing, FlightsMissing, FlightsUnreadable, NoFlight
from flight_delay.model.dataset import MEASURES
from flight_delay.model.features import Codes
from flight_delay.model.flight_columns import Coded
from flight_delay.model.flights_file import PART, Reports, opened, told

TODAY = dt.date(2026, 11, 23)
NEW_YORK, LOS_ANGELES = Airport(40.64, -73.78, "America/New_York"), Airport(33.94, -118.41, "America/Los_Angeles")
CODES = Codes({"JFK": NEW_YORK, "LAX": LOS_ANGELES}, {}, {}, {}, ())
HEADER = "year,month,day,sched_dep_time,sched_arr_time,carrier,flight,tailnum,origin,dest,dep_delay,arr_delay,air_time"
LINES = [
    "2013,7,23,1630,1930,DL,7,N7DL,JFK,LAX,10,-5,330",
    "2013,7,23,2400,NA,AA,1,,JFK,LAX,NA,NaN,",
    "2013,7,1,530,840,DL,9,N9DL,JFK,XXX,0,0,300",
]
ROWS = "\n".join([HEADER, *LINES]) + "\n"


@pytest.fixture
def read(tmp_path_factory):
    """Read the first part of a file."""
    scratch = tmp_path_factory.mktemp("scratch")

    def read(path):
        with opened(path, scratch) as given:
            return next(given.checked())

    yield read
    assert list(scratch.iterdir()) == []


@pytest.fixture
def rows(tmp_path, read):
    """Read what a CSV file holds."""

    def rows(text, name="flights.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return read(path)

    return rows


def flights(rows):
    return list(rows.flights.rows())


def minute(*moment):
    return dt.datetime(*moment, tzinfo=dt.UTC).timestamp() / 60


class TestRows:
    def test_what_is_told_is_read_and_what_stands_for_nothing_is_missing(self, rows):
        first, second, third = flights(rows(ROWS))
        assert (first.dep_delay, first.flight, first.tailnum, first.year) == (10.0, 7, "N7DL", 2013)
        assert (second.sched_dep_time, second.sched_arr_time, second.dep_delay, second.tailnum) == (
            2400,
            None,
            None,
            None,
        )
        assert third.dest == "XXX"

    def test_instants_follow_from_the_airports_clocks(self, rows):
        legs = rows(ROWS).legs(CODES, TODAY)
        assert legs[0].sched_dep == minute(2013, 7, 23, 20, 30)
        assert legs[0].sched_arr == minute(2013, 7, 24, 2, 30)
        assert legs[0].dep == minute(2013, 7, 23, 20, 40)
        assert legs[0].arr == minute(2013, 7, 24, 2, 25)
        assert legs[0].air_time == 330
        assert legs[1].sched_dep == minute(2013, 7, 24, 4, 0)
        assert math.isnan(legs[1].dep)
        assert math.isnan(legs[2].sched_arr)

    def test_the_instants_are_those_of_the_clocks_whatever_the_file_says(self, rows):
        """One definition for training, files and the service: local clocks, and delays."""
        text = (
            "year,month,day,sched_dep_time,sched_arr_time,carrier,origin,dest,dep_delay,arr_delay,sched_dep_utc,arr_utc\n"
            "2013,7,23,1630,1930,DL,JFK,LAX,10,-5,2013-07-23 20:31:00,yesterday\n"
        )
        (leg,) = rows(text).legs(CODES, TODAY)
        assert leg.sched_dep == minute(2013, 7, 23, 20, 30)
        assert leg.dep == minute(2013, 7, 23, 20, 40)
        assert leg.arr == minute(2013, 7, 24, 2, 25)

    def test_a_distance_in_whatever_unit_is_not_taken_for_kilometres(self, rows):
        header, first, *_ = ROWS.splitlines()
        (leg,) = rows(f"{header},distance\n{first},2475\n").legs(CODES, TODAY)
        assert leg.distance_km == pytest.approx(3974, abs=5)

    def test_columns_in_another_order_in_capitals_and_unknown_ones(self, rows):
        text = "what,CARRIER,origin,DEST,sched_dep_time,day,Month\n#,DL,JFK,LAX,1630,23,7\n"
        (flight,) = flights(rows(text))
        assert flight.carrier == "DL"
        assert flight.month == 7

    def test_no_rows_are_no_flights(self, rows):
        assert flights(rows(HEADER + "\n")) == []

    def test_ids_are_kept_as_they_are_written(self, rows):
        header, *lines = ROWS.splitlines()
        text = "\n".join(
            [f"id,{header}", *(f"{name},{line}" for name, line in zip(["007", "", "x"], lines, strict=True))]
        )
        assert rows(text).ids == ["007", None, "x"]
        assert rows(ROWS).ids == [None, None, None]


class TestFiles:
    def test_they_are_given_in_parts_in_their_order(self, tmp_path):
        lines = [f"{n},12,9,1200,DL,JFK,LAX" for n in range(2 * PART + 1)]
        (tmp_path / "flights.csv").write_text(
            "\n".join(["id,month,day,sched_dep_time,carrier,origin,dest", *lines]) + "\n"
        )
        with opened(tmp_path / "flights.csv", tmp_path) as given:
            parts = list(given.checked())
            assert (len(given), given.named, given.says_years()) == (2 * PART + 1, True, False)
        assert [len(part.flights) for part in parts] == [PART, PART, 1]
        assert [part.first for part in parts] == [0, PART, 2 * PART]
        assert [name for part in parts for name in part.ids] == [str(n) for n in range(2 * PART + 1)]

    def test_the_same_flights_however_they_are_packed(self, tmp_path, rows, read):
        plain = rows(ROWS)
        (tmp_path / "packed.csv.gz").write_bytes(gzip.compress(ROWS.encode()))
        with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
            archive.writestr("flights.csv", ROWS)
        duckdb.sql(f"SELECT * FROM read_csv('{tmp_path}/flights.csv', nullstr=['NA', ''])").write_parquet(
            f"{tmp_path}/f.parquet"
        )
        for name in ("packed.csv.gz", "packed.zip", "f.parquet"):
            read_again = read(tmp_path / name)
            assert flights(read_again) == flights(plain)
            assert repr(read_again.legs(CODES, TODAY)) == repr(plain.legs(CODES, TODAY))

    def test_a_folder_is_read_in_the_order_of_its_paths_with_what_they_say(self, tmp_path, read):
        for month, day in ((7, 5), (12, 3)):
            folder = tmp_path / "year=2013" / f"month={month}"
            folder.mkdir(parents=True)
            duckdb.sql(
                f"SELECT {day} + i AS day, 1630 AS sched_dep_time, 'DL' AS carrier, 'JFK' AS origin, 'LAX' AS dest "
                "FROM range(3) AS t(i) ORDER BY i DESC"
            ).write_parquet(f"{folder}/part.parquet")
        (tmp_path / "airports.csv").write_text("code\nJFK\n")
        found = flights(read(tmp_path))
        assert [(flight.year, flight.month, flight.day) for flight in found] == [
            (2013, month, day) for month, day in [(12, 5), (12, 4), (12, 3), (7, 7), (7, 6), (7, 5)]
        ]

    @pytest.mark.parametrize("name", ["nothing.csv", "flights.txt", "folder"])
    def test_no_files(self, tmp_path, name, read):
        (tmp_path / "flights.txt").write_text(ROWS)
        (tmp_path / "folder").mkdir()
        with pytest.raises(FlightsMissing):
            read(tmp_path / name)

    @pytest.mark.parametrize("name", ["flights.parquet", "flights.zip"])
    def test_a_file_that_is_not_what_its_name_says(self, rows, name):
        with pytest.raises(FlightsUnreadable):
            rows(ROWS, name)

    def test_a_line_that_is_broken_is_not_passed_over(self, rows):
        with pytest.raises(FlightsUnreadable):
            rows(ROWS + "2013,7\n" + LINES[0] + "\n")


class TestWhatIsNoFlight:
    def test_a_column_that_is_missing(self, rows):
        with pytest.raises(ColumnsMissing) as caught:
            rows("month,day,carrier,origin\n7,23,DL,JFK\n")
        assert caught.value.facts["missing"] == "sched_dep_time, dest"

    @pytest.mark.parametrize(
        ("field", "value", "rule"),
        [
            ("month", "13", "must be at most 12"),
            ("month", "", "required, but absent"),
            ("day", "7.5", "must be a whole number"),
            ("day", "31st", "must be a number"),
            ("origin", "New York", "has not the expected form"),
            ("sched_dep_time", "1675", "must be a clock time"),
            ("dep_delay", "inf", "must be a number"),
            ("weather_utc", "yesterday", "must be a moment in UTC"),
            ("temp_c", "451", "must be at most 60"),
        ],
    )
    def test_row_field_value_and_rule_are_named(self, rows, field, value, rule):
        good = {"month": "2", "day": "3", "sched_dep_time": "1630", "carrier": "DL", "origin": "JFK", "dest": "LAX",
                "dep_delay": "1", "weather_utc": "", "temp_c": "20"}  # fmt: skip
        lines = [",".join(good), *[",".join(good.values())] * 2, ",".join((good | {field: value}).values())]
        with pytest.raises(NoFlight) as caught:
            rows("\n".join(lines) + "\n")
        facts = caught.value.facts
        assert (facts["row"], facts["field"]) == (2, field)
        assert value in facts["value"] or not value
        assert rule in facts["meaning"]["en"]

    def test_a_date_that_does_not_exist(self, rows):
        with pytest.raises(NoFlight) as caught:
            rows("year,month,day,sched_dep_time,carrier,origin,dest\n2013,2,29,1630,DL,JFK,LAX\n")
        assert caught.value.facts["field"] == "day"


class TestWeather:
    HEADER = "year,month,day,sched_dep_time,carrier,origin,dest,dep_delay,temp_c"

    def test_what_has_no_time_is_told_at_any_moment(self, rows):
        read_rows = rows(f"{self.HEADER}\n2013,7,23,1630,DL,JFK,LAX,10,25\n2013,7,23,1630,DL,JFK,LAX,10,\n")
        assert told(read_rows).tolist() == [True, False]
        assert read_rows.flights.numbers["temp_c"][0] == 25

    def test_what_has_a_time_counts_from_then_on(self, rows):
        known = []
        for observed in ("20:41", "20:40", "18:31", "14:40", "14:39"):
            read_rows = rows(f"{self.HEADER},weather_utc\n2013,7,23,1630,DL,JFK,LAX,10,25,2013-07-23 {observed}:00\n")
            assert not told(read_rows).any()
            known.append(self.last(read_rows, "JFK", minute(2013, 7, 23, 20, 40)) == 25)
        assert known == [False, True, True, True, False]

    def test_the_last_report_of_the_airport_unless_it_is_too_old(self, rows):
        lines = [f"2013,7,23,1630,DL,{origin},LAX,10,{temp_c},2013-07-23 {observed}:00" for origin, observed, temp_c in
                 [("JFK", "18:00", 20), ("JFK", "02:00", 1), ("LGA", "10:00", 20), ("JFK", "18:00", 99 - 50)]]  # fmt: skip
        read_rows = rows("\n".join([f"{self.HEADER},weather_utc", *lines]) + "\n")
        night, evening = minute(2013, 7, 23, 2), minute(2013, 7, 23, 18)
        assert math.isnan(self.last(read_rows, "JFK", night - 1))
        assert self.last(read_rows, "JFK", night + 360) == 1
        assert math.isnan(self.last(read_rows, "JFK", night + 361))
        assert self.last(read_rows, "JFK", evening) == 20
        assert math.isnan(self.last(read_rows, "EWR", evening))
        assert math.isnan(self.last(read_rows, "JFK", math.nan))

    def last(self, read_rows, airport, cut_off):
        reports = Reports()
        reports.add(read_rows)
        measured = reports.last(Coded.of([airport]), np.array([cut_off]))
        return measured[0, MEASURES.index("temp_c")]
