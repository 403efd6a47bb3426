"""Predicts how late a flight will arrive."""

__version__ = "0.1.0"
