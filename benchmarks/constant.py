"""The ceiling: an endpoint that reads the body and answers always the same, on the server that the service runs on.

`python benchmarks/constant.py PORT [uvicorn]`; with the second word on uvicorn as it is by itself.
"""

from __future__ import annotations

import sys

import uvicorn

from flight_delay.cli import server
from flight_delay.settings import Settings

BODY = b'{"prediction":2.3}'


async def constant(scope, receive, send):
    """Read the body; answer always the same."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    while (await receive()).get("more_body", False):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


def main(port: int, *words: str) -> None:
    """Serve as `flight-delay serve` does, or as uvicorn does by itself."""
    if "uvicorn" in words:
        uvicorn.run(constant, host="127.0.0.1", port=port, log_level="warning", access_log=False)
        return
    config = server.configured("127.0.0.1", port, 1, Settings())
    config.app, config.factory = constant, False
    server.run(config)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
