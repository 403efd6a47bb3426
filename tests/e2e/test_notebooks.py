"""The three notebooks, run from beginning to end in a kernel of their own."""

import json
import os
import re

import nbformat
import pytest
from conftest import ROOT, SOURCE
from nbclient import NotebookClient

NOTEBOOKS = sorted((ROOT / "notebook").glob("*.ipynb"))


@pytest.fixture
def execute(processed, trained, tmp_path, monkeypatch):
    """Run a notebook over the flights and the model that other tests use too; return what its cells gave."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "processed").symlink_to(processed)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(SOURCE)]))
    monkeypatch.setenv("FLIGHT_DELAY_PROCESSED_DIR", str(folder / "processed"))
    monkeypatch.setenv("FLIGHT_DELAY_MODEL_DIR", str(trained.model.parent))

    def execute(name):
        (path,) = (path for path in NOTEBOOKS if path.name == name)
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}}).execute()
        return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]

    return execute


def said(outputs):
    """All texts of some outputs."""
    texts = []
    for output in outputs:
        data = output.get("data", {})
        texts += [
            output.get("text", ""),
            *(data.get(kind, "") for kind in ("text/plain", "text/markdown", "text/html")),
        ]
    return "\n".join(texts)


def drawn(outputs):
    return [output["data"]["image/svg+xml"] for output in outputs if "image/svg+xml" in output.get("data", {})]


def test_etl(execute):
    outputs = execute("01-etl.ipynb")
    assert "rows_in=336776, rows_out=336776, set_aside={}" in said(outputs)
    assert "each_flight_once: every flight occurs once / cada voo ocorre uma só vez" in said(outputs)
    assert len(drawn(outputs)) == 1


def test_eda(execute, tmp_path):
    outputs = execute("02-eda.ipynb")
    assert re.findall(r"^### (\d+)\. ", said(outputs), re.MULTILINE) == [str(number) for number in range(1, 19)]
    assert "336,776" in said(outputs)
    assert len(drawn(outputs)) >= 5
    assert (tmp_path / "data" / "eda.html").read_text().startswith("<!doctype html>")


def test_ml(execute, trained):
    outputs = execute("03-ml.ipynb")
    scores = json.loads(trained.metrics_file.read_text())["scores"]
    for score in scores:
        assert f"{score['rmse']:.2f} | {score['mae']:.2f}" in said(outputs)
    assert len(drawn(outputs)) == 2
    assert "'scheduled'" in said(outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_committed_as_written(path):
    """No outputs, no counts, and nothing of the machine on which it was run."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
    text = path.read_text()
    assert not re.search(r"/home/|/root/|/tmp/|/Users/|[A-Z]:\\\\|api[_-]?key|token|password", text, re.IGNORECASE)


def test_there_are_three():
    assert [path.name for path in NOTEBOOKS] == ["01-etl.ipynb", "02-eda.ipynb", "03-ml.ipynb"]
