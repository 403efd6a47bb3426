"""What the system needs at several rates, reasoned from the measured figures; the tables of `docs/architecture.md`.

`python benchmarks/costs.py` prints them, `--write` puts them into the document. With prices it prints money too:
`python benchmarks/costs.py --price core_hour=0.04 --price database_gb_month=0.12 ...`, in any currency.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from figures import table
from measured import DOCS, Lock, Measured, measured

DOCUMENT = DOCS / "architecture.md"
BEGIN, END = "<!-- python benchmarks/costs.py -->", "<!-- end -->"
DAY_S = 86_400
MONTH_DAYS = 30
MONTH_H = MONTH_DAYS * 24
LEAST_REPLICAS = 3
"""As in `kubernetes/deployment.yaml`: one may be rolled and one may fail."""
LEAST_CORES = 0.25
VOLUME_GIB = 8
"""Of the database in `kubernetes/deployment.yaml`."""
COPIES = 2
"""Of the database: a standby takes over."""
MONTHS_KEPT = 12
"""How long exported history stays in the object storage."""
SCRAPE_S = 15
TRAININGS = MONTH_DAYS


class Scenario(NamedTuple):
    """So many predictions a second, single or in batches of 100,000; kept so many days in the database."""

    name: str
    rate: float
    in_batches: bool
    days: int


class Need(NamedTuple):
    """What a scenario needs; of databases, what each needs unless said otherwise. Sizes in GB (10**9 bytes)."""

    replicas: int
    busy_cores: float
    replica_cores: float
    replica_gb: float
    databases: int
    lock_share: float
    commits_s: float
    log_mb_s: float
    database_busy_cores: float
    database_cores: float
    connections: int
    day_gb: float
    database_gb: float
    exported_gb_month: float
    exporters: int
    in_mbit_s: float
    out_mbit_s: float
    samples_s: float


SCENARIOS = (
    Scenario("1/s", 1, False, 90),
    Scenario("1,000/s", 1_000, False, 30),
    Scenario("100,000/s", 100_000, False, 1),
    Scenario("100,000/s in batches", 100_000, True, 30),
)
PRICES = {
    "core_hour": "a core of the cluster or of a job, an hour",
    "gb_hour": "a GB of its memory, an hour",
    "database_core_hour": "a core of the managed database with its memory, an hour",
    "database_gb_month": "a GB of its disk, a month",
    "object_gb_month": "a GB of object storage, a month",
    "egress_gb": "a GB that leaves the cloud",
}


def need(scenario: Scenario, known: Measured, use: float) -> Need:
    """Return what a scenario needs where no part is planned for more than a share `use` of what it was measured to do."""
    return _of_batches(scenario, known, use) if scenario.in_batches else _of_singles(scenario, known, use)


def _of_singles(scenario: Scenario, known: Measured, use: float) -> Need:
    rate = scenario.rate
    best = max(known.locks, key=lambda lock: lock.rate)
    databases = math.ceil(rate * _held(best, known) / use)
    each = rate / databases
    smallest = next((lock for lock in known.locks if each * _held(lock, known) <= use), best)
    # What a second process adds was measured; each further one is taken to add as much.
    per_replica = known.postgresql_rate * min(1.0, known.two_processes / 2)
    replicas = databases * max(LEAST_REPLICAS, math.ceil(each / (per_replica * use)) + 1)
    calm = rate / replicas <= known.one_client_rate
    busy = rate * (known.one_client_us if calm else known.postgresql_us) / 1e6
    day_gb = rate * DAY_S * known.row_bytes / 1e9
    return Need(
        replicas=replicas,
        busy_cores=busy,
        replica_cores=_quarters(busy / replicas / use),
        replica_gb=_quarters(2 * known.resident_mb / 1000),
        databases=databases,
        lock_share=each * _held(smallest, known),
        commits_s=each / smallest.group,
        log_mb_s=each * known.log_bytes / 1e6,
        database_busy_cores=each * smallest.cpu_us / 1e6,
        database_cores=max(1.0, math.ceil(each * smallest.cpu_us / 1e6 / use)),
        connections=replicas // databases * known.connections,
        day_gb=day_gb,
        database_gb=day_gb * scenario.days / databases,
        exported_gb_month=rate * DAY_S * MONTH_DAYS * known.exported_bytes / 1e9,
        exporters=math.ceil(rate / (known.exported_rate * use)),
        in_mbit_s=rate * known.request_bytes * 8 / 1e6,
        out_mbit_s=rate * known.answer_bytes * 8 / 1e6,
        samples_s=replicas * known.series / SCRAPE_S,
    )


def _held(lock: Lock, known: Measured) -> float:
    """Return how long the lock is held for a prediction, in seconds: it is written, and one day pruned."""
    return 1 / lock.rate + 1 / known.pruned_rate


def _of_batches(scenario: Scenario, known: Measured, use: float) -> Need:
    rate = scenario.rate
    replicas = max(LEAST_REPLICAS, math.ceil(rate / (known.batch_rate * use)) + 1)
    busy = rate * known.batch_us / 1e6
    day_gb = rate * DAY_S * known.batch_row_bytes / 1e9
    commits = rate / 100_000
    return Need(
        replicas=replicas,
        busy_cores=busy,
        replica_cores=1.0,  # a batch is answered as fast as a core allows
        replica_gb=_quarters(2 * known.batch_mb / 1000),
        databases=1,
        lock_share=commits * (known.batch_kept_ms + known.batch_pruned_ms) / 1000,
        commits_s=commits,
        log_mb_s=rate * known.batch_row_bytes / 1e6,
        database_busy_cores=commits * known.batch_cpu_ms / 1000,
        database_cores=1.0,
        connections=replicas * known.connections,
        day_gb=day_gb,
        database_gb=day_gb * scenario.days,
        exported_gb_month=0.0,
        exporters=0,
        in_mbit_s=rate * known.batch_request_bytes * 8 / 1e6,
        out_mbit_s=rate * known.batch_answer_bytes * 8 / 1e6,
        samples_s=replicas * known.series / SCRAPE_S,
    )


def _quarters(amount: float) -> float:
    return max(LEAST_CORES, math.ceil(amount * 4) / 4)


def paid(needed: Need, known: Measured) -> dict[str, float]:
    """Return what is paid for in a month, by the names of `PRICES`."""
    job_core_hours = TRAININGS * (known.etl_s + known.features_s + known.fit_s) * known.cores / 3600
    out_gb = needed.out_mbit_s / 8 * DAY_S * MONTH_DAYS / 1000
    return {
        "core_hour": needed.replicas * needed.replica_cores * MONTH_H + job_core_hours,
        "gb_hour": needed.replicas * needed.replica_gb * MONTH_H,
        "database_core_hour": needed.databases * needed.database_cores * COPIES * MONTH_H,
        "database_gb_month": needed.databases * needed.database_gb * COPIES,
        "object_gb_month": needed.exported_gb_month * MONTHS_KEPT,
        "egress_gb": out_gb,
    }


def short(amount: float) -> str:
    """Return a number with two figures at least, and no more than is meant."""
    if amount == 0:
        return "0"
    if amount >= 100:
        return f"{round(amount, 2 - math.floor(math.log10(amount))):,.0f}"
    return f"{amount:.2g}" if amount < 10 else f"{amount:.0f}"


def limits(known: Measured) -> str:
    """Return the table of limits."""
    best = max(known.locks, key=lambda lock: lock.rate)
    together = 1 / (1 / best.rate + 1 / known.pruned_rate)
    cells = [
        f"one process, SQLite, 64 clients | {known.sqlite_rate:,.0f} predictions/s | one core: reading, answering and "
        "committing share it, and Python's lock | [benchmarks](benchmarks.md)",
        f"one process, PostgreSQL, 64 clients | {known.postgresql_rate:,.0f} predictions/s | the same core, and PostgreSQL "
        "beside it | [benchmarks](benchmarks.md)",
        f"a second process on that PostgreSQL | {known.two_processes:.2f} times one | groups take turns at one write lock "
        "| [benchmarks](benchmarks.md)",
        f"one PostgreSQL, {best.group:,} predictions in a commit | {best.rate:,.0f} predictions/s | "
        "the write lock: one group commits at a time | [resources](benchmarks-resources.md)",
        f"the same, and as many pruned | {together:,.0f} predictions/s | pruning takes the lock too, "
        f"{known.pruned_rate:,.0f} predictions/s | [resources](benchmarks-resources.md)",
        f"history as a file, one command | {known.exported_rate:,.0f} predictions/s | one core that writes JSON | "
        "[resources](benchmarks-resources.md)",
        f"batches as JSON, one core | {known.batch_rate:,.0f} predictions/s | reading JSON | [batches](benchmarks-batches.md)",
        f"ETL of 336,776 flights, one machine | {known.etl_s:.1f} s | two cores that read, join and check "
        "the contract | [ETL](benchmarks-etl.md)",
        f"ETL of {known.many_flights:,.0f} flights, the same machine | {known.many_s:.0f} s, {known.many_mb:,.0f} MB | the disk: "
        "what does not fit in memory waits there | [ETL](benchmarks-etl.md)",
        f"336,776 flights on Spark, the same machine | {known.spark_times:.1f} times as long | it starts, and keeps each step as files | "
        "[ETL](benchmarks-etl.md)",
        f"training on 336,776 flights | {known.features_s + known.fit_s:.0f} s | the network played back, then the fits | "
        "[model](benchmarks-model.md)",
    ]
    return table("limit | measured | where it comes from | page", cells)


def needs(known: Measured, use: float) -> str:
    """Return the table of what each scenario needs."""
    found = [need(scenario, known, use) for scenario in SCENARIOS]

    def line(title: str, cells: Sequence[str]) -> str:
        return " | ".join([title, *cells])

    lines = [
        line("pods of the API, in all", [f"{one.replicas}" for one in found]),
        line("cores busy with answering, all pods", [short(one.busy_cores) for one in found]),
        line("to be reserved for a pod: cores; GB", [f"{one.replica_cores:g}; {one.replica_gb:g}" for one in found]),
        line("PostgreSQLs, each with its share of the pods", [f"{one.databases}" for one in found]),
        line("of each: time that the write lock is held", [f"{one.lock_share:.1%}" for one in found]),
        line("of each: commits/s", [short(one.commits_s) for one in found]),
        line("of each: write-ahead log, MB/s", [short(one.log_mb_s) for one in found]),
        line("of each: cores busy; reserved", [_cores(one) for one in found]),
        line("of each: connections", [f"{one.connections}" for one in found]),
        line("history in a day, GB", [short(one.day_gb) for one in found]),
        line(
            "of each: kept in PostgreSQL, GB (days)",
            [f"{short(one.database_gb)} ({scenario.days})" for scenario, one in zip(SCENARIOS, found, strict=True)],
        ),
        line(
            f"days until the {VOLUME_GIB} GiB of `kubernetes/` are full",
            [short(VOLUME_GIB * 2**30 / 1e9 / one.day_gb * one.databases) for one in found],
        ),
        line(
            "history to object storage, GB a month, gzip",
            [short(one.exported_gb_month) if one.exporters else "none" for one in found],
        ),
        line("commands at once that export it", [f"{one.exporters}" if one.exporters else "none" for one in found]),
        line("network in; out, Mbit/s", [f"{short(one.in_mbit_s)}; {short(one.out_mbit_s)}" for one in found]),
        line("samples of metrics a second", [short(one.samples_s) for one in found]),
    ]
    return table(f"what | {' | '.join(scenario.name for scenario in SCENARIOS)}", lines)


def _cores(one: Need) -> str:
    return f"{short(one.database_busy_cores)}; {one.database_cores:g}"


def payments(known: Measured, use: float, prices: Mapping[str, float]) -> str:
    """Return the table of what is paid for in a month; money, where all prices are given."""
    amounts = [paid(need(scenario, known, use), known) for scenario in SCENARIOS]
    lines = [
        " | ".join([f"`{name}`: {meaning}", *(short(of[name]) for of in amounts)]) for name, meaning in PRICES.items()
    ]
    if prices:
        totals = [sum(of[name] * prices[name] for name in PRICES) for of in amounts]
        lines.append(" | ".join(["money a month", *(f"{total:,.2f}" for total in totals)]))
    return table(f"in a month | {' | '.join(scenario.name for scenario in SCENARIOS)}", lines)


def printed(known: Measured, use: float, prices: Mapping[str, float]) -> str:
    """Return all three tables."""
    return "\n\n".join(
        [
            "### Limits that were measured",
            limits(known),
            "### What each rate needs",
            needs(known, use),
            "### What is paid for",
            payments(known, use, prices),
        ]
    )


def put(document: str, text: str) -> str:
    """Return a document with a text between its marks."""
    head, begin, rest = document.partition(BEGIN)
    _, end, tail = rest.partition(END)
    assert begin, BEGIN
    assert end, END
    return f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}"


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; `prices` of the result is empty, or has all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--use", type=float, default=0.6, help="share of what was measured that is planned for")
    parser.add_argument("--price", action="append", default=[], help=f"NAME=AMOUNT, of {', '.join(PRICES)}")
    parser.add_argument("--write", action="store_true", help="put it into docs/architecture.md")
    given = parser.parse_args(words)
    given.prices = {}
    for one in given.price:
        name, _, amount = one.partition("=")
        if name not in PRICES:
            parser.error(f"{name}: there is {', '.join(PRICES)}")
        given.prices[name] = float(amount)
    if given.prices and (missing := PRICES.keys() - given.prices.keys()):
        parser.error(f"money needs all prices; there is none of {', '.join(sorted(missing))}")
    if given.write and given.prices:
        parser.error("prices are the reader's, and go into no document")
    return given


def main() -> None:
    """Print the tables, or write them."""
    given = arguments()
    text = printed(measured(), given.use, given.prices)
    if given.write:
        DOCUMENT.write_text(put(DOCUMENT.read_text("utf-8"), text), "utf-8")
    print(text)


if __name__ == "__main__":
    main()
