"""Predictions of a file that are stopped: the same command, run again, goes on and ends with the same file."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import duckdb
import pytest
from conftest import SOURCE, UNTRACED, run_command

from flight_delay.model.artifact import Artifact, Manifest
from flight_delay.model.flights_file import PART


@pytest.fixture(scope="module")
def flights(processed, tmp_path_factory):
    """Some parts and a bit."""
    path = tmp_path_factory.mktemp("flights") / "flights.parquet"
    rows = duckdb.sql(
        f"SELECT * FROM read_parquet('{processed}/**/*.parquet', hive_partitioning = true) WHERE month > 8"
    )
    rows.write_parquet(str(path))
    assert len(rows) > 6 * PART
    return path


@pytest.fixture(scope="module")
def undisturbed(trained, flights, tmp_path_factory):
    """The file that comes of it when nothing stops it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    shutil.copytree(trained.model.parent, folder / "model")
    answers, said = whole(folder, flights)
    assert "Taken up again" not in said
    return answers


@pytest.fixture
def folder(workspace):
    (workspace / "answers.parquet").write_text("what was there before\n")
    return workspace


def options(flights):
    return ["predict", "--input", str(flights), "--horizon", "departed", "--output", "answers.parquet"]


def stop(folder, flights, number, *further):
    """Run the command, and stop it when a part is there; return what it says and its exit code."""
    with subprocess.Popen(
        [sys.executable, "-m", "flight_delay", *options(flights), *further],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(SOURCE)} | UNTRACED, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        kept = folder / ".answers.parquet.parts"
        while process.poll() is None and not list(kept.glob("[0-9]*.parquet")):
            time.sleep(0.001)
        process.send_signal(number)
        said = process.stderr.read()
    return said, process.returncode


def whole(folder, flights, *further):
    done = run_command(*options(flights), *further, folder=folder, **UNTRACED)
    assert done.returncode == 0, done.stderr
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    return (folder / "answers.parquet").read_bytes(), done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_is_taken_up_and_ends_with_the_same_bytes(folder, flights, undisturbed, number):
    said, code = stop(folder, flights, number)
    if number == signal.SIGKILL:
        assert code == -number
    else:
        assert code == 128 + number
        assert "what was there before is whole" in said
        assert "flights are predicted, and kept" in said
    assert (folder / "answers.parquet").read_text() == "what was there before\n"
    resumed, said = whole(folder, flights)
    assert "Taken up again: " in said
    assert resumed == undisturbed


def test_other_options_begin_anew(folder, flights):
    stop(folder, flights, signal.SIGKILL)
    _, said = whole(folder, flights, "--point")
    assert "Taken up again" not in said
    assert "q50" not in duckdb.sql(f"SELECT * FROM '{folder}/answers.parquet'").columns


def test_other_flights_begin_anew(folder, flights):
    (folder / "flights.parquet").write_bytes(flights.read_bytes())
    stop(folder, "flights.parquet", signal.SIGKILL)
    duckdb.sql(f"SELECT * FROM '{flights}' LIMIT 100").write_parquet(str(folder / "flights.parquet"))
    _, said = whole(folder, "flights.parquet")
    assert "Taken up again" not in said
    assert len(duckdb.sql(f"SELECT * FROM '{folder}/answers.parquet'")) == 100


def test_another_model_begins_anew(folder, flights):
    stop(folder, flights, signal.SIGKILL)
    artefact = folder / "model" / "flight_delay_model.npz"
    model = Artifact.from_bytes(artefact.read_bytes())
    artefact.write_bytes(replace(model, manifest=Manifest("0" * 64, model.manifest.lineage)).to_bytes())
    assert "Taken up again" not in whole(folder, flights)[1]


def test_a_history_is_played_back_again(folder, flights):
    history = ("--history", str(flights))
    stop(folder, flights, signal.SIGTERM, *history)
    resumed, said = whole(folder, flights, *history)
    assert "Taken up again: " in said
    assert resumed == whole(folder, flights, *history)[0]
