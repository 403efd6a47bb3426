"""Every setting, read from FLIGHT_DELAY_* in the environment, or from a file `.env`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, NoDecode, SettingsConfigDict

PREFIX = "FLIGHT_DELAY_"
_SQLITE = "sqlite:///"
_POSTGRESQL = ("postgresql://", "postgres://")
KEY_NAME = r"[\w.@-]{1,64}"
"""The form of a key's name, as a regular expression."""
_KEY_SCOPE = "(?:predict|read|manage)"
_KEY = re.compile(rf"{KEY_NAME}:{_KEY_SCOPE}(?:\+{_KEY_SCOPE})*:[0-9a-fA-F]{{64}}")


class Settings(BaseSettings):
    """What can be set, with the documented file names as defaults."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    database_url: str = f"{_SQLITE}data/flight_delay.sqlite3"
    """Where models and history are kept: `sqlite:///` and a path, with four slashes for an absolute one; or
    `postgresql://user:password@host/name`, for processes on more than one machine. All processes on one database agree
    on the live model and on the history."""

    raw_dir: Path = Path("data/raw")
    """Where the brief's `airports-database.zip` is looked for, and where `fetch` puts its files, in `bts` and
    `anac`."""

    memory_mb: Annotated[int, Field(ge=500)] = 1200
    """How much of the data the ETL keeps in memory at a time, in megabytes; the rest waits on disk, beside the output.
    The process needs some 400 besides."""

    bts_url: str = "https://transtats.bts.gov/PREZIP"
    """Where the US Bureau of Transportation Statistics publishes its monthly files, or a copy of them."""

    anac_url: str = "https://siros.anac.gov.br/siros/registros/diversos/vra"
    """Where Brazil's ANAC publishes its monthly files, or a copy of them."""

    open_meteo_url: str = "https://archive-api.open-meteo.com/v1"
    """Open-Meteo's archive of weather."""

    mesonet_url: str = "https://mesonet.agron.iastate.edu"
    """Iowa Environmental Mesonet, for weather."""

    weatherbit_url: str = "https://api.weatherbit.io/v2.0"
    """Weatherbit, for weather."""

    weatherbit_key: SecretStr | None = None
    """The key for Weatherbit."""

    weatherbit_days: Annotated[int, Field(ge=1, le=10)] = 10
    """How many days the key for Weatherbit allows in one request; a trial key allows 1."""

    airportdb_url: str = "https://airportdb.io/api/v1"
    """AirportDB, for the coordinates of airports."""

    airportdb_key: SecretStr | None = None
    """The key for AirportDB."""

    http_timeout_s: Annotated[float, Field(gt=0, le=600)] = 30.0
    """How long a service from which data is fetched may be silent, in seconds."""

    processed_dir: Path = Path("data/processed")
    """Where `etl` writes and `train` reads the processed table."""

    model_dir: Path = Path("model")
    """Where training writes the model, and where the service looks for one when it has none."""

    trusted_model_sha256: Annotated[frozenset[str], NoDecode] = frozenset()
    """SHA-256 digests, separated by commas (`sha256sum FILE`): if there are any, no other model files may be uploaded,
    not even those trained here."""

    max_upload_mb: Annotated[int, Field(ge=1, le=4096)] = 64
    """The largest model file that may be uploaded, in megabytes."""

    max_connections: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    """How many connections each process keeps at a time, as far as the files that it may open allow (200 less than
    `ulimit -n`); more are answered 503."""

    batch_rows: Annotated[int, Field(ge=1, le=10_000_000)] = 100_000
    """How many flights a request to `/model/predict/batch/` may have."""

    batch_mb: Annotated[int, Field(ge=1, le=4096)] = 64
    """The largest body of such a request, in megabytes."""

    batches_at_once: Annotated[int, Field(ge=1, le=100)] = 2
    """How many batches each process answers at once; four times as many may be coming in, more are refused with 503."""

    keep_history: bool = True
    """Whether each prediction is kept in the database before it is answered; if not, it has no id, and what became of
    its flight cannot be told by one."""

    max_waiting: Annotated[int, Field(ge=1, le=100_000)] = 1000
    """How many predictions may wait at a time for each process to keep them; more are answered 503."""

    when_away: Literal["refuse", "spool"] = "refuse"
    """What becomes of predictions while the database is away: `refuse` answers 503; `spool` answers by the model
    that was live, keeps the predictions on the local disk, and takes them up when the database is back."""

    spool_dir: Path = Path("data/spool")
    """Where `spool` keeps them, each process in a file of its own."""

    spool_mb: Annotated[int, Field(ge=1, le=1_000_000)] = 256
    """How much each process may keep there, in megabytes; beyond, it refuses."""

    gate_worse_pct: Annotated[float | None, Field(ge=0, le=1000)] = None
    """By how many percent of the mean absolute error a version may be worse than the live one and still go live, on
    flights that have arrived; none: there is no gate."""

    api_keys: SecretStr = SecretStr("")
    """Keys that open the service besides those of `flight-delay keys`, hashed, as `name:scope+scope:sha256`,
    separated by commas; `flight-delay keys create NAME --scope predict --hashed` prints one."""

    require_keys: bool = False
    """Whether the service refuses to start where there is no key, instead of being open to all."""

    metrics_dir: Path | None = None
    """Where the processes of one service find what the others have counted, so that `/metrics/` tells of all, whichever
    answers: a folder of this machine, for this service alone. `serve --workers` makes one by itself; to be set where
    another program starts the processes, not on Windows."""

    requests_per_minute: Annotated[int | None, Field(ge=1, le=1_000_000)] = None
    """How many requests each key, by its name, may make in a minute, and all who come without one together; none:
    there is no limit. Each process counts for itself."""

    drain_s: Annotated[float, Field(ge=0, le=600)] = 0.0
    """How long the service still answers when it is told to end, while it says that it is not ready, in seconds: so
    long a load balancer may take to see that."""

    log_format: Literal["text", "json"] = "text"
    """The form of the log: `text` for a person, `json` for machines, one object a line."""

    log_requests: Literal["none", "failed", "all"] = "failed"
    """Which requests are logged: `failed` ones are those that the service could not answer, or refused for their
    number."""

    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    """The least that is logged besides requests."""

    traces: bool = False
    """Whether traces of requests are sent by OpenTelemetry, whose own settings (OTEL_EXPORTER_OTLP_ENDPOINT and
    others) say where; needs `flight-delay[traces]`."""

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, value: str) -> str:
        # The value may hold a password, so it is not repeated.
        if not value.startswith(_POSTGRESQL) and value.removeprefix(_SQLITE) in (value, "", ":memory:"):
            raise PydanticCustomError(
                "no_database",
                "must be {sqlite} and a path, or {postgresql}user:password@host/name",
                {"sqlite": _SQLITE, "postgresql": _POSTGRESQL[0]},
            )
        return value

    @field_validator("api_keys")
    @classmethod
    def _are_keys(cls, value: SecretStr) -> SecretStr:
        # What is wrong may be a key that was not hashed, so it is not repeated.
        entries = [entry.strip() for entry in value.get_secret_value().split(",") if entry.strip()]
        for number, entry in enumerate(entries, 1):
            if not _KEY.fullmatch(entry):
                raise PydanticCustomError(
                    "no_keys",
                    "entry {number} must be name:scope+scope:sha256, of the scopes predict, read and manage; "
                    "`flight-delay keys create NAME --scope predict --hashed` prints one",
                    {"number": number},
                )
        return value

    @field_validator("trusted_model_sha256", mode="before")
    @classmethod
    def _digests(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        digests = frozenset(digest.strip().lower() for digest in value.split(",") if digest.strip())
        for digest in digests:
            if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
                raise PydanticCustomError(
                    "no_digest", "{digest} is not a SHA-256 digest of 64 hexadecimal digits", {"digest": digest}
                )
        return digests


class Given(NamedTuple):
    """A name that begins as a setting's does, and where it was given: in a file, or None for the environment."""

    name: str
    value: str
    file: Path | None

    @property
    def setting(self) -> str | None:
        """The setting that it is; None where there is no such setting."""
        setting = self.name.removeprefix(PREFIX).lower()
        return setting if setting in Settings.model_fields else None

    @property
    def nearest(self) -> str:
        """The name of a setting that could have been meant, "" where none is near."""
        names = [PREFIX + setting.upper() for setting in Settings.model_fields]
        return next(iter(get_close_matches(self.name, names, n=1)), "")


def given() -> Iterator[Given]:
    """Tell what the environment and the file `.env` give; what comes first goes before the rest."""
    file = Path(str(Settings.model_config["env_file"])).absolute()
    for source, path in ((EnvSettingsSource(Settings), None), (DotEnvSettingsSource(Settings), file)):
        for name, value in source.env_vars.items():
            if name.upper().startswith(PREFIX):
                yield Given(name.upper(), value or "", path)
