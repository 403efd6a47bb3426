"""Measure batches in each form, over HTTP, the service on one core; writes `docs/benchmarks-batches.md`.

`python benchmarks/batches.py`, after `make run` has made a table and a model. Needs Linux: it holds processes to cores.
"""

from __future__ import annotations

import datetime as dt
import http.client
import io
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import figures
import flights
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import servers

from flight_delay.api import packed
from flight_delay.api.forms import media
from flight_delay.api.forms.gathering import Gathering
from flight_delay.model.artifact import Artifact
from flight_delay.model.features import Specialist, features_of
from flight_delay.model.flight_columns import FlightColumns

ROOT = Path(__file__).parent.parent
ROWS = 100_000
TURNS = 7
TODAY = dt.datetime.now(dt.UTC).date()
JSON, NDJSON, ARROW, PARQUET = (form.media_type for form in media.FORMS)
NAMES = {JSON: "JSON", NDJSON: "NDJSON", ARROW: "Arrow", PARQUET: "Parquet"}


def rows() -> pa.Table:
    """Return different flights of the table, by the documented ten fields."""
    query = f"""
        WITH asked AS (
            SELECT DISTINCT month, day, sched_dep_time // 100 AS hour, sched_dep_time, sched_arr_time, origin, dest,
                carrier, round(distance_km, 1) AS distance, dep_delay::DOUBLE AS dep_delay
            FROM read_parquet('{flights.TABLE}/**/*.parquet', hive_partitioning = true)
            WHERE dep_delay IS NOT NULL AND sched_arr_time IS NOT NULL AND distance_km IS NOT NULL
        )
        FROM asked ORDER BY hash(month, day, sched_dep_time, dest, carrier, dep_delay) LIMIT {ROWS}
    """
    with duckdb.connect() as connection:
        found = connection.execute(query).to_arrow_table()
    assert found.num_rows == ROWS
    return found


def bodies(table: pa.Table) -> dict[str, bytes]:
    """Return the rows in each form."""
    listed = table.to_pylist()
    stream, file = io.BytesIO(), io.BytesIO()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    pq.write_table(table, file)
    return {
        JSON: json.dumps(listed).encode(),
        NDJSON: b"".join(json.dumps(row).encode() + b"\n" for row in listed),
        ARROW: stream.getvalue(),
        PARQUET: file.getvalue(),
    }


def minutes(body: bytes, form: str) -> np.ndarray:
    """Return the predictions of an answer."""
    if form in {JSON, NDJSON}:
        answers = json.loads(body) if form == JSON else map(json.loads, body.splitlines())
        return np.array([answer["prediction"] for answer in answers])
    read = pa.ipc.open_stream(body).read_all() if form == ARROW else pq.read_table(io.BytesIO(body))
    return read["prediction"].to_numpy()


