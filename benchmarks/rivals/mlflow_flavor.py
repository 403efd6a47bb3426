"""The pipeline behind MLflow's scoring server: its scikit-learn flavour, asked for records of a data frame."""

import os
import sys
from pathlib import Path

import joblib
import mlflow.sklearn

port, model, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
if not (folder / "model").exists():
    mlflow.sklearn.save_model(joblib.load(model), folder / "model", serialization_format="cloudpickle")
command = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local", "--workers", "1"]
os.execv(sys.executable, [*command, "--host", "127.0.0.1", "--port", port, "--model-uri", str(folder / "model")])
