"""The cluster of whoever runs the drills, as kubectl shows it, and the service in it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine import NAME, ROOT, docker, run

KUBECTL = shlex.split(os.environ.get("KUBECTL", "kubectl"))
LOAD_IMAGE = shlex.split(os.environ.get("LOAD_IMAGE", ""))
"""A command that takes the name of an image, and brings it to where the nodes find it."""
ON_NODE = shlex.split(os.environ.get("ON_NODE", ""))
"""A command that runs what follows it on the node, as root; without it no network is cut."""
NODE, PORT = os.environ.get("NODE", "localhost"), 30007
IMAGE = os.environ.get("IMAGE", f"{NAME}:latest")
API, DATABASE, CLAIM, SECRET = (
    "flight-delay-api",
    "flight-delay-postgresql",
    "data-flight-delay-postgresql-0",
    "flight-delay-database",
)
REPLICAS = 3
_PLACEHOLDER = re.compile(r"<[^>\n]+>/flight_delay_api:latest")
_ASK = """
import json, sys, urllib.error, urllib.request
path, kind = sys.argv[1:]
body = sys.stdin.buffer.read() or None
request = urllib.request.Request("http://127.0.0.1:8000" + path, body, {"Content-Type": kind} if kind else {})
try:
    answer = urllib.request.urlopen(request, timeout=60)
except urllib.error.HTTPError as error:
    answer = error
print(json.dumps([answer.status, dict(answer.headers), answer.read().decode()]))
"""

# A container has the name of its pod as that of its host; the pod's name is unique, that of another's host is not.
_KILL = """
for process in /proc/[0-9]*; do
    if tr '\\0' '\\n' < "$process/environ" 2>/dev/null | grep -qx "HOSTNAME=$1"; then kill -9 "${process#/proc/}"; fi
done
"""


def kubectl(*arguments: str, cwd: Path = ROOT) -> str:
    """Run kubectl, and return what it printed."""
    return run(*KUBECTL, *arguments, cwd=cwd)


def get(*arguments: str) -> Any:
    """Return what kubectl knows, as objects."""
    return json.loads(kubectl("get", *arguments, "--output=json"))


def is_there(kind: str, name: str) -> bool:
    """Whether there is an object of that name."""
    return bool(kubectl("get", kind, name, "--ignore-not-found", "--output=name").strip())


def pods(app: str = API) -> list[dict[str, Any]]:
    """Return the pods that are not being ended."""
    found: list[dict[str, Any]] = get("pods", f"--selector=app={app}")["items"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def ready(app: str = API) -> list[str]:
    """Return the names of the pods that are ready."""
    return sorted(
        pod["metadata"]["name"]
        for pod in pods(app)
        for condition in pod["status"].get("conditions", [])
        if condition["type"] == "Ready" and condition["status"] == "True"
    )


def wait_until(what: str, is_so: Callable[[], bool], seconds: float = 180) -> float:
    """Wait for something, and return for how many seconds; a wait in vain ends in an error with what there is."""
    begun = time.monotonic()
    while not is_so():
        if time.monotonic() - begun > seconds:
            seen = kubectl("describe", "pods", f"--selector=app in ({API}, {DATABASE})")
            raise AssertionError(f"not within {seconds:.0f} s: {what}\n{seen[-6000:]}")
        time.sleep(0.25)
    return time.monotonic() - begun


def all_ready() -> bool:
    """Whether the database and all replicas are ready, and no more than these are there."""
    return len(ready()) == len(pods()) == REPLICAS and len(ready(DATABASE)) == 1


def ask(pod: str, path: str, body: bytes = b"", kind: str = "") -> tuple[int, dict[str, str], Any]:
    """Ask one replica and no other: status, headers (names in small letters), and the JSON that it answers."""
    command = [*KUBECTL, "exec", "--stdin", pod, f"--container={API}-container", "--"]
    done = subprocess.run(
        [*command, "python", "-c", _ASK, path, kind], input=body, capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()
    status, headers, text = json.loads(done.stdout)
    return status, {name.lower(): value for name, value in headers.items()}, json.loads(text)


def in_database(*command: str, stdin: Path | None = None) -> str:
    """Run a command where PostgreSQL runs, and return what it printed."""
    whole = [*KUBECTL, "exec", "--stdin", f"{DATABASE}-0", "--", *command]
    with Path(stdin or os.devnull).open("rb") as given:
        done = subprocess.run(whole, stdin=given, capture_output=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def bring(image: str) -> None:
    """Bring an image to where the nodes find it."""
    if LOAD_IMAGE:
        run(*LOAD_IMAGE, image)


def make_image() -> None:
    """Build the image as documented, unless the environment names one."""
    if "IMAGE" not in os.environ:
        docker("build", "-t", IMAGE, "-f", "docker/Dockerfile", ".")
    bring(IMAGE)


def next_image() -> str:
    """Make and bring an image that differs from the first by a label alone, and return its name."""
    name = f"{IMAGE.rpartition(':')[0]}:next"
    with tempfile.TemporaryDirectory() as folder:
        recipe = Path(folder) / "Dockerfile"
        recipe.write_text(f"FROM {IMAGE}\nLABEL drill=next\n", "utf-8")
        docker("build", "-t", name, "-f", str(recipe), folder)
    bring(name)
    return name


def documented(beginning: str) -> list[str]:
    """Return the commands of the README that begin so, in their order, as they are typed."""
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    commands = re.split(r"\n(?=[a-z])", "\n".join(blocks))
    return [command.strip() for command in commands if command.startswith(beginning)]


def runbook(heading: str) -> str:
    """Return the commands of docs/operations.md that stand under a heading."""
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    section = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.S | re.M)
    assert section, heading
    (block,) = re.findall(r"```bash\n(.*?)```", section[1], re.S)
    return "set -e\n" + block


def manifests(folder: Path) -> None:
    """Copy the manifests to a folder, and put the image's name in, as documented."""
    shutil.copytree(ROOT / "kubernetes", folder / "kubernetes")
    deployment = folder / "kubernetes" / "deployment.yaml"
    text, times = _PLACEHOLDER.subn(IMAGE, deployment.read_text("utf-8"))
    assert times == 1, "the image is to be put in once"
    deployment.write_text(text, "utf-8")


