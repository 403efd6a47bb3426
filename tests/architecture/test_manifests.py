"""The manifests: valid for the newest Kubernetes, in agreement with each other, and named as documented."""

import io
import json
import re
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from functools import cache
from itertools import chain

import kubernetes_validate
import pytest
import yaml
from conftest import ROOT

from flight_delay.settings import Settings

FOLDER = ROOT / "kubernetes"
OVERLAY = ROOT / "kustomize" / "external-database"
FILES = sorted(path.name for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml")
MAJOR, NEWEST = map(int, kubernetes_validate.latest_version().split(".")[:2])
VERSIONS = [f"{MAJOR}.{NEWEST - age}" for age in range(3)]
READMES = ["README.md", "README.pt-BR.md"]
KEPT_BY_THE_CLUSTER = {"kube-root-ca.crt", "flight-delay-database"}

needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl renders the overlays")


def documents(name):
    return list(yaml.safe_load_all((FOLDER / name).read_text("utf-8")))


@cache
def rendered(folder):
    done = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return list(yaml.safe_load_all(done.stdout))


def every():
    return list(chain.from_iterable(documents(name) for name in FILES))


def named(kind, name, among=None):
    (found,) = (one for one in among or every() if (one["kind"], one["metadata"]["name"]) == (kind, name))
    return found


def pods(among=None):
    return [one["spec"]["template"] for one in among or every() if one["kind"] in {"Deployment", "StatefulSet"}]


def containers(pod):
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def inside(value, key):
    """Yield whatever is under a key, at any depth."""
    if isinstance(value, dict):
        for name, one in value.items():
            if name == key:
                yield one
            yield from inside(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from inside(one, key)


@pytest.fixture(params=["files", pytest.param("overlay", marks=needs_kubectl)])
def objects(request):
    """All objects that go into a cluster together."""
    return every() if request.param == "files" else rendered(OVERLAY)


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_every_object_and_knows_every_field(objects, version):
    for one in objects:
        kubernetes_validate.validate(one, version, strict=True)


@needs_kubectl
@pytest.mark.parametrize("version", VERSIONS)
def test_kustomize_renders_the_files_themselves(version):
    assert len(rendered(FOLDER)) == len(every())
    for one in rendered(FOLDER):
        kubernetes_validate.validate(one, version, strict=True)


def test_a_field_that_there_is_not_is_noticed():
    deployment = named("Deployment", "flight-delay-api")
    deployment["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="readinesProbe"):
        kubernetes_validate.validate(deployment, VERSIONS[0], strict=True)


def test_the_manifests_are_the_documented_ones():
    deployment, service = documents("deployment.yaml")[0], documents("service.yaml")[0]
    labels = {"app": "flight-delay-api"}
    pod = deployment["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    (port,) = service["spec"]["ports"]
    assert (deployment["apiVersion"], deployment["kind"]) == ("apps/v1", "Deployment")
    assert deployment["metadata"]["name"] == "flight-delay-api"
    assert deployment["spec"]["replicas"] == 3
    assert deployment["spec"]["selector"]["matchLabels"] == pod["metadata"]["labels"] == labels
    assert container["name"] == "flight-delay-api-container"
    assert container["ports"][0]["containerPort"] == 8000
    assert len(documents("service.yaml")) == 1
    assert service["metadata"]["name"] == "flight-delay-api-service"
    assert service["spec"]["selector"] == labels
    assert service["spec"]["type"] == "NodePort"
    assert (port["port"], port["targetPort"], port["nodePort"]) == (80, container["ports"][0]["name"], 30007)


def test_the_image_has_one_name_and_is_named_once():
    (name,) = re.findall(r"image: .*>/(\S+)", (FOLDER / "deployment.yaml").read_text("utf-8"))
    assert {one["image"].split("/")[-1] for one in containers(pods()[0])} == {name}
    for document in READMES:
        built = re.findall(r"docker (?:build -t|push) <[^>]+>/(\S+)", (ROOT / document).read_text("utf-8"))
        assert set(built) == {name}


def test_what_selects_finds_pods_and_their_ports(objects):
    found = {pod["metadata"]["labels"]["app"]: pod for pod in pods(objects)}
    ports = {
        app: {key for port in inside(pod, "ports") for one in port for key in (one["name"], one["containerPort"])}
        for app, pod in found.items()
    }
    for one in objects:
        spec = one.get("spec", {})
        match one["kind"]:
            case "Deployment" | "StatefulSet":
                assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
            case "Service":
                assert {port["targetPort"] for port in spec["ports"]} <= ports[spec["selector"]["app"]]
            case "PodDisruptionBudget":
                assert spec["selector"]["matchLabels"]["app"] in found
            case "NetworkPolicy":
                app = spec["podSelector"]["matchLabels"]["app"]
                assert {port["port"] for rule in spec["ingress"] for port in rule["ports"]} <= ports[app]
            case "HorizontalPodAutoscaler":
                assert named(spec["scaleTargetRef"]["kind"], spec["scaleTargetRef"]["name"], objects)
                assert spec["minReplicas"] == named("Deployment", "flight-delay-api", objects)["spec"]["replicas"]
            case "Ingress":
                for backend in inside(one, "service"):
                    service = named("Service", backend["name"], objects)
                    assert backend["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}


def test_what_is_referred_to_is_there(objects):
    there = {(one["kind"], one["metadata"]["name"]) for one in objects}
    for pod in pods(objects):
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]} | {
            one["metadata"]["name"] for claims in inside(objects, "volumeClaimTemplates") for one in claims
        }
        for container in containers(pod):
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
        for reference in chain(inside(pod, "secretKeyRef"), inside(pod, "configMap")):
            assert reference["name"] in KEPT_BY_THE_CLUSTER
        for account in inside(pod, "serviceAccountName"):
            assert ("ServiceAccount", account) in there


def test_no_secret_is_in_a_file(objects):
    assert "Secret" not in {one["kind"] for one in objects}
    values = [variable["value"] for env in inside(objects, "env") for variable in env if "value" in variable]
    assert not [value for value in values if "://" in value or "PASSWORD" in value.upper()]


def test_every_container_is_confined_and_bounded(objects):
    for pod in pods(objects):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["topologySpreadConstraints" if "api" in pod["metadata"]["labels"]["app"] else "containers"]
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["requests"].keys() == container["resources"]["limits"].keys()
        for container in spec["containers"]:
            assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()


def test_a_new_image_takes_no_replica_away_before_the_next_is_ready(objects):
    deployment = named("Deployment", "flight-delay-api", objects)["spec"]
    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    pod = deployment["template"]["spec"]
    (container,) = pod["containers"]
    drain = int(next(one["value"] for one in container["env"] if one["name"] == "FLIGHT_DELAY_DRAIN_S"))
    assert drain > container["readinessProbe"]["periodSeconds"] * container["readinessProbe"]["failureThreshold"]
    assert pod["terminationGracePeriodSeconds"] >= drain + 15
    assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready/"
    assert container["livenessProbe"]["httpGet"]["path"] == "/health/"


def test_what_is_set_is_a_setting(objects):
    (container,) = named("Deployment", "flight-delay-api", objects)["spec"]["template"]["spec"]["containers"]
    settings = {f"FLIGHT_DELAY_{name.upper()}" for name in Settings.model_fields}
    assert {one["name"] for one in container["env"]} <= settings


@needs_kubectl
def test_the_overlay_has_no_postgresql_no_rights_and_no_port_of_the_nodes():
    kinds = {one["kind"] for one in rendered(OVERLAY)}
    assert kinds.isdisjoint({"StatefulSet", "Role", "RoleBinding"})
    assert not named("Deployment", "flight-delay-api", rendered(OVERLAY))["spec"]["template"]["spec"]["initContainers"]
    (service,) = (one for one in rendered(OVERLAY) if one["kind"] == "Service")
    assert service["spec"]["type"] == "ClusterIP"
    assert not list(inside(service, "nodePort"))
    assert not [image for image in inside(rendered(OVERLAY), "image") if "<" in image]


class Cluster:
    """What the container that makes the Secret asks."""

    def __init__(self, folder, monkeypatch):
        self.asked = []
        self.status = 201
        for name, content in {"token": "abc", "namespace": "flights", "ca.crt": ""}.items():
            (folder / name).write_text(content)
        monkeypatch.setattr(urllib.request, "urlopen", self.answer)
        monkeypatch.setattr(ssl, "create_default_context", lambda cafile: cafile)
        (maker,) = named("Deployment", "flight-delay-api")["spec"]["template"]["spec"]["initContainers"]
        assert maker["command"][:2] == ["python", "-c"]
        self.program = maker["command"][2].replace("/run/account", str(folder))

    def answer(self, request, **_):
        self.asked.append(request)
        if self.status != 201:
            raise urllib.error.HTTPError(request.full_url, self.status, "", {}, io.BytesIO())

    def run(self):
        exec(compile(self.program, "deployment.yaml", "exec"), {})


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    return Cluster(tmp_path, monkeypatch)


def test_the_first_replica_makes_a_secret_with_a_password_of_its_own(cluster):
    cluster.run()
    cluster.run()
    first, second = (json.loads(request.data)["stringData"] for request in cluster.asked)
    assert first["password"] != second["password"]
    assert len(first["password"]) >= 40
    assert first["url"] == f"postgresql://flight_delay:{first['password']}@flight-delay-postgresql:5432/flight_delay"
    assert cluster.asked[0].full_url == "https://kubernetes.default.svc/api/v1/namespaces/flights/secrets"
    assert cluster.asked[0].headers["Authorization"] == "Bearer abc"


def test_what_it_makes_is_what_postgresql_is_told_and_where_its_service_is(cluster):
    cluster.run()
    made = json.loads(cluster.asked[0].data)
    stateful = named("StatefulSet", "flight-delay-postgresql")
    (container,) = stateful["spec"]["template"]["spec"]["containers"]
    told = {one["name"]: one.get("value") for one in container["env"]}
    host, port, database = re.fullmatch(
        r"postgresql://flight_delay:.*@(.+):(\d+)/(.+)", made["stringData"]["url"]
    ).groups()
    (listening,) = named("Service", host)["spec"]["ports"]
    assert told["POSTGRES_USER"] == "flight_delay"
    assert told["POSTGRES_DB"] == database
    assert listening["port"] == int(port)
    for reference in inside(pods(), "secretKeyRef"):
        assert reference["name"] == made["metadata"]["name"]
        assert reference["key"] in made["stringData"]


def test_a_secret_that_another_replica_has_made_is_left(cluster):
    cluster.status = 409
    cluster.run()
    assert len(cluster.asked) == 1


def test_a_cluster_that_refuses_is_no_success(cluster):
    cluster.status = 403
    with pytest.raises(urllib.error.HTTPError):
        cluster.run()


def test_where_the_secret_is_there_nothing_is_asked(cluster, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere")
    with pytest.raises(SystemExit) as left:
        cluster.run()
    assert left.value.code is None
    assert cluster.asked == []


def test_what_the_drills_type_of_the_runbook_is_there():
    runbook = (ROOT / "docs" / "operations.md").read_text("utf-8")
    headings = re.findall(r'runbook\("(.+?)"\)', (ROOT / "drills" / "cluster_drills.py").read_text("utf-8"))
    assert len(headings) >= 6
    for heading in headings:
        (section,) = re.findall(rf"^#+ {heading}\n(.*?)(?=^#|\Z)", runbook, re.S | re.M)
        assert section.count("```bash\n") == 1, heading
