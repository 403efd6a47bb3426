"""The container engine of whoever runs the drills, and containers of the service in it."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parent.parent
DOCKER = shlex.split(os.environ.get("DOCKER", "docker"))
NAME = "drill/flight_delay_api"
"""The documented name of the image, of a user who is called drill."""
_USER = re.compile(r"<[^>]+>(?=/flight_delay_api)")
_READY_S = 60


def run(*command: str, cwd: Path = ROOT, **environment: str) -> str:
    """Run a command, and return what it printed; what it complained of is in the error."""
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=1800
    )
    assert done.returncode == 0, f"{shlex.join(command)}: {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def docker(*arguments: str) -> str:
    """Run the engine's command."""
    return run(*DOCKER, *arguments).strip()


def inspect(what: str, name: str) -> Any:
    """Return what the engine knows of a container or an image."""
    return json.loads(docker(what, "inspect", name))[0]


def documented(document: str = "README.md") -> list[str]:
    """Return the commands of a document by which the image is built, pushed and run, of the user drill."""
    text = (ROOT / document).read_text("utf-8")
    blocks = "\n".join(re.findall(r"```bash\n(.*?)```", text, re.S))
    return [_USER.sub("drill", line) for line in blocks.splitlines() if re.match("docker .*/flight_delay_api", line)]


@dataclass(frozen=True)
class Container:
    """A container of the service; `asked` is the moment at which it was asked for."""

    id: str
    asked: float

    @property
    def url(self) -> str:
        return "http://" + docker("port", self.id, "8000/tcp").splitlines()[0].replace("0.0.0.0", "127.0.0.1")

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def ready_after(self, path: str = "/health/ready/") -> float:
        """Return after how many seconds a path answers 200."""
        with self.client() as client:
            while time.monotonic() - self.asked < _READY_S:
                try:
                    if client.get(path).status_code == httpx.codes.OK:
                        return time.monotonic() - self.asked
                except httpx.TransportError:
                    pass
                time.sleep(0.02)
        raise AssertionError(f"not ready after {_READY_S} s: {self.log()}")

    def log(self) -> str:
        done = subprocess.run([*DOCKER, "logs", self.id], capture_output=True, text=True, check=True)
        return done.stdout + done.stderr

    def python(self, script: str) -> str:
        """Run a script inside, by the Python that serves."""
        return docker("exec", self.id, "python", "-c", script)

    def wait_for_health(self, state: str, seconds: float = 60) -> None:
        """Wait until the engine finds it healthy, or not."""
        until = time.monotonic() + seconds
        while (seen := inspect("container", self.id)["State"]["Health"])["Status"] != state:
            assert time.monotonic() < until, seen
            time.sleep(0.2)


@contextmanager
def container(image: str, *options: str, command: tuple[str, ...] = ()) -> Iterator[Container]:
    """Run an image at a free port, and take the container away afterwards, with the volumes that have no name."""
    asked = time.monotonic()
    made = Container(docker("run", "--detach", "--publish", "127.0.0.1::8000", *options, image, *command), asked)
    try:
        yield made
    finally:
        docker("rm", "--force", "--volumes", made.id)
