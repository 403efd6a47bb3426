"""The history of predictions: exported, pruned by age, deleted from, and the record of that."""

from __future__ import annotations

import datetime as dt
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from flight_delay.cli.commands import app, explaining, person
from flight_delay.settings import Settings
from flight_delay.store import retention
from flight_delay.store.database import Database, database_at, opened
from flight_delay.store.history import PAGE, count, instant
from flight_delay.store.retention import BATCH, Chosen
from flight_delay.terminal import out, progress, say, table

history_app = typer.Typer(help=say("help_history_commands"), no_args_is_help=True)
app.add_typer(history_app, name="history")

Output = Annotated[Path, typer.Argument(help=say("help_history_output"), metavar="OUTPUT")]
Carrier = Annotated[str | None, typer.Option(help=say("help_history_carrier"))]
Origin = Annotated[str | None, typer.Option(help=say("help_history_origin"))]
Dest = Annotated[str | None, typer.Option(help=say("help_history_dest"))]
Version = Annotated[int | None, typer.Option(help=say("help_history_version"))]
RequestId = Annotated[str | None, typer.Option(help=say("help_request_id"))]
Since = Annotated[str | None, typer.Option(help=say("help_history_since"))]
Until = Annotated[str | None, typer.Option(help=say("help_history_until"))]
Yes = Annotated[bool, typer.Option("--yes", help=say("help_yes"))]


@history_app.command(help=say("help_history_export"))
@explaining
def export(
    output: Output,
    carrier: Carrier = None,
    origin: Origin = None,
    dest: Dest = None,
    model_version: Version = None,
    request_id: RequestId = None,
    since: Since = None,
    until: Until = None,
) -> None:
    from flight_delay.api.export import CSV, NDJSON, lines
    from flight_delay.api.history import Page

    forms = {".csv": CSV, ".ndjson": NDJSON}
    form = forms.get(output.suffix.lower())
    if form is None:
        raise typer.BadParameter(say("history_form", known=", ".join(forms)), param_hint="OUTPUT")
    fields = {
        "carrier": carrier and carrier.upper(), "origin": origin and origin.upper(), "dest": dest and dest.upper(),
        "model_version": model_version, "request_id": request_id, "since": since, "until": until,
    }  # fmt: skip
    page = Page.model_validate({name: value for name, value in fields.items() if value is not None})
    with opened(_database()) as connection, _whole(output) as file:
        written = -form.head.count(b"\n")
        with progress(say("doing_export"), total=count(connection, page.chosen()) // PAGE + 1) as (_, advance):
            for piece in lines(connection, page, form):
                file.write(piece)
                written += piece.count(b"\n")
                advance()
    out.print(say("history_exported", count=written, path=output), markup=False)


@history_app.command(help=say("help_history_prune"))
@explaining
def prune(
    older_than: Annotated[str, typer.Option(help=say("help_older_than"), metavar="AGE")],
    yes: Yes = False,
) -> None:
    try:
        until = _moment(older_than, dt.datetime.now(dt.UTC))
    except (ValueError, OverflowError):
        raise typer.BadParameter(say("age_or_date"), param_hint="--older-than") from None
    _delete(Chosen(until=until), ask=not yes)


@history_app.command(help=say("help_history_delete"))
@explaining
def delete(
    number: Annotated[list[int] | None, typer.Option("--id", min=1, max=2**63 - 1, help=say("help_history_id"))] = None,
    batch: Annotated[
        list[int] | None, typer.Option("--batch", min=1, max=2**63 - 1, help=say("help_history_batch"))
    ] = None,
    request_id: RequestId = None,
    yes: Yes = False,
) -> None:
    if [bool(number), bool(batch), bool(request_id)].count(True) != 1:
        raise typer.BadParameter(say("id_or_request"), param_hint="--id, --batch, --request-id")
    _delete(Chosen(tuple(number or ()), request_id, batch_ids=tuple(batch or ())), ask=not yes)


@history_app.command(help=say("help_history_deletions"))
@explaining
def deletions() -> None:
    with opened(_database()) as connection:
        kept = retention.deletions(connection)
    if not kept:
        out.print(say("nothing_deleted_yet"))
        return
    headings = [say("when"), say("by whom"), say("criterion"), say("predictions"), say("batches")]
    rows = [(one.deleted_at[:19], one.deleted_by, one.criteria, str(one.predictions), str(one.batches)) for one in kept]
    table(say("deletions_title"), headings, rows)


def _delete(chosen: Chosen, *, ask: bool) -> None:
    database = _database()
    with opened(database) as connection:
        found = retention.count(connection, chosen)
    if not found:
        out.print(say("nothing_to_delete"))
        return
    if ask and sys.stdin.isatty():
        typer.confirm(say("confirm_delete", count=found), abort=True)
    deleted = 0
    try:
        with progress(say("doing_delete"), total=found // BATCH + 1) as (_, advance):
            for batch in retention.delete(database, chosen, person(), dt.datetime.now(dt.UTC)):
                deleted += batch
                advance()
    finally:  # also where it is stopped: what was deleted by then is
        out.print(say("history_deleted", count=deleted))


def _moment(age: str, now: dt.datetime) -> dt.datetime:
    days = re.fullmatch(r"([0-9]+)d", age)
    return now - dt.timedelta(days=int(days[1])) if days else instant(age)


def _database() -> Database:
    """Return the service's database, brought to this version; raises `StoreUnavailable` where there is none."""
    database = database_at(Settings().database_url)
    database.connect().close()
    database.migrate()
    return database


@contextmanager
def _whole(output: Path) -> Iterator[BinaryIO]:
    """Open a file for a block that is in its place when the block has ended, and not before; raises `OSError`."""
    output.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}-")
    scratch = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        scratch.chmod(0o644)
        scratch.replace(output)
    finally:
        scratch.unlink(missing_ok=True)
