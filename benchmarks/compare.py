"""Measure the same scikit-learn model behind other servers, beside this service, in turns in one run.

`python benchmarks/compare.py [quick] [NAME...]`. Each server has an environment of its own in `.bench/`, made once; one
that cannot be installed or started is said and left out. With `quick` or names the page is shown, not written.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import client
import constant
import figures
import flights
import page
import servers

RIVALS = Path(__file__).parent / "rivals"
CACHE = servers.ROOT / ".bench"
NEEDED = ("lightgbm>=4.7", "scikit-learn>=1.9.1", "joblib", "lz4", "airportsdata", "pydantic>=2.14", "pandas")
"""What the pipeline needs to be unpickled and asked; the newest that each server allows is taken."""
CLIENTS = (1, 16, 64)
# One thread for a prediction, nothing sent home, no proxy in between.
SETTINGS = {
    "PYTHONPATH": str(servers.ROOT / "src"), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    "DO_NOT_TRACK": "1", "MLFLOW_DISABLE_TELEMETRY": "true", "BENTOML_DO_NOT_TRACK": "True",
    "RAY_USAGE_STATS_ENABLED": "0", "LITSERVE_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1,localhost",
}  # fmt: skip


class Rival(NamedTuple):
    """The pipeline behind another server.

    Attributes
    ----------
    packages : from the package index; the version of the first is told
    script : in `rivals/`, run by the environment's Python with port, model, folder and `words`
    ready : path that answers 200 when it is
    path : of predictions
    form : a flight to the JSON that is asked
    minutes : the JSON that is answered to the prediction
    """

    packages: tuple[str, ...]
    script: str
    ready: str
    path: str
    form: Callable[[dict[str, Any]], Any]
    minutes: Callable[[Any], float]
    words: tuple[str, ...] = ()

    @property
    def environment(self) -> str:
        """The name of its environment."""
        return self.packages[0].partition("[")[0]


def _itself(value: Any) -> Any:
    return value


def _v2(flight: dict[str, Any]) -> dict[str, Any]:
    """Return a flight as a data frame of the Open Inference Protocol."""
    types = {int: "INT64", float: "FP64", str: "BYTES"}
    columns = [
        {"name": name, "shape": [1], "datatype": types[type(value)], "data": [value]}
        | ({"parameters": {"content_type": "str"}} if isinstance(value, str) else {})
        for name, value in flight.items()
    ]
    return {"parameters": {"content_type": "pd"}, "inputs": columns}


TABLE = {
    "LitServe, batches of 64": Rival(
        ("litserve",), "litserve_api.py", "/health", "/predict", _itself, lambda said: said["prediction"], ("64",)
    ),
    "LitServe": Rival(
        ("litserve",), "litserve_api.py", "/health", "/predict", _itself, lambda said: said["prediction"], ("1",)
    ),
    "MLServer": Rival(
        # Its workers do not start with the newest uvloop.
        ("mlserver", "uvloop<0.22"), "mlserver_runtime.py", "/v2/health/ready", "/v2/models/flight-delay/infer", _v2,
        lambda said: said["outputs"][0]["data"][0],
    ),
    "BentoML": Rival(("bentoml",), "bentoml_service.py", "/readyz", "/predict", lambda flight: {"flight": flight}, float),
    "MLflow scoring server": Rival(
        ("mlflow",), "mlflow_flavor.py", "/ping", "/invocations", lambda flight: {"dataframe_records": [flight]},
        lambda said: said["predictions"][0],
    ),
    "Ray Serve": Rival(
        ("ray[serve]",), "ray_deployment.py", "/-/healthz", "/", _itself, lambda said: said["prediction"]
    ),
}  # fmt: skip


def installed(rival: Rival) -> Path:
    """Return the Python of a rival's environment, made where it is not there yet or was left half made.

    Raises `subprocess.CalledProcessError` where it cannot be installed.
    """
    folder = CACHE / rival.environment
    python, made = folder / "bin" / "python", folder / "made"
    wanted = "\n".join([*rival.packages, *NEEDED])
    if not made.exists() or made.read_text() != wanted:
        print(f"installing {rival.packages[0]} into {folder}", flush=True)
        if not (folder / "bin" / "pip").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*command, *rival.packages, *NEEDED], check=True)
        made.write_text(wanted)
    return python


def version(rival: Rival) -> str:
    """Return the version that was installed."""
    question = f"import importlib.metadata as m; print(m.version({rival.environment!r}))"
    command = [str(CACHE / rival.environment / "bin" / "python"), "-c", question]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class Contestant(NamedTuple):
    """A server that is measured: how it is started on a port, what it is asked, and how it is judged."""

    start: Callable[[Path, int], AbstractContextManager[servers.Server]]
    requests: list[bytes]
    is_right: Callable[[int, bytes], bool]


def contestant(rival: Rival, python: Path, asked: list[dict[str, Any]], known: list[float]) -> Contestant:
    """Return a rival as it is measured."""

    def start(folder: Path, port: int) -> AbstractContextManager[servers.Server]:
        command = [str(python), str(RIVALS / rival.script), str(port), str(flights.MODEL), str(folder), *rival.words]
        path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
        own = SETTINGS | {"PATH": path, "BENTOML_HOME": str(folder)}
        return servers.running(command, folder, own, port, rival.ready, patience_s=120)

    return Contestant(
        start,
        [client.post(rival.path, json.dumps(rival.form(flight)).encode()) for flight in asked],
        lambda number, body: abs(rival.minutes(json.loads(body)) - known[number]) < 1e-9,
    )


def contestants(names: list[str], left_out: dict[str, str]) -> dict[str, Contestant]:
    """Return those that can be had: the constant, this service, and the rivals of these names."""
    asked = flights.flights()
    known = flights.answers(asked)
    ours = [client.post("/model/predict/", body) for body in flights.bodies(asked)]
    found = {
        figures.CONSTANT: Contestant(servers.constant, ours, lambda _, body: body == constant.BODY),
        figures.SQLITE: Contestant(
            lambda folder, port: servers.flight_delay(folder, {}, port),
            ours,
            lambda number, body: json.loads(body)["prediction"] == known[number],
        ),
    }
    for name in names:
        try:
            found[name] = contestant(TABLE[name], installed(TABLE[name]), asked, known)
        except (subprocess.CalledProcessError, OSError) as error:
            left_out[name] = "it cannot be installed"
            print(f"left out: {name} cannot be installed: {error}", flush=True)
    return found


def run(names: list[str], turns: int, seconds: float) -> dict[str, Any]:
    """Measure all in turns; each is started for its turn, so that no idle one takes anything of the others' time."""
    loads: dict[str, dict[str, list[dict[str, float]]]] = {}
    memory: dict[str, float] = {}
    left_out: dict[str, str] = {}
    all_of_them = contestants(names, left_out)
    with tempfile.TemporaryDirectory() as scratch:
        for turn in range(turns):
            for name, one in all_of_them.items():
                if name in left_out:
                    continue
                print(f"turn {turn + 1} of {turns}: {name}", flush=True)
                try:
                    with one.start(Path(scratch) / name.replace(" ", "-"), servers.free_port()) as server:
                        client.measure([server.port], 4, one.requests, one.is_right, 1.0)
                        for clients in CLIENTS:
                            load = client.measure([server.port], clients, one.requests, one.is_right, seconds)
                            print(
                                f"  {clients} clients: {load.rate:,.0f} requests/s, p99 {load.p99_ms:,.1f} ms",
                                flush=True,
                            )
                            loads.setdefault(name, {}).setdefault(str(clients), []).append(load._asdict())
                        memory[name] = server.memory().pss
                except (servers.CannotStart, client.WrongAnswer, OSError) as error:
                    if name not in TABLE:
                        raise
                    left_out[name] = "it did not start, or did not answer rightly"
                    print(f"left out: {name}: {error}", flush=True)
                    loads.pop(name, None)
    versions = {TABLE[name].environment: version(TABLE[name]) for name in loads if name in TABLE}
    return {
        "loads": loads, "memory_mb": memory, "versions": versions, "left_out": left_out,
        "turns": turns, "seconds": seconds,
    }  # fmt: skip


def main(words: list[str]) -> None:
    """Measure the rivals whose names have one of the words, or all."""
    quick = "quick" in words
    sought = [word.lower() for word in words if word != "quick"]
    names = [name for name in TABLE if not sought or any(word in name.lower() for word in sought)]
    measured = run(names, 1, 1.0) if quick else run(names, 3, 4.0)
    page.keep("rivals", measured, write=not quick and not sought)


if __name__ == "__main__":
    servers.end_when_told()
    main(sys.argv[1:])
