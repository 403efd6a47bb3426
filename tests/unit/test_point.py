"""A regressor of others as data: what it answers, what it needs, and that only a whole file is read."""

import datetime as dt
import io
import json
import math
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight_delay.airports import Airport
from flight_delay.errors import BrokenArtifact, FieldsNeeded
from flight_delay.flight import Flight
from flight_delay.model.artifact import Artifact, Manifest
from flight_delay.model.features import Codes
from flight_delay.model.flight_columns import FlightColumns
from flight_delay.model.point import LIMIT_MIN, Head, PointModel, Vocabulary
from flight_delay.model.point.columns import Columns, Number, Product, Table, fields_of
from flight_delay.model.point.trees import MAX_DEPTH, Forest

TODAY = dt.date(2013, 7, 1)
AIRPORTS = {
    "JFK": Airport(40.639751, -73.778925, "America/New_York"),
    "LAX": Airport(33.942536, -118.408075, "America/Los_Angeles"),
}
FLIGHT = Flight(
    month=7, day=23, sched_dep_time=1630, sched_arr_time=1930, origin="JFK", dest="LAX", carrier="DL",
    distance=9999.0, dep_delay=10.0,
)  # fmt: skip


def changed(**fields):
    return FLIGHT.model_copy(update=fields)


def forest(**changes):
    """Two trees: over column 0 and then a category in column 1; and a single leaf."""
    arrays = {
        "roots": np.array([0, 5], np.int32),
        "feature": np.array([0, -1, 1, -1, -1, -1], np.int32),
        "threshold": np.array([5.0, 0, 0, 0, 0, 0]),
        "left": np.array([1, 0, 3, 0, 0, 0], np.int32),
        "right": np.array([2, 0, 4, 0, 0, 0], np.int32),
        "missing_left": np.array([True, False, False, False, False, False]),
        "value": np.array([0.0, 1.0, 0.0, 2.0, 3.0, 100.0]),
        "set_start": np.array([-1, -1, 0, -1, -1, -1], np.int32),
        "set_size": np.array([0, 0, 3, 0, 0, 0], np.int32),
        "sets": np.array([True, False, True]),
    }
    return Forest.from_arrays(arrays | changes)


def linear(*coef, link="identity", intercept=0.0, weight=1.0, trees=None):
    columns = np.arange(len(coef), dtype=np.int32)
    return Head(weight, link, intercept, columns, np.array(coef, float), trees, single=False)


def model(columns=None, heads=None, **others):
    parts = {
        "manifest": Manifest("0" * 64, {"from": "elsewhere"}),
        "airports": AIRPORTS,
        "columns": columns or (Number("dep_delay"), Table("carrier", (("DL", 0.0), ("UA", 1.0)), -1.0, -1.0)),
        "heads": heads or (linear(0.9, 2.0, intercept=-3.0), linear(trees=forest())),
        "demands": ("dep_delay",),
        "known": {"carrier": Vocabulary(("DL", "UA"), complete=True)},
    }
    return PointModel(**(parts | others))


def row_of(column, flight=FLIGHT):
    columns = column if isinstance(column, list) else [column]
    return Columns(columns).row(fields_of(flight, TODAY, Codes(AIRPORTS, {}, {}, {}, ()))).tolist()[-1]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("month", 7),
        ("hour", 16),
        ("minute", 30),
        ("sched_dep_time", 1630),
        ("dep_delay", 10),
        ("year", 2013),
        ("distance", pytest.approx(2475, abs=8)),
        ("distance_km", pytest.approx(3983, abs=12)),
    ],
)
def test_fields_are_those_of_the_public_table(field, value):
    assert row_of(Number(field)) == value


@pytest.mark.parametrize(("sched_dep_time", "hour"), [(5, 0), (2359, 23), (2400, 24)])
def test_the_hour_is_that_of_the_clock_time(sched_dep_time, hour):
    assert row_of(Number("hour"), changed(sched_dep_time=sched_dep_time)) == hour


