"""The same transformations on Apache Spark, on this machine or on a cluster."""

from __future__ import annotations

import csv
import os
import re
import shutil
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Any, Self

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from flight_delay.engines.embedded import DuckDB
from flight_delay.errors import JavaMissing, SparkFailed
from flight_delay.sources import CsvTable

OLDEST_JAVA = 17
_PARTS_PER_CORE = 2
_STANDALONE = "spark://"
_REACH_S = 5
_LOGGING = Path(__file__).with_name("log4j2.properties")
_SETTINGS = {
    # An instant is UTC and has no zone of its own, as in DuckDB.
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile=file:{_LOGGING}",
}


def find_java() -> Path:
    """Return the Java that Spark will use: of `JAVA_HOME`, or on the PATH.

    Raises `JavaMissing` where there is none, or one that is too old for Spark.
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home, "bin"))) if home else shutil.which("java")
    if found is None:
        raise JavaMissing(home or "PATH", OLDEST_JAVA)
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    if version is None or int(version[1]) < OLDEST_JAVA:
        raise JavaMissing(f"{found} ({said.partition(chr(10))[0]})", OLDEST_JAVA)
    return Path(found)


class Spark:
    """An engine: raw files are read by DuckDB and handed over as Parquet, everything after is Spark's.

    Zips, encodings and broken lines are thus treated by one reader, and the two engines start from
    the same rows. `shared` is a folder that driver and executors all reach, for what is handed over.
    """

    def __init__(self, master: str, shared: Path) -> None:
        """Open a session; raises `JavaMissing`, and `SparkFailed` where `master` gives none."""
        find_java()
        _reach(master)
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = SparkSession.builder.master(master).appName("flight-delay etl")
        for name, value in _SETTINGS.items():
            builder = builder.config(name, value)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # of the version of pandas, which is not used here
                self._spark = builder.getOrCreate()
        except (Py4JError, PySparkException) as error:
            raise SparkFailed(master, _first_line(error)) from error
        # Spark's own 200 parts are for hundreds of cores: on two they take three times as long.
        parts = _PARTS_PER_CORE * self._spark.sparkContext.defaultParallelism
        self._spark.conf.set("spark.sql.shuffle.partitions", parts)
        shared.mkdir(parents=True, exist_ok=True)
        self._scratch = Path(mkdtemp(prefix=".spark-", dir=shared)).absolute()
        self._reader = DuckDB()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spark.stop()
        self._reader.__exit__(kind, error, trace)
        shutil.rmtree(self._scratch)

    def read_csv(self, name: str, table: CsvTable, wanted: Iterable[str] = ()) -> int:
        """Read CSV files, as `DuckDB.read_csv` does."""
        unreadable = self._reader.read_csv(name, table, wanted)
        self._take_over(name)
        self._take_over(f"{name}_broken")
        return unreadable

    def open_parquet(self, name: str, folder: Path) -> None:
        """Make the table `name` of the Parquet files in a folder, with the partitions as columns."""
        self._spark.read.option("pathGlobFilter", "*.parquet").parquet(str(folder.absolute())).createOrReplaceTempView(
            name
        )

    def insert(self, name: str, columns: dict[str, str], rows: Iterable[Sequence[Any]]) -> None:
        """Make the table `name` from values; `columns` gives names and SQL types."""
        self._reader.insert(name, columns, rows)
        self._take_over(name)

    def create(self, name: str, statement: str) -> None:
        """Make the table `name` from a SELECT, computed now and kept as Parquet.

        Cached instead, a plan holds the plans of all the tables before it, and describing it to itself
        takes Spark longer than the work.
        """
        path = self._scratch / f"{name}.parquet"
        self._spark.sql(statement).write.parquet(str(path), mode="overwrite")
        self._spark.read.parquet(str(path)).createOrReplaceTempView(name)

    def view(self, name: str, statement: str) -> None:
        """Give a SELECT a name."""
        self._spark.sql(statement).createOrReplaceTempView(name)

    def count(self, statement: str) -> int:
        """Return how many rows a SELECT gives."""
        return self._spark.sql(statement).count()

    def counts(self, statements: Sequence[str]) -> list[int]:
        """Return how many rows each of some SELECTs gives; in one job, since each would take a second to begin."""
        counted = " UNION ALL ".join(
            f"SELECT {number} AS number, count(*) AS total FROM ({statement}) AS rows_{number}"
            for number, statement in enumerate(statements)
        )
        return [row["total"] for row in self.rows(f"SELECT total FROM ({counted}) AS counted ORDER BY number")]

    def rows(self, statement: str) -> list[dict[str, Any]]:
        """Return the rows of a SELECT."""
        return [row.asDict() for row in self._spark.sql(statement).collect()]

    def write_parquet(self, table: str, folder: Path, partition_by: Sequence[str], order_by: Sequence[str]) -> None:
        """Write a table as Parquet, one file for each value of the partitioning columns."""
        by_partition = self._spark.table(table).repartition(*partition_by)
        ordered = by_partition.sortWithinPartitions(*partition_by, *order_by)
        ordered.write.partitionBy(*partition_by).parquet(str(folder.absolute()))
        for checksum in folder.rglob(".*.crc"):
            checksum.unlink()

    def write_csv(self, statement: str, path: Path) -> None:
        """Write the rows of a SELECT as CSV with a header."""
        selected = self._spark.sql(statement)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(selected.columns)
            writer.writerows(selected.toLocalIterator())

    def _take_over(self, name: str) -> None:
        path = self._scratch / f"{name}.parquet"
        self._reader.export(name, path)
        self._spark.read.parquet(str(path)).createOrReplaceTempView(name)


def _reach(master: str) -> None:
    """Try the addresses of a standalone master: Spark itself gives up only after a minute.

    Raises `SparkFailed` where none of them answers.
    """
    if not master.startswith(_STANDALONE):
        return
    problem = ""
    for address in master.removeprefix(_STANDALONE).split(","):
        host, _, port = address.rpartition(":")
        try:
            with socket.create_connection((host, int(port)), timeout=_REACH_S):
                return
        except (OSError, ValueError) as error:
            problem = str(error)
    raise SparkFailed(master, problem)


def _first_line(error: Exception) -> str:
    """Return what Spark says first, without the stack of the virtual machine."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line for line in lines if "Exception" in line), lines[0] if lines else type(error).__name__)
