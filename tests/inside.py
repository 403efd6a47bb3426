"""The whole service in this process, without a socket: its ASGI application is asked directly."""

import asyncio
import json
import os
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from flight_delay.api.app import create_app

PROBLEM = "application/problem+json"


class Answer(NamedTuple):
    """What the application sent."""

    status: int
    headers: dict[str, str]
    body: bytes

    def check(self):
        """Hold it to what every answer must be: an answer, or a refusal in words, as a rule in problem+json."""
        assert self.status < 500, self
        kind = self.headers.get("content-type", "")
        if self.status >= 400 and kind == PROBLEM:
            said = json.loads(self.body)
            assert said["status"] == self.status
            assert said["detail"]
            assert "valor inválido." not in said["detail"], said
        elif self.status >= 400:  # as MLflow, the inference protocol and Amadeus have them
            assert kind == "text/plain; charset=utf-8" or json.loads(self.body), self
        return self


class Inside:
    """An application on a loop in a thread of its own."""

    def __init__(self, app, loop):
        self._app = app
        self._loop = loop

    def ask(self, path, body=b"", *headers, method="POST", query=b"", pieces=1):
        """Return the checked answer to a request; the body comes in so many pieces."""
        asked = self._asked(method, path, query, headers, body, pieces)
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result(60).check()

    async def _asked(self, method, path, query, headers, body, pieces):
        size = max(1, -(-len(body) // pieces))
        coming = [body[start : start + size] for start in range(0, len(body), size)] or [b""]
        sent = []

        async def receive():
            if not coming:
                return {"type": "http.disconnect"}
            piece = coming.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(coming)}

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
            "method": method, "scheme": "http", "path": path, "raw_path": path.encode(), "root_path": "",
            "query_string": query, "headers": list(headers), "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
            "state": {},
        }  # fmt: skip
        await self._app(scope, receive, send)
        start, *rest = sent
        given = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
        return Answer(start["status"], given, b"".join(message.get("body", b"") for message in rest))


@contextmanager
def inside(model: Path, folder: Path):
    """Start the service with the model of a folder, and with no history."""
    shutil.copytree(model, folder / "model")
    settings = {
        "FLIGHT_DELAY_MODEL_DIR": f"{folder}/model",
        "FLIGHT_DELAY_DATABASE_URL": f"sqlite:///{folder}/service.sqlite3",
        "FLIGHT_DELAY_KEEP_HISTORY": "0",
    }
    os.environ.update(settings)
    app = create_app()
    for name in settings:
        del os.environ[name]
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    told, ends = asyncio.Queue(), asyncio.Event()

    async def receive():
        if told.empty():
            return {"type": "lifespan.startup"}
        await ends.wait()
        return {"type": "lifespan.shutdown"}

    async def live():
        task = loop.create_task(app({"type": "lifespan", "state": {}}, receive, told.put))
        while told.empty() and not task.done():
            await asyncio.sleep(0.01)
        return task

    task = asyncio.run_coroutine_threadsafe(live(), loop).result(60)
    try:
        yield Inside(app, loop)
    finally:
        loop.call_soon_threadsafe(ends.set)
        asyncio.run_coroutine_threadsafe(asyncio.wait([task], timeout=10), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
