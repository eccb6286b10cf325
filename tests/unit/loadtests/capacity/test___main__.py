"""`python -m loadtests.capacity`."""

from __future__ import annotations

import runpy
import sys

import pytest


@pytest.mark.parametrize(("peak", "code"), [("3", 0), ("0.5", 2)])
def test_it_ends_with_the_code_of_its_command(
    peak: str,
    code: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = ["capacity", "plan", "--per-day", "1M", "--peak-to-mean", peak, "--json"]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("loadtests.capacity", run_name="__main__")
    assert ended.value.code == code
    assert ("plans" in capsys.readouterr().out) == (code == 0)
