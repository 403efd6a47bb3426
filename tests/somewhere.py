"""A service on this machine that behaves as those out there do, badly too."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Somewhere:
    """Files by path, and for each path what goes wrong, in turn; when that is used up, nothing does.

    What a path answers may depend on what it is asked: then it is a function of the parameters.
    """

    port: int = 0
    files: dict[str, bytes | Callable[[dict[str, str]], bytes]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    troubles: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)
    slow: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ranges(self) -> list[str | None]:
        """What part each request asked for."""
        return [headers.get("range") for _, headers in self.requests]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    place: Somewhere

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.place.requests.append((url.path, {name.lower(): value for name, value in self.headers.items()}))
        self.place.queries.append({name: values[0] for name, values in parse_qs(url.query).items()})
        troubles = self.place.troubles[url.path]
        trouble = troubles.pop(0) if troubles else ""
        if trouble.startswith("status "):
            self.say_status(trouble)
        elif url.path not in self.place.files:
            self.answer(404, b"not here")
        else:
            self.send_file(url.path, trouble)

    def say_status(self, trouble: str) -> None:
        _, status, *headers = trouble.split(" ", 2)
        extra = dict(header.split(": ", 1) for header in headers)
        self.answer(int(status), extra.pop("body", "trouble").encode(), **extra)

    def send_file(self, path: str, trouble: str) -> None:
        body, tag = self.place.files[path], self.place.tags.get(path, '"1"')
        if callable(body):
            body = body(self.place.queries[-1])
        asked = self.headers.get("Range", "")
        first = int(asked.removeprefix("bytes=").partition("-")[0]) if asked else 0
        if trouble == "no ranges" or self.headers.get("If-Range", tag) != tag:
            first = 0
        if first and first >= len(body):
            self.answer(416, b"", **{"Content-Range": f"bytes */{len(body)}"})
            return
        shown = first + 7 if trouble == "wrong part" else first
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {shown}-{len(body) - 1}/{len(body)}")
        if tag:
            self.send_header("ETag", tag)
        if trouble == "no length":
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(body) - first))
        self.end_headers()
        self.send_body(body[first:], trouble)

    def send_body(self, body: bytes, trouble: str) -> None:
        half = len(body) // 2
        if trouble in ("truncate", "stall"):
            self.wfile.write(body[:half])
            self.wfile.flush()
            if trouble == "stall":
                time.sleep(1.5)
            self.close_connection = True
            self.connection.close()
            return
        for start in range(0, len(body), 4096):
            self.wfile.write(body[start : start + 4096])
            time.sleep(self.place.slow)

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that goes away is what is tested."""


@contextmanager
def somewhere() -> Iterator[Somewhere]:
    """Serve until the block ends."""
    place = Somewhere()
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"place": place}))
    place.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield place
    finally:
        server.shutdown()
        server.server_close()
