import json
from pathlib import Path

import pytest

from inventory.core.config import SettingsError, load_settings

URL = "postgresql+psycopg://user:hunter2@db:5432/inventory"
KEYS = json.dumps([{"name": "admin", "role": "admin", "sha256": "a" * 64}])


@pytest.fixture(autouse=True)
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INVENTORY_SECRETS_DIR", str(tmp_path))
    (tmp_path / "inventory_database_url").write_text(URL + "\n")
    (tmp_path / "inventory_api_keys").write_text(KEYS)
    return tmp_path


def test_secrets_come_from_files_and_the_rest_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVENTORY_DATABASE_POOL_SIZE", "7")
    settings = load_settings()
    assert settings.database_url.get_secret_value() == URL
    assert settings.api_keys[0].name == "admin"
    assert settings.database_pool_size == 7
    assert settings.log_level == "INFO"


def test_the_environment_wins_over_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVENTORY_DATABASE_URL", URL.replace("db", "other"))
    assert "@other:" in load_settings().database_url.get_secret_value()


def test_everything_that_is_wrong_is_told_at_once(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (secrets / "inventory_database_url").write_text("mysql://user:hunter2@db/inventory")
    (secrets / "inventory_api_keys").write_text(json.dumps([{"name": "a", "role": "boss", "sha256": "x"}]))
    for name, value in {
        "PORT": "99999",
        "LOG_LEVEL": "LOUD",
        "DATABASE_POOL_SIZE": "0",
        "RATE_LIMIT_PER_MINUTE": "-1",
        "MAX_REQUEST_BYTES": "1",
        "SHUTDOWN_GRACE_SECONDS": "0",
        "EXPECTED_SCHEMA_REVISION": "newest",
    }.items():
        monkeypatch.setenv(f"INVENTORY_{name}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    message = str(caught.value)
    for name in (
        "PORT",
        "LOG_LEVEL",
        "DATABASE_POOL_SIZE",
        "RATE_LIMIT_PER_MINUTE",
        "MAX_REQUEST_BYTES",
        "SHUTDOWN_GRACE_SECONDS",
        "EXPECTED_SCHEMA_REVISION",
        "DATABASE_URL",
        "API_KEYS.0.ROLE",
        "API_KEYS.0.SHA256",
    ):
        assert f"INVENTORY_{name}: " in message
    assert "hunter2" not in message


@pytest.mark.parametrize("url", ["postgresql://user:hunter2@db/inventory", "nonsense", ""])
def test_only_psycopg_urls_are_taken(secrets: Path, url: str) -> None:
    (secrets / "inventory_database_url").write_text(url)
    with pytest.raises(SettingsError, match="postgresql\\+psycopg://user"):
        load_settings()


@pytest.mark.parametrize("field", ["name", "sha256"])
def test_keys_differ(secrets: Path, field: str) -> None:
    first = {"name": "a", "role": "admin", "sha256": "a" * 64}
    second = {"name": "b", "role": "admin", "sha256": "b" * 64} | {field: first[field]}
    (secrets / "inventory_api_keys").write_text(json.dumps([first, second]))
    with pytest.raises(SettingsError, match="unique"):
        load_settings()


def test_secrets_that_are_no_json_are_named_and_not_shown(secrets: Path) -> None:
    (secrets / "inventory_api_keys").write_text("hunter2")
    with pytest.raises(SettingsError, match="api_keys") as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


def test_without_a_folder_the_message_says_where_to_put_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVENTORY_SECRETS_DIR", "/nowhere")
    with pytest.raises(SettingsError, match="files in INVENTORY_SECRETS_DIR"):
        load_settings()


def test_settings_do_not_show_their_secret() -> None:
    assert "hunter2" not in repr(load_settings())
