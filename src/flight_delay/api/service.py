"""What the routes share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from flight_delay.api.access import Access
from flight_delay.api.live import LiveModel
from flight_delay.api.models import ModelLoader
from flight_delay.api.predict import Predictor
from flight_delay.store.database import Database
from flight_delay.store.predictions import PredictionLog


class Service:
    """What the routes need. All but the live model is there from the start of the service to its end."""

    log: PredictionLog
    predictor: Predictor
    loader: ModelLoader

    def __init__(self, database: Database, access: Access, now: Callable[[], dt.datetime]) -> None:
        self.database = database
        self.access = access
        self.live = LiveModel(database, now)