def test_the_distance_of_the_request_is_kilometres_and_used_where_an_airport_is_unknown():
    assert row_of(Number("distance"), changed(dest="XXX", distance=1609.344)) == pytest.approx(1000)
    assert math.isnan(row_of(Number("distance"), changed(dest="XXX", distance=None)))


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((), 10.0),
        ((("minus", 4.0), ("over", 3.0)), 2.0),
        ((("times", 3.0), ("plus", 1.0)), 31.0),
        ((("least", 11.0),), 11.0),
        ((("most", 9.0),), 9.0),
        ((("fill", 5.0),), 10.0),
        ((("is_missing", 0.0),), 0.0),
        ((("zero_is_missing", 0.0),), 10.0),
    ],
)
def test_arithmetic(steps, expected):
    assert row_of(Number("dep_delay", steps)) == expected


@pytest.mark.parametrize(("step", "expected"), [("fill", 5.0), ("is_missing", 1.0)])
def test_arithmetic_on_what_is_missing(step, expected):
    assert row_of(Number("dep_delay", ((step, 5.0),)), changed(dep_delay=None)) == expected


@pytest.mark.parametrize("step", ["least", "most", "plus", "zero_is_missing"])
def test_what_is_missing_stays_missing(step):
    assert math.isnan(row_of(Number("dep_delay", ((step, 5.0),)), changed(dep_delay=None)))
    assert math.isnan(row_of(Number("dep_delay", (("zero_is_missing", 0.0),)), changed(dep_delay=0.0)))


TABLE = Table("tailnum", (("N1", 4.0),), 7.0, 9.0)


@pytest.mark.parametrize(("tailnum", "expected"), [("N1", 4.0), ("N2", 7.0), (None, 9.0)])
def test_a_value_another_value_and_none(tailnum, expected):
    assert row_of(TABLE, changed(tailnum=tailnum)) == expected


def test_products():
    three = [Number("month"), TABLE, Number("day")]
    assert row_of([*three, Product((0, 1, 2))], changed(tailnum="N1")) == 7 * 4 * 23
    assert row_of([*three, Product((0, 0), (("plus", 1.0),)), Product((2,))]) == 23
    assert row_of([*three, Product((0, 0), (("plus", 1.0),))]) == 50
    assert row_of([Product(())]) == 1


@pytest.mark.parametrize(
    "columns",
    [
        [Number("origin")],
        [Number("air_time")],
        [Number("month", (("eval", 1.0),))],
        [Number("month", (("over", 0.0),))],
        [Number("month", (("plus", math.inf),))],
        [Number("month", (("plus", "1"),))],
        [Table("name", (), 0.0, 0.0)],
        [Table("carrier", ((1.0, 1.0),), 0.0, 0.0)],
        [Table("month", (("7", 1.0),), 0.0, 0.0)],
        [Table("carrier", (("DL", math.inf),), 0.0, 0.0)],
        [Product((0,))],
        [Number("month"), Product((-1,))],
        [Number("month"), Product((0,)), Product((1,))],
    ],
    ids=str,
)
def test_columns_that_cannot_be_computed_are_refused(columns):
    with pytest.raises(BrokenArtifact, match="cannot be computed"):
        Columns(columns)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([5.0, 9.0], 101.0),
        ([5.1, 0.0], 102.0),
        ([6.0, 1.0], 103.0),
        ([6.0, 2.0], 102.0),
        ([6.0, 3.0], 103.0),
        ([6.0, -1.0], 103.0),
        ([6.0, 1e300], 103.0),
        ([6.0, math.nan], 103.0),
        ([math.nan, 0.0], 101.0),
    ],
)
def test_the_way_down_the_trees(row, expected):
    assert forest().predict(np.array(row)) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"left": np.array([0, 0, 3, 0, 0, 0], np.int32)},
        {"left": np.array([1, 0, 2, 0, 0, 0], np.int32)},
        {"left": np.array([1, 0, 1, 0, 0, 0], np.int32)},
        {"left": np.array([2, 0, 3, 0, 0, 0], np.int32)},
        {"left": np.array([1, 0, 5, 0, 0, 0], np.int32)},
        {"right": np.array([2, 0, 99, 0, 0, 0], np.int32)},
        {"right": np.array([-2, 0, 4, 0, 0, 0], np.int32)},
        {"right": np.array([2, 0, 4, 0, 0, 0], np.int64)},
        {"feature": np.array([-2, -1, 1, -1, -1, -1], np.int32)},
        {"value": np.full(6, math.inf)},
        {"threshold": np.full(6, math.nan)},
        {"roots": np.array([1, 5], np.int32)},
        {"roots": np.array([0, 0], np.int32)},
        {"roots": np.zeros(0, np.int32)},
        {"set_start": np.array([-1, -1, 1, -1, -1, -1], np.int32)},
        {"set_start": np.array([-1, -1, -2, -1, -1, -1], np.int32)},
        {"set_size": np.array([1, 0, 3, 0, 0, 0], np.int32)},
        {"set_size": np.array([0, 0, 0, 0, 0, 0], np.int32)},
        {"sets": np.array([1, 0, 1])},
        {"missing_left": np.zeros((6, 1), bool)},
    ],
)
def test_trees_that_do_not_fit_are_refused(changes):
    with pytest.raises(BrokenArtifact):
        forest(**changes)


