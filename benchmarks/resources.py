"""Measure what a prediction and a flight take: bytes, commits, the write lock; writes `docs/benchmarks-resources.md`.

`python benchmarks/resources.py [quick]`, after `make run` has made a table and a model. `quick` shows that all of it
works, and writes nothing. `benchmarks/costs.py` reasons from what is written here.
"""

from __future__ import annotations

import datetime as dt
import gzip
import multiprocessing
import socket
import sqlite3
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import batches
import client
import duckdb
import flights
import page
import psutil
import psycopg
import servers
from figures import spread, table
from serving import Asked, asked

from flight_delay.api import export
from flight_delay.api.history import Page
from flight_delay.store import batches as store_batches
from flight_delay.store import retention
from flight_delay.store.database import Lasting, database_at, opened
from flight_delay.store.rows import Prediction, insert_live

CLIENTS = 64
WRITERS = (1, 3)
GROUPS = (1, 16, 64, 250, 1000)
"""How many predictions are committed together; 1000 is how many may wait in a process, `FLIGHT_DELAY_MAX_WAITING`."""
START_S = 4.0
"""How long processes that write have to come up before they begin together."""


class Pace(NamedTuple):
    """How long the service is asked, how often and how long the lock is measured, and of how many rows the rest is."""

    load_s: float
    turns: int
    turn_s: float
    rows: int


class Written(NamedTuple):
    """What one process wrote, and when its first commit began and its last one ended."""

    predictions: int
    began: float
    ended: float


def answered(port: int, request: bytes) -> int:
    """Return how many bytes an answer has, its head included."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request)
        return len(connection.recv(65536))


def scraped(port: int) -> list[str]:
    """Return the lines of `/metrics/` that are series."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
        f"http://127.0.0.1:{port}/metrics/"
    ) as found:
        return [line for line in found.read().decode().splitlines() if not line.startswith("#")]


def counted(series: Sequence[str], name: str) -> float:
    """Return a series without labels."""
    return next(float(line.rpartition(" ")[2]) for line in series if line.startswith(f"{name} "))


def in_postgresql(scratch: Path, url: str, asked: Asked, pace: Pace) -> dict[str, str]:
    """Measure what the service leaves in PostgreSQL, and on the wire."""
    with (
        servers.flight_delay(scratch / "postgresql", {"DATABASE_URL": url}, servers.free_port()) as server,
        psycopg.connect(url, autocommit=True) as connection,
    ):

        def value(query: str) -> int:
            row = connection.execute(query).fetchone()
            assert row is not None
            return int(row[0])

        log = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"
        connection.execute("CHECKPOINT")
        before = value(log)
        client.measure([server.port], CLIENTS, asked.requests, asked.is_pipelines, pace.load_s)
        connections = value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'flight-delay'")
        rows, written = value("SELECT count(*) FROM predictions"), value(log) - before
        series = scraped(server.port)
        commits = counted(series, "flight_delay_commit_duration_seconds_count")
        together = rows / commits
        size = value("SELECT pg_total_relation_size('predictions')")
        exchanged = [(len(one), answered(server.port, one)) for one in asked.requests[:200]]
        batch = batches.bodies(batches.rows())[batches.JSON]
        _, _, answer = batches.asked(server, batch, batches.JSON)
        in_batch = value("SELECT pg_total_relation_size('batches')")
    return {
        "PostgreSQL: bytes of a prediction, indexes included": f"{size / rows:.0f}",
        "PostgreSQL: bytes of its write-ahead log for a prediction": f"{written / rows:.0f}",
        f"PostgreSQL: predictions in a commit, {CLIENTS} clients": f"{together:.1f}",
        "PostgreSQL: connections of a process that has answered": f"{connections}",
        f"PostgreSQL: bytes of a prediction in a batch of {batches.ROWS:,}": f"{in_batch / batches.ROWS:.1f}",
        "a request: bytes, with its head": f"{statistics.mean(sent for sent, _ in exchanged):.0f}",
        "its answer: bytes, with its head": f"{statistics.mean(came for _, came in exchanged):.0f}",
        "a batch as JSON: bytes of a prediction": f"{len(batch) / batches.ROWS:.0f}",
        "its answer: bytes of a prediction": f"{len(answer) / batches.ROWS:.0f}",
        "series in the metrics of a process": f"{len(series)}",
    }


