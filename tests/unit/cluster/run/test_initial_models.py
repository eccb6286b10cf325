"""Which models a first start needs, and the training that makes them."""

from __future__ import annotations

import signal
import subprocess

import pytest

from cluster.errors import CommandFailed
from cluster.run.initial_models import train_models, variants_of


def test_variants_are_those_that_have_a_pool() -> None:
    applications = [{"name": "decisions", "args": {}}, {"args": {"variant": "logistic"}}, {}]
    applications.append({"args": {"variant": "xgboost", "owner": "mine"}})  # no first start's
    assert variants_of({"applications": applications}) == {"logistic"}


def exits(monkeypatch: pytest.MonkeyPatch, *codes: int) -> list[int]:
    """Make the processes of training end with these codes; the list counts those that ran."""
    ran: list[int] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        ran.append(codes[len(ran)])
        return subprocess.CompletedProcess(command, ran[-1], stdout='{"plan": 1}')

    monkeypatch.setattr(subprocess, "run", run)
    return ran


def test_training_runs_once_more_after_a_native_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = exits(monkeypatch, -signal.SIGSEGV, 0)
    assert train_models({}) == {"plan": 1}
    assert len(ran) == 2


@pytest.mark.parametrize(
    ("codes", "text"),
    [
        ((1,), "training failed, see above"),
        ((-signal.SIGKILL,), "ended by SIGKILL"),
        ((-signal.SIGSEGV, -signal.SIGSEGV), "ended by SIGSEGV"),
        ((-signal.SIGABRT, 1), "training failed, see above"),
    ],
)
def test_a_failed_training_is_reported(
    monkeypatch: pytest.MonkeyPatch, codes: tuple[int, ...], text: str
) -> None:
    ran = exits(monkeypatch, *codes)
    with pytest.raises(CommandFailed, match=text):
        train_models({})
    assert len(ran) == len(codes)
