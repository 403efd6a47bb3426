"""How the commands speak to a person: progress, tables, errors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError
from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from flight_delay import messages
from flight_delay.errors import ContractBroken, FlightDelayError
from flight_delay.messages import Language, from_locale, known, text

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def language() -> Language:
    """Return the language of the terminal's locale."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    return from_locale(next((os.environ[name] for name in names if os.environ.get(name)), ""))


def say(key: str, **facts: Any) -> str:
    """Return a text in the terminal's language."""
    return text(key, language(), **facts)


def number(value: float, form: str) -> str:
    """Return a number as the terminal's language writes it."""
    return messages.number(value, form, language())


@contextmanager
def progress(title: str, total: int) -> Iterator[tuple[Callable[..., None], Callable[[], None]]]:
    """Show a bar of `total` units while a block works.

    Gives two functions: one names the step that begins, and what of it if that is known; the other says that
    a unit is done.
    """
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=not err.is_terminal) as bar:
        task = bar.add_task(title, total=total)

        def step(name: str, detail: str = "") -> None:
            doing = f"{title}: {say(f'step_{name}')} {detail}".rstrip()
            bar.update(task, description=doing)
            if not err.is_terminal:
                err.print(doing)

        yield step, lambda: bar.advance(task)
        bar.update(task, completed=total, description=title)


@contextmanager
def downloads(title: str, files: int) -> Iterator[tuple[Callable[[str], None], Callable[[int, int | None], None]]]:
    """Show a bar of files, and one of the bytes of the file in hand, while a block works.

    Gives two functions: one names the file that begins, the other says how many bytes of it are here, and of how many.
    """
    overall = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=err
    )
    current = Progress(TextColumn("  {task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    everything = overall.add_task(title, total=files)
    one = current.add_task("", total=None)
    begun = 0

    def begin(name: str) -> None:
        nonlocal begun
        overall.update(everything, completed=begun)
        begun += 1
        current.reset(one, description=name, total=None)
        if not err.is_terminal:
            err.print(f"{title}: {name}")

    def advance(done: int, total: int | None) -> None:
        current.update(one, completed=done, total=total)

    with Live(Group(overall, current), console=err, transient=not err.is_terminal):
        yield begin, advance
        overall.update(everything, completed=files)


def table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> None:
    """Print a table; numbers to the right."""
    drawn = Table(
        title=title, title_justify="left", caption=caption or None, caption_justify="left", box=box.SIMPLE_HEAD
    )
    for number, heading in enumerate(headings):
        numeric = any(row[number].lstrip("+-")[:1].isdigit() for row in rows)
        drawn.add_column(heading, justify="right" if numeric else "left")
    for row in rows:
        drawn.add_row(*map(escape, row))
    out.print(drawn)


def explain(error: FlightDelayError) -> None:
    """Print what went wrong, with what shows it."""
    err.print(say(error.key, **error.facts), style="bold red", markup=False)
    if isinstance(error, ContractBroken):
        for example in error.facts["examples"]:
            err.print("  " + ", ".join(f"{name}={value}" for name, value in example.items()), markup=False)


def explain_fields(error: ValidationError) -> None:
    """Print which fields of a flight, or which settings, are wrong and why."""
    for item in error.errors(include_url=False):
        context = item.get("ctx", {})
        name = ".".join(str(part) for part in item["loc"]) or context.get("field", "")
        reason = say(item["type"], **context) if known(item["type"]) else say("invalid")
        err.print(f"{name}: {reason}", style="bold red", markup=False)
