"""Answers as they come, kept beside the file that they will be: what was answered is not lost when a run is stopped."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from flight_delay.errors import AnswersNameless, AnswersUnusable
from flight_delay.model.flights_file import MEMORY, PART, FlightsFile, Rows
from flight_delay.model.forecast import Answering, Answers, Question
from flight_delay.model.replay import History

FORMS = {".parquet": "FORMAT parquet, COMPRESSION zstd", ".csv": "FORMAT csv, HEADER true"}
_KEYS = {
    "year": "INTEGER", "month": "INTEGER", "day": "INTEGER", "carrier": "VARCHAR", "flight": "INTEGER",
    "origin": "VARCHAR", "dest": "VARCHAR", "sched_dep_time": "INTEGER",
}  # fmt: skip
_KEY = "key.json"
_WHOLE_NUMBER = "0|[1-9][0-9]{0,17}"
"""Written plainly, and sure to fit into 64 bits."""


def check_output(output: Path) -> None:
    """Refuse a file that cannot be written, before anything is computed.

    Raises `AnswersNameless` where its name says no form, `AnswersUnusable` where its folder is not to be had.
    """
    if output.suffix.lower() not in FORMS:
        raise AnswersNameless(output, tuple(FORMS))
    if output.is_dir():
        raise AnswersUnusable(output, os.strerror(errno.EISDIR))
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output.parent):
            pass
    except OSError as error:
        raise AnswersUnusable(output, str(error)) from error


class Count(NamedTuple):
    """How many flights were answered at a horizon, by one who was told of the network or was not."""

    horizon: str
    told: bool
    flights: int


class Parts:
    """The answers to a file, in a hidden folder beside the output; each part is a Parquet file, whole or not there.

    `key` is what the answers hang on: with another, they begin anew.
    """

    def __init__(self, folder: Path, output: Path, key: Mapping[str, Any]) -> None:
        self._folder, self._output = folder, output
        said = json.dumps(key, sort_keys=True)
        kept = folder / _KEY
        if not (kept.is_file() and kept.read_text("utf-8") == said):
            for part in folder.glob("*.parquet"):
                part.unlink()
            _write_whole(kept, folder / "new.json", lambda scratch: scratch.write_text(said, "utf-8"))

    @property
    def kept(self) -> set[int]:
        """The numbers of the first rows of the parts that are there."""
        return {int(part.stem) for part in self._folder.glob("[0-9]*.parquet")}

    def answered(self, given: FlightsFile) -> int:
        """Return how many rows of a file have an answer."""
        return sum(min(PART, len(given) - first) for first in self.kept)

    def keep(self, rows: Rows, answers: Answers) -> None:
        """Keep the answers to some rows."""
        answered = _columns(answers, rows)
        kinds = {"row": "BIGINT", "id": "VARCHAR", **_KEYS}
        # A whole number that is missing comes as NaN, which TRY_CAST makes NULL.
        chosen = [f"TRY_CAST({name} AS {kinds[name]}) AS {name}" if name in kinds else name for name in answered]
        _write_whole(
            self._path(rows.first),
            self._folder / "new.parquet",
            lambda scratch: _copy(f"SELECT {', '.join(chosen)} FROM answered ORDER BY row", scratch, answered),
        )

    def join(self, *, named: bool) -> list[Count]:
        """Write the file: a row for each flight, in their order, whole or not at all; and count who answered.

        `named` says whether the flights have ids.
        """
        parts = ", ".join(f"'{_quoted(self._path(first))}'" for first in sorted(self.kept))
        table, scratch = f"read_parquet([{parts}])", self._folder / f"new{self._output.suffix}"
        chosen = f"* REPLACE (id::{self._kind_of_ids(table)} AS id)" if named else "* EXCLUDE (id)"
        _write_whole(self._output, scratch, lambda scratch: _copy(f"SELECT {chosen} FROM {table}", scratch, {}))
        counted = f"SELECT horizon, told, count(*) FROM {table} GROUP BY ALL ORDER BY count(*) DESC"
        with duckdb.connect() as connection:
            return [Count(*found) for found in connection.execute(counted).fetchall()]

    def _kind_of_ids(self, table: str) -> str:
        """Return BIGINT where all ids are whole numbers, so that they can be joined to such a column."""
        plain = f"SELECT count(*) FROM {table} WHERE NOT regexp_full_match(id, '{_WHOLE_NUMBER}')"
        with duckdb.connect() as connection:
            return "VARCHAR" if connection.execute(plain).fetchall()[0][0] else "BIGINT"

    def _path(self, first: int) -> Path:
        return self._folder / f"{first:012d}.parquet"


def answer(
    question: Question,
    given: FlightsFile,
    history: History | None,
    answering: Answering,
    parts: Parts,
    advance: Callable[[], None],
) -> None:
    """Answer all rows that have no answer yet, each with what of the history came before its own cut-off.

    `advance` is told of each part.
    """
    kept = parts.kept
    missing = [first for first in given.parts() if first not in kept]
    network = question.played(history, given) if history and missing else None
    for first in given.parts():
        if first in missing:
            rows = given.part(first)
            parts.keep(rows, answering(question.artifact, question.features(rows, network)))
        advance()


@contextmanager
def folder_beside(output: Path) -> Iterator[Path]:
    """Give the folder in which the parts of an output are kept; it goes when all is written, or nothing is kept.

    Raises `AnswersUnusable` where it cannot be written to.
    """
    folder = output.parent / f".{output.name}.parts"
    try:
        folder.mkdir(exist_ok=True)
        for left in folder.iterdir():  # by a run that was killed
            if left.is_dir():
                shutil.rmtree(left)
        yield folder
    except (duckdb.IOException, OSError) as error:
        raise AnswersUnusable(output, str(error)) from error
    except BaseException:
        if not any(folder.glob("*.parquet")):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def digest(files: Iterable[Path]) -> str:
    """Return the digest of some files: of what they hold, and of their paths, which can say year and month."""
    total = hashlib.sha256()
    for file in files:
        with file.open("rb") as content:
            total.update(f"{file.resolve()} {hashlib.file_digest(content, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()


def _write_whole(path: Path, scratch: Path, write: Callable[[Path], Any]) -> None:
    """Write a file whole or not at all, whatever happens meanwhile."""
    write(scratch)
    with scratch.open("rb") as written:
        os.fsync(written.fileno())
    scratch.replace(path)


def _copy(query: str, path: Path, answered: Mapping[str, NDArray[Any]]) -> None:  # noqa: ARG001  (DuckDB finds it by its name)
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        connection.execute(f"SET temp_directory = '{_quoted(path.parent / 'spilt')}'")
        connection.execute(f"COPY ({query}) TO '{_quoted(path)}' ({FORMS[path.suffix.lower()]})")


def _columns(answers: Answers, rows: Rows) -> dict[str, NDArray[Any]]:
    """Return the columns of a part, in their order."""
    numbers, codes = rows.flights.numbers, rows.flights.codes
    keys = {name: np.array(codes[name].texts(), object) if name in codes else numbers[name] for name in _KEYS}
    return {
        "row": rows.first + np.arange(len(rows.flights)),
        "id": np.array(rows.ids, object),
        **keys,
        "prediction": answers.minutes,
        **answers.further,
        "horizon": np.array([specialist.horizon.value for specialist in answers.specialists], object),
        "told": np.array([specialist.sees_network for specialist in answers.specialists], bool),
    }


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
