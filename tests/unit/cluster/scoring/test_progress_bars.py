"""The bars of a job."""

from __future__ import annotations

import pytest
from rich.console import Console

from bulk.engine.progress import Progress
from bulk.jobs.state import JobState
from cluster.scoring.progress_bars import job_bars


def test_each_phase_has_a_bar_and_other_states_none(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(width=100, force_terminal=True)
    monkeypatch.setattr("cluster.terminal.bars.progress", console)
    with console.capture() as capture, job_bars() as told:
        told(Progress(JobState.READING, 300))
        told(Progress(JobState.SCORING, 150, 300))
        told(Progress(JobState.CANCELLED, 150, 300))
    shown = capture.get()
    assert "Read" in shown
    assert "150/300" in shown
    assert "Combine" not in shown
