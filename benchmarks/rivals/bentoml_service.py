"""The pipeline behind BentoML: a service class with one endpoint."""

import os
import sys
from pathlib import Path
from typing import Any

import bentoml
import joblib


@bentoml.service(workers=1, traffic={"timeout": 600})
class FlightDelay:
    def __init__(self) -> None:
        self.pipeline = joblib.load(os.environ["MODEL"])

    @bentoml.api
    def predict(self, flight: dict[str, Any]) -> float:
        return float(self.pipeline.predict([flight])[0])


if __name__ == "__main__":
    port, os.environ["MODEL"] = sys.argv[1:3]
    os.chdir(Path(__file__).parent)
    command = [sys.executable, "-m", "bentoml", "serve", "bentoml_service:FlightDelay"]
    os.execv(sys.executable, [*command, "--host", "127.0.0.1", "--port", port])
