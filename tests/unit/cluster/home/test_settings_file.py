"""The file of settings that `quorum up` writes."""

import stat
from pathlib import Path

from cluster.home import settings_file
from settings.settings import Settings


def test_a_pepper_is_made_once_and_urls_follow_the_stores(tmp_path: Path) -> None:
    path = tmp_path / settings_file.NAME
    settings_file.complete(tmp_path, {"DATABASE_URL": "postgresql://a", "REDIS_URL": "redis://a"})
    first = settings_file.read(path)
    settings_file.complete(tmp_path, {"REDIS_URL": "redis://b"})
    second = settings_file.read(path)
    assert first["QUORUM_KEY_PEPPER"] == second["QUORUM_KEY_PEPPER"]
    assert len(first["QUORUM_KEY_PEPPER"]) >= 32
    assert "DATABASE_URL" not in second
    assert second["REDIS_URL"] == "redis://b"


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    settings_file.complete(tmp_path, {})
    mode = (tmp_path / settings_file.NAME).stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_added_lines_stay(tmp_path: Path) -> None:
    path = tmp_path / settings_file.NAME
    settings_file.write(path, {"QUORUM_HTTP_PORT": "8001"})
    settings_file.complete(tmp_path, {"REDIS_URL": "redis://a"})
    assert settings_file.read(path)["QUORUM_HTTP_PORT"] == "8001"


def test_the_settings_read_the_file(tmp_path: Path, monkeypatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "QUORUM_KEY_PEPPER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path))
    settings_file.complete(tmp_path, {"DATABASE_URL": "postgresql://u:p@h/d"})
    loaded = Settings.load()
    assert loaded.database_url is not None
    assert loaded.database_url.get_secret_value() == "postgresql://u:p@h/d"
    assert loaded.key_pepper is not None
