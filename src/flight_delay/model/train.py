"""From the processed table to a model file, an artefact, their metrics and their card."""

from __future__ import annotations

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
from sklearn.pipeline import Pipeline

from flight_delay import __version__
from flight_delay.errors import ModelFileMissing, MonthsMissing, OutputUnusable, TooFewMonths
from flight_delay.model import card, evaluate, trust
from flight_delay.model.dataset import Dataset, load
from flight_delay.model.pipeline import PARAMETERS, TREES, DelayByHorizon, FlightFeatures, to_artifact
from flight_delay.model.split import FEWEST_MONTHS, Months, Split, by, temporal

SEED = 2013
EXTENSIONS = (".joblib", ".pkl")
MODEL_FILE = "flight_delay_model.joblib"
ALL_TREES = 2 * sum(TREES.values())
_HOLIDAYS_OF = range(2000, 2051)


class Progress(NamedTuple):
    """Whom to tell what training does: the name of a step, and every tree."""

    step: Callable[[str], None]
    tree: Callable[[], None]


class Trained(NamedTuple):
    """What training wrote, and how good it is."""

    model: Path
    artifact: Path
    metrics_file: Path
    card: Path
    metrics: evaluate.Metrics


def train(processed: Path, output: Path, trust_folder: Path, progress: Progress) -> Trained:
    """Train on the processed table; write the model to `output` and the rest beside it.

    The model that is written is the one that was evaluated: it has not seen the test months. Its
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
    if len(data.month_names()) < FEWEST_MONTHS:
        raise TooFewMonths(processed, len(data.month_names()))
    pipeline = fit(data, SEED, progress)
    progress.step("evaluate")
    metrics = evaluate.evaluate(pipeline, data, temporal(data.months))
    pipeline.named_steps["delay"].lineage_ = _lineage(data, metrics)
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
    metrics = evaluate.evaluate(pipeline, data, split)
    _write_metrics(metrics, model)
    return metrics


def open_trained(model: Path, trust_folder: Path) -> Pipeline:
    """Return the fitted pipeline of a model file that was trained here.

    Raises `ModelFileMissing`, `NotAModel`, `UntrustedModel` as `reevaluate` does.
    """
    if not model.is_file():
        raise ModelFileMissing(model)
    content = model.read_bytes()
    trust.check(content, model.name, trust.recorded(trust_folder))
    pipeline: Pipeline = joblib.load(io.BytesIO(content))
    return pipeline


def split_of(pipeline: Pipeline, data: Dataset, processed: Path) -> Split:
    """Split the flights of the table in `processed` as at the pipeline's training, whatever has been added since.

    Raises `MonthsMissing` where months of it are not there.
    """
    months = Months(*map(tuple, pipeline.named_steps["delay"].lineage_["months"].values()))
    if missing := sorted({month for part in months for month in part} - set(data.month_names())):
        raise MonthsMissing(processed, missing)
    return by(months, data.months)


def fit(data: Dataset, seed: int, progress: Progress) -> Pipeline:
    """Return the pipeline fitted on the training months and calibrated on the month after them."""
    split = temporal(data.months)
    features = FlightFeatures(data.airports, public_holidays())
    features.fit([flight for flight, teaches in zip(data.flights, split.train, strict=True) if teaches])
    progress.step("features")
    matrix = features.transform(data.flights)
    progress.step("fit")
    delay = DelayByHorizon(seed).fit(matrix[split.train], data.arr_delay[split.train], progress.tree)
    delay.calibrate(matrix[split.calibrate], data.arr_delay[split.calibrate])
    return Pipeline([("features", features), ("delay", delay)])


def public_holidays() -> list[int]:
    """Return the public holidays of the United States as proleptic ordinals, ascending."""
    return sorted(day.toordinal() for day in holidays.country_holidays("US", years=_HOLIDAYS_OF))


def artifact_path(model: Path) -> Path:
    """Return where the artefact of a model file lies: beside it, under the same name."""
    return model.with_suffix(".npz")


def _lineage(data: Dataset, metrics: evaluate.Metrics) -> dict[str, Any]:
    return {
        "code_version": __version__,
        "source": data.source,
        "data_digest": data.digest,
        "months": temporal(data.months).months._asdict(),
        "seed": SEED,
        "parameters": PARAMETERS,
        "metrics": asdict(metrics),
    }


def _save(pipeline: Pipeline, metrics: evaluate.Metrics, output: Path, trust_folder: Path) -> Trained:
    buffer = io.BytesIO()
    # Not compressed: the same model must give the same digest with any implementation of zlib.
    joblib.dump(pipeline, buffer)
    model = buffer.getvalue()
    artifact = to_artifact(pipeline, hashlib.sha256(model).hexdigest())
    output.parent.mkdir(parents=True, exist_ok=True)
    trust_folder.mkdir(parents=True, exist_ok=True)
    _write(output, model)
    trust.record(trust_folder, model, output.name)
    _write_metrics(metrics, output)
    # Last: a service that starts takes up the artefact, so all that it speaks of must be there.
    _write(artifact_path(output), artifact.to_bytes())
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
    _write(model.parent / evaluate.METRICS_FILE, evaluate.as_json(metrics).encode())
    _write(model.parent / card.CARD_FILE, card.render(metrics, model.name).encode())


def _write(path: Path, content: bytes) -> None:
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
