"""The pipeline behind Ray Serve: one replica of a deployment."""

import signal
import sys
import threading

import joblib
import ray
from ray import serve
from starlette.requests import Request


@serve.deployment(num_replicas=1, max_ongoing_requests=1000)
class FlightDelay:
    def __init__(self, model: str) -> None:
        self.pipeline = joblib.load(model)

    async def __call__(self, request: Request) -> dict[str, float]:
        return {"prediction": float(self.pipeline.predict([await request.json()])[0])}


if __name__ == "__main__":
    port, model, folder = sys.argv[1:4]
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    ray.init(include_dashboard=False, object_store_memory=100_000_000, _node_ip_address="127.0.0.1")
    serve.start(http_options={"host": "127.0.0.1", "port": int(port), "location": "HeadOnly"})
    serve.run(FlightDelay.bind(model))
    stop.wait()
    serve.shutdown()
    ray.shutdown()
