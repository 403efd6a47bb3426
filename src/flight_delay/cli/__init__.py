"""The commands that a person types."""

from flight_delay.cli import data, history, keys, models, predict, service, settings, versions
from flight_delay.cli.commands import app

__all__ = ["app", "data", "history", "keys", "models", "predict", "service", "settings", "versions"]
