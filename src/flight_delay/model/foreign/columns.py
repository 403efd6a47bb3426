"""From the names and the fitted transformers of a scikit-learn model to columns that are data."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from flight_delay.errors import ModelRefused
from flight_delay.model.point.columns import NUMBERS, TEXTS, Number, Step, Table, after, is_missing

MOST_PARTS = 100_000
MOST_COLUMNS = 50_000
_NEAR = 0.7
"""How alike two names must be, of 1."""
_NO_VALUE = {"nan", "None", "<NA>"}
_FIELD_OF = re.compile("({})_(.+)".format("|".join(sorted((*NUMBERS, *TEXTS), key=len, reverse=True))))


class Text(NamedTuple):
    """A field that is a text, not yet made a number; `fill` stands for a missing one."""

    field: str
    fill: str | None = None


class Term(NamedTuple):
    """The product of some columns, after some arithmetic."""

    of: tuple[Number | Table, ...]
    steps: tuple[Step, ...] = ()


Source: TypeAlias = "Number | Table | Text | Term"


@dataclass
class Notes:
    """What is learnt of the whole model while its parts are visited."""

    met: dict[str, dict[str | float, None]] = field(default_factory=dict)
    """The values of each field, in order."""
    incomplete: set[str] = field(default_factory=set)
    demands: set[str] = field(default_factory=set)
    parts: int = 0

    def visit(self) -> None:
        """Count a part; a file can name one part so often that it would take for ever."""
        self.parts += 1
        if self.parts > MOST_PARTS:
            raise ModelRefused("refused_size", what="parts", most=MOST_PARTS)


@dataclass(frozen=True)
class Frame:
    """The columns that a part of the model is given."""

    columns: Sequence[Source]
    notes: Notes
    sparse: bool = False

    def __post_init__(self) -> None:
        if len(self.columns) > MOST_COLUMNS:
            raise ModelRefused("refused_size", what="columns", most=MOST_COLUMNS)

    def having(self, columns: Sequence[Source]) -> Frame:
        """Return a frame of other columns."""
        return Frame(columns, self.notes, self.sparse)

    def select(self, places: Sequence[int]) -> Frame:
        """Return a frame of some of the columns."""
        return self.having([self.columns[place] for place in places])


def frame_of(names: Sequence[Any]) -> Frame:
    """Return the columns that a model's columns are by their names: fields, or one-hot `field_value`.

    Raises `ModelRefused` where this service cannot give a column.
    """
    notes = Notes()
    columns = [_column(name, notes) for name in names]
    unknown = [str(name)[:40] for name, column in zip(names, columns, strict=True) if column is None]
    if unknown:
        raise ModelRefused(
            "refused_schema", columns=_with_nearest(unknown), known=", ".join((*NUMBERS, *TEXTS)), count=len(unknown)
        )
    return Frame([column for column in columns if column is not None], notes)


def encoded(
    frame: Frame, column: Source, categories: Sequence[Any], given: Sequence[float], unknown: float, *, strict: bool
) -> Table:
    """Return a column that is a number for each category of another.

    NaN or None among the categories is a missing value. `strict` says that the encoder itself would refuse what
    it does not know: another value gets `unknown` all the same, but a missing one is asked for.
    """
    pairs = list(zip(categories, given, strict=True))
    missing = next((number for category, number in pairs if is_missing(category)), math.nan if strict else unknown)
    mapping = {category: number for category, number in pairs if not is_missing(category)}
    if isinstance(column, Table):
        return mapped(column, lambda value: missing if math.isnan(value) else mapping.get(value, unknown))
    if isinstance(column, Term) or (isinstance(column, Number) and any(name != "fill" for name, _ in column.steps)):
        raise ModelRefused("refused_setting", kind="encoder", setting="columns", value="scaled before it")
    filled = column.fill if isinstance(column, Text) else next((by for _, by in column.steps), None)
    of_text = isinstance(column, Text)
    if any(isinstance(category, str) is not of_text for category in mapping):
        raise ModelRefused("refused_schema_categories", field=column.field)
    if filled is not None:
        missing = mapping.get(filled, unknown)
    elif strict and math.isnan(missing):
        frame.notes.demands.add(column.field)
    keys = mapping if of_text else {float(category): number for category, number in mapping.items()}
    frame.notes.met.setdefault(column.field, {}).update(dict.fromkeys(keys))
    others = tuple((key, float(number)) for key, number in keys.items() if number != unknown)
    return Table(column.field, others, unknown, float(missing))


def mapped(table: Table, change: Callable[[float], float]) -> Table:
    """Return a table with another number for each value."""
    numbers = tuple((value, change(number)) for value, number in table.numbers)
    return Table(table.field, numbers, change(table.otherwise), change(table.missing))


def changed(column: Source, *steps: Step) -> Source:
    """Return a column after more arithmetic; raises `ModelRefused` for a text."""
    if not all(math.isfinite(by) for _, by in steps) or ("over", 0.0) in steps:
        raise ModelRefused("refused_not_finite", what=", ".join(name for name, _ in steps))
    if isinstance(column, Text):
        raise text_left([column])
    if isinstance(column, Table):
        return mapped(column, lambda number: after(steps, number))
    return column._replace(steps=(*column.steps, *steps))


def filled(column: Source, by: Any) -> Source:
    """Return a column in which a missing value is another."""
    if isinstance(column, Text):
        if not isinstance(by, str):
            raise ModelRefused("refused_schema_categories", field=column.field)
        return column if column.fill is not None else Text(column.field, str(by))
    if isinstance(by, bool) or not isinstance(by, int | float):
        raise ModelRefused("refused_schema_categories", field=getattr(column, "field", "product"))
    return changed(column, ("fill", float(by)))


def indicating(column: Source) -> Source:
    """Return the column that says whether another is missing."""
    if isinstance(column, Text):
        return Table(column.field, (), 0.0, 1.0 if column.fill is None else 0.0)
    return changed(column, ("is_missing", 0.0))


def text_left(columns: Sequence[Source]) -> ModelRefused:
    """Return the refusal of texts that nothing made numbers of."""
    names = dict.fromkeys(column.field for column in columns if isinstance(column, Text))
    return ModelRefused("refused_schema_text", columns=", ".join(names))


def _column(name: Any, notes: Notes) -> Source | None:
    if name in NUMBERS:
        return Number(name)
    if name in TEXTS:
        return Text(name)
    found = _FIELD_OF.fullmatch(name) if isinstance(name, str) else None
    return None if found is None else _one_hot(found[1], found[2], notes)


def _one_hot(of: str, value: str, notes: Notes) -> Table | None:
    if value in _NO_VALUE:
        return Table(of, (), 0.0, 1.0)
    key: str | float | None = value if of in TEXTS else _number(value)
    if key is None:
        return None
    notes.met.setdefault(of, {})[key] = None
    notes.incomplete.add(of)
    return Table(of, ((key, 1.0),), 0.0, 0.0)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _with_nearest(unknown: Sequence[str]) -> str:
    shown = []
    for name in unknown[:10]:
        near = difflib.get_close_matches(name.lower(), (*NUMBERS, *TEXTS), 1, _NEAR)
        shown.append(f"{name} (~ {near[0]})" if near else name)
    return ", ".join(shown) + (", …" if len(unknown) > 10 else "")