def chain(splits):
    """A tree that is one long way down."""
    nodes = 2 * splits + 1
    inner = np.arange(nodes) % 2 == 0
    inner[-1] = False
    places = np.arange(nodes)
    zeros = np.zeros(nodes)
    return Forest(
        roots=np.zeros(1, np.int32),
        feature=np.where(inner, 0, -1).astype(np.int32),
        threshold=zeros,
        left=np.where(inner, places + 1, 0).astype(np.int32),
        right=np.where(inner, places + 2, 0).astype(np.int32),
        missing_left=zeros.astype(bool),
        value=places.astype(float),
        set_start=np.full(nodes, -1, np.int32),
        set_size=zeros.astype(np.int32),
        sets=np.zeros(0, bool),
    )


def test_a_tree_may_be_deep_but_not_without_end():
    assert chain(MAX_DEPTH).predict(np.array([1.0])) == 2 * MAX_DEPTH
    with pytest.raises(BrokenArtifact, match="deeper"):
        chain(MAX_DEPTH + 1)


def test_heads_add_up():
    assert model().answer(FLIGHT, TODAY) == pytest.approx(0.9 * 10 - 3.0 + 102.0)
    halves = (linear(1.0, 0.0, weight=0.25), linear(0.1, 0.0, link="exp", weight=0.5))
    assert model(heads=halves).answer(FLIGHT, TODAY) == pytest.approx(2.5 + 0.5 * math.e)


def test_trees_may_see_single_precision():
    threshold = np.array([np.float64(np.float32(0.1)), 0, 0, 0, 0, 0])
    trees = forest(threshold=threshold)
    just_above = changed(dep_delay=float(threshold[0]) + 1e-12)
    heads = [Head(1.0, "identity", 0.0, np.zeros(0, np.int32), np.zeros(0), trees, single) for single in (True, False)]
    assert [model(heads=(head,)).answer(just_above, TODAY) for head in heads] == [101.0, 102.0]


@pytest.mark.parametrize(
    ("coef", "link", "expected"), [(1e300, "identity", 1.0), (-1e300, "identity", -1.0), (9e9, "exp", 1.0)]
)
def test_no_answer_is_beyond_the_limit(coef, link, expected):
    assert model(heads=(linear(coef, link=link),)).answer(FLIGHT, TODAY) == expected * LIMIT_MIN


