"""Each target of `make fuzz`, for a moment: its examples, and some thousands of what is made of them."""

import subprocess
import sys
from importlib.util import find_spec

import pytest
from conftest import ROOT
from fuzz.targets import NAMES


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed (pip install 'flight-delay[fuzz]')")
@pytest.mark.parametrize("name", NAMES)
def test_nothing_fails(trained, tmp_path, name):
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "fuzz" / "run.py", name, "3", trained.model.parent, "-seed=1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done" in done.stderr
