"""Output can be copied, and shows no passwords."""

from __future__ import annotations

import pytest

from cluster.errors import CommandFailed
from cluster.terminal import console
from cluster.terminal.console import emit, fail, print_line


def test_a_path_is_not_cut_at_the_end_of_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    path = "/a/" + "b" * 120 + "/c-d.rejected.csv"
    emit({}, False, lambda _: f"8 rows refused: see {path}\n  8: amount must be more than zero")
    lines = capsys.readouterr().out.splitlines()
    assert path in lines
    assert "  8: amount must be more than zero" in lines


def test_words_are_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    emit({}, False, lambda _: " ".join(["seventeen-letters"] * 20))
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= console.results.width for line in lines)
    assert {word for line in lines for word in line.split()} == {"seventeen-letters"}


def test_passwords_in_errors_of_drivers_are_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    print_line("MLflow does not answer: http://u:hid_den7@h/api")
    fail(CommandFailed("postgresql://u:hid_den7@h/d", "check it"))
    said = capsys.readouterr().err
    assert "den7" not in said
    assert said.count("***@h") == 2
