"""The house is as its plan says."""

import ast
import re
import subprocess
import sys

import duckdb
import pytest
from conftest import ROOT, SOURCE

from flight_delay.flight import Flight, Weather
from flight_delay.messages import known, text
from flight_delay.settings import Settings

PACKAGE = SOURCE / "flight_delay"
HEAVY = ("pandas", "duckdb", "pyspark", "sklearn", "scipy", "lightgbm", "joblib", "holidays")


def test_serving_loads_none_of_what_training_needs():
    code = f"import sys, flight_delay.api.app; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_running_service_has_none_of_it_in_memory(shared_server, documented):
    with shared_server.client() as client:
        client.post("/model/predict/", json=documented)
    with open(f"/proc/{shared_server.process.pid}/maps") as maps:  # noqa: PTH123
        loaded = maps.read()
    assert "numpy" in loaded
    assert not [name for name in HEAVY if f"/{name}/" in loaded]


def test_the_table_has_every_field_of_a_flight_under_its_name(processed):
    with duckdb.connect() as connection:
        described = connection.execute(
            f"DESCRIBE SELECT * FROM read_parquet('{processed}/**/*.parquet', hive_partitioning = true)"
        ).fetchall()
    columns = {name: kind for name, kind, *_ in described}
    assert set(Flight.model_fields) - {"hour", "distance", "weather"} <= set(columns)
    assert set(Weather.model_fields) <= set(columns)
    assert columns["distance_km"] == "DOUBLE"
    assert {columns[name] for name in columns if name.endswith("_utc")} == {"TIMESTAMP"}


def test_openapi_has_every_field_of_a_flight(shared_server):
    with shared_server.client() as client:
        schemas = client.get("/openapi.json").json()["components"]["schemas"]
    assert list(schemas["Flight"]["properties"]) == list(Flight.model_fields)
    assert schemas["Flight"]["additionalProperties"] is False
    assert all(field.get("description") for field in schemas["Flight"]["properties"].values())


def test_every_setting_is_documented():
    described = (ROOT / "docs" / "settings.md").read_text()
    for name in Settings.model_fields:
        assert f"`FLIGHT_DELAY_{name.upper()}`" in described


def test_every_decision_is_listed():
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    for path in (ROOT / "docs" / "decisions").glob("0*.md"):
        assert path.name in index


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.sql")), ids=lambda path: path.name)
def test_every_sql_file_says_first_what_it_makes(path):
    if "migrations" not in path.parts:
        lines = path.read_text().splitlines()
        assert lines[0].startswith("-- ")
        assert sum(line.rstrip().endswith(";") for line in lines) == 0


def test_files_and_functions_are_small():
    for path in PACKAGE.rglob("*.py"):
        source = path.read_text()
        assert len(source.splitlines()) <= 400, path
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno - node.lineno < 60, f"{path}: {node.name}"


def test_every_text_that_is_used_is_there():
    used = set()
    for path in PACKAGE.rglob("*.py"):
        used |= set(re.findall(r'(?:\bsay|\btext|ProblemError)\((?:\d+, )?"(\w+)"', path.read_text()))
    assert used
    assert [key for key in used if not known(key)] == []
    assert text("healthy", "pt") == "API está funcionando corretamente"
