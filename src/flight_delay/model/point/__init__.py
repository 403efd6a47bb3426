"""Somebody else's regressor in a form that executes nothing, and how it answers."""

from flight_delay.model.point.model import FORMAT, KIND, LIMIT_MIN, Head, PointModel, Vocabulary

__all__ = ["FORMAT", "KIND", "LIMIT_MIN", "Head", "PointModel", "Vocabulary"]
