"""The service, alone or with all that it needs made first."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import typer

from flight_delay.cli.commands import MODEL_FILE, Host, Port, Workers, app, explaining
from flight_delay.cli.data import EngineName, engine_of, make_table, source_of
from flight_delay.cli.models import make_model
from flight_delay.cli.settings import unknown
from flight_delay.errors import BrokenArtifact, StoreUnavailable
from flight_delay.flight import Flight
from flight_delay.settings import Settings
from flight_delay.terminal import err, language, out, say

_TRIES_TO_REACH = 1200
_START_FAILED = 3
_STYLES = {logging.INFO: "", logging.WARNING: "yellow", logging.ERROR: "bold red"}


@app.command(help=say("help_serve"))
@explaining
def serve(host: Host = "127.0.0.1", port: Port = 8000, workers: Workers = 1) -> None:
    settings = Settings()
    _refuse_open(settings)
    if settings.traces:
        from flight_delay.api.tracing import provider

        provider().shutdown()  # each process makes its own; that it can is proved here
    _serve(host, port, workers, settings)


@app.command(help=say("help_up"))
@explaining
def up(host: Host = "127.0.0.1", port: Port = 8000, workers: Workers = 1) -> None:
    settings = Settings()
    _refuse_open(settings)
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


def _refuse_open(settings: Settings) -> None:
    """Leave with 1 where keys are required, and there is none.

    A database that cannot be read is waited for: until it is, and where it then has no key, nobody is let in.
    """
    from flight_delay.store import keys
    from flight_delay.store.database import database_at, opened

    if not settings.require_keys or keys.of_entries(settings.api_keys.get_secret_value()):
        return
    database = database_at(settings.database_url)
    try:
        database.migrate()
        with opened(database) as connection:
            if keys.all_of(connection):
                return
    except StoreUnavailable:
        return
    err.print(say("keys_required"), style="bold red", markup=False)
    raise typer.Exit(1)


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


def _serve(host: str, port: int, workers: int, settings: Settings) -> None:
    from flight_delay.cli import server

    _check_port(host, port)
    config = server.configured(host, port, workers, settings)
    tell = _log if settings.log_format == "json" else _print
    for line in unknown():
        tell(logging.WARNING, line)
    threading.Thread(target=_announce, args=(host, port, tell), daemon=True).start()
    if not server.run(config):
        raise typer.Exit(_START_FAILED)


def _log(level: int, line: str) -> None:
    logging.getLogger("flight_delay").log(level, "%s", line)


def _print(level: int, line: str) -> None:
    (out if level == logging.INFO else err).print(line, style=_STYLES[level], markup=False)


def _check_port(host: str, port: int) -> None:
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            return
    except OSError as error:
        err.print(say("port_taken", host=host, port=port, problem=error.strerror), style="bold red", markup=False)
    raise typer.Exit(1)


def _announce(host: str, port: int, tell: Callable[[int, str], None]) -> None:
    """Say where the service is, and whom it lets in, as soon as it answers."""
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
    # What needs a key where anything does; readiness does not say so while there is no model.
    asked_without = _status(direct, f"{url}/model/history/?limit=1")
    documented = Flight.model_json_schema()["examples"][0]
    example = json.dumps({name: documented[name] for name in Flight.model_fields if name in documented})
    key = " -H 'Authorization: Bearer fd_...'" if asked_without == HTTPStatus.UNAUTHORIZED else ""
    curl = f"curl -X POST {url}/model/predict/{key} -H 'Content-Type: application/json' -d '{example}'"
    tell(logging.INFO, say("serving", url=url, curl=curl))
    if key:
        tell(logging.INFO, say("service_closed"))
    elif asked_without == HTTPStatus.OK:
        tell(logging.WARNING, f"{say('service_open')}\n{say('how_to_close')}")
    try:
        asked = urllib.request.Request(f"{url}/health/ready/", headers={"Accept-Language": language()})
        direct.open(asked, timeout=5).close()
    except urllib.error.HTTPError as refusal:
        tell(logging.ERROR, json.load(refusal)["detail"])


def _status(direct: urllib.request.OpenerDirector, url: str) -> int:
    """Return with what a path is answered, 0 where it is not answered in time."""
    try:
        with direct.open(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code
    except OSError:
        return 0
