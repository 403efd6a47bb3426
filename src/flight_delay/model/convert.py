"""From a trusted `.joblib` to the artefact that the service loads.

Opening such a file runs what it holds, so it is done in a process of its own, and only after the
file's digest was found among the trusted ones. `python -m flight_delay.model.convert IN OUT`.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import flight_delay
from flight_delay.errors import ConversionFailed

TIMEOUT_S = 120
_LAST_LINES = 3


def convert_apart(content: bytes) -> bytes:
    """Return the artefact made of a trusted model file, converted in a throw-away process.

    Raises `ConversionFailed` with what that process said last.
    """
    with TemporaryDirectory(prefix="flight-delay-") as folder:
        source, artifact = Path(folder, "model.joblib"), Path(folder, "artifact.npz")
        source.write_bytes(content)
        command = [sys.executable, "-m", "flight_delay.model.convert", str(source), str(artifact)]
        try:
            done = subprocess.run(
                command, env=_environment(folder), capture_output=True, text=True, timeout=TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise ConversionFailed(f"it took more than {TIMEOUT_S} s") from error
        if done.returncode != 0:
            raise ConversionFailed(
                " ".join(done.stderr.strip().splitlines()[-_LAST_LINES:]) or f"exit {done.returncode}"
            )
        return artifact.read_bytes()


def _environment(folder: str) -> dict[str, str]:
    """Return what the process needs to find Python and this package; none of the service's secrets."""
    package = str(Path(flight_delay.__file__).parent.parent)
    return {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": package, "HOME": folder, "TMPDIR": folder}


def main(source: str, output: str) -> None:
    """Convert the file `source`; write the artefact to `output`."""
    import joblib

    # Slow to import, and not for the service: only this process needs them.
    from flight_delay.model.pipeline import to_artifact
    from flight_delay.model.trust import sha256

    content = Path(source).read_bytes()
    Path(output).write_bytes(to_artifact(joblib.load(io.BytesIO(content)), sha256(content)).to_bytes())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