def test_what_is_no_number_never_comes_out():
    overflowing = model(heads=(linear(1e308), linear(-1e308)), columns=(Number("dep_delay", (("times", 1e10),)),))
    with pytest.raises(BrokenArtifact, match="not a number"):
        overflowing.answer(FLIGHT, TODAY)


def test_what_is_needed_is_named_as_the_request_names_it():
    far = model(columns=(Number("distance_km"), Number("dep_delay")), demands=("distance_km", "dep_delay", "distance"))
    assert far.needs(FLIGHT) == []
    assert far.needs(changed(dep_delay=None, dest="XXX", distance=None)) == ["distance", "dep_delay"]
    assert far.needs(changed(dest="XXX")) == []


@pytest.mark.parametrize(
    "parts",
    [
        {"demands": ()},
        {"demands": ("dep_delay", "air_time")},
        {"columns": (Number("dep_delay"),)},
        {"columns": (Number("dep_delay"), Table("carrier", (), math.nan, 0.0))},
        {"columns": (Number("dep_delay"), Table("carrier", (("DL", math.nan),), 0.0, 0.0))},
        {"columns": (Number("dep_delay", (("zero_is_missing", 0.0),)), Number("month"))},
        {"known": {"name": Vocabulary(("a",), complete=True)}},
        {"known": {"carrier": Vocabulary((), complete=False)}},
    ],
    ids=str,
)
def test_a_model_whose_answer_could_be_no_number_is_refused(parts):
    with pytest.raises(BrokenArtifact):
        model(**parts)


@pytest.mark.parametrize(
    "changes", [{"weight": math.nan}, {"intercept": math.inf}, {"link": "eval"}, {"coef": [math.nan]}]
)
def test_heads_that_are_no_numbers_are_refused(changes):
    coef = changes.pop("coef", [1.0])
    with pytest.raises(BrokenArtifact):
        linear(*coef, **changes)


@pytest.mark.parametrize(
    ("carrier", "complete", "strange"),
    [("DL", True, False), ("AA", True, True), ("ZZ", True, True), ("AA", False, False), ("ZZ", False, True)],
)
def test_strange_is_what_was_never_met(carrier, complete, strange):
    point = model(known={"carrier": Vocabulary(("DL", "UA"), complete)})
    assert point.is_strange(changed(carrier=carrier)) is strange


def test_bytes_are_all_there_is():
    point = model()
    again = PointModel.from_bytes(point.to_bytes())
    assert again.to_bytes() == point.to_bytes() == model().to_bytes()
    assert again.answer(FLIGHT, TODAY) == point.answer(FLIGHT, TODAY)
    assert again.manifest == point.manifest
    assert again.airports == point.airports


def test_the_other_kind_of_artefact_does_not_take_it():
    with pytest.raises(BrokenArtifact):
        Artifact.from_bytes(model().to_bytes())


CONTENT = model().to_bytes()


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damaged_bytes_are_refused_or_change_nothing(data):
    """A zip has bytes that nobody reads; whatever else is damaged, the damage is told."""
    place = data.draw(st.integers(0, len(CONTENT) - 1))
    damaged = CONTENT[:place] + bytes([data.draw(st.integers(0, 255))]) + CONTENT[place + 1 :]
    for content in (damaged, CONTENT[:place]):
        try:
            point = PointModel.from_bytes(content)
        except BrokenArtifact:
            continue
        assert point.answer(FLIGHT, TODAY) == model().answer(FLIGHT, TODAY)


