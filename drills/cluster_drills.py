"""What is done to the service while it is asked: one function for each row of docs/drills.md."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import cluster
from cluster import API, CLAIM, DATABASE, kubectl, wait_until
from cluster_load import Account, Load, fetch, history, live_version

HELD_S = 20
"""How long the network is cut, and the disk full."""
LARGEST_GIB = 4
FILLER = "flight-delay-filler"

# What is left is given away rather than written, where the file system can: else the drill is one of a busy disk.
_FILL = """
fallocate -l "$(df --output=avail -B1 /data | tail -1)" /data/filler || dd if=/dev/zero of=/data/filler bs=1M
dd if=/dev/zero of=/data/filler2 bs=4k
true
"""


class Done(NamedTuple):
    """What a drill showed: its account, and what else is worth telling, in whole sentences."""

    account: Account
    notes: Sequence[str] = ()


@dataclass
class Site:
    """The service under drill, and what each version of its model answers to the flights that are asked about."""

    folder: Path
    flights: Sequence[dict[str, Any]]
    right: dict[int, Sequence[float]] = field(default_factory=dict)

    def load(self) -> Load:
        """Ask for the length of a block."""
        return Load(self.flights, self.right)


class Skipped(Exception):
    """A drill that this cluster does not allow; says why."""


def upload(pod: str, model: Path) -> int:
    """Send a model through one replica, and return its version once it answers."""
    line = "flight-delay-drill"
    head = f'--{line}\r\nContent-Disposition: form-data; name="file"; filename="{model.name}"\r\n\r\n'
    body = head.encode() + model.read_bytes() + f"\r\n--{line}--\r\n".encode()
    status, headers, answer = cluster.ask(pod, "/model/load/", body, f"multipart/form-data; boundary={line}")
    assert status == 200, answer
    return int(headers["x-model-version"])


def linear(folder: Path, flights: Sequence[dict[str, Any]]) -> tuple[Path, list[float]]:
    """Write a model of scikit-learn that nobody could take for the first; return it, and what it answers."""
    import joblib
    import pandas as pd
    from sklearn.linear_model import LinearRegression

    known = pd.DataFrame({"dep_delay": [-10.0, 0.0, 60.0], "distance_km": [300.0, 4000.0, 900.0]})
    model = LinearRegression().fit(known[["dep_delay"]], 1000 + 2 * known["dep_delay"])
    path = folder / "linear.joblib"
    joblib.dump(model, path)
    asked = pd.DataFrame({"dep_delay": [flight["dep_delay"] for flight in flights]})
    return path, [float(minutes) for minutes in model.predict(asked)]


def model_through_one_replica(site: Site) -> Done:
    """A model is sent to one replica and asked of all; then one is told to go back."""
    path, minutes = linear(site.folder, site.flights)
    first, *others = cluster.ready()
    before = live_version()
    site.right[before + 1] = minutes
    with site.load() as load:
        begun = time.monotonic()
        version = upload(first, path)
        took, answered = time.monotonic() - begun, time.monotonic()
        assert version == before + 1
        body = json.dumps(site.flights[0]).encode()
        for pod in (first, *others):
            _, headers, _ = cluster.ask(pod, "/model/predict/", body, "application/json")
            assert int(headers["x-model-version"]) == version, pod
        load.wait_for_quiet()
        assert {one.version for one in load.answered_since(answered)} == {version}
        cluster.typed([cluster.runbook("Go back to the model before")], site.folder)
        back = time.monotonic()
        load.wait_for_quiet()
        assert {one.version for one in load.answered_since(back)} == {before}
    note = f"The upload took {took:.1f} s; from its answer on, no replica answered by the model before."
    return Done(load.account(answered), [note])


def _killed(site: Site, pod: str) -> Done:
    with site.load() as load:
        begun = time.monotonic()
        cluster.kill(pod)
        load.wait_for_quiet()
        wait_until("all that was there before", cluster.all_ready)
        whole = time.monotonic() - begun
    return Done(load.account(begun), [f"Everything was there again after {whole:.0f} s."])


def kill_a_replica(site: Site) -> Done:
    """All processes of a replica are killed (SIGKILL), and its pod is deleted."""
    return _killed(site, cluster.ready()[0])


def kill_the_database(site: Site) -> Done:
    """All processes of PostgreSQL are killed (SIGKILL), and its pod is deleted."""
    return _killed(site, f"{DATABASE}-0")


def cut_the_network(site: Site) -> Done:
    """Packets between the API and PostgreSQL are dropped, and let through again."""
    if not cluster.ON_NODE:
        raise Skipped("no ON_NODE: a command that runs what follows it on the node, as root")
    address = cluster.pods(DATABASE)[0]["status"]["podIP"]
    ways = [("FORWARD", way, address, "-j", "DROP") for way in ("-s", "-d")]
    with site.load() as load:
        for way in ways:
            cluster.on_node("iptables", "-I", *way)
        begun = time.monotonic()
        try:
            time.sleep(HELD_S)
        finally:
            for way in ways:
                cluster.on_node("iptables", "-D", *way)
        mended = time.monotonic()
        load.wait_for_quiet()
    assert not [one for one in load.answered_since(begun + 1) if one.ended < mended], "the network was not cut"
    return Done(load.account(mended), [f"It was cut for {HELD_S} s."])


def fill_the_disk(site: Site) -> Done:
    """The volume of PostgreSQL is filled to its last byte, and emptied again."""
    free = int(cluster.in_database("df", "--output=avail", "-B1", "/var/lib/postgresql").split()[-1]) / 2**30
    if free > LARGEST_GIB:
        raise Skipped(f"{free:.0f} GiB are free on the volume: use one of at most {LARGEST_GIB} GiB")
    _start_filler()
    before = _restarts()
    try:
        with site.load() as load:
            _in_filler(_FILL)
            begun = time.monotonic()
            time.sleep(HELD_S)
            _in_filler("rm -f /data/filler /data/filler2")
            mended = time.monotonic()
            load.wait_for_quiet(600)
        refused = not [one for one in load.answered_since(begun + HELD_S / 2) if one.ended < mended]
    finally:
        kubectl("delete", "pod", FILLER, "--grace-period=0", "--force")
    wait_until("all that was there before", cluster.all_ready)
    notes = [
        f"It was full for {HELD_S} s; "
        + ("at the end of them, predictions were refused." if refused else "what was free inside its files sufficed."),
        f"PostgreSQL was restarted {_restarts() - before} times.",
    ]
    return Done(load.account(mended), notes)


def _restarts() -> int:
    return sum(
        status["restartCount"] for pod in cluster.pods(DATABASE) for status in pod["status"]["containerStatuses"]
    )


def _start_filler() -> None:
    """Start a pod that has the database's volume, and stays when PostgreSQL does not."""
    database = cluster.pods(DATABASE)[0]
    (container,) = database["spec"]["containers"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": FILLER},
        "spec": {
            "nodeName": database["spec"]["nodeName"],
            "securityContext": database["spec"]["securityContext"],
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": "filler",
                    "image": container["image"],
                    "command": ["sleep", "3600"],
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                }
            ],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": CLAIM}}],
        },
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(pod, file)
        file.flush()
        kubectl("apply", "-f", file.name)
    kubectl("wait", f"pod/{FILLER}", "--for=condition=Ready", "--timeout=60s")


