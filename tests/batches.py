"""Batches in each form, as clients of other libraries than the service's own make and read them."""

import asyncio
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq

from flight_delay.api.forms import json_rows, media
from flight_delay.api.forms.gathering import Gathering

JSON, NDJSON = "application/json", "application/x-ndjson"
ARROW, PARQUET = "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"
FORMS = (JSON, NDJSON, ARROW, PARQUET)


def as_arrow(table, **options):
    """Return a table as a stream of Arrow, by pyarrow."""
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return stream.getvalue()


def as_parquet(table):
    """Return a table as a Parquet file, by pyarrow."""
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def written(rows, form):
    """Return rows, which are dictionaries, in a form."""
    if form == JSON:
        return json.dumps(rows).encode()
    if form == NDJSON:
        return b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    names = dict.fromkeys(name for row in rows for name in row)
    table = pa.Table.from_pydict({name: [row.get(name) for row in rows] for name in names})
    return as_arrow(table) if form == ARROW else as_parquet(table)


def answered(body, form):
    """Return the rows of an answer as dictionaries."""
    if form == JSON:
        return json.loads(body)
    if form == NDJSON:
        return [json.loads(line) for line in body.splitlines()]
    read = pa.ipc.open_stream(body).read_all() if form == ARROW else pq.read_table(io.BytesIO(body))
    return read.to_pylist()


def read(body, form=JSON, piece=json_rows.PIECE, most_rows=1_000_000):
    """Return the rows that the service reads in a body that comes in pieces."""

    async def read():
        gathering = Gathering(most_rows)
        reader = media.form_of(form).reader(gathering)
        try:
            for start in range(0, len(body), piece):
                await reader.feed(body[start : start + piece])
            await reader.finish()
        finally:
            reader.close()
        return gathering.whole()

    return asyncio.run(read())


def said(rows):
    """Return read rows as dictionaries, as requests say them."""
    ids = rows.ids or [None] * len(rows)
    return [rows.columns.body(number) | ({} if one is None else {"id": one}) for number, one in enumerate(ids)]