def rewritten(change):
    """The file with another manifest."""
    with np.load(io.BytesIO(CONTENT), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    facts = json.loads(arrays["manifest"].tobytes())
    change(facts)
    arrays["manifest"] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: facts.update(kind="forecast"),
        lambda facts: facts.update(format=2),
        lambda facts: facts.pop("kind"),
        lambda facts: facts.pop("heads"),
        lambda facts: facts.update(heads=[]),
        lambda facts: facts["heads"][0].update(intercept=math.nan),
        lambda facts: facts["heads"][0].update(intercept="1"),
        lambda facts: facts["heads"][0].update(single=1),
        lambda facts: facts["columns"].pop(),
        lambda facts: facts["columns"].insert(0, {"of": [1], "steps": []}),
        lambda facts: facts["columns"][0].update(steps=[["fill", None]]),
        lambda facts: facts["columns"][1].update(numbers=[["DL"]]),
        lambda facts: facts.update(demands=[]),
        lambda facts: facts.update(airports={"JFK": [1.0, 2.0]}),
        lambda facts: facts["heads"].append(facts["heads"][0]),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(change):
    with pytest.raises(BrokenArtifact):
        PointModel.from_bytes(rewritten(change))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04N.", b"{}", b"\x93NUMPY"])
def test_other_bytes_are_refused(content):
    with pytest.raises(BrokenArtifact):
        PointModel.from_bytes(content)


def test_a_pickled_member_is_never_opened():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        member = io.BytesIO()
        np.save(member, np.array([object]), allow_pickle=True)
        file.writestr("manifest.npy", member.getvalue())
    with pytest.raises(BrokenArtifact, match="pickle"):
        PointModel.from_bytes(buffer.getvalue())


MANY = st.builds(
    changed,
    carrier=st.sampled_from(["DL", "UA", "ZZ"]),
    origin=st.sampled_from(["JFK", "XXX"]),
    dep_delay=st.floats(-180, 3000),
    sched_arr_time=st.sampled_from([None, 0, 2400, 1930]),
    year=st.sampled_from([None, 2013]),
    flight=st.sampled_from([None, 7]),
    tailnum=st.sampled_from([None, "N1"]),
)
COLUMNS = (
    Number("dep_delay", (("plus", 3.0), ("over", 7.0), ("least", -2.0), ("most", 40.0))),
    Table("carrier", (("DL", 0.25), ("UA", 1.0)), -1.0, 0.0),
    Table("flight", ((7.0, 3.0),), 0.0, 9.0),
    Table("tailnum", (("N1", 0.5),), 0.0, 1.5),
    Number("sched_arr_time", (("is_missing", 0.0),)),
    Number("sched_arr_time", (("fill", 800.0), ("minus", 1.0), ("times", 0.01))),
    Number("distance_km", (("fill", 100.0),)),
    Number("year"),
    Number("flight", (("fill", 0.0), ("zero_is_missing", 0.0), ("fill", -5.0))),
    Product((0, 2, 5), (("times", 1.5),)),
)


@settings(deadline=None)
@given(flights=st.lists(MANY, max_size=8), link=st.sampled_from(["identity", "exp"]), single=st.booleans())
def test_many_flights_are_answered_as_each_alone(flights, link, single):
    trees = forest(
        feature=np.array([0, -1, 5, -1, -1, -1], np.int32),
        missing_left=np.array([True, False, True, False, False, False]),
    )
    heads = (
        linear(*np.geomspace(1e-4, 1e-2, 8), link=link, intercept=0.3, weight=0.7),
        replace(linear(trees=trees), single=single),
    )
    point = model(COLUMNS, heads, demands=("dep_delay", "year"))
    flights = [flight for flight in flights if not point.needs(flight)]
    answered = point.minutes(FlightColumns.of(flights), TODAY)
    assert answered.tolist() == [point.answer(flight, TODAY) for flight in flights]


def test_what_one_of_many_flights_lacks_is_needed():
    with pytest.raises(FieldsNeeded) as caught:
        model().minutes(FlightColumns.of([FLIGHT, changed(dep_delay=None)]), TODAY)
    assert caught.value.facts["fields"] == ["dep_delay"]


def test_an_answer_of_many_that_is_no_number_is_refused():
    overflowing = model((Number("dep_delay", (("times", 1e10),)),), (linear(1e308), linear(-1e308)))
    with pytest.raises(BrokenArtifact, match="not a number"):
        overflowing.minutes(FlightColumns.of([changed(dep_delay=3000.0)]), TODAY)
