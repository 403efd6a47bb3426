"""A body as it comes in: counted and timed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

BODY_TIMEOUT_S = 60.0


class Body:
    """Lets so many bytes of a body come in, in time; past that its reader gets an HTTP 413 or 408 instead of more.

    One that says beforehand that it is too long is not waited for. `announced` is the header `Content-Length`.
    """

    __slots__ = ("_announced", "_left", "_receive", "_until", "_whole")

    def __init__(self, receive: Receive, limit: int, announced: bytes | None) -> None:
        self._receive = receive
        self._left = limit
        self._announced = announced
        self._whole = False
        self._until: float | None = None

    async def receive(self) -> Message:
        """Return the next message, as ASGI has it."""
        if self._whole:  # all that can come is that the client leaves
            return await self._receive()
        announced = self._announced
        if announced is not None and announced.isdigit() and (len(announced) > 18 or int(announced) > self._left):
            raise HTTPException(413)
        coming: Coroutine[Any, Any, Message] = self._receive()  # type: ignore[assignment]
        try:
            waits_for = coming.send(None)
        except StopIteration as there:  # as nearly always: a timer would take longer than all of this
            message: Message = there.value
        else:
            message = await self._in_time(coming, waits_for)
        self._announced = None
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413)
        self._whole = not message.get("more_body", False)
        return message

    async def read(self) -> bytes | None:
        """Return all of it, or None where the client left."""
        message = await self.receive()
        body: bytes = message.get("body", b"")
        while message["type"] != "http.disconnect":
            if self._whole:
                return body
            message = await self.receive()
            body += message.get("body", b"")
        return None

    async def _in_time(self, coming: Coroutine[Any, Any, Message], waits_for: Any) -> Message:
        if self._until is None:
            self._until = asyncio.get_running_loop().time() + BODY_TIMEOUT_S
        try:
            async with asyncio.timeout_at(self._until):
                return await _resumed(coming, waits_for)
        except TimeoutError:
            raise HTTPException(408) from None


@coroutine
def _resumed(begun: Coroutine[Any, Any, Message], waits_for: Any) -> Generator[Any, Any, Message]:
    """Go on with what was begun, where it waits for something."""
    try:
        while True:
            try:
                given = yield waits_for
            except BaseException as error:  # what comes from outside is meant for what was begun
                waits_for = begun.throw(error)
            else:
                waits_for = begun.send(given)
    except StopIteration as done:
        message: Message = done.value
        return message
