"""What README, manifests and Dockerfile say, held against what is there."""

import json
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path

import pytest
from conftest import run_command

ROOT = Path(__file__).parent.parent.parent
READMES = ["README.md", "README.pt-BR.md"]


def blocks(document, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / document).read_text("utf-8"), re.S)


def commands(document):
    """Every command of a document, lines that go on put together."""
    for block in blocks(document, "bash"):
        for command in re.sub(r"\\\n", " ", block).split("\n" if "'" not in block else "\0"):
            if command.strip():
                yield command.strip()


@pytest.mark.parametrize("document", READMES)
def test_the_curls_of_the_readme_are_answered(document, server):
    answers = []
    for command in commands(document):
        if command.startswith("curl"):
            asked = command.replace("http://localhost:8000", server.url).replace("curl ", "curl -sf --noproxy '*' ", 1)
            done = subprocess.run(["sh", "-c", asked], cwd=server.folder, capture_output=True, text=True, check=True)
            answers.append(json.loads(done.stdout))
    prediction, included, told, health, ready, loaded, history = answers
    assert prediction.keys() == json.loads(blocks(document, "json")[0]).keys()
    assert prediction["prediction"] == pytest.approx(json.loads(blocks(document, "json")[0])["prediction"], abs=3)
    assert included.keys() == {"prediction", "interval", "probabilities", "explanation", "notes"}
    assert told == {"accepted": 1}
    assert health == {"status": "API está funcionando corretamente"}
    assert ready["database"] == "ok"
    assert loaded == {"status": "Modelo carregado com sucesso"}
    assert len(history["history"]) == 2


@pytest.mark.parametrize("document", READMES)
def test_the_figures_of_the_readme_are_those_of_the_model(document, trained):
    figures = [
        [cell.strip().replace(",", ".") for cell in row.strip("|").split("|")]
        for row in re.findall(
            r"^\| (?:departed|pre_departure|schedule) .*$", (ROOT / document).read_text("utf-8"), re.M
        )
    ]
    assert len(figures) == 9
    for horizon, _, _, rmse, mae, auc in figures:
        same = [score for score in trained.metrics.scores if score.horizon == horizon]
        score = min(same, key=lambda score: abs(score.rmse - float(rmse)))
        assert [score.rmse, score.mae] == pytest.approx([float(rmse), float(mae)], abs=0.05)
        assert score.auc_15 == pytest.approx(float(auc), abs=0.003)


@pytest.fixture(scope="module")
def help_of(tmp_path_factory):
    """What the help of a command shows; the two documents type the same commands."""
    return cache(lambda *named: run_command(*named, "--help", folder=tmp_path_factory.getbasetemp()))


@pytest.mark.parametrize("document", READMES)
def test_make_and_flight_delay_know_what_the_readme_types(document, help_of):
    text = (ROOT / document).read_text("utf-8")
    for target in re.findall(r"^make (\w+)", text, re.M):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M)
    typed = re.findall(r"`flight-delay ([^`]+)`", text)
    assert len(typed) >= 6
    for command in typed:
        words = shlex.split(command)
        named = [word for word in words[:2] if word.islower() and word.isalpha()]
        options = words[len(named) :]
        shown = help_of(*named)
        assert shown.returncode == 0
        assert all(option in shown.stdout for option in options if option.startswith("--"))


def test_links_lead_somewhere():
    for document in [ROOT / name for name in READMES] + [*(ROOT / "docs").rglob("*.md"), ROOT / "CHANGELOG.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
