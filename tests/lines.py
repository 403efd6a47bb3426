"""A model of another's making, which answers minutes alone, put into a service's database."""

import datetime as dt

import numpy as np

from flight_delay.airports import Airport
from flight_delay.model.artifact import Manifest
from flight_delay.model.point import Head, PointModel
from flight_delay.model.point.columns import Number
from flight_delay.store import models
from flight_delay.store.database import database_at, opened

_WHEN = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
_AIRPORTS = {"JFK": Airport(40.639751, -73.778925, "America/New_York")}


def line():
    """A model that answers the departure delay less three minutes."""
    head = Head(1.0, "identity", -3.0, np.array([0], np.int32), np.array([1.0]), None, single=False)
    return PointModel(Manifest("0" * 64, {}), _AIRPORTS, (Number("dep_delay"),), (head,), ("dep_delay",), {})


def keep(folder):
    """Keep it in the database of a folder; return its version."""
    database = database_at(f"sqlite:///{folder}/data/flight_delay.sqlite3")
    database.migrate()
    with opened(database) as connection:
        return models.add(connection, models.Made(line().to_bytes(), "0" * 64, "m.joblib", "a test", "{}"), _WHEN)


def promote(folder):
    """Keep it, and make it live."""
    version = keep(folder)
    with opened(database_at(f"sqlite:///{folder}/data/flight_delay.sqlite3")) as connection:
        models.promote(connection, version, models.Change(models.PROMOTION, "a test", ""), _WHEN)
