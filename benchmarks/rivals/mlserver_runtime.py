"""The pipeline behind MLServer: a runtime that decodes a data frame of the Open Inference Protocol."""

import json
import os
import sys
from pathlib import Path

import joblib
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, PandasCodec
from mlserver.types import InferenceRequest, InferenceResponse


class FlightDelay(MLModel):
    async def load(self) -> bool:
        self.pipeline = joblib.load(self.settings.parameters.uri)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        minutes = self.pipeline.predict(PandasCodec.decode_request(payload))
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("minutes", minutes)])


if __name__ == "__main__":
    port, model, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    ports = {"http_port": port, "grpc_port": int(port) + 1, "metrics_port": int(port) + 2}
    (folder / "settings.json").write_text(
        json.dumps({"host": "127.0.0.1", "parallel_workers": 1, "debug": False} | ports)
    )
    (folder / "model-settings.json").write_text(
        json.dumps(
            {
                "name": "flight-delay",
                "implementation": "mlserver_runtime.FlightDelay",
                "parameters": {"uri": model, "content_type": "pd"},
            }
        )
    )
    os.environ["PYTHONPATH"] += f"{os.pathsep}{Path(__file__).parent}"
    mlserver = str(Path(sys.executable).with_name("mlserver"))
    os.execv(mlserver, [mlserver, "start", str(folder)])
