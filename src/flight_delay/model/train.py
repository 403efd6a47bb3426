"""From the processed table to a model file, an artefact, their metrics and their card."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import holidays
import joblib
import numpy as np
from sklearn.pipeline import Pipeline

from flight_delay import __version__
from flight_delay.errors import BrokenArtifact, ModelFileMissing, MonthsMissing, OutputUnusable, TooFewMonths
from flight_delay.flight import Flight
from flight_delay.model import card, evaluate, inputs, trust
from flight_delay.model.artifact import feature_names
from flight_delay.model.dataset import Dataset, load
from flight_delay.model.pipeline import DelayBySpecialist, FlightFeatures, to_artifact
from flight_delay.model.specialist import FOLDS, PARAMETERS, Seen
from flight_delay.model.split import (
    FEWEST_MONTHS,
    FEWEST_TO_LEARN,
    Periods,
    Split,
    by,
    folds,
    months_of,
    temporal,
)
from flight_delay.model.split import until as split_until
from flight_delay.model.views import Views

SEED = 2013
EXTENSIONS = (".joblib", ".pkl")
MODEL_FILE = "flight_delay_model.joblib"
_HOLIDAYS_OF = range(2000, 2051)


class Progress(NamedTuple):
    """Whom to tell what training does: the name of a step, and every tree."""

    step: Callable[[str], None]
    tree: Callable[[], None]


class Until(NamedTuple):
    """The last day that teaches, and the last one that calibrates."""

    train: dt.date
    calibrate: dt.date


class Trained(NamedTuple):
    """What training wrote, and how good it is."""

    model: Path
    artifact: Path
    metrics_file: Path
    card: Path
    metrics: evaluate.Metrics


def train(processed: Path, output: Path, trust_folder: Path, progress: Progress, until: Until | None = None) -> Trained:
    """Train on the processed table; write the model to `output` and the rest beside it.

    The model that is written is the one that was evaluated: it has not seen the flights that test it. Its
    digest is recorded in `trust_folder`, so that a service with that folder takes it.

    Raises
    ------
    DatasetMissing, TooFewMonths
        There is not enough to learn from.
    OutputUnusable
        `output` cannot be the file of a model.
    """
    _check_output(output)
    progress.step("load")
    data = load(processed)
    split = _split(data, processed, until)
    pipeline, views = fit(data, split, SEED, progress)
    progress.step("evaluate")
    metrics = evaluate.evaluate(pipeline, data, split, views)
    pipeline.named_steps["delay"].lineage_ = _lineage(pipeline, data, split, metrics)
    progress.step("save")
    return _save(pipeline, metrics, output, trust_folder)


def reevaluate(model: Path, processed: Path, trust_folder: Path, progress: Progress) -> evaluate.Metrics:
    """Score a model file that was trained here; write its metrics and its card anew.

    Raises
    ------
    ModelFileMissing, NotAModel, UntrustedModel
        There is no such file, or none that was recorded at its training.
    DatasetMissing, MonthsMissing
        The months that it learnt from, or is to be tested on, are not there.
    """
    pipeline = open_trained(model, trust_folder)
    progress.step("load")
    data = load(processed)
    split = split_of(pipeline, data, processed)
    progress.tree()
    progress.step("evaluate")
    metrics = evaluate.evaluate(pipeline, data, split, Views.of(pipeline.named_steps["features"], data))
    _write_metrics(metrics, model)
    return metrics


def open_trained(model: Path, trust_folder: Path) -> Pipeline:
    """Return the fitted pipeline of a model file that was trained here.

    Raises `ModelFileMissing`, `NotAModel`, `UntrustedModel` as `reevaluate` does, and `BrokenArtifact` for a model
    that another version of this program trained.
    """
    if not model.is_file():
        raise ModelFileMissing(model)
    content = model.read_bytes()
    trust.check(content, model.name, trust.recorded(trust_folder))
    try:
        pipeline: Pipeline = joblib.load(io.BytesIO(content))
        features = pipeline.named_steps["delay"].features_
    except (AttributeError, ImportError) as error:
        raise BrokenArtifact(f"another version made it ({error}); train again") from error
    if features != feature_names():
        raise BrokenArtifact("it was made for other features; train again")
    return pipeline


def split_of(pipeline: Pipeline, data: Dataset, processed: Path) -> Split:
    """Split the flights of the table in `processed` as at the pipeline's training, whatever has been added since.

    Raises `MonthsMissing` where months of it are not there.
    """
    split = by(Periods(**pipeline.named_steps["delay"].lineage_["periods"]), data.dates)
    there = set(months_of(data.dates).tolist())
    if missing := [month for span in split.periods for month in span.months() if month not in there]:
        raise MonthsMissing(processed, [f"{month:%Y-%m}" for month in missing])
    return split


def fit(data: Dataset, split: Split, seed: int, progress: Progress) -> tuple[Pipeline, Views]:
    """Return the pipeline fitted on the flights that teach and calibrated on those after them, and what it saw."""
    features = FlightFeatures(data.airports, public_holidays())
    features.fit(_teaching(data, split))
    progress.step("features")
    views = Views.of(features, data)
    features.habits_ = views.history.habits(_end(split))
    progress.step("fit")
    delay = DelayBySpecialist(seed).fit(seen_by(split, data, views), on_tree=progress.tree)
    return Pipeline([("features", features), ("delay", delay)]), views


def seen_by(split: Split, data: Dataset, views: Views) -> Seen:
    """Return what a model is shown of the flights that teach and calibrate."""
    learns = split.train | split.calibrate
    return Seen(
        {horizon: rows[learns] for horizon, rows in views.matrices.items()},
        data.arr_delay[learns],
        folds(data.dates, split.train, FOLDS)[learns],
    )


def public_holidays() -> list[int]:
    """Return the public holidays of the United States as proleptic ordinals, ascending."""
    return sorted(day.toordinal() for day in holidays.country_holidays("US", years=_HOLIDAYS_OF))


def artifact_path(model: Path) -> Path:
    """Return where the artefact of a model file lies: beside it, under the same name."""
    return model.with_suffix(".npz")


def _split(data: Dataset, processed: Path, until: Until | None) -> Split:
    """Split by the days that were asked for, or by the last months; raises `TooFewMonths`."""
    if until is None:
        if data.months() < FEWEST_MONTHS:
            raise TooFewMonths(processed, data.months(), FEWEST_MONTHS)
        return temporal(data.dates)
    split = split_until(data.dates, until.train, until.calibrate)
    learnt = len(np.unique(months_of(data.dates[split.train])))
    if learnt < FEWEST_TO_LEARN:
        raise TooFewMonths(processed, learnt, FEWEST_TO_LEARN)
    return split


def _end(split: Split) -> float:
    """Return the minute (UTC, since 1970) at which the first day after those that it learns from begins."""
    last = np.datetime64(split.periods.calibrate.last or split.periods.train.last) + 1
    return float(last.astype("datetime64[m]").astype(np.int64))


def _teaching(data: Dataset, split: Split) -> list[Flight]:
    return [flight for flight, teaches in zip(data.flights, split.train, strict=True) if teaches]


def _lineage(pipeline: Pipeline, data: Dataset, split: Split, metrics: evaluate.Metrics) -> dict[str, Any]:
    return {
        "code_version": __version__,
        "source": data.source,
        "data_digest": data.digest,
        "periods": split.periods._asdict(),
        "learnt_until_min": _end(split),
        "seed": SEED,
        "parameters": PARAMETERS,
        "inputs": inputs.learn(_teaching(data, split), pipeline.named_steps["features"].codes_),
        "scores": [asdict(score) for score in metrics.scores],
    }


def _save(pipeline: Pipeline, metrics: evaluate.Metrics, output: Path, trust_folder: Path) -> Trained:
    buffer = io.BytesIO()
    # Not compressed: the same model must give the same digest with any implementation of zlib.
    joblib.dump(pipeline, buffer)
    model = buffer.getvalue()
    artifact = to_artifact(pipeline, hashlib.sha256(model).hexdigest())
    output.parent.mkdir(parents=True, exist_ok=True)
    trust_folder.mkdir(parents=True, exist_ok=True)
    write(output, model)
    trust.record(trust_folder, model, output.name)
    _write_metrics(metrics, output)
    # Last: a service that starts takes up the artefact, so all that it speaks of must be there.
    write(artifact_path(output), artifact.to_bytes())
    folder = output.parent
    return Trained(output, artifact_path(output), folder / evaluate.METRICS_FILE, folder / card.CARD_FILE, metrics)


def _check_output(output: Path) -> None:
    """Refuse a file that cannot be written before training for a minute; the artefact needs a name of its own."""
    if output.suffix not in EXTENSIONS:
        raise OutputUnusable(output, f"it must end in {' or '.join(EXTENSIONS)}")
    if output.is_dir():
        raise OutputUnusable(output, "it is a folder")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output.parent):
            pass
    except OSError as error:
        raise OutputUnusable(output, str(error)) from error


def _write_metrics(metrics: evaluate.Metrics, model: Path) -> None:
    write(model.parent / evaluate.METRICS_FILE, evaluate.as_json(metrics).encode())
    write(model.parent / card.CARD_FILE, card.render(metrics, model.name).encode())


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    scratch = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        scratch.chmod(0o644)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
