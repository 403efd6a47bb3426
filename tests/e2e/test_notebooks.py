"""The three notebooks, run from beginning to end as a person runs them: by a kernel, in the folder `notebook`."""

import ast
import datetime as dt
import json
import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from conftest import ROOT, SOURCE
from nbclient import NotebookClient
from written import all_lines, brief_file

from flight_delay.flight import Flight
from flight_delay.model import card
from flight_delay.model.evaluate import from_json

NOTEBOOKS = sorted((ROOT / "notebook").glob("*.ipynb"))


def execute(name, folder, **environment):
    """Run a notebook as if the project were in `folder`; return what each cell gave, by the cell's id."""
    notebook = nbformat.read(ROOT / "notebook" / f"{name}.ipynb", as_version=4)
    here = folder / "notebook"
    here.mkdir(exist_ok=True)
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(here)}})
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("FLIGHT_DELAY_", "LC_"))}
    own = {"PYTHONPATH": str(SOURCE), "IPYTHONDIR": str(folder / ".ipython"), "LANG": "C.UTF-8"}
    client.execute(env=clean | own | environment)
    return {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}


def shown(outputs, kind="text/plain"):
    return "\n".join(output.data[kind] for output in outputs if kind in output.get("data", {}))


def printed(outputs):
    return "".join(output.text for output in outputs if output.output_type == "stream")


def charts(outputs):
    return [shown(outputs[cell], "image/svg+xml")[:4] for cell in outputs if cell.endswith("-chart")]


class Project(NamedTuple):
    """A folder in which notebooks were run, how many flights they were given, and what they gave."""

    folder: Path
    flights: int
    etl: dict
    ml: dict


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """From every hundredth raw flight, one of them twice and one on 30 February, to a table and a model."""
    folder = tmp_path_factory.mktemp("project")
    header, *rows = all_lines()[::100]
    brief_file(folder, [header, *rows, rows[3], rows[4].replace("2013,1,1,", "2013,2,30,", 1)])
    return Project(folder, len(rows), execute("01-etl", folder, LANG="pt_BR.UTF-8"), execute("03-ml", folder))


class TestFromAnEmptyFolder:
    def test_etl_makes_the_table(self, project):
        report = ast.literal_eval(shown(project.etl["report"]))
        assert report == json.loads((project.folder / "data" / "processed" / "dataset.json").read_text())
        assert (report["rows_in"], report["rows_out"]) == (project.flights + 2, project.flights)

    def test_etl_shows_what_was_set_aside(self, project):
        said = printed(project.etl["set-aside"])
        assert "1 por o mesmo voo outra vez" in said
        assert "1 por uma data que não existe" in said
        assert "no_such_date" in said

    def test_ml_trains_and_measures(self, project):
        assert "training" in printed(project.ml["model"])
        metrics = from_json((project.folder / "model" / "metrics.json").read_text())
        assert shown(project.ml["scores"], "text/markdown") == card.table(metrics.scores)
        assert charts(project.ml) == ["<svg"] * 4


def test_etl_finds_the_table_of_all_flights(processed, tmp_path):
    before = (processed / "dataset.json").stat().st_mtime_ns
    outputs = execute("01-etl", tmp_path, FLIGHT_DELAY_PROCESSED_DIR=str(processed))
    assert ast.literal_eval(shown(outputs["report"]))["rows_out"] == 336_776
    assert "each_flight_once: every flight occurs once / cada voo ocorre uma só vez" in printed(outputs["rules"])
    assert "sched_dep_utc" in printed(outputs["columns"])
    assert charts(outputs) == ["<svg"]
    assert (processed / "dataset.json").stat().st_mtime_ns == before


def test_eda_answers_every_question_about_all_flights(processed, tmp_path):
    shutil.copytree(processed, tmp_path / "data" / "processed")
    outputs = execute("02-eda", tmp_path, LANG="pt_BR.UTF-8")
    answers = shown(outputs["answers"], "text/html")
    assert re.findall(r"<h2>(\d+)\. ", answers) == [str(number) for number in range(1, 19)]
    first, _ = answers.split("<h2>2. ")
    assert "<td>336.776</td>" in first
    assert answers.count("<svg") == 11
    assert charts(outputs) == ["<svg"]
    assert (tmp_path / "data" / "eda.html").read_text().startswith("<!doctype html>")


def test_ml_opens_the_model_that_is_there(project, workspace, trained, artifact, documented):
    outputs = execute("03-ml", workspace, FLIGHT_DELAY_PROCESSED_DIR=str(project.folder / "data" / "processed"))
    assert printed(outputs["model"]) == ""
    assert (workspace / "model" / "flight_delay_model.joblib").read_bytes() == trained.model.read_bytes()
    assert "test': Span(first='2013-11-01', last='2013-12-31')" in shown(outputs["split"])
    answers = ast.literal_eval(shown(outputs["prediction"]))
    assert answers["pipeline"] == answers["artifact"]
    assert answers["artifact"][1] == artifact.answer(Flight(**documented), dt.date.today()).minutes


def test_there_are_three():
    assert [path.name for path in NOTEBOOKS] == ["01-etl.ipynb", "02-eda.ipynb", "03-ml.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
class TestAsCommitted:
    def test_nothing_of_a_run_is_left(self, path):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert [cell.id for cell in code if cell.outputs or cell.execution_count is not None] == []
        assert [cell.id for cell in notebook.cells if cell.metadata] == []
        assert notebook.metadata.kernelspec.name == "python3"

    def test_nothing_of_a_machine_and_no_secret(self, path):
        written = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
        assert re.findall(r"(?:^|[\s\"'`(])(?:/\w+|~/|[A-Za-z]:\\)", written) == []
        assert re.findall(r"(?i)\w*(?:key|token|password|secret)\w*", written) == []
        assert re.findall(r"\b(?=\w*\d)\w{24,}\b", written) == []
