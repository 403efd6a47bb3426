"""How many requests a caller may make: so many a minute, counted by each process for itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from time import monotonic

from flight_delay.api.errors import ProblemError

_MINUTE_S = 60.0
_NEVER_LIMITED = ("/health/", "/metrics/", "/v2/health/", "/docs", "/redoc", "/openapi.json", "/static-offline-docs/")
"""What is asked by machines that watch the service, and what only explains it."""


def is_limited(path: str) -> bool:
    """Whether requests for a path count."""
    return not path.startswith(_NEVER_LIMITED)


class Limits:
    """A bucket for each caller by name: it holds the requests of one minute, and fills up evenly.

    Who comes without a key is one caller: behind a proxy all have one address, and addresses are not kept.
    """

    def __init__(self, per_minute: int | None) -> None:
        """Begin with full buckets of so many requests; None: without limit, but for callers that `own` names."""
        self._per_minute = per_minute
        self._own: Mapping[str, int] = {}
        self._full_at: dict[str, float] = {}

    def own(self, per_minute: Mapping[str, int]) -> None:
        """Give some callers limits of their own."""
        self._own = per_minute

    def take(self, caller: str) -> None:
        """Count one request.

        Raises `ProblemError` (429), with how long to wait, where the bucket is empty; that request does not count.
        """
        per_minute = self._own.get(caller, self._per_minute)
        if per_minute is None:
            return
        now = monotonic()
        full_at = self._full_at.get(caller, now)
        full_at = (full_at if full_at > now else now) + _MINUTE_S / per_minute
        if full_at - now > _MINUTE_S + 1e-6:
            wait_s = math.ceil(full_at - now - _MINUTE_S)
            raise ProblemError(429, "too_many_requests", caller=caller, limit=per_minute, retry_after=wait_s)
        self._full_at[caller] = full_at
