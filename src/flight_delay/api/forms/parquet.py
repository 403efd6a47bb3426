"""Rows as a Parquet file: kept on the disk until it is whole, read by a process of its own; and the answer written."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from flight_delay.api.errors import ProblemError, refusal
from flight_delay.api.forms.arrow_rows import ArrowRows
from flight_delay.api.forms.gathering import KNOWN, Gathering
from flight_delay.errors import ConversionFailed, ModelRefused
from flight_delay.model.untrusted.sandbox import Limits, run_apart

_NAME = "batch.parquet"
_LIMITS = Limits(seconds=60, memory_mb=1024, output_mb=256)
_PIECE = 2**16


class ParquetRows:
    """Reads a file; raises `ProblemError` (415) where the library for it is not installed."""

    def __init__(self, gathering: Gathering) -> None:
        if find_spec("arro3.io") is None:
            raise ProblemError(415, "parquet_missing")
        self._gathering = gathering
        self._folder = TemporaryDirectory(prefix="flight-delay-")
        self._path = Path(self._folder.name, _NAME)
        self._file = self._path.open("wb", buffering=_PIECE)

    async def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        self._file.write(piece)

    async def finish(self) -> None:
        """Take the end; raises `ProblemError` where the file is none of flights, or of too many."""
        self._file.close()
        try:
            stream = await asyncio.to_thread(self._as_arrow)
        except (ModelRefused, ConversionFailed) as error:
            problem = str(error.facts.get("problem", error.key.removeprefix("refused_")))
            raise ProblemError(
                422, "malformed_rows", [refusal("parquet_invalid", (0,), None, error=problem)], KNOWN, row=0
            ) from error
        rows = ArrowRows(self._gathering)
        for start in range(0, len(stream), _PIECE):
            await rows.feed(stream[start : start + _PIECE])
        await rows.finish()

    def close(self) -> None:
        """Leave nothing behind."""
        self._file.close()
        self._folder.cleanup()

    def _as_arrow(self) -> bytes:
        return run_apart("flight_delay.api.forms.parquet_apart", [_NAME], Path(self._folder.name), _LIMITS).content


def written(stream: Iterable[bytes]) -> bytes:
    """Return a stream of Arrow, which is this program's own, as a Parquet file."""
    from arro3.io import read_ipc_stream, write_parquet

    file = io.BytesIO()
    write_parquet(read_ipc_stream(io.BytesIO(b"".join(stream))), file, compression="lz4_raw")
    return file.getvalue()
