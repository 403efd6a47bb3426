"""A service process looked at from outside: its memory, its temporary files, its processes, and whether it answers."""

import gc
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

MEGABYTE = 2**20


def memory(server, what="VmRSS"):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition(f"{what}:")[2].split()[0]) * 1024


def temporary_bytes(server):
    """Return how much the service holds in temporary files; those that it has open have no names."""
    folder = server.folder / "temporary"
    found = [path for path in folder.rglob("*") if path.is_file()]
    for file in Path(f"/proc/{server.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            if str(folder) in str(file.readlink()):
                found.append(file)
    return sum(path.stat().st_size for path in found if path.exists())


def children(server):
    """Return the processes that a service has started."""
    found = []
    for task in Path(f"/proc/{server.process.pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def examining(server):
    """Return the process that examines an upload, as soon as there is one."""
    for _ in range(500):
        if found := children(server):
            return found[0]
        time.sleep(0.01)
    raise AssertionError("no file is examined")


@contextmanager
def undisturbed():
    """Keep this process from collecting garbage: that takes a tenth of a second, in which it measures nothing else."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def percentile_99(seconds):
    """Return within how many seconds 99 % were answered; of few, all but the slowest."""
    return sorted(seconds)[int((len(seconds) - 1) * 0.99)]


class Watch:
    """While it lasts, asks every 20 ms whether a service is alive, and looks at its memory and temporary files."""

    def __init__(self, server):
        self._server = server
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.seconds: list[float] = []
        self.most_temporary = 0

    def __enter__(self):
        self._before = memory(self._server)
        Path(f"/proc/{self._server.process.pid}/clear_refs").write_text("5")  # the highest memory is that from now on
        self._undisturbed = ExitStack()
        self._undisturbed.enter_context(undisturbed())
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()
        self._undisturbed.close()
        self.grown = memory(self._server, "VmHWM") - self._before
        self.p99, self.slowest = percentile_99(self.seconds), max(self.seconds)
        sys.stdout.write(
            f"{len(self.seconds)} x /health/: 99 % in {self.p99 * 1000:.0f} ms, all in {self.slowest * 1000:.0f} ms; "
            f"memory +{self.grown / MEGABYTE:.0f} MB, temporary files {self.most_temporary / MEGABYTE:.0f} MB\n"
        )

    def _look(self):
        with self._server.client() as client:
            is_done = False
            while not is_done:
                started = time.monotonic()
                assert client.get("/health/").status_code == 200
                self.seconds.append(time.monotonic() - started)
                self.most_temporary = max(self.most_temporary, temporary_bytes(self._server))
                is_done = self._done.wait(0.02)
