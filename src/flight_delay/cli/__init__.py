"""The commands that a person types."""

from flight_delay.cli import data, models, predict, service
from flight_delay.cli.commands import app

__all__ = ["app", "data", "models", "predict", "service"]
