"""Measure what a shadow costs those who predict: the service with one and without, in turns, in one run.

`python benchmarks/shadow.py`, after `make run` has made a model. The shadow is another version of that model.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import statistics
import tempfile
import urllib.request
from pathlib import Path

import client
import servers
from serving import asked

from flight_delay.model.artifact import Artifact
from flight_delay.store import models
from flight_delay.store.database import database_at, opened

CLIENTS = 16
ROUNDS = 5
SECONDS = 3.0


def add_another(folder: Path) -> int:
    """Keep another version of the model that is live."""
    artifact = Artifact.from_bytes((folder / "model" / "flight_delay_model.npz").read_bytes())
    lineage = artifact.manifest.lineage | {"note": "another"}
    other = dataclasses.replace(artifact, manifest=artifact.manifest._replace(lineage=lineage))
    made = models.Made(other.to_bytes(), "0" * 64, "another.joblib", "a benchmark", "{}")
    with opened(database_at(f"sqlite:///{folder}/data/flight_delay.sqlite3")) as connection:
        return models.add(connection, made, dt.datetime.now(dt.UTC))


def ask(port: int, body: dict[str, object] | None) -> dict[str, object]:
    """Set the shadow, or read how it compares."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/model/shadow/", data, {"Content-Type": "application/json"}
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        return json.load(answer)


def main() -> None:
    """Print the rates of both, and their ratio with its spread."""
    flights, ratios = asked(), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with servers.flight_delay(folder, {}, port := servers.free_port()):
            other = add_another(folder)
            for turn in range(ROUNDS):
                rates = {}
                for version in (None, other):
                    ask(port, {"version": version})
                    load = client.measure([port], CLIENTS, flights.requests, flights.is_pipelines, SECONDS)
                    rates[version] = load.rate
                ratios.append(rates[other] / rates[None])
                print(f"turn {turn + 1} of {ROUNDS}: {rates[None]:,.0f} requests/s, with a shadow {rates[other]:,.0f}")
            scored = ask(port, None)["scored"]
    low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
    print(f"{CLIENTS} clients: with a shadow {middle:.2f} [{low:.2f} to {high:.2f}] of the rate; {scored} were scored")


if __name__ == "__main__":
    servers.end_when_told()
    main()
