"""Every setting: its value, where that came from, what it means, and what is wrong with it."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails
from rich import box
from rich.markup import escape
from rich.table import Table

from flight_delay.cli.commands import app, explaining
from flight_delay.messages import known
from flight_delay.messages.settings import MEANINGS
from flight_delay.settings import PREFIX, Given, Settings, given
from flight_delay.terminal import err, language, out, say

HIDDEN = "********"
_PASSWORD = re.compile(r"(?<=://)([^:/@]*):.*@")
_PASSWORD_GIVEN = re.compile(r"(password=)[^&]*", re.I)


@dataclass(frozen=True)
class Setting:
    """A setting as it is in force; secrets are hidden in it."""

    name: str
    value: Any
    source: str
    """`default`, `environment` or `.env`."""
    file: str | None
    default: Any
    values: str
    """What it may be, "" where that is only said by `meaning`."""
    meaning: str
    problem: str | None
    """What is wrong with the value that was given; None where nothing is."""


@app.command(help=say("help_settings"))
@explaining
def settings(
    as_json: Annotated[bool, typer.Option("--json", help=say("help_settings_json"))] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help=say("help_settings_markdown"))] = False,
) -> None:
    every = list(in_force())
    if as_json:
        document = {"settings": [asdict(one) for one in every], "unknown": list(unknown())}
        out.print(json.dumps(document, ensure_ascii=False, indent=2), markup=False)
    elif as_markdown:
        _print_markdown(every)
    else:
        _print_table(every)
        for line in unknown():
            err.print(line, style="yellow", markup=False)
    wrong = [one for one in every if one.problem is not None]
    for one in wrong:
        line = say("setting_wrong", name=one.name, value=_shown(one.value), problem=one.problem)
        err.print(line, style="bold red", markup=False)
    if wrong:
        raise typer.Exit(1)


def in_force() -> Iterator[Setting]:
    """Tell of every setting, in the order in which they are declared."""
    read, wrong = _read()
    sources = {one.setting: one for one in reversed(list(given())) if one.setting is not None}
    english = _english()
    described = Settings.model_json_schema()["properties"]
    for name, field in Settings.model_fields.items():
        schema = described[name]
        source = sources.get(name)
        problem = wrong.get(name)
        secret = "writeOnly" in json.dumps(schema)
        value = source.value if problem and source else getattr(read, name)
        yield Setting(
            name=PREFIX + name.upper(),
            value=_hidden(value, whole=secret or (problem is not None and name.endswith("_url"))),
            source="default" if source is None else "environment" if source.file is None else source.file.name,
            file=_text(source.file) if source else None,
            default=_hidden(field.default, whole=secret),
            values=_values(schema),
            meaning=MEANINGS.get(name, english[name]) if language() == "pt" else english[name],
            problem=None if problem is None else _problem(problem, _values(schema)),
        )


def unknown() -> Iterator[str]:
    """Say of each name that begins as a setting's does, and is none, what it may have been meant for."""
    for one in given():
        if one.setting is None:
            key = "setting_unknown_nearest" if one.nearest else "setting_unknown"
            yield say(key, name=one.name, source=_source(one), nearest=one.nearest)


def _read() -> tuple[Settings, Mapping[str, ErrorDetails]]:
    """Return the settings, with the defaults of those that are wrong, and what is wrong with them."""
    try:
        return Settings(), {}
    except ValidationError as error:
        wrong = {str(one["loc"][0]): one for one in error.errors(include_url=False)}
        return Settings(**{name: Settings.model_fields[name].default for name in wrong}), wrong


def _english() -> dict[str, str]:
    """Return what the docstrings of the settings say; it is read here, since that would delay every start."""
    [described] = ast.parse(inspect.getsource(Settings)).body
    assert isinstance(described, ast.ClassDef)
    return {
        field.target.id: " ".join(said.value.value.split())
        for field, said in pairwise(described.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(said, ast.Expr)
        and isinstance(said.value, ast.Constant)
        and isinstance(said.value.value, str)
    }


def _values(schema: Mapping[str, Any]) -> str:
    """Return what a setting may be, by its JSON schema."""
    kind = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
    if "enum" in kind:
        return ", ".join(kind["enum"])
    if kind.get("type") == "boolean":
        return say("range_bool")
    if "exclusiveMinimum" in kind:
        return say("range_above", least=kind["exclusiveMinimum"], most=kind["maximum"])
    if "maximum" in kind:
        return say("range_between", least=kind["minimum"], most=kind["maximum"])
    return say("range_least", least=kind["minimum"]) if "minimum" in kind else ""


def _problem(error: ErrorDetails, values: str) -> str:
    context = {"expected": values} if error["type"] == "literal_error" else error.get("ctx", {})
    return say(error["type"], **context) if known(error["type"]) else say("invalid")


def _hidden(value: Any, *, whole: bool) -> Any:
    """Return a value as JSON has it, without what is secret in it."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if whole:
        return HIDDEN if value else None
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, str):
        return _PASSWORD_GIVEN.sub(rf"\1{HIDDEN}", _PASSWORD.sub(rf"\1:{HIDDEN}@", value))
    return str(value) if isinstance(value, Path) else value


def _shown(value: Any) -> str:
    if value is None or value == []:
        return say("setting_none")
    if isinstance(value, bool):
        return str(int(value))
    return ", ".join(value) if isinstance(value, list) else f"{value:g}" if isinstance(value, float) else str(value)


def _source(one: Given) -> str:
    return say("setting_environment") if one.file is None else str(one.file)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _print_table(every: list[Setting]) -> None:
    drawn = Table(title=say("settings"), title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("name", "value", "source", "meaning", "range"):
        drawn.add_column(say(f"setting_{heading}"), no_wrap=heading == "name", overflow="fold")
    for one in every:
        source = one.file or say(f"setting_{one.source}")
        style = "bold red" if one.problem else "" if one.source == "default" else "bold"
        cells = (one.name, _shown(one.value), source, one.problem or one.meaning, one.values)
        drawn.add_row(*map(escape, cells), style=style)
    out.print(drawn)


def _print_markdown(every: list[Setting]) -> None:
    headings = [say(f"setting_{heading}") for heading in ("name", "default", "range", "meaning")]
    out.print(f"| {' | '.join(headings)} |\n| {' | '.join('---' for _ in headings)} |", markup=False)
    for one in every:
        default = f"`{shown}`" if (shown := _shown(one.default)) and isinstance(one.default, str) else shown
        out.print(f"| `{one.name}` | {default} | {one.values} | {one.meaning} |", markup=False)