def in_sqlite(scratch: Path, asked: Asked, pace: Pace) -> dict[str, str]:
    """Measure how much the file grows, its write-ahead log emptied into it."""
    path = scratch / "sqlite" / "data" / "flight_delay.sqlite3"

    def size() -> tuple[int, int]:
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [rows] = connection.execute("SELECT count(*) FROM predictions").fetchone()
        [used] = connection.execute(
            "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
        ).fetchone()
        connection.close()
        return rows, used

    with servers.flight_delay(path.parent.parent, {}, servers.free_port()) as server:
        rows_before, before = size()
        client.measure([server.port], CLIENTS, asked.requests, asked.is_pipelines, pace.load_s)
    rows, after = size()
    return {"SQLite: bytes of a prediction, indexes included": f"{(after - before) / (rows - rows_before):.0f}"}


def in_parquet() -> dict[str, str]:
    """Measure the processed table."""
    [(rows,)] = duckdb.sql(f"SELECT count(*) FROM read_parquet('{flights.TABLE}/**/*.parquet')").fetchall()
    size = sum(file.stat().st_size for file in flights.TABLE.rglob("*.parquet"))
    return {f"the processed table of {rows:,} flights: bytes of a flight": f"{size / rows:.1f}"}


def writing(url: str, kept: Sequence[Prediction], group: int, begin: float, seconds: float) -> Written:
    """Commit as many groups as a process can; runs in a process of its own."""
    many = list(kept) * (1 + group // len(kept))
    lasting, written, at = Lasting(database_at(url)), 0, 0
    lasting.connection()
    time.sleep(max(0.0, begin - time.time()))
    began = time.time()
    while time.time() < began + seconds:
        with lasting.transaction() as connection:
            written += len(insert_live(connection, many[at : at + group]))
        at = (at + group) % (len(many) - group + 1)
    lasting.close()
    return Written(written, began, time.time())


def lock(url: str, pace: Pace) -> Iterator[str]:
    """Yield the rows of the table of the write lock: writers with groups of any size, in turns."""
    kept = harvested(url)
    found: dict[tuple[int, int], list[tuple[float, float]]] = {}
    with (
        psycopg.connect(url, autocommit=True) as connection,
        ProcessPoolExecutor(max(WRITERS), multiprocessing.get_context("spawn")) as pool,
    ):
        for turn in range(pace.turns):
            for writers in WRITERS:
                for group in GROUPS:
                    connection.execute("TRUNCATE predictions")
                    cpu = cpu_of_server(connection)
                    begin = time.time() + (START_S if not found else 0.3)
                    jobs = [pool.submit(writing, url, kept, group, begin, pace.turn_s) for _ in range(writers)]
                    all_written = [job.result() for job in jobs]
                    cpu = cpu_of_server(connection) - cpu
                    rows = sum(one.predictions for one in all_written)
                    took = max(one.ended for one in all_written) - min(one.began for one in all_written)
                    found.setdefault((writers, group), []).append((rows / took, cpu / rows * 1e6))
                    print(f"turn {turn + 1}: {writers} writers, {group} together: {rows / took:,.0f}/s", flush=True)
    for (writers, group), turns in found.items():
        rates = [rate for rate, _ in turns]
        yield (
            f"{writers} | {group} | {spread(rates, ',.0f')} | {statistics.median(rates) / group:,.0f} "
            f"| {statistics.median(cpu for _, cpu in turns):.0f}"
        )


def harvested(url: str) -> list[Prediction]:
    """Return predictions as the service wrote them, to be written again."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT predicted_at, request_id, (SELECT max(generation) FROM promotions), model_version, input::text, "
            "prediction FROM predictions ORDER BY id LIMIT 4000"
        ).fetchall()
    return [Prediction(*row) for row in rows]


def cpu_of_server(connection: psycopg.Connection[Any]) -> float:
    """Return the CPU time of all processes of a PostgreSQL, those that have ended included, once others have left."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    while connection.execute(others).fetchone() != (0,):
        time.sleep(0.05)
    time.sleep(0.2)  # until they are reaped
    main = psutil.Process(connection.info.backend_pid).parent()
    assert main is not None
    times = main.cpu_times()
    ended = times.user + times.system + times.children_user + times.children_system
    return float(ended + sum(one.user + one.system for one in (child.cpu_times() for child in main.children())))


def read_and_pruned(url: str, pace: Pace) -> dict[str, str]:
    """Measure what becomes of a history later: taken out as a file, made shorter."""
    kept = harvested(url)
    database = database_at(url)
    with opened(database) as connection:
        connection.query("TRUNCATE predictions")
        for _ in range(max(1, pace.rows // len(kept))):
            connection.begin()
            insert_live(connection, kept)
            connection.commit()
        started = time.perf_counter()
        pieces = list(export.lines(connection, Page(), export.NDJSON))
        read_s = time.perf_counter() - started
        text = b"".join(pieces)
        rows = text.count(b"\n")
    started = time.perf_counter()
    now = dt.datetime.now(dt.UTC)
    pruned = sum(retention.delete(database, retention.Chosen(until=now), "a benchmark", now))
    prune_s = time.perf_counter() - started
    assert pruned == rows
    started = time.perf_counter()
    with psycopg.connect(url, autocommit=True) as plain:
        plain.execute("VACUUM predictions")
    vacuum_s = time.perf_counter() - started
    return {
        "history as NDJSON: bytes of a prediction": f"{len(text) / rows:.0f}",
        "the same, by gzip": f"{len(gzip.compress(text, 6)) / rows:.0f}",
        "PostgreSQL: predictions exported a second, by one command": f"{rows / read_s:,.0f}",
        "PostgreSQL: predictions pruned a second, by one command": f"{rows / prune_s:,.0f}",
        "PostgreSQL: predictions vacuumed a second, when they were pruned": f"{rows / vacuum_s:,.0f}",
    }


def of_batches(url: str, pace: Pace) -> dict[str, str]:
    """Measure how long the write lock is held for a batch: when it is kept, and when it is pruned."""
    database = database_at(url)
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT predicted_at, request_id, (SELECT max(generation) FROM promotions), model_version, rows, inputs, "
            "predictions FROM batches ORDER BY id LIMIT 1"
        ).fetchone()
        assert row is not None
        new, lasting = store_batches.New(*row), Lasting(database)
        cpu, times = cpu_of_server(connection), []
        for _ in range(10 * pace.turns):
            started = time.perf_counter()
            store_batches.keep(lasting, new)
            times.append((time.perf_counter() - started) * 1e3)
        lasting.close()
        cpu = (cpu_of_server(connection) - cpu) / len(times)
    started, now = time.perf_counter(), dt.datetime.now(dt.UTC)
    with opened(database) as opening:
        ids = tuple(one.id for one in store_batches.page(opening, 1000))
    rows = sum(retention.delete(database, retention.Chosen(batch_ids=ids), "a benchmark", now))
    pruned_ms = (time.perf_counter() - started) / (rows / batches.ROWS) * 1e3
    return {
        f"PostgreSQL: ms to keep a batch of {batches.ROWS:,}": spread(times, ".1f"),
        "PostgreSQL: ms of its processors for that": f"{cpu * 1e3:.1f}",
        "PostgreSQL: ms to prune it": f"{pruned_ms:.1f}",
    }


def main(words: list[str]) -> None:
    """Measure, and write the page; `quick` only shows it."""
    quick = "quick" in words
    pace = Pace(1.0, 1, 0.5, 20_000) if quick else Pace(15.0, 3, 2.0, 200_000)
    requests = asked()
    with tempfile.TemporaryDirectory() as name, servers.postgresql() as postgresql:
        scratch, url = Path(name), next(postgresql.urls)
        found = in_postgresql(scratch, url, requests, pace)
        found |= in_sqlite(scratch, requests, pace)
        locked = list(lock(url, pace))
        found |= of_batches(url, pace) | read_and_pruned(url, pace) | in_parquet()
        version = postgresql.version
    text = f"""# Benchmarks of resources

Written by `python benchmarks/resources.py`, {dt.date.today()}: what a prediction and a flight take, as the service and its
commands write them. The requests are 4,000 different flights by the documented ten fields. What it makes of a month, and
of other rates: [architecture](architecture.md).

{page.machine()}, PostgreSQL {version}.

{table("what | measured", [f"{what} | {value}" for what, value in found.items()])}

## The write lock of PostgreSQL

One group of predictions commits at a time ([why](decisions/0016-one-lock-on-two-databases.md)). Processes that do nothing
but commit groups of predictions, with the statement of the service, `fsync` and `synchronous_commit` on; they and PostgreSQL
share the cores. Median and spread of {pace.turns} turns of {pace.turn_s:.0f} s.

{table("processes | predictions in a commit | predictions/s | commits/s | CPU µs of PostgreSQL a prediction", locked)}
"""
    if not quick:
        (page.ROOT / "docs" / "benchmarks-resources.md").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    servers.end_when_told()
    main(sys.argv[1:])
