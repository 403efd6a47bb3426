"""Run the drills on a real cluster, and write `docs/drills.md`: `python drills/run.py [NAME...]`, after `make run`.

With names only those are run, and nothing is written. What it takes from the environment is in docs/operations.md.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

ROOT = Path(__file__).parent.parent
sys.path += [str(ROOT / "benchmarks")]

import cluster  # noqa: E402
import cluster_drills as drills  # noqa: E402
import cluster_load  # noqa: E402
import flights  # noqa: E402

PAGE = ROOT / "docs" / "drills.md"
FLIGHTS = 400
INTRODUCTION = f"""\
# Drills

Written by `make drills` ([operations](operations.md)): {{day}}, Kubernetes {{kubernetes}}, one node, {{cores}} processors for
all of it, three replicas.

{cluster_load.CLIENTS} clients ask through port {cluster.PORT} all the while, each with its next flight {1000 * cluster_load.PAUSE_S:.0f} ms after
its answer, {cluster_load.REQUESTS_ON_A_CONNECTION} on a connection. They try nothing again.

- **Answered**: 200 with what the model of that version is known to answer: for the trained one, its scikit-learn pipeline.
- **Refused**: 503 with `Retry-After`, or no connection: nothing was taken, the client knows.
- **No answer**: a connection that ended before there was one, or {cluster_load.PATIENCE_S} s without any.
- **Wrong**: anything else.
- **Lost**: answered, and not in the history afterwards with the id, flight and minutes of the answer.
- **Recovered after**: from the end of the fault to the last request that was not answered."""


class Row(NamedTuple):
    """A line of the table, and the notes under it."""

    name: str
    done: drills.Done | str
    """Or why it was not run."""


def main(names: Sequence[str]) -> int:
    """Run the drills, and return 1 where an answer was wrong or lost."""
    console = Console()
    unknown = [name for name in names if name not in drills.DRILLS]
    if unknown:
        console.print(f"There is no drill {unknown}. There are: {', '.join(drills.DRILLS)}")
        return 2
    # What was deployed is taken away also where this is told to end.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    asked = flights.flights()[:FLIGHTS]
    minutes = flights.answers(asked)
    with console.status("the image"):
        cluster.make_image()
    notes: Sequence[str] = []
    if not names:
        with tempfile.TemporaryDirectory() as folder, console.status("the documented commands"):
            begun = time.monotonic()
            notes = drills.documented_commands(drills.Site(Path(folder), asked))
        console.print(f"the documented commands, {time.monotonic() - begun:.0f} s: {' '.join(notes)}")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        site = drills.Site(Path(folder), asked)
        with console.status("three replicas and a database") as status, cluster.deployed(site.folder) as seconds:
            console.print(f"three replicas and a database: {seconds:.0f} s")
            site.right[drills.upload(cluster.ready()[0], flights.MODEL)] = minutes
            for name in names or drills.DRILLS:
                status.update(name)
                rows.append(_drill(console, site, name))
            status.update("taking it away")
    if not names:
        PAGE.write_text(page(notes, rows), "utf-8")
    accounts = [row.done.account for row in rows if isinstance(row.done, drills.Done)]
    return int(any(account.wrong or account.lost for account in accounts))


def _drill(console: Console, site: drills.Site, name: str) -> Row:
    begun = time.monotonic()
    try:
        row = Row(name, drills.DRILLS[name](site))
    except drills.Skipped as skipped:
        row = Row(name, str(skipped))
    console.print(f"{name}, {time.monotonic() - begun:.0f} s: {row.done}")
    return row


def page(documented: Sequence[str], rows: Sequence[Row]) -> str:
    """Return the page."""
    told = INTRODUCTION.format(
        day=dt.datetime.now(dt.UTC).date(), kubernetes=cluster.server_version(), cores=os.cpu_count()
    )
    lines = [
        told,
        "",
        "| drill | answered | refused | no answer | wrong | lost | recovered after |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, done in rows:
        if isinstance(done, str):
            lines.append(f"| [{name}](#{name}) | not run: {done} | | | | | |")
            continue
        one = done.account
        lines.append(
            f"| [{name}](#{name}) | {one.answered:,} | {one.refused:,} | {one.unanswered:,} | {one.wrong:,} | {one.lost:,} "
            f"| {one.recovery_s:.1f} s |"
        )
    lines += [
        "",
        "The commands of the README, `kubectl apply`, `get`, the four `curl`s and `delete`, were typed as they stand,",
    ]
    lines += ["and once more, to find the history there again. " + " ".join(documented)]
    for name, done in rows:
        doc = drills.DRILLS[name].__doc__
        assert doc
        lines += ["", f"## {name}", "", doc]
        if not isinstance(done, str):
            lines += [*done.notes, *_causes(done)]
    return "\n".join(lines) + "\n"


def _causes(done: drills.Done) -> list[str]:
    """Tell what the requests that were not answered met with."""
    causes = sorted(done.account.told.items(), key=lambda cause: -cause[1])
    return ["Not answered: " + ", ".join(f"{count:,} `{told}`" for told, count in causes) + "."] if causes else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
