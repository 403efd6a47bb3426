"""What keeps the service from starting as it was told to."""

from __future__ import annotations

from flight_delay.errors.base import FlightDelayError


class TracesMissing(FlightDelayError):
    """Traces were asked for, and OpenTelemetry is not installed."""

    key = "traces_missing"
