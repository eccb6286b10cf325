"""Bars of long commands: what they show, and that they go to stderr."""

from __future__ import annotations

from io import StringIO
from types import SimpleNamespace

import pytest
from rich.console import Console

from cluster.terminal import bars
from cluster.terminal.bars import LoadBar, StageBars


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What a terminal of 100 columns shows in place of stderr."""
    shown = StringIO()
    console = Console(file=shown, force_terminal=True, width=100, color_system=None)
    monkeypatch.setattr(bars, "progress", console)
    return shown


def test_each_stage_has_a_bar_with_its_counts(terminal: StringIO) -> None:
    with StageBars({"read": "Read rows", "fit": "Fit models"}) as stages:
        stages.show("read", 500, 2_000)
        stages.show("read", 2_000, 2_000)
        stages.show("fit", 3, 0)
    shown = terminal.getvalue()
    assert "Read rows" in shown
    assert "2,000/2,000" in shown
    # the total of the fit is unknown
    fit = [line for line in shown.splitlines() if "Fit models" in line][-1]
    assert " 3 " in fit
    assert "3/" not in fit


def test_a_stage_without_a_title_is_an_error() -> None:
    with StageBars({"read": "Read rows"}) as stages, pytest.raises(KeyError, match="fit"):
        stages.show("fit", 0, 1)


def test_the_bar_of_a_load_shows_share_rows_and_speed(terminal: StringIO) -> None:
    with LoadBar("payments.csv") as bar:
        bar.show(SimpleNamespace(rows=120_000, rows_per_s=45_678.9), 0.5)
        bar._bar.refresh()
        shown = terminal.getvalue()
    assert "Load payments.csv" in shown
    assert "50%" in shown
    assert "120,000 rows, 45,679/s" in shown
