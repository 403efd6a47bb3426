"""The same real flights, written as every source writes its own, become the same rows."""

import datetime as dt

import pytest
import written

from flight_delay.engines.embedded import DuckDB
from flight_delay.etl import pipeline
from flight_delay.sources import anac, bts, csv_files

EVERY = 97
KEY = ("year", "month", "day", "sched_dep_time", "carrier", "flight", "origin")
SUMMER_TIME_BEGINS_OR_ENDS = {(3, 9), (3, 10), (11, 2), (11, 3)}


@pytest.fixture(scope="module")
def flights():
    """One real flight in 97, and those of the tests."""
    chosen = [*written.records(), *written.all_records()[::EVERY]]
    return list({tuple(flight[name] for name in (*KEY, "dest")): flight for flight in chosen}.values())


@pytest.fixture(scope="module")
def expected(flights, tmp_path_factory):
    path = tmp_path_factory.mktemp("csv") / "flights.csv"
    lines = [",".join(flights[0]), *(",".join(flight.values()) for flight in flights)]
    path.write_text("\n".join(lines) + "\n")
    rows, reasons = transformed(csv_files.source(path))
    assert len(rows) == len(flights)
    assert reasons == {}
    return rows


def transformed(source):
    """The processed rows by their key, and how many lines were set aside for what."""
    with DuckDB() as engine:
        assert pipeline.transform(engine, source, lambda _: None) == 0
        pipeline.check(engine)
        aside = engine.rows(
            "SELECT reason, count(*) AS lines FROM flights_typed WHERE reason IS NOT NULL GROUP BY reason"
        )
        rows = engine.rows("SELECT * FROM flights")
    return {tuple(row[name] for name in KEY): row for row in rows}, {row["reason"]: row["lines"] for row in aside}


def without(row, *names):
    return {name: value for name, value in row.items() if name not in names}


class TestBts:
    """Files of the Bureau of Transportation Statistics, the present form and the older one."""

    @pytest.mark.parametrize("header", [True, False], ids=["header", "no header"])
    @pytest.mark.parametrize("form", ["present", "older"])
    @pytest.mark.parametrize("suffix", ["zip", "csv"])
    def test_the_same_rows(self, flights, expected, tmp_path, form, header, suffix):
        names, line = (written.PRESENT, written.as_bts) if form == "present" else (written.OLDER, written.as_older_bts)
        path = written.bts_file(
            tmp_path / f"1.{suffix}", [line(flight) for flight in flights], names if header else None
        )
        rows, reasons = transformed(bts.source(path))
        assert reasons == {}
        assert rows.keys() == expected.keys()
        for key, row in rows.items():
            assert without(row, "carrier_name") == without(expected[key], "carrier_name")

    def test_a_folder_of_months_in_both_forms(self, flights, expected, tmp_path):
        first, second = flights[::2], flights[1::2]
        written.bts_file(tmp_path / "2007.csv", [written.as_older_bts(flight) for flight in first], written.OLDER)
        (tmp_path / "2013").mkdir()
        written.bts_file(tmp_path / "2013" / "1.zip", [written.as_bts(flight) for flight in second], written.PRESENT)
        rows, _ = transformed(bts.source(tmp_path))
        assert rows.keys() == expected.keys()

    def test_a_month_that_is_there_twice(self, flights, tmp_path):
        lines = [written.as_bts(flight) for flight in flights]
        for name in ("a.zip", "b.zip"):
            written.bts_file(tmp_path / name, lines, written.PRESENT)
        rows, reasons = transformed(bts.source(tmp_path))
        assert len(rows) == len(flights)
        assert reasons == {"repeated": len(flights)}

    def test_the_former_owner_of_a_code_has_a_number(self, flights, tmp_path):
        """Pan American's records say "PA (1)"."""
        line = written.as_older_bts(flights[0] | {"carrier": "PA (1)"})
        rows, _ = transformed(bts.source(written.bts_file(tmp_path / "1987.csv", [line], written.OLDER)))
        assert [row["carrier"] for row in rows.values()] == ["PA"]

    def test_a_registration_without_its_n(self, flights, tmp_path):
        flight = next(flight for flight in flights if flight["tailnum"] == "N14228")
        line = written.as_bts(flight | {"tailnum": "14228"})
        rows, _ = transformed(bts.source(written.bts_file(tmp_path / "1.zip", [line], written.PRESENT)))
        (row,) = rows.values()
        assert (row["tailnum"], row["aircraft"], row["plane_manufacturer"]) == ("14228", "N14228", "BOEING")

    def test_what_was_cancelled_after_it_had_left_the_gate(self, flights, tmp_path):
        flight = next(flight for flight in flights if flight["dep_delay"] not in ("NA", "0"))
        line = written.as_bts(flight | {"arr_time": "NA", "arr_delay": "NA"})
        line[written.PRESENT.index("Cancelled")], line[written.PRESENT.index("Diverted")] = "1.00", "0.00"
        rows, _ = transformed(bts.source(written.bts_file(tmp_path / "1.zip", [line], written.PRESENT)))
        (row,) = rows.values()
        assert (row["cancelled"], row["diverted"]) == (True, False)
        assert row["dep_delay"] == int(flight["dep_delay"])


