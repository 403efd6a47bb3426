"""Versions of the model: listed, promoted, rolled back, deleted, scored beside the live one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import BaseModel

from flight_delay.cli.commands import app, explaining, person
from flight_delay.settings import Settings
from flight_delay.store import models, shadows
from flight_delay.store.database import Connection, Database, database_at, opened
from flight_delay.terminal import err, number, out, say, table

if TYPE_CHECKING:
    from flight_delay.api.versions import Comparison, ErrorsOf, Version, WholeVersion

models_app = typer.Typer(help=say("help_models"), no_args_is_help=True)
app.add_typer(models_app, name="models")

_DEPARTED = "departed"
_LARGEST = 2**63 - 1
Number = Annotated[int, typer.Argument(min=1, max=_LARGEST, metavar="VERSION", help=say("help_version"))]
AnyNumber = Annotated[int | None, typer.Argument(min=1, max=_LARGEST, metavar="VERSION", help=say("help_version"))]
Reason = Annotated[str, typer.Option(help=say("help_reason"))]
Json = Annotated[bool, typer.Option("--json", help=say("help_json"))]


@models_app.command("list", help=say("help_models_list"))
@explaining
def list_them(json: Json = False) -> None:
    from flight_delay.api.versions import all_versions

    with _connection() as connection:
        found, shadow = all_versions(connection), shadows.current(connection)
    if json:
        _say_json(found)
    elif not found.versions:
        out.print(say("versions_none"))
    else:
        rows = [_row(one, shadow) for one in found.versions]
        names = ("version_number", "version_state", "version_kind", "version_file", "when", "by whom")
        _table(say("versions_title"), [*map(say, names), "MAE", "RMSE"], rows, say("versions_caption"))


@models_app.command(help=say("help_models_show"))
@explaining
def show(version: Number, json: Json = False) -> None:
    from flight_delay.api.versions import whole_version

    with _connection() as connection:
        found, shadow = whole_version(connection, version), shadows.current(connection)
    if json:
        _say_json(found)
    else:
        _table(say("version_title", version=version), [say("fact"), say("fact_value")], _facts(found, shadow))


@models_app.command(help=say("help_models_promote"))
@explaining
def promote(
    version: Number,
    reason: Reason = "",
    force: Annotated[bool, typer.Option("--force", help=say("help_force"))] = False,
) -> None:
    from flight_delay.api.models import Wish, promote

    if force and not reason.strip():
        raise typer.BadParameter(say("force_reason"), param_hint="--reason")
    settings = Settings()
    database = _database(settings)
    wish = Wish(person(), reason, force)
    live = promote(database, version, models.PROMOTION, wish, settings.gate_worse_pct, dt.datetime.now(dt.UTC))
    _say_live(database, live)


@models_app.command(help=say("help_models_rollback"))
@explaining
def rollback(reason: Reason = "") -> None:
    from flight_delay.api.models import Wish, roll_back

    database = _database(Settings())
    _say_live(database, roll_back(database, Wish(person(), reason), dt.datetime.now(dt.UTC)))


@models_app.command(help=say("help_models_delete"))
@explaining
def delete(version: Number) -> None:
    with _connection() as connection:
        models.delete(connection, version, person(), dt.datetime.now(dt.UTC))
    out.print(say("version_deleted", version=version))


@models_app.command(help=say("help_models_deployments"))
@explaining
def deployments(json: Json = False) -> None:
    from flight_delay.api.versions import all_deployments

    with _connection() as connection:
        found = all_deployments(connection)
    if json:
        _say_json(found)
        return
    if not found.deployments:
        out.print(say("deployments_none"))
        return
    rows = [
        (
            str(one.generation), str(one.version), _shown(one.from_version), _seconds(one.at), one.action, one.by,
            one.reason, one.overruled or "",
        )
        for one in found.deployments
    ]  # fmt: skip
    names = (
        "deployment_generation", "version_number", "version_before", "when", "deployment_action", "by whom",
        "deployment_reason", "deployment_overruled",
    )  # fmt: skip
    _table(say("deployments_title"), [*map(say, names)], rows)


@models_app.command(help=say("help_models_shadow"))
@explaining
def shadow(
    version: AnyNumber = None,
    off: Annotated[bool, typer.Option("--off", help=say("help_off"))] = False,
) -> None:
    if off == (version is not None):
        raise typer.BadParameter(say("version_or_off"), param_hint="VERSION, --off")
    with _connection() as connection:
        shadows.set_shadow(connection, version, person(), dt.datetime.now(dt.UTC))
        live = models.live(connection)
    out.print(say("shadow_off") if version is None else say("shadow_set", version=version))
    if live is not None and live.version == version:
        err.print(say("shadow_is_live"), style="yellow")


@models_app.command(help=say("help_models_compare"))
@explaining
def compare(version: AnyNumber = None, json: Json = False) -> None:
    from flight_delay.api.versions import comparison

    with _connection() as connection:
        found = comparison(connection, version)
    if found is None:
        err.print(say("compare_none"), style="bold red")
        raise typer.Exit(1)
    if json:
        _say_json(found)
    else:
        _say_comparison(found)


def _database(settings: Settings) -> Database:
    """Return the service's database, made where it has never been started."""
    database = database_at(settings.database_url)
    database.migrate()
    return database


