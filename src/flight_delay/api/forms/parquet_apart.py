"""Reads a stranger's Parquet file: the part of `parquet` that only a confined process runs.

The library that it is read by ends its whole process on some damaged files, and unpacks whatever they hold.
"""

from __future__ import annotations

import io
from pathlib import Path

from arro3.io import read_parquet, write_ipc_stream

_ROWS_AT_A_TIME = 8192


def main(name: str) -> bytes:
    """Return the rows of a file as a stream of Arrow."""
    stream = io.BytesIO()
    write_ipc_stream(read_parquet(Path(name), batch_size=_ROWS_AT_A_TIME), stream)
    return stream.getvalue()
