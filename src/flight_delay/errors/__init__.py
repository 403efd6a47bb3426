"""The exceptions, one tree. Each carries the facts; the edge makes the text, in the reader's language.

FlightDelayError
├── DataError
│   ├── SourceMissing      a raw file is not where it was said to be
│   ├── SourceUnreadable   a raw file has not the columns it should have
│   ├── WrongMonths        months were asked for that there are not
│   ├── ContractBroken     the processed table breaks a rule
│   ├── DatasetMissing     there is no processed table
│   ├── DatasetUnreadable  it is damaged
│   ├── TooFewMonths       it is too short to learn from and to test on
│   ├── KeyMissing         a service needs a key that is not set
│   ├── RemoteFailed       another's service cannot be reached, or has trouble of its own
│   ├── RemoteRefused      it says that the request is wrong
│   ├── MonthsMissing      it lacks months of a model's training or test
│   ├── FlightsMissing     no file of flights is where it was said to be
│   ├── FlightsUnreadable  a file of flights is none, or is damaged
│   ├── ColumnsMissing     it lacks columns that every flight needs
│   ├── NoFlight           a row of it is no flight
│   └── EngineError        Spark cannot be had: it, or Java, is not installed, or it failed
├── ModelError
│   ├── NoModel            nothing is live, or no model file is there
│   ├── NotAModel          the bytes are not a model file
│   ├── UntrustedModel     the digest is not one that is trusted
│   ├── ModelRefused       a model file was examined, and is not taken
│   ├── GateRefused        a version is worse than the live one
│   ├── GateUnmeasured     nothing compares the two
│   ├── FieldsNeeded       the live model has no answer without some fields
│   ├── BrokenArtifact     an artefact is damaged or of another format
│   ├── ConversionFailed   a model file could not be converted
│   ├── OutputUnusable     a model cannot be written where it was told to be
│   ├── AnswersUnusable    answers cannot be written where they were told to be
│   ├── AnswersNameless    their file's name does not say in which form
│   ├── LibraryMissing     this machine lacks a library that training needs
│   └── TrackerMissing     a run was to be tracked, and MLflow is not installed
├── TracesMissing          traces were asked for, and OpenTelemetry is not installed
└── StoreError
    ├── StoreUnavailable   the database cannot be read or written
    ├── DriverMissing      it is PostgreSQL, and the driver is not installed
    ├── StoreBusy          more answers wait for their commit than may wait
    ├── SpoolFull          the database is away, and the local disk holds as much as it may
    ├── NoSuchVersion      there is no model of that version, or it was deleted
    ├── NothingBefore      no other version was live before this one
    ├── NotOneKey          what was said names no key that is in use, or several
    └── VersionInUse       a version is live, and cannot be deleted
"""

from flight_delay.errors.base import (
    FlightDelayError,
)
from flight_delay.errors.data import (
    ColumnsMissing,
    ContractBroken,
    DataError,
    DatasetMissing,
    DatasetUnreadable,
    EngineError,
    FlightsMissing,
    FlightsUnreadable,
    JavaMissing,
    KeyMissing,
    MonthsMissing,
    NoFlight,
    RemoteFailed,
    RemoteRefused,
    SourceMissing,
    SourceUnreadable,
    SparkFailed,
    SparkMissing,
    TooFewMonths,
    WrongMonths,
)
from flight_delay.errors.models import (
    AnswersNameless,
    AnswersUnusable,
    BrokenArtifact,
    ConversionFailed,
    FieldsNeeded,
    GateRefused,
    GateUnmeasured,
    LibraryMissing,
    ModelError,
    ModelFileMissing,
    ModelRefused,
    NoModel,
    NotAModel,
    OutputUnusable,
    TrackerMissing,
    UntrustedModel,
)
from flight_delay.errors.service import (
    TracesMissing,
)
from flight_delay.errors.store import (
    DriverMissing,
    NoSuchVersion,
    NothingBefore,
    NotOneKey,
    SpoolFull,
    StoreBusy,
    StoreError,
    StoreUnavailable,
    VersionInUse,
)

__all__ = [
    "AnswersNameless",
    "AnswersUnusable",
    "BrokenArtifact",
    "ColumnsMissing",
    "ContractBroken",
    "ConversionFailed",
    "DataError",
    "DatasetMissing",
    "DatasetUnreadable",
    "DriverMissing",
    "EngineError",
    "FieldsNeeded",
    "FlightDelayError",
    "FlightsMissing",
    "FlightsUnreadable",
    "GateRefused",
    "GateUnmeasured",
    "JavaMissing",
    "KeyMissing",
    "LibraryMissing",
    "ModelError",
    "ModelFileMissing",
    "ModelRefused",
    "MonthsMissing",
    "NoFlight",
    "NoModel",
    "NoSuchVersion",
    "NotAModel",
    "NotOneKey",
    "NothingBefore",
    "OutputUnusable",
    "RemoteFailed",
    "RemoteRefused",
    "SourceMissing",
    "SourceUnreadable",
    "SparkFailed",
    "SparkMissing",
    "SpoolFull",
    "StoreBusy",
    "StoreError",
    "StoreUnavailable",
    "TooFewMonths",
    "TracesMissing",
    "TrackerMissing",
    "UntrustedModel",
    "VersionInUse",
    "WrongMonths",
]