def anac_file(path, form, flights):
    """A file of the agency, in one of the ways in which it has written them."""
    if form.startswith("open data"):
        lines = [written.OPEN_DATA, *(written.open_data_line(written.as_anac(f, "%Y-%m-%d %H:%M:%S")) for f in flights)]
        text, encoding = "\n".join(["Atualizado em: 2025-03-01", *lines]), "utf-8-sig"
    else:
        clock = "%d/%m/%Y %H:%M:%S" if "seconds" in form else "%d/%m/%Y %H:%M"
        lines = [written.SIROS, *(written.siros_line(written.as_anac(f, clock)) for f in flights)]
        if "20 columns" in form:
            lines = [line.rpartition(";")[0] for line in lines]
        text, encoding = "\r\n".join(lines), "cp1252" if "windows-1252" in form else "utf-8-sig"
    path.write_bytes((text + "\n").encode(encoding))
    return path


class TestAnac:
    """Files of Brazil's civil aviation agency: Brasília's clocks everywhere, ICAO codes."""

    @pytest.mark.parametrize("form", ["siros", "siros, seconds", "siros, 20 columns, windows-1252", "open data"])
    def test_the_same_instants_and_delays(self, flights, expected, tmp_path, form):
        rows, reasons = transformed(anac.source(anac_file(tmp_path / "vra.csv", form, flights)))
        assert set(reasons) <= {"contradiction", "clocks_disagree"}
        # A diverted flight is "realizado" without an arrival: the agency has no word for it.
        assert reasons["contradiction"] == sum(row["diverted"] for row in expected.values())
        compared = 0
        for key, ours in expected.items():
            if ours["diverted"] or self.ambiguous(ours):
                continue
            theirs = rows[key]
            for name in ("dest", "sched_dep_utc", "dep_utc", "sched_arr_utc", "arr_utc", "dep_delay", "arr_delay",
                         "cancelled", "weekday", "origin_tz", "dest_tz", "temp_c", "dest_temp_c"):  # fmt: skip
                assert theirs[name] == ours[name], (name, ours)
            for name in ("sched_arr_time", "dep_time", "arr_time"):
                assert (theirs[name] or 0) % 2400 == (ours[name] or 0) % 2400 or self.clocks_changed(ours), name
            compared += 1
        assert compared > len(flights) * 0.95

    @staticmethod
    def ambiguous(row):
        """Whether one of its instants is in the hour that Brasília's clocks showed twice."""
        since, until = dt.datetime(2013, 2, 17, 1), dt.datetime(2013, 2, 17, 3)  # 23:00 to midnight, twice
        moments = (row["sched_dep_utc"], row["dep_utc"], row["sched_arr_utc"], row["arr_utc"])
        return any(moment is not None and since <= moment < until for moment in moments)

    @staticmethod
    def clocks_changed(row):
        return (row["month"], row["day"]) in SUMMER_TIME_BEGINS_OR_ENDS
