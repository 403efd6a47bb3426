"""The bytes of a pickle, taken one after the other: never fewer than were asked for, never memory for more."""

from __future__ import annotations

from typing import BinaryIO, TypeVar

from flight_delay.errors import ModelRefused

_CHUNK = 2**20
_LONGEST_LINE = 512
_LONGEST_PROBLEM = 200
_Content = TypeVar("_Content", bytes, bytearray)


def damaged(problem: str) -> ModelRefused:
    """Return the refusal of a file that is not whole, or that contradicts itself."""
    return ModelRefused("refused_damaged", problem=printable(problem, _LONGEST_PROBLEM))


def printable(text: str, most: int) -> str:
    """Return a text of the file so that it may be shown: short, on one line, in ASCII."""
    shown = text[:most].encode("ascii", "backslashreplace").decode()
    return "".join(letter if letter.isprintable() else "?" for letter in shown)[:most]


class Source:
    """A stream, and how many bytes were taken of it; what is not there is `refused_damaged`."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.taken = 0

    def next(self) -> bytes:
        """Return one byte, or none at the end."""
        byte = self._stream.read(1)
        self.taken += len(byte)
        return byte

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        if size > _CHUNK:
            return bytes(self.take_array(size))
        return self._whole(self._stream.read(size), size)

    def take_array(self, size: int) -> bytearray:
        """Return the next bytes, for an array to lie on."""
        content = bytearray()
        while len(content) < size and (some := self._stream.read(min(size - len(content), _CHUNK))):
            content += some
        return self._whole(content, size)

    def skip(self, size: int) -> None:
        """Pass over the next bytes."""
        while size > 0:
            self.take(min(size, _CHUNK))
            size -= _CHUNK

    def number(self, size: int) -> int:
        """Return an integer without a sign, of so many bytes."""
        return int.from_bytes(self.take(size), "little")

    def line(self) -> str:
        """Return a text up to the end of its line."""
        line = self._stream.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise damaged("a name does not end")
        self.taken += len(line)
        return line[:-1].decode()

    def _whole(self, content: _Content, size: int) -> _Content:
        if len(content) != size:
            raise damaged("it ends too early")
        self.taken += size
        return content
