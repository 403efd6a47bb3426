"""`flight-delay settings`: every setting, its value, where that came from, and what is wrong."""

import json
import re

import pytest
from conftest import ROOT, run_command
from typer.testing import CliRunner

from flight_delay.cli import app
from flight_delay.messages.settings import MEANINGS
from flight_delay.settings import Settings

SECRET = "hush-hush-hush"


def as_json(folder, **environment):
    """Return the settings by name, all that was printed, and the exit code."""
    done = run_command("settings", "--json", folder=folder, **environment)
    printed = json.loads(done.stdout)
    return {one["name"]: one for one in printed["settings"]}, printed, done


@pytest.fixture
def settings_command(tmp_path, monkeypatch):
    """Run the command in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, **environment):
        return CliRunner().invoke(app, ["settings", *arguments], env={"COLUMNS": "200"} | environment)

    return run


def test_every_setting_is_listed_with_what_it_means(tmp_path):
    settings, printed, done = as_json(tmp_path)
    assert list(settings) == [f"FLIGHT_DELAY_{name.upper()}" for name in Settings.model_fields]
    assert all(one["meaning"].endswith((".", "]")) for one in settings.values())
    assert {one["source"] for one in settings.values()} == {"default"}
    assert (printed["unknown"], done.returncode, done.stderr) == ([], 0, "")


def test_each_is_described_in_portuguese_too():
    assert MEANINGS.keys() == Settings.model_fields.keys()


def test_values_and_ranges_are_those_of_the_program(tmp_path):
    settings, *_ = as_json(tmp_path)
    values = {
        name.removeprefix("FLIGHT_DELAY_").lower(): (one["value"], one["values"]) for name, one in settings.items()
    }
    assert values["max_upload_mb"] == (64, "1 to 4096")
    assert values["http_timeout_s"] == (30.0, "more than 0, up to 600")
    assert values["gate_worse_pct"] == (None, "0 to 1000")
    assert values["memory_mb"] == (1200, "at least 500")
    assert values["when_away"] == ("refuse", "refuse, spool")
    assert values["require_keys"] == (False, "1 or 0")
    assert values["requests_per_minute"] == (None, "1 to 1000000")
    assert values["trusted_model_sha256"] == ([], "")


def test_where_a_value_came_from(tmp_path):
    (tmp_path / ".env").write_text("FLIGHT_DELAY_SPOOL_MB=7\nflight_delay_max_upload_mb=8\n")
    settings, *_ = as_json(tmp_path, FLIGHT_DELAY_MAX_UPLOAD_MB="9", flight_delay_drain_s="1.5")
    said = {name: (settings[f"FLIGHT_DELAY_{name}"]["value"], settings[f"FLIGHT_DELAY_{name}"]["source"])
            for name in ("SPOOL_MB", "MAX_UPLOAD_MB", "DRAIN_S", "MEMORY_MB")}  # fmt: skip
    assert said == {
        "SPOOL_MB": (7, ".env"),
        "MAX_UPLOAD_MB": (9, "environment"),
        "DRAIN_S": (1.5, "environment"),
        "MEMORY_MB": (1200, "default"),
    }
    assert settings["FLIGHT_DELAY_SPOOL_MB"]["file"] == str(tmp_path / ".env")


with_secrets = pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEATHERBIT_KEY", SECRET),
        ("AIRPORTDB_KEY", SECRET),
        ("API_KEYS", f"ana:predict:{'a' * 64}"),
        ("API_KEYS", SECRET),
        ("DATABASE_URL", f"postgresql://ana:{SECRET}@host/db?sslmode=require"),
        ("DATABASE_URL", f"postgresql://ana:{SECRET}@{SECRET}:@host/db"),
        ("DATABASE_URL", f"postgresql:///db?user=ana&password={SECRET}&sslmode=require"),
        ("DATABASE_URL", f"mysql://ana:{SECRET}@host/db"),
        ("BTS_URL", f"https://ana:{SECRET}@mirror/files"),
    ],
)


@with_secrets
def test_what_is_secret_is_shown_as_such_and_no_more(tmp_path, name, value):
    done = run_command("settings", folder=tmp_path, **{f"FLIGHT_DELAY_{name}": value})
    assert not re.search(f"{SECRET}|{'a' * 64}", done.stdout + done.stderr)
    assert "********" in done.stdout


@with_secrets
@pytest.mark.parametrize("form", ["--json", "--markdown"])
def test_what_is_secret_is_in_no_document(settings_command, form, name, value):
    done = settings_command(form, **{f"FLIGHT_DELAY_{name}": value})
    assert not re.search(f"{SECRET}|{'a' * 64}", done.stdout + done.stderr)
    assert done.stdout


@pytest.mark.parametrize(
    ("name", "value", "english", "portuguese"),
    [
        ("MAX_UPLOAD_MB", "0", "=0: must be at least 1", "=0: deve ser no mínimo 1"),
        ("MAX_UPLOAD_MB", "many", "=many: must be a whole number", "=many: deve ser um número inteiro"),
        ("WHEN_AWAY", "spol", "=spol: must be refuse, spool", "=spol: deve ser refuse, spool"),
        ("HTTP_TIMEOUT_S", "0", "=0: must be more than 0", "=0: deve ser maior que 0"),
        ("HTTP_TIMEOUT_S", "soon", "=soon: must be a number", "=soon: deve ser um número"),
        ("REQUIRE_KEYS", "perhaps", "=perhaps: must be 1 or 0", "=perhaps: deve ser 1 ou 0"),
        ("TRUSTED_MODEL_SHA256", "abc", "=abc: abc is not a SHA-256 digest", "=abc: abc não é um digest SHA-256"),
        ("DATABASE_URL", "mysql://x", "must be sqlite:/// and a path", "deve ser sqlite:/// e um caminho"),
        ("API_KEYS", "abc", "=********: entry 1 must be", "=********: a entrada 1 deve ser"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_value_and_the_remedy(settings_command, name, value, english, portuguese):
    for language, said in (("C.UTF-8", english), ("pt_BR.UTF-8", portuguese)):
        done = settings_command(LANG=language, **{f"FLIGHT_DELAY_{name}": value})
        assert done.exit_code == 1
        [line] = [line for line in done.stderr.splitlines() if line]
        assert line.startswith(f"FLIGHT_DELAY_{name}")
        assert said in line


def test_all_that_is_wrong_is_said_at_once_and_the_rest_is_still_listed(tmp_path):
    wrong = {"FLIGHT_DELAY_MAX_UPLOAD_MB": "0", "FLIGHT_DELAY_WHEN_AWAY": "", "FLIGHT_DELAY_API_KEYS": SECRET}
    settings, _, done = as_json(tmp_path, FLIGHT_DELAY_SPOOL_MB="7", **wrong)
    assert {name for name, one in settings.items() if one["problem"]} == wrong.keys()
    assert settings["FLIGHT_DELAY_MAX_UPLOAD_MB"]["value"] == "0"
    assert settings["FLIGHT_DELAY_SPOOL_MB"]["value"] == 7
    assert done.returncode == 1


@pytest.mark.parametrize("command", ["settings", "serve"])
@pytest.mark.parametrize(
    ("given", "file", "said"),
    [
        ({"FLIGHT_DELAY_REQUIRE_KEY": "1"}, "", "FLIGHT_DELAY_REQUIRE_KEY (environment) is no setting; did you mean "
         "FLIGHT_DELAY_REQUIRE_KEYS?"),
        ({}, "FLIGHT_DELAY_MAX_UPLOD_MB=3", ".env) is no setting; did you mean FLIGHT_DELAY_MAX_UPLOAD_MB?"),
        ({"FLIGHT_DELAY_": "1"}, "", "FLIGHT_DELAY_ (environment) is no setting"),
    ],
)  # fmt: skip
def test_a_typo_is_not_passed_over_in_silence(tmp_path, start_server, command, given, file, said):
    (tmp_path / ".env").write_text(f"{file}\nOTHER=1\n")
    if command == "settings":
        done = run_command("settings", folder=tmp_path, **given)
        assert (said in done.stderr, done.returncode) == (True, 0)
    else:
        server = start_server(tmp_path, **given)
        server.wait("/health/")
        assert said in server.log()


def test_the_documentation_has_the_same_table(tmp_path):
    """`flight-delay settings --markdown` prints it."""
    printed = run_command("settings", "--markdown", folder=tmp_path).stdout
    assert printed in (ROOT / "docs" / "settings.md").read_text()
