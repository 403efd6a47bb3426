"""The OpenAPI document is what the service does: schemathesis asks whatever the document allows, and what it does not."""

import re
import subprocess
import sys


def test_schemathesis_finds_no_server_error_and_no_undocumented_answer(shared_server, tmp_path):
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", f"{shared_server.url}/openapi.json",
            "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,"
            "response_schema_conformance,negative_data_rejection,unsupported_method",
            "--phases", "examples,coverage,fuzzing", "--max-examples", "20", "--seed", "2013", "--no-color",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    generated = re.search(r"(\d+) generated, \1 passed", done.stdout)
    assert generated, done.stdout[-2000:]
    assert int(generated[1]) > 300
