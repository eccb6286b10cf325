"""Secrets that come in files."""

from __future__ import annotations

from pathlib import Path

import pytest

from fraud.errors import SettingInvalid
from settings.secret_files import SECRETS, given, secrets_from_files
from settings.settings import Settings


@pytest.fixture(autouse=True)
def _nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "home"))


def test_settings_hold_what_the_files_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        (tmp_path / name).write_text(f"value-of-{name}\n")
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    settings = Settings.load()
    values = (
        *(settings.database_url, settings.database_replica_url),
        *(settings.redis_url, settings.key_pepper),
    )
    assert [value and value.get_secret_value() for value in values] == [
        f"value-of-{name}" for name in SECRETS
    ]


def test_a_file_wins_over_settings_env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "settings.env").write_text("QUORUM_KEY_PEPPER=old\n")
    (tmp_path / "pepper").write_text("new")
    monkeypatch.setenv("QUORUM_KEY_PEPPER_FILE", str(tmp_path / "pepper"))
    pepper = Settings.load().key_pepper
    assert pepper is not None
    assert pepper.get_secret_value() == "new"


@pytest.mark.parametrize(
    ("content", "why"), [(None, "No such file"), (b" \n", "is empty"), (b"\xff", "not text")]
)
def test_a_file_that_gives_no_value_is_named(
    content: bytes | None, why: str, tmp_path: Path
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingInvalid, match=why) as raised:
        secrets_from_files({"REDIS_URL_FILE": str(path)})
    assert raised.value.args[0] == "REDIS_URL_FILE"


def test_both_ways_at_once_are_refused() -> None:
    with pytest.raises(SettingInvalid, match="both set"):
        secrets_from_files({"REDIS_URL": "redis://here", "REDIS_URL_FILE": "/there"})


def test_a_secret_is_given_either_way() -> None:
    assert given("REDIS_URL", {"REDIS_URL": "redis://here"})
    assert given("REDIS_URL", {"REDIS_URL_FILE": "/there"})
    assert not given("REDIS_URL", {"REDIS_URL": ""})
