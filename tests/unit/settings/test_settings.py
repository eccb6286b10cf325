"""Settings: warnings of unknown variables, and errors of wrong values."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from pydantic import ValidationError

from cluster.cli import run
from settings import settings as module
from settings.settings import Settings


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path))
    monkeypatch.setattr(module, "_warned", set())


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("QUORUM_HTP_PORT", "QUORUM_HTTP_PORT"),
        ("QUORUM_REDIS_TIMEOUT", "QUORUM_REDIS_TIMEOUT_MS"),
        ("quorum_tennant", "QUORUM_TENANT"),
        ("QUORUM_ARTIFACT", "QUORUM_ARTIFACTS"),
        ("QUORUM_HOMES", "QUORUM_HOME"),
        ("QUORUM_LINK", "QUORUM_LINKS"),
        ("QUORUM_DATABASE_URL", "DATABASE_URL"),
        ("QUORUM_REDIS_URL", "REDIS_URL"),
    ],
)
def test_a_warning_names_an_unknown_variable_and_the_nearest_setting(
    name: str,
    nearest: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv(name, "hid_den7")
    for _ in range(3):
        Settings.load()
    (warning,) = caplog.messages
    assert name.upper() in warning
    assert f"did you mean {nearest}?" in warning
    assert "hid_den7" not in warning


def test_a_shared_prefix_alone_is_no_likeness(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("QUORUM_FOO", "1")
    Settings.load()
    assert caplog.messages == ["QUORUM_FOO is not a setting and has no effect"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("QUORUM_HTTP_PORT", "hid_den7", "expected a whole number"),
        ("QUORUM_HTTP_PORT", "0", "expected 1 or more"),
        ("QUORUM_RAY_PORT", "70000", "expected 65535 or less"),
        ("QUORUM_DATABASE_TIMEOUT_S", "-1", "expected more than 0"),
        ("QUORUM_LANES", "1.5", "expected a whole number"),
        ("QUORUM_TENANT", "hid den7", "expected up to 64 letters"),
        (
            "QUORUM_MLFLOW_TRACKING_URI",
            "hid_den7:5000",
            "expected a URL that begins with http:// or https://",
        ),
        ("AWS_ENDPOINT_URL_S3", "http://u:hid_den7@h", "expected no user and password"),
    ],
)
def test_an_error_names_the_variable_and_what_is_expected(
    name: str,
    value: str,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, value)
    assert run(["keys", "list"]) == 1
    output = capsys.readouterr().err
    assert output.startswith(f"error: {name} has a wrong value — {expected}")
    assert "den7" not in output
    assert ".py" not in output


def test_an_empty_home_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUORUM_HOME", "")
    assert Settings.load().home == tmp_path / ".quorum"


def test_blanks_around_an_address_are_dropped() -> None:
    assert Settings(mlflow_tracking_uri=" sqlite:////x/m.db\n").tracking_uri == "sqlite:////x/m.db"
    assert Settings(artifacts_at=" s3://b/p ").artifacts_url == "s3://b/p"


def test_an_unknown_variable_in_settings_env_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "settings.env").write_text("# QUORUM_X=1\nQUORUM_KEY_PEPER=x\nOTHER=1\n")
    Settings.load()
    (warning,) = caplog.messages
    assert "QUORUM_KEY_PEPPER" in warning


def test_a_variable_unlike_any_setting_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("QUORUM_ZZZZZZZZZZZZZZZZ", "1")
    Settings.load()
    assert caplog.messages == ["QUORUM_ZZZZZZZZZZZZZZZZ is not a setting and has no effect"]


def test_variables_that_quorum_sets_itself_raise_no_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("NODE", "LINKS", "ARTIFACTS", "URL", "API_KEY", "TENANT", "KEY_PEPPER"):
        monkeypatch.setenv(f"QUORUM_{name}", "x")
    monkeypatch.setenv("quorum_http_port", "1234")
    Settings.load()
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("uri", "read"),
    [
        ("postgres://u:p@h/d", "postgresql://u:p@h/d"),
        ("postgresql+psycopg2://u:p@h/d", "postgresql+psycopg2://u:p@h/d"),
        ("sqlite:////x/mlflow.db", "sqlite:////x/mlflow.db"),
        ("https://u:p@mlflow.example", "https://u:p@mlflow.example"),
        ("mlruns", "mlruns"),
    ],
)
def test_mlflow_s_addresses(uri: str, read: str) -> None:
    assert Settings(mlflow_tracking_uri=uri).tracking_uri == read


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QUORUM_MLFLOW_TRACKING_URI", "htps://u:hid_den7@h"),
        ("AWS_ENDPOINT_URL", "minio:9000/hid_den7"),
    ],
)
def test_an_address_of_mlflow_or_s3_that_cannot_be_is_named_without_its_value(
    name: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, value)
    assert run(["keys", "list"]) == 1
    output = capsys.readouterr().err
    assert name.lower().removeprefix("quorum_") in output.lower()
    assert "hid_den7" not in output


def test_the_command_line_warns_once_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUORUM_HTP_PORT", "1")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert run(["keys", "list"]) == 1
    output = capsys.readouterr()
    assert output.err.count("QUORUM_HTP_PORT is not a setting") == 1
    assert output.err.startswith("warning: ")
    assert output.out == ""
    assert not logging.getLogger("settings.settings").handlers


def test_the_home_tenant_is_the_house_and_stays_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUORUM_TENANT", "ours")
    ours = Settings()
    mine = ours.for_tenant("mine")
    assert (ours.owner, ours.owner_of("ours"), ours.owner_of("mine")) == ("", "", "mine")
    assert (mine.tenant, mine.home_tenant, mine.owner) == ("mine", "ours", "mine")
    assert mine.owner_of("ours") == ""
    assert mine.for_tenant("ours") == ours


@pytest.mark.parametrize(
    ("host", "several"), [("127.0.0.1", False), ("::1", False), ("10.0.0.5", True)]
)
def test_an_address_that_others_reach_makes_several_nodes(
    host: str, several: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUORUM_HOST", host)
    assert Settings.load().several_nodes is several


@pytest.mark.parametrize("host", ["worker-1", "0.0.0.0", "::"])
def test_what_others_do_not_reach_is_no_address_of_a_node(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUORUM_HOST", host)
    with pytest.raises(ValidationError, match=r"expected (an IP|the) address"):
        Settings.load()