def _in_filler(script: str) -> None:
    kubectl("exec", FILLER, "--", "sh", "-c", script)


def roll(site: Site) -> Done:
    """A new image is rolled out, and back."""
    new = cluster.next_image()
    deployment = site.folder / "kubernetes" / "deployment.yaml"
    deployment.write_text(deployment.read_text("utf-8").replace(cluster.IMAGE, new), "utf-8")
    took = []
    with site.load() as load:
        for commands in (cluster.runbook("A new image"), cluster.runbook("Back to the image before")):
            begun = time.monotonic()
            cluster.typed([commands], site.folder)
            took.append(time.monotonic() - begun)
            wait_until("the pods before to be gone", cluster.all_ready)
        mended = time.monotonic()
        load.wait_for_quiet()
    return Done(load.account(mended), [f"Forth took {took[0]:.0f} s, back {took[1]:.0f} s."])


def restore_a_backup(site: Site) -> Done:
    """The database is saved under load, and restored; what was answered after the backup is gone with it, as it must."""
    saved = site.folder / "flight-delay.dump"
    with site.load() as load:
        begun = time.monotonic()
        cluster.typed([cluster.runbook("Back up")], site.folder)
        saving = time.monotonic() - begun
        load.wait_for_quiet()
    account, version, kept = load.account(begun), live_version(), history()
    saved_ids = _ids_in(saved)
    assert saved_ids, "there is no prediction in the backup"
    begun = time.monotonic()
    cluster.typed([cluster.runbook("Restore")], site.folder)
    wait_until("all replicas", cluster.all_ready)
    account.recovery_s = time.monotonic() - begun
    restored = history()
    account.lost += sum(restored.get(number) != kept[number] for number in saved_ids)
    assert sorted(restored) == saved_ids
    assert live_version() == version
    with site.load() as load:
        load.wait_for_quiet()
    account.answered += load.account(0).answered
    notes = [
        f"Saving took {saving:.1f} s and held nobody up: {len(saved_ids):,} predictions and the models, "
        f"{saved.stat().st_size / 1e6:.0f} MB.",
        f"All of them, and the live model, were there again; the {len(kept) - len(saved_ids):,} answered after "
        "the backup are gone with the database, as they must.",
    ]
    return Done(account, notes)


