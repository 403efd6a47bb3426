"""Many flights answered at once, each exactly as `Artifact.answer` answers one, and written to a file."""

from __future__ import annotations

import datetime as dt
import errno
import math
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import duckdb
import numpy as np
from numpy.typing import NDArray

from flight_delay.errors import AnswersNameless, AnswersUnusable
from flight_delay.flight import Flight
from flight_delay.model.artifact import Artifact
from flight_delay.model.dataset import Flights
from flight_delay.model.distribution import PERCENTS, Probabilities
from flight_delay.model.features import Horizon, Specialist
from flight_delay.model.flights_file import Rows
from flight_delay.model.matrix import COLUMN, Floats, Played, by_specialist, columns, is_strange, matrix
from flight_delay.model.means import LATELY, Leg
from flight_delay.model.replay import History

CHUNK = 8192
"""Flights that are answered at a time."""
FORMS = {".parquet": "FORMAT parquet, COMPRESSION zstd", ".csv": "FORMAT csv, HEADER true"}
QUANTILES = tuple(f"q{percent:02d}" for percent in PERCENTS)
_DEP_DELAY = COLUMN["dep_delay"]
_KEYS = {
    "year": "INTEGER", "month": "INTEGER", "day": "INTEGER", "carrier": "VARCHAR", "flight": "INTEGER",
    "origin": "VARCHAR", "dest": "VARCHAR", "sched_dep_time": "INTEGER",
}  # fmt: skip