@contextmanager
def _connection() -> Iterator[Connection]:
    with opened(_database(Settings())) as connection:
        yield connection


def _say_live(database: Database, live: models.Live) -> None:
    with opened(database) as connection:
        made = [one for one in models.deployments(connection) if one.generation == live.generation]
    out.print(say("promoted", version=live.version, generation=live.generation))
    if made and made[0].overruled:
        err.print(say("promoted_overruled", said=made[0].overruled), style="yellow", markup=False)


def _say_json(document: BaseModel) -> None:
    typer.echo(document.model_dump_json(indent=2))


def _say_comparison(found: Comparison) -> None:
    lines = []
    if found.mean_difference is not None:
        facts = {"mean": found.mean_difference, "absolute": found.mean_absolute_difference}
        lines = [say("compare_difference", **facts), say("compare_arrived", arrived=found.arrived)]
    rows = [
        (who, *_errors(errors))
        for who, errors in (
            (say("compare_answered"), found.live),
            (say("version_title", version=found.version), found.shadow),
        )
    ]
    title = say("compare_title", version=found.version, scored=found.scored)
    _table(title, [say("who answers"), "MAE", "RMSE"], rows, "\n".join(lines))


def _errors(errors: ErrorsOf | None) -> tuple[str, str]:
    return ("", "") if errors is None else (number(errors.mae, ".2f"), number(errors.rmse, ".2f"))


def _row(one: Version, shadow: shadows.Shadow | None) -> tuple[str, ...]:
    tested = one.metrics.get(_DEPARTED)
    scores = ("", "") if tested is None else (number(tested.mae, ".2f"), number(tested.rmse, ".2f"))
    return (
        str(one.version),
        _state(one, shadow),
        one.kind,
        one.filename,
        _seconds(one.added_at),
        one.added_by,
        *scores,
    )


def _facts(one: WholeVersion, shadow: shadows.Shadow | None) -> list[tuple[str, str]]:
    facts = [
        (say("version_state"), _state(one, shadow)),
        (say("version_kind"), one.kind),
        (say("version_file"), one.filename),
        (say("when"), _seconds(one.added_at)),
        (say("by whom"), one.added_by),
        (say("fact_deleted"), f"{_seconds(one.deleted_at)}, {one.deleted_by}" if one.deleted_at else ""),
        (say("fact_sha256"), one.sha256),
        (say("fact_source_sha256"), one.source_sha256),
        (say("fact_data_digest"), one.data_digest or ""),
        (say("fact_code_version"), one.code_version or ""),
        (say("fact_confined"), ", ".join(one.confined or [])),
    ]
    facts += [(say("fact_features", part=part), ", ".join(names)) for part, names in one.features.items()]
    facts += [
        (say("fact_test", part=horizon), say("fact_scores", **tested.model_dump(include={"mae", "rmse", "flights"})))
        for horizon, tested in one.metrics.items()
    ]
    return [(name, value) for name, value in facts if value]


def _state(one: Version, shadow: shadows.Shadow | None) -> str:
    if one.live:
        return say("state_live")
    if one.deleted_at is not None:
        return say("state_deleted")
    return say("state_shadow") if shadow is not None and shadow.version == one.version else ""


def _table(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> None:
    """Print a table of what others wrote: names of files and reasons are no markup, and do not steer the terminal."""
    table(title, headings, [[_printable(cell) for cell in row] for row in rows], caption)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _seconds(moment: dt.datetime | None) -> str:
    return "" if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S")


def _shown(version: int | None) -> str:
    return "" if version is None else str(version)
