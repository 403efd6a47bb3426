"""How an answer is written: what is whole goes out at once."""

from __future__ import annotations

from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

_LEFT_TO_UVICORN = frozenset({b"connection", b"transfer-encoding"})


class Cycle(RequestResponseCycle):
    """Holds the head of an answer back until its body begins, as ASGI allows, and writes both together if that is all.

    uvicorn writes them one after the other: one more call of the system, and for many a client one more to read.
    """

    _head: dict[str, Any] | None = None

    async def send(self, message: Any) -> None:
        """Take the next message of the application."""
        head = self._head
        if head is None:
            if message["type"] == "http.response.start" and not self.response_started:
                self._head = message
            else:
                await super().send(message)
            return
        self._head = None
        whole = self._whole(head, message)
        if whole is None:
            await super().send(cast("Any", head))
            await super().send(message)
            return
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        self.transport.write(whole)
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def _whole(self, head: dict[str, Any], message: Any) -> bytes | None:
        """Return a head and its body, or None where there is more to it than to put them one behind the other."""
        body: bytes = message.get("body", b"")
        if (
            message["type"] != "http.response.body"
            or message.get("more_body", False)
            or self.disconnected
            or self.flow.write_paused
            or self.access_log
            or self.scope["method"] == "HEAD"
        ):
            return None
        lines, length = [STATUS_LINE[head["status"]]], b"%d" % len(body)
        has_length = False
        for name, value in (*self.default_headers, *head["headers"]):
            if name in _LEFT_TO_UVICORN:
                return None
            if name == b"content-length":
                if value != length:
                    return None
                has_length = True
            lines.append(b"%b: %b\r\n" % (name, value))
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        said = b"".join(lines)
        if not has_length or said.count(b"\n") != len(lines) or said.count(b"\r") != len(lines) or b"\0" in said:
            return None
        return b"%b\r\n%b" % (said, body)