@dataclass(frozen=True)
class Answers:
    """What a model says of some flights, in their order.

    Attributes
    ----------
    specialists : (flights,), who answers each
    minutes : (flights,), of arrival delay, negative is early
    quantiles : (flights, `PERCENTS`), minutes
    probabilities : (flights, fields of `Probabilities`)
    """

    specialists: NDArray[np.object_]
    minutes: Floats
    quantiles: Floats
    probabilities: Floats

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the answers of several parts, one after the other."""
        return cls(*(np.concatenate(column) for column in zip(*(vars(part).values() for part in parts), strict=True)))


class Asked(NamedTuple):
    """Flights as they are seen at a horizon, and from when on nothing is known of the network.

    `cut_offs` are minutes UTC since 1970; -inf where it is not known when the flight leaves.
    """

    flights: list[Flight]
    cut_offs: Floats


def asked(known: Flights, horizon: Horizon) -> Asked:
    """Return the flights with no more than is known at a horizon; one that has not left is asked before departure."""
    flights, cut_offs = known.seen_from(horizon), known.cut_offs(horizon)
    if horizon is Horizon.DEPARTED:
        before = asked(known, Horizon.PRE_DEPARTURE)
        left = [flight.dep_delay is not None for flight in flights]
        flights = [now if has else then for now, then, has in zip(flights, before.flights, left, strict=True)]
        cut_offs = np.where(left, cut_offs, before.cut_offs)
    return Asked(flights, np.where(np.isnan(cut_offs), -np.inf, cut_offs))


def history_of(artifact: Artifact, legs: Sequence[Leg]) -> History | None:
    """Return the past, ready to be played back; None where no leg is known to have been scheduled at any time.

    It begins with what the model knows of habits, unless it reaches back into what the model learnt them from.
    """
    by_name = {(leg.sched_dep, leg.carrier, leg.flight or 0, leg.origin, leg.dest): leg for leg in legs}
    ordered = [by_name[name] for name in sorted(name for name in by_name if not math.isnan(name[0]))]
    if not ordered:
        return None
    learnt_until = artifact.manifest.lineage["learnt_until_min"]
    return History(ordered, artifact.habits if ordered[0].sched_dep >= learnt_until else ())


def forecast(
    artifact: Artifact,
    known: Flights,
    horizon: Horizon,
    history: History | None,
    today: dt.date,
    advance: Callable[[], None] = lambda: None,
) -> Answers:
    """Answer all flights from one horizon, each with what of the history came before its own cut-off.

    `today` is what a flight without a year is understood from; `advance` is told of each `CHUNK` of them.
    """
    question = asked(known, horizon)
    whole = history.play(known.legs, question.cut_offs)[0] if history else None
    parts = []
    for number in range(chunks(len(known.flights))):
        span = slice(number * CHUNK, (number + 1) * CHUNK)
        played = Played(whole.means[span], whole.inbound[span]) if whole else at_rest(artifact, known.legs[span])
        if horizon is Horizon.SCHEDULE:
            played.means[:, LATELY] = played.inbound[:] = np.nan
        parts.append(answer_many(artifact, question.flights[span], today, played))
        advance()
    return Answers.joined(parts)


def chunks(flights: int) -> int:
    """Return in how many parts so many flights are answered."""
    return max(1, math.ceil(flights / CHUNK))


def answer_many(artifact: Artifact, flights: Sequence[Flight], today: dt.date, played: Played) -> Answers:
    """Answer flights with what was known of the network; `today` is what one without a year is understood from."""
    rows = matrix(flights, today, artifact.codes, played)
    specialists = np.full(len(rows), Specialist.SCHEDULE, dtype=object)
    minutes = np.empty(len(rows))
    quantiles, probabilities = np.empty((len(rows), len(PERCENTS))), np.empty((len(rows), len(Probabilities._fields)))
    for specialist, mine in by_specialist(rows):
        expert = artifact.experts[specialist]
        said = expert.trees.predict_many(rows[mine][:, columns(specialist)]).T
        location = sum(said[: expert.locations]) / expert.locations + np.nan_to_num(rows[mine, _DEP_DELAY])
        scale = np.exp(said[-2]) * np.where(is_strange(rows[mine]), expert.strangeness, 1.0)
        specialists[mine] = specialist
        minutes[mine] = location
        quantiles[mine] = expert.residuals.quantiles(location, scale)
        chances = expert.residuals.probabilities(location, scale, 1.0 / (1.0 + np.exp(-said[-1])))
        probabilities[mine] = np.array(chances).T
    return Answers(specialists, minutes, quantiles, probabilities)


def at_rest(artifact: Artifact, legs: Sequence[Leg]) -> Played:
    """Return what is known of legs when nothing has been heard since the model learnt: their habits."""
    return Played.of([artifact.at_rest.recall(leg, math.nan) for leg in legs])


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


def write(answers: Answers, rows: Rows, output: Path) -> None:
    """Write a row for each flight, in the order of the rows, as Parquet or CSV by the file's name; whole or not at all.

    Raises `AnswersUnusable` where it cannot be written.
    """
    answered = _columns(answers, rows)
    kinds = {"row": "BIGINT", "id": _kind_of_ids(rows.ids), **_KEYS}
    # A whole number that is missing comes as NaN, which TRY_CAST makes NULL.
    chosen = [f"TRY_CAST({name} AS {kinds[name]}) AS {name}" if name in kinds else name for name in answered]
    handle, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}-", suffix=output.suffix)
    os.close(handle)
    scratch = Path(name)
    try:
        with duckdb.connect() as connection:
            connection.execute("SET enable_progress_bar = false")
            quoted, form = str(scratch).replace("'", "''"), FORMS[output.suffix.lower()]
            connection.execute(f"COPY (SELECT {', '.join(chosen)} FROM answered ORDER BY row) TO '{quoted}' ({form})")
        scratch.chmod(0o644)
        scratch.replace(output)
    except (duckdb.IOException, OSError) as error:
        raise AnswersUnusable(output, str(error)) from error
    finally:
        scratch.unlink(missing_ok=True)


def _columns(answers: Answers, rows: Rows) -> dict[str, NDArray[Any]]:
    """Return the columns of the file, in their order; `id` only where the rows have it."""
    ids = {"id": np.array(rows.ids, object)} if rows.ids else {}
    keys = {
        name: np.array([getattr(flight, name) for flight in rows.flights], object if kind == "VARCHAR" else np.float64)
        for name, kind in _KEYS.items()
    }
    return {
        "row": np.arange(len(rows.flights)),
        **ids,
        **keys,
        "prediction": answers.minutes,
        **dict(zip(QUANTILES, np.ascontiguousarray(answers.quantiles.T), strict=True)),
        **dict(zip(Probabilities._fields, np.ascontiguousarray(answers.probabilities.T), strict=True)),
        "horizon": np.array([specialist.horizon.value for specialist in answers.specialists], object),
        "told": np.array([specialist.sees_network for specialist in answers.specialists], bool),
    }


def _kind_of_ids(ids: Sequence[str | None]) -> str:
    """Return BIGINT where all ids are whole numbers written plainly, so that they can be joined to such a column."""
    plain = all(name is None or (name.isascii() and name.isdecimal() and name == str(int(name))) for name in ids)
    return "BIGINT" if plain and all(name is None or len(name) <= _DIGITS for name in ids) else "VARCHAR"


_DIGITS = 18
"""Of a whole number that surely fits into 64 bits."""
