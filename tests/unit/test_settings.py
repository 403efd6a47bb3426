"""Settings come from the environment or a file, and bad ones are refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from flight_delay.settings import Settings


def test_defaults_are_the_documented_places():
    settings = Settings()
    assert settings.database_url == "sqlite:///data/flight_delay.sqlite3"
    assert settings.model_dir == Path("model")
    assert settings.trusted_model_sha256 == frozenset()


def test_the_environment_wins(monkeypatch):
    monkeypatch.setenv("FLIGHT_DELAY_DATABASE_URL", "sqlite:////var/lib/history.sqlite3")
    assert Settings().database_url == "sqlite:////var/lib/history.sqlite3"


def test_a_file_is_read(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("FLIGHT_DELAY_MAX_UPLOAD_MB=7\n")
    monkeypatch.chdir(tmp_path)
    assert Settings().max_upload_mb == 7


def test_digests_are_separated_by_commas(monkeypatch):
    monkeypatch.setenv("FLIGHT_DELAY_TRUSTED_MODEL_SHA256", f"{'A' * 64}, {'b' * 64},")
    assert Settings().trusted_model_sha256 == {"a" * 64, "b" * 64}
    assert Settings(trusted_model_sha256=frozenset({"c" * 64})).trusted_model_sha256 == {"c" * 64}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRUSTED_MODEL_SHA256", "abc"),
        ("DATABASE_URL", "mysql://user:secret@host/db"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("MAX_UPLOAD_MB", "0"),
    ],
)
def test_a_bad_setting_is_refused(monkeypatch, name, value):
    monkeypatch.setenv(f"FLIGHT_DELAY_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()
