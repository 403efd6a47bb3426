"""HAProxy before several replicas: it sends requests to those that say that they are ready."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def start(folder: Path, port: int, replicas: list[int]) -> subprocess.Popen[bytes]:
    """Start it on a port before replicas on others; the caller ends it."""
    servers = "\n".join(f"    server replica{port} 127.0.0.1:{port} check" for port in replicas)
    configuration = folder / "haproxy.cfg"
    configuration.write_text(f"""
defaults
    mode http
    timeout connect 1s
    timeout check 2s
    timeout client 60s
    timeout server 60s
    retries 2
    option redispatch
frontend all
    bind 127.0.0.1:{port}
    default_backend replicas
backend replicas
    balance roundrobin
    option httpchk GET /health/ready/
    http-check expect status 200
    default-server inter 200ms fall 2 rise 1
{servers}
""")
    with (folder / "haproxy.log").open("wb") as log:
        return subprocess.Popen([_program(), "-db", "-f", str(configuration)], stdout=log, stderr=log)


def _program() -> str:
    """Return HAProxy; a machine on which it can be installed gets it."""
    if not shutil.which("haproxy") and shutil.which("apt-get") and os.geteuid() == 0:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "--yes", "--no-install-recommends", "haproxy"]
        for command in (install, ["apt-get", "update"], install):
            if not shutil.which("haproxy"):
                subprocess.run(command, env=environment, capture_output=True, check=False)
    found = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip("HAProxy is not installed: `apt-get install haproxy` or `brew install haproxy`")
    return found
