"""The command line: help, exit codes, errors in one line."""

import json
import resource
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from importlib import metadata
from pathlib import Path

import pytest

from cluster.cli import COMMANDS, GROUPS, run
from cluster.errors import CommandFailed
from cluster.terminal.console import emit
from cluster.terminal.failures import explain

MODELS = [f"models {name}" for name in ("list", "show", "compare", "promote", "rollback", "push")]
PLANS = ("list", "show", "diff", "draw", "apply", "activate", "rollback")


@pytest.fixture(autouse=True)
def _empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "home"))
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in (*COMMANDS, *GROUPS))


@pytest.mark.parametrize(
    "command",
    [
        # a server, and a command that becomes another one: they have no result
        *(name for name in COMMANDS if name not in ("mlflow", "prepare")),
        *MODELS,
        "features write",
        "features check",
        *(f"plan {name}" for name in PLANS),
        "keys create",
        "keys list",
        "keys tier",
        "keys scopes",
        "keys revoke",
        "variants list",
        "variants add",
        "variants remove",
        "variants config",
    ],
)
def test_every_command_has_help_and_json_output(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command.split(), "--help"]) == 0
    assert "--json" in capsys.readouterr().out


def test_help_imports_nothing_heavy() -> None:
    heavy = [
        "ray",
        "mlflow",
        "xgboost",
        "pandas",
        "pyarrow",
        "sklearn",
        "asyncpg",
        "redis",
        "pydantic",
        "numpy",
    ]
    program = (
        "import sys, cluster.cli as c; c.run(['--help']);"
        f"sys.exit(' '.join(m for m in {heavy!r} if m in sys.modules) or 0)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # A few tenths of a second of the processor, which others on it do not change.
    assert after.ru_utime - before.ru_utime < 5


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nonsense"], 2, "nonsense"),
        (["keys", "create"], 2, "--name"),
        (["models", "promote"], 2, "--run"),
        (["models", "promote", "xgboost", "--reason", "x"], 2, "--force"),
        (["models", "rollback", "xgboost", "--run"], 2, "--run"),
        (["models", "push", "gs://bucket"], 1, "is no artifact store"),
        (["models", "push", "x", "--estimate", "--verify"], 2, "--verify"),
        (["status"], 1, "there is no Quorum at"),
        (["up", "--stores", "--foreground"], 2, "--stores cannot be combined"),
        (["retrain"], 1, "DATABASE_URL is not set"),
        (["migrate", "--phase", "sideways"], 2, "sideways"),
        (["migrate"], 1, "DATABASE_URL is not set"),
        (["deploy", "--config", "/nowhere.yaml"], 1, "/nowhere.yaml"),
    ],
)
def test_a_failure_is_one_line(
    arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == code
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert said in lines[0]


def test_a_refused_connection_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hidden@127.0.0.1:1/x")
    assert run(["migrate"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "hidden" not in said


def test_a_wrong_setting_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUORUM_HTTP_PORT", "seven")
    assert run(["status"]) == 1
    said = capsys.readouterr().err
    assert "http_port" in said.lower()
    assert "seven" not in said


def test_a_defect_leaves_its_traceback_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setattr("cluster.run.status.collect_status", lambda _: 1 // 0)
    assert run(["status"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "ZeroDivisionError" in said
    assert "Traceback" in (tmp_path / "home" / "logs" / "crash.log").read_text()


def test_json_goes_to_stdout_only(capsys: pytest.CaptureFixture[str]) -> None:
    at = datetime(2026, 5, 1, 14, 0, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    emit({"path": Path("/x"), "n": 1, "at": at}, True, lambda _: pytest.fail("rendered"))
    told = json.loads(capsys.readouterr().out)
    assert told == {"path": "/x", "n": 1, "at": "2026-05-01T12:00:00.000005Z"}


def test_no_command_runs_as_root_in_the_image(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("QUORUM_IMAGE", "1")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert run(["migrate"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "does not run as root" in line
    assert not (tmp_path / "home").exists()


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"quorum {metadata.version('quorum-fraud')}\n"


def test_an_unexpected_error_is_not_explained() -> None:
    assert explain(ZeroDivisionError()) is None
    assert explain(CommandFailed("a", "b")).hint == "b"
