"""The flights that are asked about, and what the pipeline answers: all different, as a repeated one flatters caches."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import duckdb

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "model" / "flight_delay_model.joblib"
TABLE = ROOT / "data" / "processed"
MANY = 4000


def flights() -> list[dict[str, Any]]:
    """Return flights of the table, by the documented ten fields: one of every route of every airline, then any."""
    rows = f"""
        SELECT month, day, sched_dep_time // 100 AS hour, sched_dep_time, sched_arr_time, origin, dest, carrier,
            round(distance_km, 1) AS distance, dep_delay::DOUBLE AS dep_delay
        FROM read_parquet('{TABLE}/**/*.parquet', hive_partitioning = true)
        WHERE dep_delay IS NOT NULL AND sched_arr_time IS NOT NULL AND distance_km IS NOT NULL
        QUALIFY row_number() OVER (
            PARTITION BY month, day, sched_dep_time, sched_arr_time, origin, dest, carrier, dep_delay) = 1
        ORDER BY row_number() OVER (PARTITION BY carrier, origin, dest ORDER BY hash(month, day, sched_dep_time)) > 1,
            hash(day, sched_dep_time, dest, dep_delay, month, carrier)
        LIMIT {MANY}
    """
    with duckdb.connect() as connection:
        found = connection.execute(rows)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def bodies(asked: list[dict[str, Any]]) -> list[bytes]:
    """Return each flight as the body of a request."""
    return [json.dumps(flight).encode() for flight in asked]


def answers(asked: list[dict[str, Any]]) -> list[float]:
    """Return the minutes that the scikit-learn pipeline answers, of which the service's are to be the same floats."""
    import joblib

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [float(minutes) for minutes in joblib.load(MODEL).predict(asked)]