def asked(server: servers.Server, body: bytes, form: str) -> tuple[float, float, bytes]:
    """Return how many seconds a request took, how many of a processor, and the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    cpu, started = server.cpu_seconds(), time.perf_counter()
    connection.request("POST", "/model/predict/batch/", body, {"Content-Type": form})
    response = connection.getresponse()
    answer = response.read()
    taken = time.perf_counter() - started
    connection.close()
    assert response.status == 200, answer[:500]
    return taken, server.cpu_seconds() - cpu, answer


def over_http(sent: Mapping[str, bytes], expected: np.ndarray, settings: Mapping[str, str]) -> dict[str, Any]:
    """Measure each form in turns, against a service that has one core; every answer is checked."""
    cores = sorted(os.sched_getaffinity(0))
    found: dict[str, list[dict[str, float]]] = {form: [] for form in sent}
    with tempfile.TemporaryDirectory() as scratch:
        os.sched_setaffinity(0, {cores[0]})  # which the server inherits
        with servers.flight_delay(Path(scratch), settings, servers.free_port()) as server:
            os.sched_setaffinity(0, {cores[-1]})
            before = server.memory().rss
            most = before
            for turn in range(TURNS + 1):
                for form, body in sent.items():
                    taken, cpu, answer = asked(server, body, form)
                    most = max(most, server.memory().rss)
                    assert np.array_equal(minutes(answer, form), expected), f"{form}: not the model's own answers"
                    print(f"turn {turn} of {TURNS}: {NAMES[form]} {ROWS / taken:,.0f} rows/s", flush=True)
                    if turn:  # the first warms up
                        found[form].append({"rate": ROWS / taken, "cpu_us": cpu / ROWS * 1e6})
        os.sched_setaffinity(0, set(cores))
    return {"loads": found, "before_mb": before, "most_mb": most}


def read(body: bytes) -> FlightColumns:
    """Return the columns of a stream of Arrow, as the service reads it."""
    import asyncio

    async def gathered() -> FlightColumns:
        gathering = Gathering(ROWS)
        reader = media.ARROW.reader(gathering)
        for start in range(0, len(body), 65_536):
            await reader.feed(body[start : start + 65_536])
        await reader.finish()
        return gathering.whole().columns

    return asyncio.run(gathered())


def timed(work: Callable[[], object]) -> list[float]:
    """Return microseconds for a row, several times."""
    found = []
    for _ in range(TURNS + 1):
        started = time.perf_counter()
        work()
        found.append((time.perf_counter() - started) / ROWS * 1e6)
    return found[1:]


def in_process(model: Artifact, sent: Mapping[str, bytes]) -> dict[str, list[float]]:
    """Measure the parts of the work, beside the trees alone."""
    columns = read(sent[ARROW])
    trees = model.experts[Specialist.DEPARTED_ALONE].trees
    features = np.random.default_rng(0).normal(size=(ROWS, len(features_of(Specialist.DEPARTED_ALONE)))) * 100
    heads = model.experts[Specialist.DEPARTED_ALONE].locations
    return {
        "the trees alone (`Trees.predict_many`)": timed(lambda: trees.predict_many(features, heads)),
        "the answers: features and trees (`Artifact.minutes`)": timed(lambda: model.minutes(columns, TODAY)),
        "Arrow into columns": timed(lambda: read(sent[ARROW])),
        "validation of the columns": timed(lambda: list(columns.problems())),
        "what the history keeps, packed": timed(lambda: packed.of_columns(columns)),
    }


def report(measured: Mapping[str, Any], parts: Mapping[str, list[float]], sizes: Mapping[str, int]) -> str:
    """Return the page of documentation."""
    lines = [
        "# Benchmarks of batches",
        "",
        "Written by `python benchmarks/batches.py`. One request of 100,000 different flights, the documented ten fields, "
        "point prediction; one process of the service held to one core (its helper for Parquet included), the client on "
        f"another. Median, and the least and the greatest of {TURNS} turns, the forms in turns; every answer is compared "
        "with the model's own, to the last bit. The history is SQLite, and has the batch before the answer is sent.",
        "",
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, "
        f"{platform.machine()}, {dt.date.today()}.",
        "",
        "| form | body MB | rows/s | rows/s without history | CPU µs a row |",
        "| --- | --- | --- | --- | --- |",
    ]
    kept, off = measured["kept"], measured["off"]
    for form, turns in kept["loads"].items():
        rates = [turn["rate"] for turn in turns]
        without = [turn["rate"] for turn in off["loads"][form]]
        cpu = statistics.median(turn["cpu_us"] for turn in turns)
        lines.append(
            f"| {NAMES[form]} | {sizes[form] / 1e6:.1f} | {figures.spread(rates, ',.0f')} "
            f"| {figures.spread(without, ',.0f')} | {cpu:.1f} |"
        )
    lines += [
        "",
        f"Resident memory of the service: {kept['before_mb']:.0f} MB before the first batch, at most "
        f"{kept['most_mb']:.0f} MB between any two of {4 * (TURNS + 1)}.",
        "",
        "In process, on one core: microseconds for a row.",
        "",
        "| part | µs a row |",
        "| --- | --- |",
        *(f"| {name} | {figures.spread(times)} |" for name, times in parts.items()),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and write the page."""
    model = Artifact.from_bytes((ROOT / "model" / "flight_delay_model.npz").read_bytes())
    table = rows()
    sent = bodies(table)
    expected = model.minutes(read(sent[ARROW]), TODAY)
    few = table.slice(0, 500).to_pylist()
    assert expected[:500].tolist() == flights.answers(few), "not the pipeline's answers"
    measured = {
        "kept": over_http(sent, expected, {}),
        "off": over_http(sent, expected, {"KEEP_HISTORY": "false"}),
    }
    parts = in_process(model, sent)
    page = report(measured, parts, {form: len(body) for form, body in sent.items()})
    (ROOT / "docs" / "benchmarks-batches.md").write_text(page, "utf-8")
    print(page)


if __name__ == "__main__":
    sys.exit(main())
