"""From a fitted scikit-learn or LightGBM regressor that somebody sent to a `PointModel`, which executes nothing.

The object is hostile until proven otherwise. Its own `predict` is asked only once all its nodes and numbers have
been looked at: the C code behind it looks at none.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn import __version__
from sklearn.utils.fixes import parse_version

from flight_delay.airports import Airport
from flight_delay.errors import ModelRefused
from flight_delay.model.artifact import Manifest
from flight_delay.model.foreign.columns import Notes, Source, Term, Text, mapped
from flight_delay.model.foreign.heads import Part, heads_of
from flight_delay.model.foreign.inputs import inputs
from flight_delay.model.foreign.state import refusing
from flight_delay.model.foreign.transformers import NO_CODE
from flight_delay.model.point.columns import Column, Product, Table, fields_behind, to_facts
from flight_delay.model.point.model import Head, PointModel, Vocabulary
from flight_delay.model.point.trees import LEAF, Forest


def check_version(written_by: str) -> None:
    """Refuse a file that a newer scikit-learn wrote than the one here; an older one must prove itself in `check`."""
    if parse_version(written_by) > parse_version(__version__):
        raise ModelRefused("refused_version", file=written_by, server=__version__)


def convert(model: Any, airports: Mapping[str, Airport], source_sha256: str, lineage: dict[str, Any]) -> PointModel:
    """Return the model that answers as a fitted regressor does; raises `ModelRefused` with what is in the way."""
    with refusing():
        frame = inputs(model)
        parts = heads_of(model, frame)
        return _assembled(parts, frame.notes, airports, Manifest(source_sha256, lineage))


def _assembled(parts: Sequence[Part], notes: Notes, airports: Mapping[str, Airport], manifest: Manifest) -> PointModel:
    numbering = _Numbering()
    heads = _merged([_head(part, notes, numbering) for part in parts])
    return PointModel(
        manifest=manifest,
        airports=dict(airports),
        columns=tuple(numbering.columns),
        heads=tuple(heads),
        demands=tuple(sorted(notes.demands)),
        known={
            name: Vocabulary(tuple(values), complete=name not in notes.incomplete)
            for name, values in sorted(notes.met.items())
        },
    )


class _Numbering:
    """Gives each column a place, and the same column the same place."""

    def __init__(self) -> None:
        self.columns: list[Column] = []
        self._places: dict[str, int] = {}

    def place(self, source: Source) -> int:
        """Return the place of a column, behind those that it is made of."""
        if isinstance(source, Text):
            raise ModelRefused("refused_schema_text", columns=source.field)
        column = Product(tuple(map(self.place, source.of)), source.steps) if isinstance(source, Term) else source
        key = json.dumps(to_facts(column))
        if key not in self._places:
            self._places[key] = len(self.columns)
            self.columns.append(column)
        return self._places[key]


def _head(part: Part, notes: Notes, numbering: _Numbering) -> Head:
    sources = part.columns if part.takes_missing else [_numbered(source) for source in part.columns]
    if not part.takes_missing:
        for source in sources:
            of = source.of if isinstance(source, Term) else (source,)
            notes.demands.update(field for own in of if not isinstance(own, Text) for field in fields_behind(own, ()))
    places = np.array([numbering.place(source) for source in sources], np.int32)
    coef = np.zeros(0) if part.coef is None else part.coef
    return Head(
        weight=part.weight,
        link=part.link,
        intercept=part.intercept,
        columns=places if part.coef is not None else np.zeros(0, np.int32),
        coef=coef,
        forest=None if part.forest is None else _renumbered(part.forest, places),
        single=part.single,
    )


def _numbered(source: Source) -> Source:
    """Return a column that is a number for every value of its field, as its regressor needs it to be."""
    if isinstance(source, Table):
        missing = source.missing
        return mapped(source, lambda number: NO_CODE if math.isnan(number) else number)._replace(missing=missing)
    return source


def _renumbered(forest: Forest, places: Any) -> Forest:
    is_leaf = forest.feature == LEAF
    feature = np.where(is_leaf, LEAF, places[np.where(is_leaf, 0, forest.feature)] if len(places) else LEAF)
    return Forest.from_arrays(forest.arrays() | {"feature": feature.astype(np.int32)})


def _merged(heads: Sequence[Head]) -> list[Head]:
    """Return fewer heads with the same answer: those without a link add up, as far as they see the same numbers."""
    linked = [head for head in heads if head.link != "identity"]
    result = []
    for single in (False, True):
        own = [head for head in heads if head.link == "identity" and head.single is single]
        if own:
            result.append(own[0] if len(own) == 1 else _sum(own))
    return [*result, *linked]


def _sum(heads: Sequence[Head]) -> Head:
    places = np.concatenate([head.columns for head in heads])
    columns, inverse = np.unique(places, return_inverse=True)
    weighted = np.concatenate([head.coef * head.weight for head in heads])
    forests = [(head.forest, head.weight) for head in heads if head.forest is not None]
    return Head(
        weight=1.0,
        link="identity",
        intercept=sum(head.intercept * head.weight for head in heads),
        columns=columns.astype(np.int32),
        coef=np.bincount(inverse, weighted, len(columns)).astype(np.float64),
        forest=_side_by_side(forests) if forests else None,
        single=heads[0].single,
    )


def _side_by_side(forests: Sequence[tuple[Forest, float]]) -> Forest:
    arrays: dict[str, list[Any]] = {}
    nodes = codes = 0
    for forest, weight in forests:
        own = forest.arrays()
        own |= {name: own[name] + np.int32(nodes) for name in ("roots", "left", "right")}
        own["value"] = own["value"] * weight
        own["set_start"] = np.where(own["set_start"] < 0, -1, own["set_start"] + codes).astype(np.int32)
        for name, array in own.items():
            arrays.setdefault(name, []).append(array)
        nodes, codes = nodes + len(forest.feature), codes + len(forest.sets)
    return Forest.from_arrays({name: np.concatenate(parts) for name, parts in arrays.items()})
