"""What all commands have in common: how they fail, how they are stopped, and the options that several take."""

from __future__ import annotations

import functools
import getpass
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn, ParamSpec, TypeVar

import typer
from pydantic import ValidationError

from flight_delay.errors import FlightDelayError
from flight_delay.terminal import err, explain, explain_fields, say

MODEL_FILE = "flight_delay_model.joblib"

app = typer.Typer(help=say("help"), no_args_is_help=True, add_completion=False)
P = ParamSpec("P")
R = TypeVar("R")

Data = Annotated[Path | None, typer.Option(help=say("help_data"), show_default="data/processed")]
Host = Annotated[str, typer.Option(help=say("help_host"))]
Port = Annotated[int, typer.Option(help=say("help_port"), min=1, max=65535)]
Workers = Annotated[int, typer.Option(help=say("help_workers"), min=1)]


def explaining(command: Callable[P, R]) -> Callable[P, R]:
    """Print the project's own errors in the person's language, and leave with 1."""

    @functools.wraps(command)
    def explained(*args: P.args, **kwargs: P.kwargs) -> R:
        # What ends a service ends a command too: in order, with nothing half-written left behind.
        received: list[int] = []

        def stop(number: int, _: FrameType | None) -> NoReturn:
            received.append(number)
            raise KeyboardInterrupt

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        try:
            return command(*args, **kwargs)
        except FlightDelayError as error:
            explain(error)
        except ValidationError as error:
            explain_fields(error)
        except OSError as error:
            err.print(say("os_error", problem=error), style="bold red", markup=False)
        except (KeyboardInterrupt, Exception):
            # A stop that reaches DuckDB in the middle of a query comes out of it as a RuntimeError.
            if not received:
                raise
            err.print(say("stopped"))
            raise typer.Exit(128 + received[0]) from None
        raise typer.Exit(1)

    return explained


def person() -> str:
    """Return who is at the keyboard, for the records of what was changed."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a container's user may have no name
        return "cli"
