"""promtool, of Prometheus: it checks metrics and rules, and tries rules out."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

MONITORING = Path(__file__).parent.parent / "monitoring"


def promtool(*arguments: str, given: bytes = b"") -> None:
    """Run it; fail with what it says where it finds something wrong."""
    done = subprocess.run([_program(), *arguments], input=given, capture_output=True, check=False, cwd=MONITORING)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def _program() -> str:
    """Return promtool; a machine on which it can be installed gets it."""
    if not shutil.which("promtool") and shutil.which("apt-get") and os.geteuid() == 0:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "--yes", "--no-install-recommends", "prometheus"]
        for command in (install, ["apt-get", "update"], install):
            if not shutil.which("promtool"):
                subprocess.run(command, env=environment, capture_output=True, check=False)
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed: `apt-get install prometheus` or `brew install prometheus`")
    return found
