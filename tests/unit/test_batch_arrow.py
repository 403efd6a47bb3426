"""Rows as a stream of Arrow, by pyarrow: all types that fit, whatever the pieces; and hostile bytes."""

import io
import random
import struct
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from batches import ARROW, as_arrow, read, said

from flight_delay.api.errors import ProblemError
from flight_delay.api.forms import arrow_answers
from flight_delay.api.forms.arrow_answers import Part

FLIGHT = {"month": 7, "day": 23, "sched_dep_time": 1630, "origin": "JFK", "dest": "LAX", "carrier": "DL"}
ROWS = [
    FLIGHT | {"day": number % 28 + 1, "origin": ("JFK", "EWR", "LGA")[number % 3], "carrier": ("9E", "B6")[number % 2]}
    | {"id": f"row {number} which has a long name", "dep_delay": None if number % 5 == 0 else number / 8}
    | {"tailnum": (None, "N713TW", "N1")[number % 3], "weather": (None, {"temp_c": 3.5}, {"visib_km": 16})[number % 3]}
    | {"sched_arr_time": 1930, "distance": 3983.0}
    for number in range(1000)
]  # fmt: skip
TABLE = pa.Table.from_pylist(ROWS)
MEANT = [
    {name: value for name, value in row.items() if value is not None}
    | ({"weather": {k: v for k, v in row["weather"].items() if v is not None}} if row["weather"] else {})
    for row in ROWS
]


def cast(name, kind):
    place = TABLE.schema.get_field_index(name)
    column = TABLE[name].combine_chunks()
    return TABLE.set_column(place, name, column.dictionary_encode() if kind == "dictionary" else column.cast(kind))


@pytest.mark.parametrize("piece", [1, 999, 65536])
def test_rows_are_what_they_were_whatever_the_pieces(piece):
    assert said(read(as_arrow(TABLE.slice(0, 50)), ARROW, piece)) == MEANT[:50]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("month", kind) for kind in (pa.int8(), pa.uint8(), pa.int16(), pa.int32(), pa.uint64(), pa.float32())),
        *(("distance", kind) for kind in (pa.float32(), pa.decimal128(20, 2), pa.int32())),
        *(("dep_delay", kind) for kind in (pa.decimal128(12, 3), pa.float32(), "dictionary")),
        *((name, kind) for name in ("origin", "tailnum", "id") for kind in (pa.large_string(), pa.string_view())),
        *((name, "dictionary") for name in ("origin", "tailnum", "id", "sched_dep_time")),
    ],
    ids=str,
)
@pytest.mark.parametrize("compression", [None, "lz4"])
def test_a_column_may_be_of_any_type_that_holds_its_values(name, kind, compression):
    assert said(read(as_arrow(cast(name, kind), compression=compression), ARROW)) == MEANT


def test_half_precision_is_read():
    table = TABLE.set_column(0, "month", pa.array(np.full(1000, 7, np.float16)))
    assert said(read(as_arrow(table), ARROW)) == MEANT


def test_a_column_of_nothing_is_absent():
    table = TABLE.append_column("year", pa.nulls(1000)).append_column("hour", pa.nulls(1000, pa.int64()))
    assert said(read(as_arrow(table), ARROW)) == MEANT


def test_the_weather_may_be_columns():
    table = TABLE.drop_columns(["weather"]).append_column("temp_c", pc.struct_field(TABLE["weather"], "temp_c"))
    found = said(read(as_arrow(table), ARROW))
    assert found[1]["weather"] == {"temp_c": 3.5}
    assert "weather" not in found[0]


def test_batches_may_be_many_and_ids_numbers():
    table = TABLE.set_column(TABLE.schema.get_field_index("id"), "id", pa.array(range(1000)))
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table, max_chunksize=17)
    assert [row["id"] for row in said(read(stream.getvalue(), ARROW))] == list(range(1000))