def _ids_in(saved: Path) -> list[int]:
    """Return the ids of the predictions in a backup, as PostgreSQL itself reads it."""
    script = "pg_restore --data-only --table=predictions --file=- | sed -n '/^COPY/,/^\\\\\\./p' | cut -f1 | grep -E '^[0-9]+$'"
    return sorted(int(line) for line in cluster.in_database("sh", "-c", script, stdin=saved).split())


def rotate_the_password(site: Site) -> Done:
    """The password of the database is replaced, as docs/operations.md says."""
    with site.load() as load:
        begun = time.monotonic()
        cluster.typed([cluster.runbook("The password of the database")], site.folder)
        took = time.monotonic() - begun
        wait_until("the pods before to be gone", cluster.all_ready)
        mended = time.monotonic()
        load.wait_for_quiet()
    return Done(load.account(mended), [f"It took {took:.0f} s."])


DRILLS: dict[str, Callable[[Site], Done]] = {
    "model": model_through_one_replica,
    "replica": kill_a_replica,
    "database": kill_the_database,
    "network": cut_the_network,
    "disk": fill_the_disk,
    "image": roll,
    "backup": restore_a_backup,
    "password": rotate_the_password,
}


def documented_commands(site: Site) -> Sequence[str]:
    """Run what README.md says, twice; return what to tell of it."""
    apply, delete = cluster.documented("kubectl apply"), [cluster.runbook("Take it away")]
    curls = [one for one in cluster.documented("curl") if _is_documented(one)]
    assert (len(apply), len(curls)) == (2, 4), (apply, curls)
    cluster.manifests(site.folder)
    (site.folder / "model").symlink_to(cluster.ROOT / "model")
    notes = []
    for time_of in ("first", "second"):
        begun = time.monotonic()
        cluster.typed(apply, site.folder)
        cluster.typed(apply, site.folder)
        wait_until("three replicas and a database", cluster.all_ready, 300)
        took = time.monotonic() - begun
        running = [line.split() for line in cluster.typed(["kubectl get pods"], site.folder).splitlines()]
        assert sum(line[0].startswith(f"{API}-") and line[1:3] == ["1/1", "Running"] for line in running) == 3
        services = cluster.typed(["kubectl get services"], site.folder)
        assert any(line.split()[0] == f"{API}-service" and "80:30007/TCP" in line for line in services.splitlines())
        before = len(json.loads(fetch("/model/history/?limit=1000"))["history"])
        answers = cluster.typed(curls, site.folder)
        assert '{"status":"API está funcionando corretamente"}' in answers
        assert '{"status":"Modelo carregado com sucesso"}' in answers
        assert len(json.loads(fetch("/model/history/?limit=1000"))["history"]) == before + 1
        assert bool(before) == (time_of == "second"), "what was there before it was deleted is there again"
        cluster.typed(delete, site.folder)
        wait_until("no pods", lambda: not cluster.pods() and not cluster.pods(DATABASE))
        notes.append(f"The {time_of} time three pods were ready {took:.0f} s after `kubectl apply`.")
    cluster.erase()
    return notes


def _is_documented(curl: str) -> bool:
    """Whether a command of the README is one of the four of the brief."""
    paths = ("/health/", "/model/load/", "/model/predict/", "/model/history/")
    return any(word.endswith(f":8000{path}") for path in paths for word in curl.split())
