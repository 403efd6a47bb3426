"""Who may ask for what: the scope that a request needs, and the keys that a process knows."""

from __future__ import annotations

import asyncio
import hmac
import re
from typing import Any

from starlette.datastructures import Headers

from flight_delay.api.errors import MEDIA_TYPE, ProblemError
from flight_delay.api.limits import Limits
from flight_delay.errors import StoreUnavailable
from flight_delay.messages import text
from flight_delay.store import keys
from flight_delay.store.database import Lasting
from flight_delay.store.keys import Key, Scope

ANYONE = "anyone"
"""Who asks, where no key is needed."""
OPEN, KEYS = "open", "keys"
"""How readiness names a service without keys, and one with them."""
_OPEN_PATHS = frozenset(
    {"/health/", "/health/ready/", "/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"}
    | {"/ping", "/ping/", "/v1/security/oauth2/token", "/v1/security/oauth2/token/"}
)
_OPEN_FOLDERS = ("/static-offline-docs/", "/v2/health/")
_PREDICTING = ("/model/predict/", "/model/outcomes/", "/invocations")
_INFERENCE = re.compile("/v2/models/[^/]+(/versions/[^/]+)?/infer/?")
_BUCKETS = re.compile("/v1/travel/predictions/flight-delay/?")
_NOBODY = Key("", "", "0" * 64, frozenset())
"""What a key of an unknown id is compared with, so that the time that it takes tells nothing."""


def needed(method: str, path: str) -> Scope | None:
    """Return the scope that a request needs, None where it is open to all; what is not named here is closed."""
    if path in _OPEN_PATHS or path.startswith(_OPEN_FOLDERS):
        return None
    if method in {"GET", "HEAD"}:
        return Scope.PREDICT if _BUCKETS.fullmatch(path) else Scope.READ
    predicts = path.startswith(_PREDICTING) or _INFERENCE.fullmatch(path)
    return Scope.PREDICT if method == "POST" and predicts else Scope.MANAGE


class Access:
    """The keys of the settings, and those of the database as they were last read.

    The service is open where there is neither, and `required` does not say that there must be. Once there was a
    key it stays closed, also where that key is revoked; before the database was read nobody is let in by default.
    """

    def __init__(self, lasting: Lasting, entries: str, *, required: bool, limits: Limits | None = None) -> None:
        self._lasting = lasting
        self._limits = limits or Limits(None)
        self._set = keys.of_entries(entries)
        self._required = required
        self._turn = asyncio.Lock()
        self._kept: dict[str, Key] | None = None
        self._closed = bool(self._set)

    @property
    def is_open(self) -> bool:
        """Whether anyone may do anything."""
        return self._kept is not None and not self._closed and not self._required

    @property
    def state(self) -> str:
        """`OPEN` or `KEYS`."""
        return OPEN if self.is_open else KEYS

    async def follow(self) -> None:
        """Know the keys as the database has them now; raises `StoreUnavailable`, and those that were known stay."""
        async with self._turn:
            every = await asyncio.to_thread(self._read)
            self._closed = self._closed or bool(every)
            self._kept = {key.id: key for key in every if key.revoked_at is None}
            used = self._kept.values()
            self._limits.own({key.name: key.requests_per_minute for key in used if key.requests_per_minute})

    def prove_usable(self) -> None:
        """Raise `ProblemError` (503) where nobody is let in: keys are required, and there is none."""
        if self._required and not self._closed:
            raise ProblemError(503, "keys_required")

    async def check(self, headers: Headers, scope: Scope | None) -> str:
        """Return the name of the key that a request comes with, or `ANYONE` where it needs none.

        Raises `ProblemError`: 401 without a key or with one that is not known, 403 where it lacks the scope, 503
        where that cannot be said yet, since the database was not read.
        """
        if scope is None or self.is_open:
            return ANYONE
        try:
            return await self._caller(_given(headers), scope)
        except StoreUnavailable as error:
            raise ProblemError.of(error) from error

    async def _caller(self, given: str, scope: Scope) -> str:
        key = self._find(given)
        if key is None and self._kept is None and (given or not self._closed):
            await self.follow()
            key = self._find(given)
        if self.is_open:
            return ANYONE
        self.prove_usable()
        if not given:
            raise ProblemError(401, "no_key")
        if key is None:
            raise ProblemError(401, "wrong_key")
        if scope not in key.scopes:
            raise ProblemError(403, "scope_lacking", name=key.name, scope=scope)
        return key.name

    def _find(self, given: str) -> Key | None:
        sha256 = keys.digest(given)
        named = (self._kept or {}).get(keys.id_of(given), _NOBODY)
        found = [key for key in (named, *self._set) if hmac.compare_digest(key.sha256, sha256)]
        return found[0] if found else None

    def _read(self) -> list[Key]:
        return keys.all_of(self._lasting.connection())


def document(schema: dict[str, Any]) -> None:
    """Say in an OpenAPI document how a key is sent, which scope each operation needs, and how one is refused.

    A key is documented as one of the ways to ask: an open service needs none.
    """
    schema["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": text("scheme_bearer", "en")},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    refused = {str(status): {"description": text(f"title_{status}", "en"), "content": problem} for status in (401, 403)}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            scope = needed(method.upper(), path)
            if scope is not None:
                operation["security"] = [{"bearer": [scope]}, {"header": [scope]}, {}]
                operation["responses"] = dict(sorted({**operation["responses"], **refused}.items()))


def _given(headers: Headers) -> str:
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()
