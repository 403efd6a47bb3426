"""The service under the original's name: `uvicorn main:app --app-dir src`."""

from flight_delay.api.app import create_app

app = create_app()
