"""HTTP to other people's services: retried with back-off, as slowly as they ask, and with no key in any text."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote, quote_plus

import httpx
from pydantic import SecretStr
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential_jitter

from flight_delay import __version__
from flight_delay.errors import RemoteFailed, RemoteRefused

PART = ".part"
"""What is added to the name of a file that is not whole yet."""

_LONGEST_WAIT_S = 60
_EXCERPT = 200
_PASSING = {408, 425, 429, 500, 502, 503, 504}
"""Statuses after which the same request may succeed."""

T = TypeVar("T")


class _Passing(Exception):
    """A trouble that may pass; `after_s` is how long the service asks to be left alone."""

    def __init__(self, problem: str, after_s: float | None = None) -> None:
        super().__init__(problem)
        self.after_s = after_s


class Remote:
    """One service. A context manager; what it raises and logs has neither a query string nor a secret in it.

    Parameters
    ----------
    pause_s
        The least time between the beginnings of two requests.
    timeout_s
        How long a service may be silent.
    tries
        How often a request is made before it is given up; a download that gets further begins to count anew.
    backoff_s
        About how long to wait after the first failure; twice as long after each further one.
    patience_s
        The longest wait that a service may ask for.
    """

    def __init__(
        self,
        *,
        pause_s: float = 0.0,
        timeout_s: float = 30.0,
        tries: int = 6,
        backoff_s: float = 1.0,
        patience_s: float = 300.0,
    ) -> None:
        self._secrets: set[str] = set()
        self._pause_s = pause_s
        self._tries = tries
        self._patience_s = patience_s
        self._backoff = wait_exponential_jitter(multiplier=backoff_s, max=_LONGEST_WAIT_S, jitter=backoff_s)
        self._next_at = 0.0
        self._client = httpx.Client(
            timeout=timeout_s,
            follow_redirects=True,
            headers={"User-Agent": f"flight-delay/{__version__}", "Accept-Encoding": "identity"},
        )

    def __enter__(self) -> Self:
        logging.getLogger("httpx").addFilter(self._clean_record)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        logging.getLogger("httpx").removeFilter(self._clean_record)

    def get(self, url: str, params: Mapping[str, str | SecretStr] | None = None) -> bytes:
        """Return the body that an address answers with; a key is a parameter that is a secret.

        Raises
        ------
        RemoteRefused
            The service says that the request is wrong.
        RemoteFailed
            It could not be reached, or answered with errors, as often as was tried.
        """
        plain = {name: self._reveal(value) for name, value in (params or {}).items()}

        def attempt() -> bytes:
            with self._answer(url, params=plain) as answer:
                _length(answer)
                return answer.read()

        return self._retried(url, attempt, lambda state: state.attempt_number >= self._tries)

    def download(
        self, url: str, path: Path, check: Callable[[Path], None], advance: Callable[[int, int | None], None]
    ) -> str:
        """Fetch a file and return its SHA-256; `path` is there only when it is whole.

        Until then it is a file whose name ends in `.part`, and goes on where it stopped, today or another
        day, if the service still has the same file. `check` raises where the content is not what it should
        be; `advance` is told how many bytes are here, and of how many if the service says it.

        Raises as `get` does, and what `check` raises.
        """
        part, barren = path.with_name(path.name + PART), 0

        def attempt() -> None:
            nonlocal barren
            before = _size(part)
            try:
                self._continue(url, part, advance)
            except _Passing:
                barren = 0 if _size(part) > before else barren + 1
                raise

        self._retried(url, attempt, lambda _: barren >= self._tries)
        try:
            check(part)
        except Exception:
            _forget(part)
            raise
        with part.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        part.replace(path)
        _forget(part)
        return digest

    def _continue(self, url: str, part: Path, advance: Callable[[int, int | None], None]) -> None:
        """Fetch the rest of a file, or all of it where the service has not the same file any more."""
        done, headers = _size(part), {}
        if done and _validator(part).is_file():
            headers = {"Range": f"bytes={done}-", "If-Range": _validator(part).read_text("utf-8")}
        with self._answer(url, headers=headers) as answer:
            if answer.status_code == httpx.codes.PARTIAL_CONTENT:
                total = _total(answer, done)
                if total is None:
                    _forget(part)
                    raise _Passing(f"it sent another part than the one after {done} bytes")
            elif answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                _forget(part)
                raise _Passing(f"it has no more than the {done} bytes that are here")
            else:
                done, total = 0, _length(answer)
                _remember(part, answer)
            with part.open("ab" if done else "wb") as file:
                for block in answer.iter_raw():
                    file.write(block)
                    done += len(block)
                    advance(done, total)
        if total is not None and done != total:
            if done > total:
                _forget(part)
            raise _Passing(f"{done} bytes came, {total} were announced")

    @contextmanager
    def _answer(
        self, url: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[httpx.Response]:
        """Make one request; gives the answer if it is one, with the body still to be read."""
        time.sleep(max(0.0, self._next_at - time.monotonic()))
        self._next_at = time.monotonic() + self._pause_s
        try:
            with self._client.stream("GET", url, params=params, headers=headers) as answer:
                if answer.status_code in _PASSING:
                    raise _Passing(f"{answer.status_code} {answer.reason_phrase}", _retry_after(answer))
                past_the_end = answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and headers
                if not (answer.is_success or past_the_end):
                    excerpt = self._clean(" ".join(answer.read().decode("utf-8", "replace").split()))
                    raise RemoteRefused(self._address(url), answer.status_code, excerpt[:_EXCERPT])
                yield answer
        except (httpx.TransportError, httpx.TooManyRedirects, httpx.DecodingError) as error:
            # Not chained: the request, and with it the address, hangs on the error.
            raise _Passing(self._clean(str(error)) or type(error).__name__) from None

    def _retried(self, url: str, attempt: Callable[[], T], stop: Callable[[RetryCallState], bool]) -> T:
        try:
            return Retrying(
                stop=stop, wait=self._wait, retry=retry_if_exception_type(_Passing), reraise=True, sleep=time.sleep
            )(attempt)
        except _Passing as trouble:
            raise RemoteFailed(self._address(url), str(trouble)) from None

    def _wait(self, state: RetryCallState) -> float:
        assert state.outcome is not None, "it is asked after an attempt"
        trouble = state.outcome.exception()
        assert isinstance(trouble, _Passing), "nothing else is retried"
        if trouble.after_s is None:
            return self._backoff(state)
        if trouble.after_s > self._patience_s:
            problem = f"{trouble}; it asks to be left alone for {trouble.after_s:.0f} seconds"
            raise _Passing(problem) from None
        return trouble.after_s

    def _reveal(self, value: str | SecretStr) -> str:
        """Return a parameter as it is sent; if it is a secret, no text will have it from now on."""
        if isinstance(value, str):
            return value
        secret = value.get_secret_value()
        self._secrets |= {secret, quote(secret, safe=""), quote_plus(secret)} - {""}
        return secret

    def _address(self, url: str) -> str:
        return self._clean(str(httpx.URL(url).copy_with(query=None, userinfo=b"")))

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def _clean_record(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._clean(record.getMessage()), None
        return True


def _retry_after(answer: httpx.Response) -> float | None:
    """Return the seconds that a service asks for, in either of the two ways of RFC 9110, 10.2.3."""
    asked = answer.headers.get("Retry-After", "")
    if asked.isdecimal():
        return float(asked)
    try:
        moment = parsedate_to_datetime(asked)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max(0.0, (moment - dt.datetime.now(dt.UTC)).total_seconds())


def _length(answer: httpx.Response) -> int | None:
    """Return the length that is announced, or None where the body says itself where it ends.

    Raises `_Passing` where neither is so: a connection that is lost would look like the end.
    """
    announced = answer.headers.get("Content-Length", "")
    if announced.isdecimal():
        return int(announced)
    if "chunked" in answer.headers.get("Transfer-Encoding", ""):
        return None
    raise _Passing("it does not say how long its answer is")


def _total(answer: httpx.Response, done: int) -> int | None:
    """Return the length of the whole file where an answer is the part after the first `done` bytes."""
    unit, _, content_range = answer.headers.get("Content-Range", "").partition(" ")
    span, _, total = content_range.partition("/")
    right = unit == "bytes" and span.partition("-")[0] == str(done) and total.isdecimal()
    return int(total) if right else None


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _validator(part: Path) -> Path:
    return part.with_name(part.name + ".validator")


def _remember(part: Path, answer: httpx.Response) -> None:
    """Keep what names this version of the file; a weak tag names none (RFC 9110, 13.1.5)."""
    tag = answer.headers.get("ETag", "")
    validator = tag if tag.startswith('"') else answer.headers.get("Last-Modified", "")
    part.unlink(missing_ok=True)
    if validator:
        _validator(part).write_text(validator, "utf-8")
    else:
        _validator(part).unlink(missing_ok=True)


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _validator(part).unlink(missing_ok=True)
