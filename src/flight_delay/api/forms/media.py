"""Which form a batch comes in, which it is answered in, and what reads and writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from flight_delay.api import accept
from flight_delay.api.errors import ProblemError
from flight_delay.api.forms import arrow_answers, json_rows, parquet
from flight_delay.api.forms.arrow_rows import ArrowRows
from flight_delay.api.forms.gathering import Gathering, Id
from flight_delay.api.forms.parquet import ParquetRows

_LONGEST_SHOWN = 100
_AT_ONCE = 8192
"""So many rows are written at a time."""


class Reader(Protocol):
    """Takes a body piece by piece; raises `ProblemError` where it cannot be read."""

    async def feed(self, piece: bytes) -> None:
        """Take the next bytes."""

    async def finish(self) -> None:
        """Take the end."""

    def close(self) -> None:
        """Leave nothing behind, whether or not the end was taken."""


class Answers(NamedTuple):
    """What is answered to the rows of a batch.

    Attributes
    ----------
    minutes : NaN for a row with a problem
    errors : the words, by the number of the row
    skips : whether rows with problems are asked to be passed over, so that an answer may be an error
    """

    minutes: NDArray[np.float64]
    ids: Sequence[Id] | None
    errors: Mapping[int, str]
    skips: bool

    def parts(self) -> Iterator[Answers]:
        """Cut it into parts that are written at a time; of no rows there is one, of none."""
        for start in range(0, len(self.minutes) or 1, _AT_ONCE):
            end = start + _AT_ONCE
            errors = {row - start: words for row, words in self.errors.items() if start <= row < end}
            yield Answers(self.minutes[start:end], self.ids and self.ids[start:end], errors, self.skips)


class Form(NamedTuple):
    """A form of batches."""

    media_type: str
    reader: Callable[[Gathering], Reader]
    write: Callable[[Answers], Iterator[bytes]]


def form_of(content_type: str) -> Form:
    """Return the form that a body comes in; raises `ProblemError` (415)."""
    given = content_type.partition(";")[0].strip().lower() or JSON.media_type
    form = _BY_TYPE.get(given)
    if form is None:
        raise ProblemError(415, "no_such_form", given=given[:_LONGEST_SHOWN], known=", ".join(_BY_TYPE))
    return form


def answer_form_of(accepted: str, own: Form) -> Form:
    """Return the form that is liked best, of equals that in which the batch came; raises `ProblemError` (406)."""
    offered = [own.media_type, *(form.media_type for form in FORMS if form is not own)]
    best = accept.best(accepted, offered)
    if best is None:
        raise ProblemError(406, "no_answer_form", accept=accepted[:_LONGEST_SHOWN], known=", ".join(sorted(offered)))
    return _BY_TYPE[best]


def _write_list(answers: Answers) -> Iterator[bytes]:
    before = b"["
    for part in answers.parts():
        yield before + json_rows.answers(part.minutes, part.ids, part.errors, b",")
        before = b","
    yield b"]" if before == b"," else b"[]"


def _write_lines(answers: Answers) -> Iterator[bytes]:
    for part in answers.parts():
        yield json_rows.answers(part.minutes, part.ids, part.errors, b"\n") + b"\n" if len(part.minutes) else b""


def _write_arrow(answers: Answers) -> Iterator[bytes]:
    ids = answers.ids
    wholes = ids is not None and all(one is None or isinstance(one, int) for one in ids)
    parts = (
        arrow_answers.Part(
            part.minutes, part.ids, list(map(part.errors.get, range(len(part.minutes)))) if part.skips else None
        )
        for part in answers.parts()
    )
    return arrow_answers.stream(parts, wholes)


JSON = Form("application/json", json_rows.JsonList, _write_list)
NDJSON = Form("application/x-ndjson", json_rows.JsonLines, _write_lines)
ARROW = Form("application/vnd.apache.arrow.stream", ArrowRows, _write_arrow)
PARQUET = Form(
    "application/vnd.apache.parquet", ParquetRows, lambda answers: iter([parquet.written(_write_arrow(answers))])
)
FORMS = (JSON, NDJSON, ARROW, PARQUET)
_BY_TYPE = {form.media_type: form for form in FORMS}
