"""`quorum prepare` becomes another command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.cli import run
from cluster.errors import CommandFailed
from cluster.membership import prepare
from tests.contracts.root import ROOT

PROGRAM = """
import sys
from cluster.cli import run
from cluster.membership import prepare
prepare.prepared_environment = lambda _: {"OF_NODE": "yes"}
sys.exit(run(sys.argv[1:]))
"""


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The homes that were prepared."""
    homes: list[Path] = []

    def prepare_home(settings) -> dict[str, str]:
        homes.append(settings.home)
        return dict(os.environ)

    monkeypatch.setattr(prepare, "prepared_environment", prepare_home)
    return homes


def test_the_command_takes_its_place_in_the_nodes_environment() -> None:
    tell = "import os, sys; print(os.getpid(), os.environ.get('OF_NODE'), 'PATH' in os.environ)"
    tell += "; print(*sys.argv[1:]); sys.exit(7)"
    command = [sys.executable, "-c", PROGRAM, "prepare", "--", sys.executable, "-c", tell]
    with subprocess.Popen(
        [*command, "--json", "two words"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 7
    assert said.splitlines() == [f"{process.pid} yes False", "--json two words"]


@pytest.mark.parametrize("arguments", [[], ["--"]])
def test_without_a_command_nothing_is_prepared(
    prepared: list[Path], arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["prepare", *arguments]) == 2
    assert "Missing argument 'command'" in capsys.readouterr().err
    assert prepared == []


def test_a_command_that_does_not_exist_ends_with_127(
    prepared: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["prepare", "--", "no-such-command", "x"]) == 127
    assert len(prepared) == 1
    said = capsys.readouterr().err
    assert said == "error: no-such-command: No such file or directory — check the command\n"


def test_a_machine_that_is_unfit_runs_no_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(_: object) -> None:
        raise CommandFailed("unfit", "")

    monkeypatch.setattr(prepare, "prepared_environment", refuse)
    trace = tmp_path / "ran"
    assert run(["prepare", "--", "touch", str(trace)]) == 1
    assert not trace.exists()
