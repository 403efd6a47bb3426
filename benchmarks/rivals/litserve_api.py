"""The pipeline behind LitServe, one flight a call, or up to so many in a batch."""

import sys
from typing import Any

import joblib
import litserve


class FlightDelay(litserve.LitAPI):
    def setup(self, _: str) -> None:
        self.pipeline = joblib.load(sys.argv[2])

    def decode_request(self, request: dict[str, Any]) -> dict[str, Any]:
        return request

    def predict(self, flight: Any) -> Any:
        if isinstance(flight, list):
            return self.pipeline.predict(flight).tolist()
        return float(self.pipeline.predict([flight])[0])

    def encode_response(self, output: float) -> dict[str, float]:
        return {"prediction": output}


if __name__ == "__main__":
    batch = int(sys.argv[4])
    api = FlightDelay(max_batch_size=batch, batch_timeout=0.005 if batch > 1 else 0.0)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1, timeout=False)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="warning")
