"""Measure the ETL: against a script written by hand, against the same SQL on Spark, and on twenty million flights.

`python benchmarks/etl.py`, or a part of it: `python benchmarks/etl.py small` or `large`. Each run is a process of its own,
in turns. Writes docs/benchmarks-etl.md; takes seven minutes, and needs Java for Spark and 10 GB of disk.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import duckdb

from flight_delay.engines.embedded import DuckDB
from flight_delay.etl import pipeline
from flight_delay.sources import csv_files, nycflights13

ROOT = Path(__file__).parent.parent
TURNS = 5
SPARK_TURNS = 2
YEARS = range(1987, 2047)


def by_hand(output: Path) -> None:
    """Run the script written by hand."""
    source = nycflights13.source()
    tables = {name: str(table.paths[0]) for name, table in source.tables().items()}
    with tempfile.TemporaryDirectory() as scratch:
        with zipfile.ZipFile(tables.pop("flights")) as archive:
            archive.extract("flights.csv", scratch)
        script = (ROOT / "benchmarks" / "by_hand.sql").read_text().format(
            flights=f"{scratch}/flights.csv", reference=tables.pop("reference_airports"), output=output, **tables
        )  # fmt: skip
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(script)


def embedded(output: Path) -> None:
    """Run the pipeline on DuckDB."""
    pipeline.run(nycflights13.source(), output, lambda _: None)


def spark(output: Path) -> None:
    """Run the pipeline on Spark, on this machine."""
    from flight_delay.engines.spark import Spark

    pipeline.run(nycflights13.source(), output, lambda _: None, lambda: Spark("local[*]", output.parent))


def twenty_million(output: Path) -> None:
    """Run the pipeline on DuckDB over the flights of 2013 as if they were those of sixty years."""
    pipeline.run(
        csv_files.source(output.parent / "many"), output, lambda _: None, lambda: DuckDB(output.parent, memory_mb=1200)
    )


def measure(name: str, folder: Path) -> dict[str, float]:
    """Return seconds, peak megabytes and rows of one run in a process of its own."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    command = [sys.executable, __file__, "one", name, str(folder / "out")]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def one(name: str, output: Path) -> None:
    """Do one run, here, and print what it took."""
    started = time.perf_counter()
    {"by hand": by_hand, "duckdb": embedded, "spark": spark, "twenty million": twenty_million}[name](output)
    seconds = time.perf_counter() - started
    with duckdb.connect() as connection:
        ((rows,),) = connection.execute(f"SELECT count(*) FROM '{output}/**/*.parquet'").fetchall()
    print(
        json.dumps(
            {"seconds": seconds, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, "rows": rows}
        )
    )


def small(folder: Path) -> str:
    """Compare the three, in turns; return the table."""
    runs: dict[str, list[dict[str, float]]] = {"by hand": [], "duckdb": [], "spark": []}
    for turn in range(TURNS):
        for name, measured in runs.items():
            if name != "spark" or turn < SPARK_TURNS:
                measured.append(measure(name, folder))
                print(f"{name}: {measured[-1]['seconds']:.2f} s", file=sys.stderr)
    seconds = {name: [run["seconds"] for run in measured] for name, measured in runs.items()}
    median = {name: statistics.median(values) for name, values in seconds.items()}
    lines = [
        "| who | seconds | spread | against the script | peak MB | rows |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    titles = {
        "by hand": "a script by hand for DuckDB (`benchmarks/by_hand.sql`)",
        "duckdb": "`flight-delay etl`",
        "spark": "`flight-delay etl --engine spark --master local[*]`, the same SQL",
    }
    for name, title in titles.items():
        spread = f"{min(seconds[name]):.2f} to {max(seconds[name]):.2f}"
        peak = "" if name == "spark" else f"{max(run['mb'] for run in runs[name]):,.0f}"
        rows = f"{runs[name][0]['rows']:,.0f}"
        lines.append(
            f"| {title} | {median[name]:.2f} | {spread} | {median[name] / median['by hand']:.2f} | {peak} | {rows} |"
        )
    lines += ["", f"Spark takes {median['spark'] / median['duckdb']:.1f} times as long as DuckDB for the same SQL."]
    return "\n".join(lines)


def large(folder: Path) -> str:
    """Run over twenty million; return what it took."""
    (path,) = nycflights13.source().flights.paths
    with zipfile.ZipFile(path) as archive:
        header, _, body = archive.read("flights.csv").decode().partition("\n")
    many = folder / "many"
    many.mkdir()
    for year in YEARS:
        moved = "\n".join(f"{year}{line[4:]}" for line in body.splitlines())
        (many / f"{year}.csv").write_text(f"{header}\n{moved}\n")
    size = sum(file.stat().st_size for file in many.iterdir())
    run = measure("twenty million", folder)
    return (
        f"{run['rows']:,.0f} flights ({size / 1e9:.1f} GB of CSV in {len(YEARS)} files: those of 2013 as if of "
        f"{YEARS[0]} to {YEARS[-1]}): {run['seconds']:.0f} s, at most {run['mb']:,.0f} MB of memory in the process, "
        "with `FLIGHT_DELAY_MEMORY_MB` at its default of 1200."
    )


def main(parts: list[str]) -> None:
    """Measure, and write the page."""
    with tempfile.TemporaryDirectory(dir=ROOT / "data") as scratch:
        found = {name: part(Path(scratch)) for name, part in (("small", small), ("large", large)) if name in parts}
    print("\n\n".join(found.values()))
    if len(found) < 2:
        return
    page = f"""# Benchmarks of the ETL

Written by `python benchmarks/etl.py`. Each run is a process of its own; the median of {TURNS} turns ({SPARK_TURNS} for Spark),
from the packaged raw files to Parquet by month with the contract checked.

{platform.python_implementation()} {platform.python_version()}, DuckDB {duckdb.__version__}, {os.cpu_count()} cores, {platform.machine()}.

## 336,776 flights

{found["small"]}

## Twenty million

{found["large"]}
"""
    (ROOT / "docs" / "benchmarks-etl.md").write_text(page, "utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        one(sys.argv[2], Path(sys.argv[3]))
    else:
        main(sys.argv[1:] or ["small", "large"])