@contextmanager
def deployed(folder: Path) -> Iterator[float]:
    """Apply the manifests, for a block; yield after how many seconds all was ready, and take all away at the end."""
    kept = [("deployment", API), ("statefulset", DATABASE), ("pvc", CLAIM), ("secret", SECRET)]
    there = [f"{kind}/{name}" for kind, name in kept if is_there(kind, name)]
    assert not there, f"the namespace is in use: {there}"
    manifests(folder)
    try:
        for part in ("deployment", "service"):
            kubectl("apply", "-f", f"kubernetes/{part}.yaml", cwd=folder)
        yield wait_until("three replicas and a database", all_ready, 300)
    finally:
        for part in ("deployment", "service"):
            kubectl("delete", "--ignore-not-found", "-f", f"kubernetes/{part}.yaml", cwd=folder)
        erase()


def erase() -> None:
    """Take away what deleting the manifests leaves on purpose."""
    kubectl("delete", "--ignore-not-found", f"pvc/{CLAIM}", f"secret/{SECRET}")


def on_node(*command: str) -> None:
    """Run a command on the node, as root."""
    run(*ON_NODE, *command)


def kill(pod: str) -> None:
    """End a pod without notice: its processes on the node, which Kubernetes itself would tell to end, and then the pod."""
    if ON_NODE:
        on_node("sh", "-c", _KILL, "sh", pod)
    kubectl("delete", "pod", pod, "--grace-period=0", "--force", "--wait=false")


def server_version() -> str:
    """Return the version of the cluster."""
    return str(json.loads(kubectl("version", "--output=json"))["serverVersion"]["gitVersion"])


def typed(commands: Sequence[str], folder: Path) -> str:
    """Run commands as they are documented, but at this cluster; return all that they printed."""
    program = shlex.join(KUBECTL)
    printed = ""
    for command in commands:
        here = re.sub(r"\bkubectl(?= )", lambda _: program, command)
        here = re.sub(r"http://localhost:(8000|30007)", f"http://{NODE}:{PORT}", here)
        printed += run("sh", "-c", re.sub(r"\bcurl ", "curl -sS --noproxy '*' ", here), cwd=folder)
    return printed
