"""The questions, each a file of SQL, and their answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from flight_delay.engines import Engine
from flight_delay.errors import DatasetMissing
from flight_delay.messages import LANGUAGES, Language

_SQL = files("flight_delay.analysis") / "sql"


@dataclass(frozen=True)
class Question:
    """A question on the flights.

    Attributes
    ----------
    number : its place in the brief
    title, reading : in each language, what is asked, and how open wording was understood
    statement : the SELECT that answers it
    """

    number: int
    title: dict[Language, str]
    reading: dict[Language, str]
    statement: str


@dataclass(frozen=True)
class Answer:
    """The rows that answer a question, in order; at least the names of the columns are the same for all."""

    question: Question
    rows: list[dict[str, Any]]


def questions() -> list[Question]:
    """Return the questions in order. Each file begins with four lines: what is asked and how it is read, en and pt."""
    found = []
    for file in sorted(_SQL.iterdir(), key=lambda file: file.name):
        *head, statement = file.read_text("utf-8").split("\n", 4)
        said: dict[str, list[str]] = {language: [] for language in LANGUAGES}
        for line in head:
            language, _, words = line.removeprefix("-- ").partition(": ")
            said[language].append(words)
        found.append(
            Question(
                number=int(file.name.partition("_")[0]),
                title={language: said[language][0] for language in LANGUAGES},
                reading={language: said[language][1] for language in LANGUAGES},
                statement=statement,
            )
        )
    return found


def answers(engine: Engine, processed: Path) -> Iterator[Answer]:
    """Answer the questions in order on a processed table; raises `DatasetMissing` where there is none."""
    facts(processed)
    engine.open_parquet("flights", processed)
    for question in questions():
        yield Answer(question, engine.rows(question.statement))


def facts(processed: Path) -> dict[str, Any]:
    """Return what the processed table says of itself; raises `DatasetMissing` where there is none."""
    try:
        found: dict[str, Any] = json.loads((processed / "dataset.json").read_text("utf-8"))
    except FileNotFoundError:
        raise DatasetMissing(processed) from None
    return found
