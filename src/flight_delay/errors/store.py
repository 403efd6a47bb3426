"""What may be wrong with the database."""

from __future__ import annotations

from collections.abc import Iterable

from flight_delay.errors.base import FlightDelayError


class StoreError(FlightDelayError):
    """Something is wrong with the database."""


class StoreUnavailable(StoreError):
    """The database cannot be read or written."""

    key = "store_unavailable"

    def __init__(self, problem: str) -> None:
        super().__init__(problem=problem)


class DriverMissing(StoreError):
    """The database is PostgreSQL, and its driver is not installed."""

    key = "driver_missing"

    def __init__(self, problem: str) -> None:
        super().__init__(problem=problem)


class StoreBusy(StoreError):
    """So many answers wait for their commit that no more are taken."""

    key = "store_busy"

    def __init__(self, waiting: int) -> None:
        super().__init__(waiting=waiting)


class SpoolFull(StoreError):
    """The database is away, and as much waits for it on the local disk as may."""

    key = "spool_full"

    def __init__(self, folder: str, most_mb: int) -> None:
        super().__init__(folder=folder, most_mb=most_mb)


class NoSuchVersion(StoreError):
    """There is no model of that version, or no longer."""

    key = "no_such_version"

    def __init__(self, version: int) -> None:
        super().__init__(version=version)


class NothingBefore(StoreError):
    """No version that is still there was live before the one that is."""

    key = "nothing_before"


class VersionInUse(StoreError):
    """The live version cannot be deleted."""

    key = "version_in_use"

    def __init__(self, version: int) -> None:
        super().__init__(version=version)


class NotOneKey(StoreError):
    """What was said names no key that is in use, or several: `ids`."""

    key = "no_such_key"

    def __init__(self, named: str, ids: Iterable[str]) -> None:
        shown = ", ".join(ids)
        if shown:
            self.key = "several_keys"
        super().__init__(named=named, ids=shown)
