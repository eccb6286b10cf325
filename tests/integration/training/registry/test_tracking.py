"""An MLflow that cannot be reached is named by its setting, and its password is not shown."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cluster.cli import run


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


def test_a_driver_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = "mysql+pymysql://u:hid_den7@127.0.0.1:1/d"
    monkeypatch.setitem(sys.modules, "pymysql", None)
    monkeypatch.setenv("QUORUM_MLFLOW_TRACKING_URI", uri)
    assert run(["models", "list"]) == 1
    said = capsys.readouterr().err
    assert "QUORUM_MLFLOW_TRACKING_URI: MLflow reaches such a database by pymysql" in said
    assert "pip install pymysql" in said
    assert "den7" not in said


def test_the_password_of_an_mlflow_that_does_not_answer_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUORUM_MLFLOW_TRACKING_URI", "http://u:hid_den7@127.0.0.1:1/")
    for flags in ([], ["--json"]):
        assert run(["models", "list", *flags]) == 0
        said = capsys.readouterr()
        assert "MLflow does not answer" in said.err
        assert "den7" not in said.out + said.err