def test_texts_that_are_no_codes_are_problems_of_their_rows():
    origins = ["JFK", "jfk", "", None, "São", "X" * 500]
    table = pa.Table.from_pylist([FLIGHT] * 6).set_column(3, "origin", pa.array(origins))
    for kind in (pa.string(), pa.string_view()):
        rows = read(as_arrow(table.set_column(3, "origin", table["origin"].cast(kind))), ARROW)
        assert [row for row, _ in rows.problems()] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        (lambda t: t.drop_columns(["month"]), "month", "missing"),
        (lambda t: t.append_column("carier", t["carrier"]), "carier", "extra_forbidden"),
        (lambda t: t.append_column("month", t["month"]), "month", "column_twice"),
        (lambda t: t.append_column("hour", pa.array([True] * 6)), "hour", "column_type"),
        (lambda t: t.append_column("hour", t["origin"]), "hour", "column_type"),
        (lambda t: t.append_column("tailnum", t["month"]), "tailnum", "column_type"),
        (lambda t: t.append_column("weather", t["month"]), "weather", "column_type"),
        (lambda t: t.append_column("id", pa.array([0.5] * 6)), "id", "column_type"),
        (lambda t: t.append_column("year", pa.array([[1]] * 6)), "year", "column_type"),
        (lambda t: t.append_column("weather", pa.array([{"temp": 1}] * 6)), "temp", "extra_forbidden"),
    ],
)
def test_a_schema_is_refused_by_its_columns(change, field, problem):
    with pytest.raises(ProblemError) as refused:
        read(as_arrow(change(pa.Table.from_pylist([FLIGHT] * 6))), ARROW)
    assert [(one["loc"][-1], one["type"]) for one in refused.value.fields] == [(field, problem)]


def test_zstd_is_refused_with_what_is_read():
    with pytest.raises(ProblemError) as refused:
        read(as_arrow(TABLE, compression="zstd"), ARROW)
    assert "lz4" in refused.value.fields[0]["ctx"]["error"]


def test_too_many_rows_are_refused():
    with pytest.raises(ProblemError) as refused:
        read(as_arrow(TABLE), ARROW, most_rows=999)
    assert (refused.value.status, refused.value.key) == (413, "too_many_rows")


class TestHostileBytes:
    @pytest.mark.parametrize("body", [b"", b"x", b"PAR1" * 10, b"\xff" * 8, b"\xff\xff\xff\xff\x10\0\0\0" + bytes(16)])
    def test_what_is_no_stream_is_refused(self, body):
        with pytest.raises(ProblemError) as refused:
            read(body, ARROW)
        assert refused.value.status == 422

    def test_one_that_ends_in_the_middle_is_refused(self):
        whole = as_arrow(TABLE.slice(0, 5))
        schema = len(as_arrow(TABLE.slice(0, 0))) - 8  # after a whole message a stream may end without its mark
        for end in (end for end in range(0, len(whole) - 8, 3) if end != schema):
            with pytest.raises(ProblemError):
                read(whole[:end], ARROW)

    @pytest.mark.parametrize("compression", [None, "lz4"])
    @pytest.mark.parametrize("seed", range(8))
    def test_damaged_ones_are_read_or_refused(self, compression, seed):
        chosen = random.Random(seed)
        whole = as_arrow(cast("carrier", "dictionary").slice(0, 20), compression=compression)
        whole_views = as_arrow(cast("id", pa.string_view()).slice(0, 20), compression=compression)
        for _ in range(300):
            damaged = bytearray(chosen.choice([whole, whole_views]))
            for _ in range(chosen.choice([1, 2, 4])):
                place = chosen.randrange(len(damaged) - 8)
                if chosen.random() < 0.5:
                    damaged[place] = chosen.choice([0, 1, 127, 128, 255, chosen.randrange(256)])
                else:
                    number = chosen.choice([-1, 2**31, 2**40, 2**62, -(2**63)])
                    struct.pack_into("<q", damaged, place - place % 8, number)
            with suppress(ProblemError):
                list(read(bytes(damaged), ARROW, most_rows=1000).problems())

    def test_a_buffer_that_unpacks_to_more_than_its_rows_need_is_refused(self):
        bomb = pa.Table.from_pylist([FLIGHT]).append_column("tailnum", pa.array(["A" * 50_000_000]))
        body = as_arrow(bomb, compression="lz4")
        assert len(body) < 1_000_000
        with pytest.raises(ProblemError) as refused:
            read(body, ARROW)
        assert refused.value.status == 422


@pytest.mark.parametrize("ids", [None, ["a", None, "ç"], [1, None, -3]])
@pytest.mark.parametrize("errors", [None, [None, "refused: é", None]])
def test_answers_are_read_by_pyarrow(ids, errors):
    minutes = np.array([1.5, np.nan if errors else 2.0, -3.25])
    whole = ids is not None and ids[0] == 1
    stream = b"".join(arrow_answers.stream(iter([Part(minutes, ids, errors)] * 2), whole))
    table = pa.ipc.open_stream(stream).read_all()
    table.validate(full=True)
    expected = {} if ids is None else {"id": ids * 2}
    expected |= {"prediction": [1.5, None if errors else 2.0, -3.25] * 2}
    expected |= {} if errors is None else {"error": errors * 2}
    assert table.to_pydict() == expected
