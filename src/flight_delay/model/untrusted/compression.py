"""The bytes inside a model file, whatever it is compressed with, never more of them than are allowed."""

from __future__ import annotations

import bz2
import importlib
import io
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from flight_delay.errors import ModelRefused, NotAModel

PICKLE = b"\x80"
"""How a pickle begins, from protocol 2 on."""
_LONGEST_BEGINNING = 6
_CHUNK = 2**16
_BUFFER = 2**18
_LZMA_MEMORY = 128 * 2**20
"""What the strongest setting of xz needs is half of it; a header may ask for 4 GB."""


class _Decompressor(Protocol):
    """What bz2, lzma and lz4 have alike."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes | None: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def opened(path: Path, most_bytes: int) -> BinaryIO:
    """Open a model file and decompress it while it is read; its end is reached only where it is whole.

    Reading raises `ModelRefused` as soon as more than `most_bytes` come out, or where it is damaged.

    Raises
    ------
    NotAModel
        It begins neither as a pickle nor as what joblib compresses with.
    """
    file = path.open("rb")
    try:
        start = file.peek(_LONGEST_BEGINNING)[:_LONGEST_BEGINNING]
        return io.BufferedReader(_Content(file, _decompressor(start, path.name), most_bytes), _BUFFER)
    except BaseException:
        file.close()
        raise


def _decompressor(start: bytes, filename: str) -> _Decompressor | None:
    """Return what decompresses a file that begins so; None for a plain pickle."""
    if start.startswith(PICKLE):
        return None
    for beginning, make in BEGINNINGS.items():
        if start.startswith(beginning):
            return make()
    raise NotAModel(filename)


class _Content(io.RawIOBase):
    """What comes out of a file."""

    def __init__(self, file: BinaryIO, decompressor: _Decompressor | None, most_bytes: int) -> None:
        self._file = file
        self._decompressor = decompressor
        self._most = most_bytes
        self._left = most_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        some = self._some(min(len(view), _CHUNK))
        self._left -= len(some)
        if self._left < 0:
            raise ModelRefused("refused_size_inside", most=self._most)
        view[: len(some)] = some
        return len(some)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _some(self, most: int) -> bytes:
        """Return 1 to `most` bytes, or none at the end."""
        if self._decompressor is None:
            return self._file.read(most)
        try:
            return self._decompressed(self._decompressor, most)
        except (zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError, ValueError) as error:
            raise ModelRefused("refused_damaged", problem=f"{type(error).__name__}: {error}") from error

    def _decompressed(self, decompressor: _Decompressor, most: int) -> bytes:
        while not decompressor.eof:
            starved = decompressor.needs_input
            compressed = self._file.read(_CHUNK) if starved else b""
            # zlib may hold back what comes out of nothing more going in, so the end of the file is no end yet.
            if some := decompressor.decompress(compressed, most):
                return some
            if starved and not compressed and not decompressor.eof:
                raise EOFError("the compressed data ends too early")
        if decompressor.unused_data or self._file.read(1):
            raise EOFError("something follows the compressed data")
        return b""


class _Zlib:
    """zlib, and with other window bits gzip, behind the interface of the others."""

    def __init__(self, window_bits: int) -> None:
        self._zlib = zlib.decompressobj(window_bits)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)


def _lz4() -> _Decompressor:
    try:
        library = importlib.import_module("lz4.frame")
    except ImportError as error:
        raise ModelRefused("refused_compression", name="lz4") from error
    decompressor: _Decompressor = library.LZ4FrameDecompressor()
    return decompressor


BEGINNINGS: dict[bytes, Callable[[], _Decompressor]] = {
    **{bytes(beginning): lambda: _Zlib(zlib.MAX_WBITS) for beginning in (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda")},
    b"\x1f\x8b": lambda: _Zlib(zlib.MAX_WBITS | 16),
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\x00": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _LZMA_MEMORY),
    b"]\x00\x00": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, _LZMA_MEMORY),
    b"\x04\x22M\x18": _lz4,
}
