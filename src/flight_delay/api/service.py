"""What the routes share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from flight_delay.api.access import Access
from flight_delay.api.batch import Batches
from flight_delay.api.draining import Draining
from flight_delay.api.following import Follower
from flight_delay.api.limits import Limits
from flight_delay.api.live import LiveModel
from flight_delay.api.metrics import Metrics
from flight_delay.api.models import ModelLoader
from flight_delay.api.predict import Predictor
from flight_delay.store.database import Database
from flight_delay.store.predictions import PredictionLog


class Service:
    """What the routes need. All but the live model is there from the start of the service to its end."""

    log: PredictionLog
    predictor: Predictor
    batches: Batches
    loader: ModelLoader
    follower: Follower

    def __init__(
        self, database: Database, access: Access, now: Callable[[], dt.datetime], limits: Limits | None = None
    ) -> None:
        self.database = database
        self.access = access
        self.draining = Draining()
        self.limits = limits or Limits(None)
        self.live = LiveModel(database, now)
        self.metrics = Metrics()
