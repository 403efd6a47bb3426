"""The figures that the other benchmarks wrote into their pages, read from these: what `costs.py` reasons from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from figures import POSTGRESQL, SQLITE

DOCS = Path(__file__).parent.parent / "docs"
CLIENTS = 64
PODS = 3
"""Of the processes that the write lock was measured with."""
_LOCK_CPU = "CPU µs of PostgreSQL a prediction"


class Lock(NamedTuple):
    """The write lock of PostgreSQL with groups of one size; `cpu_us` is the server's, of a prediction."""

    group: int
    rate: float
    cpu_us: float


class Measured(NamedTuple):
    """The figures that all is reasoned from; sizes in bytes, rates a second."""

    sqlite_rate: float
    postgresql_rate: float
    one_client_rate: float
    one_client_us: float
    postgresql_us: float
    two_processes: float
    resident_mb: float
    batch_rate: float
    batch_us: float
    batch_mb: float
    locks: tuple[Lock, ...]
    row_bytes: float
    log_bytes: float
    batch_row_bytes: float
    batch_request_bytes: float
    batch_answer_bytes: float
    batch_kept_ms: float
    batch_cpu_ms: float
    batch_pruned_ms: float
    exported_bytes: float
    connections: int
    request_bytes: float
    answer_bytes: float
    series: int
    exported_rate: float
    pruned_rate: float
    etl_s: float
    many_flights: float
    many_s: float
    many_mb: float
    spark_times: float
    features_s: float
    fit_s: float
    cores: int


def number(cell: str) -> float:
    """Return the first number of a cell: the median, where a spread follows."""
    found = re.search(r"\d[\d,]*(?:\.\d+)?", cell)
    assert found, cell
    return float(found[0].replace(",", ""))


def rows(page: str) -> Iterator[dict[str, str]]:
    """Yield the rows of all tables of a page, by their headings."""
    heads: list[str] = []
    for line in page.splitlines():
        if not line.startswith("|"):
            heads = []
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not heads:
            heads = cells
        elif set(cells) != {"---"}:
            yield dict(zip(heads, cells, strict=True))


def measured(docs: Path = DOCS) -> Measured:
    """Read the figures from the pages that the benchmarks wrote."""
    pages = {name: (docs / f"benchmarks{name}.md").read_text("utf-8") for name in ("", "-etl", "-model", "-batches")}
    resources = (docs / "benchmarks-resources.md").read_text("utf-8")

    def of(page: str, heading: str, **given: str) -> float:
        for row in rows(page):
            if heading in row and all(f"{row.get(name)} ".startswith(value) for name, value in given.items()):
                return number(row[heading])
        raise LookupError(f"{heading} of {given}")

    def served(server: str, clients: int, heading: str) -> float:
        return of(pages[""], heading, clients=f"{clients} ", server=server)

    def resource(what: str) -> float:
        return of(resources, "measured", what=what)

    return Measured(
        sqlite_rate=served(SQLITE, CLIENTS, "requests/s"),
        postgresql_rate=served(POSTGRESQL, CLIENTS, "requests/s"),
        one_client_rate=served(POSTGRESQL, 1, "requests/s"),
        one_client_us=served(POSTGRESQL, 1, "server µs/request"),
        postgresql_us=served(POSTGRESQL, CLIENTS, "server µs/request"),
        two_processes=of(pages[""], "measured", goal="Two processes on PostgreSQL (each"),
        resident_mb=of(pages[""], "measured", what="after "),
        batch_rate=of(pages["-batches"], "rows/s", form="JSON"),
        batch_us=of(pages["-batches"], "CPU µs a row", form="JSON"),
        batch_mb=_said(pages["-batches"], r"at most (\d+) MB"),
        locks=tuple(
            Lock(int(row["predictions in a commit"]), number(row["predictions/s"]), number(row[_LOCK_CPU]))
            for row in rows(resources)
            if row.get("processes") == f"{PODS}"
        ),
        row_bytes=resource("PostgreSQL: bytes of a prediction, indexes"),
        log_bytes=resource("PostgreSQL: bytes of its write-ahead log"),
        batch_row_bytes=resource("PostgreSQL: bytes of a prediction in a batch"),
        batch_request_bytes=resource("a batch as JSON: bytes"),
        batch_answer_bytes=resource("its answer: bytes of a prediction"),
        batch_kept_ms=resource("PostgreSQL: ms to keep a batch"),
        batch_cpu_ms=resource("PostgreSQL: ms of its processors"),
        batch_pruned_ms=resource("PostgreSQL: ms to prune"),
        exported_bytes=resource("the same, by gzip"),
        connections=int(resource("PostgreSQL: connections")),
        request_bytes=resource("a request: bytes"),
        answer_bytes=resource("its answer: bytes, with"),
        series=int(resource("series in the metrics")),
        exported_rate=resource("PostgreSQL: predictions exported"),
        pruned_rate=resource("PostgreSQL: predictions pruned"),
        etl_s=of(pages["-etl"], "seconds", who="`flight-delay etl`"),
        many_flights=_said(pages["-etl"], r"\n([\d,]+) flights \("),
        many_s=_said(pages["-etl"], r" flights \(.*: (\d+) s"),
        many_mb=_said(pages["-etl"], r" s, at most ([\d,]+) MB"),
        spark_times=_said(pages["-etl"], r"Spark takes ([\d.]+) times"),
        features_s=of(pages["-model"], "measured", what="features of all horizons"),
        fit_s=of(pages["-model"], "measured", what="fit of all horizons"),
        cores=int(_said(pages["-model"], r"(\d+) cores")),
    )


def _said(page: str, pattern: str) -> float:
    found = re.search(pattern, page)
    assert found, pattern
    return number(found[1])
