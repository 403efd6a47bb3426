"""The service, alone or with all that it needs made first."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import typer

from flight_delay.cli.commands import MODEL_FILE, Host, Port, Workers, app, explaining
from flight_delay.cli.data import EngineName, engine_of, make_table, source_of
from flight_delay.cli.models import make_model
from flight_delay.errors import BrokenArtifact
from flight_delay.flight import Flight
from flight_delay.settings import Settings
from flight_delay.terminal import err, language, out, say

_TRIES_TO_REACH = 1200
_SHUTDOWN_S = 10


@app.command(help=say("help_serve"))
@explaining
def serve(host: Host = "127.0.0.1", port: Port = 8000, workers: Workers = 1) -> None:
    Settings()
    _serve(host, port, workers)


@app.command(help=say("help_up"))
@explaining
def up(host: Host = "127.0.0.1", port: Port = 8000, workers: Workers = 1) -> None:
    settings = Settings()
    _check_port(host, port)
    make_table(
        source_of(None, None, settings.raw_dir),
        settings.processed_dir,
        engine_of(EngineName.DUCKDB, "", settings.processed_dir.parent, settings.memory_mb),
    )
    model = settings.model_dir / MODEL_FILE
    if _is_usable(model):
        out.print(say("model_current", model=model))
    else:
        make_model(settings, settings.processed_dir, model)
    # In a process that has never met DuckDB or LightGBM: serving needs neither in memory.
    options = ["--host", host, "--port", str(port), "--workers", str(workers)]
    os.execv(sys.executable, [sys.executable, "-m", "flight_delay", "serve", *options])


def _is_usable(model: Path) -> bool:
    """Whether a model is there, and of this version."""
    from flight_delay.model.artifact import Artifact

    artifact = model.with_suffix(".npz")
    if not (model.is_file() and artifact.is_file()):
        return False
    try:
        Artifact.from_bytes(artifact.read_bytes())
    except BrokenArtifact as error:
        err.print(say("model_unusable", model=model, problem=error.facts["problem"]), style="yellow", markup=False)
        return False
    return True


def _serve(host: str, port: int, workers: int) -> None:
    import uvicorn

    _check_port(host, port)
    threading.Thread(target=_announce, args=(host, port), daemon=True).start()
    uvicorn.run(
        "flight_delay.api.app:create_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )


def _check_port(host: str, port: int) -> None:
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            return
    except OSError as error:
        err.print(say("port_taken", host=host, port=port, problem=error.strerror), style="bold red", markup=False)
    raise typer.Exit(1)


def _announce(host: str, port: int) -> None:
    """Say where the service is, as soon as it answers."""
    reachable = "localhost" if host in ("0.0.0.0", "127.0.0.1", "::") else f"[{host}]" if ":" in host else host
    url = f"http://{reachable}:{port}"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(_TRIES_TO_REACH):
        try:
            direct.open(f"{url}/health/", timeout=5).close()
        except (urllib.error.URLError, TimeoutError):  # not listening yet
            time.sleep(0.05)
        else:
            break
    else:
        return
    documented = Flight.model_json_schema()["examples"][0]
    example = json.dumps({name: documented[name] for name in Flight.model_fields if name in documented})
    curl = f"curl -X POST {url}/model/predict/ -H 'Content-Type: application/json' -d '{example}'"
    out.print(say("serving", url=url, curl=curl), markup=False)
    err.print(say("service_open"), style="yellow")
    try:
        asked = urllib.request.Request(f"{url}/health/ready/", headers={"Accept-Language": language()})
        direct.open(asked, timeout=5).close()
    except urllib.error.HTTPError as refusal:
        err.print(json.load(refusal)["detail"], style="bold red", markup=False)
