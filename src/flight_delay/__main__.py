"""`python -m flight_delay` is the `flight-delay` command."""

from flight_delay.cli import app

app()
