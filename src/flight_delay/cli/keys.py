"""Access keys: made, listed, revoked."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from flight_delay.cli.commands import app, explaining, person
from flight_delay.settings import KEY_NAME, Settings
from flight_delay.store import keys
from flight_delay.store.database import Connection, database_at, opened
from flight_delay.store.keys import Scope
from flight_delay.terminal import err, out, say, table

keys_app = typer.Typer(help=say("help_keys"), no_args_is_help=True)
app.add_typer(keys_app, name="keys")


@keys_app.command(help=say("help_keys_create"))
@explaining
def create(
    name: Annotated[str, typer.Argument(help=say("help_key_name"))],
    scope: Annotated[list[Scope], typer.Option(help=say("help_key_scope"))],
    hashed: Annotated[bool, typer.Option("--hashed", help=say("help_key_hashed"))] = False,
    requests_per_minute: Annotated[int | None, typer.Option(help=say("help_key_limit"), min=1)] = None,
) -> None:
    if not re.fullmatch(KEY_NAME, name):
        raise typer.BadParameter(say("key_name_form"), param_hint="NAME")
    if hashed and requests_per_minute:
        raise typer.BadParameter(say("key_limit_hashed"), param_hint="--requests-per-minute")
    settings = Settings()
    whole, key = keys.issue(name, scope, person(), dt.datetime.now(dt.UTC), requests_per_minute)
    if hashed:
        out.print(whole, markup=False)
        out.print(keys.entry(key), markup=False)
        err.print(say("key_hashed", name=name), markup=False)
        return
    with _database(settings) as connection:
        is_first = not (settings.api_keys.get_secret_value() or keys.all_of(connection))
        keys.add(connection, key)
    out.print(whole, markup=False)
    err.print(say("key_created", id=key.id, name=name, scopes=", ".join(dict.fromkeys(scope))), markup=False)
    if is_first:
        err.print(say("key_first"), style="yellow")


@keys_app.command("list", help=say("help_keys_list"))
@explaining
def list_them() -> None:
    settings = Settings()
    with _database(settings) as connection:
        rows = [
            (
                key.id,
                key.name,
                _scopes(key),
                str(key.requests_per_minute or ""),
                _seconds(key.created_at),
                _seconds(key.revoked_at or ""),
            )
            for key in keys.all_of(connection)
        ]
    names = [key.name for key in keys.of_entries(settings.api_keys.get_secret_value())]
    headings = [say(f"key_{heading}") for heading in ("id", "name", "scopes", "limit", "when", "until")]
    caption = say("keys_set", count=len(names), names=", ".join(names)) if names else ""
    table(say("keys"), headings, rows, caption if rows else f"{say('keys_none')} {caption}")


@keys_app.command(help=say("help_keys_revoke"))
@explaining
def revoke(named: Annotated[str, typer.Argument(metavar="ID_OR_NAME", help=say("help_key_named"))]) -> None:
    with _database(Settings()) as connection:
        key = keys.revoke(connection, named, person(), dt.datetime.now(dt.UTC))
    out.print(say("key_revoked", id=key.id, name=key.name), markup=False)


@contextmanager
def _database(settings: Settings) -> Iterator[Connection]:
    """Open the service's database, made where it has never been started."""
    database = database_at(settings.database_url)
    database.migrate()
    with opened(database) as connection:
        yield connection


def _scopes(key: keys.Key) -> str:
    return ", ".join(scope for scope in Scope if scope in key.scopes)


def _seconds(moment: str) -> str:
    """Return a moment without what is finer than a second."""
    return dt.datetime.fromisoformat(moment).strftime("%Y-%m-%d %H:%M:%S UTC") if moment else ""
