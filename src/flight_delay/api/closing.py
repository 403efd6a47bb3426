"""How connections end with the service: whatever a client has sent by then is answered."""

from __future__ import annotations

from flight_delay.api.connection import Connection

GRACE_S = 0.5


class Closing(Connection):
    """A connection that does not end under a request that is on its way, as an idle one of uvicorn's would."""

    _is_last = False

    def shutdown(self) -> None:
        """End it after the answer in hand, or after the next one, if that is asked for soon."""
        if self.cycle is not None and not self.cycle.response_complete:
            super().shutdown()
            return
        self._is_last = True
        self.loop.call_later(GRACE_S, super().shutdown)

    def on_headers_complete(self) -> None:
        """Begin with a request; the client is told if it is the last one."""
        super().on_headers_complete()
        if self._is_last and self.cycle is not None:
            self.cycle.keep_alive = False
