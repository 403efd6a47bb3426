"""Lists what the image is made of, as CycloneDX: the distributions of its Python, and the packages of its Debian.

python docker/sbom.py PYTHON DPKG_FOLDER OUTPUT, run by a Python that has cyclonedx-bom.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

_OWN = "flight-delay"


def distributions(python: str) -> dict[str, Any]:
    """Return the list of what a Python environment has, without times and random numbers."""
    command = ["environment", "--output-reproducible", "--spec-version", "1.6", python]
    done = subprocess.run(  # noqa: S603 - this Python, and a module of its own
        [sys.executable, "-m", "cyclonedx_py", *command], stdout=subprocess.PIPE, check=True
    )
    listed: dict[str, Any] = json.loads(done.stdout)
    return listed


def packages(status: str) -> Iterator[dict[str, Any]]:
    """Yield the components that dpkg's `status` names as installed."""
    for paragraph in status.split("\n\n"):
        field = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " ")
        if field.get("Status") == "install ok installed":
            name, version = field["Package"], field["Version"]
            url = PackageURL("deb", "debian", name, version, {"arch": field["Architecture"]}).to_string()
            yield {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url}


def main(python: str, dpkg: str, output: str) -> None:
    """Write the list of both, whose subject is this project's own package."""
    listed = distributions(python)
    (own,) = (one for one in listed["components"] if one["name"] == _OWN)
    # It came as a file of this build, so that it was not known to be of any index.
    url = PackageURL("pypi", None, _OWN, own["version"]).to_string()
    listed["metadata"]["component"] = {**own, "type": "application", "purl": url}
    listed["components"].remove(own)
    listed["components"] += packages(Path(dpkg, "status").read_text("utf-8"))
    text = json.dumps(listed, indent=1, ensure_ascii=False)
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if problem is not None:
        sys.exit(f"{problem}")
    Path(output).write_text(f"{text}\n", "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
