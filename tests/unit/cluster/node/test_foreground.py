"""The foreground stops everything, however it ends."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from cluster.errors import CommandFailed
from cluster.node.foreground import run_in_foreground
from tests.contracts.root import ROOT

SCRIPT = """
import sys, time
from cluster.node.foreground import run_in_foreground
def start():
    print("starting", flush=True)
    if sys.argv[1] == "slow":
        time.sleep(30)
    print("up", flush=True)
run_in_foreground(start, lambda: True, lambda: print("stopped", flush=True), poll_s=0.05)
print("left", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("speed", "until"), [("slow", "starting"), ("fast", "up")])
def test_a_signal_stops_it_in_order(number: signal.Signals, speed: str, until: str) -> None:
    command = [sys.executable, "-c", SCRIPT, speed]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while process.stdout.readline().strip() != until:
            pass
        process.send_signal(number)
        said = process.stdout.read().split()
    assert said == ["stopped", "left"]
    assert process.returncode == 0


def test_an_end_by_itself_is_a_failure_and_stops_the_rest() -> None:
    looks = iter([True, False, True, False, False, False])
    stopped: list[bool] = []
    with pytest.raises(CommandFailed, match="has ended"):
        run_in_foreground(
            lambda: None, lambda: next(looks), lambda: stopped.append(True), poll_s=0.001
        )
    assert stopped == [True]
    assert next(looks, None) is None


def test_an_end_on_purpose_is_no_failure() -> None:
    stopped: list[bool] = []
    run_in_foreground(
        lambda: None,
        lambda: False,
        lambda: stopped.append(True),
        left=lambda: True,
        poll_s=0.001,
    )
    assert stopped == [True]


def test_after_a_failed_start_everything_is_stopped() -> None:
    stopped: list[bool] = []

    def start() -> None:
        raise CommandFailed("no", "never")

    with pytest.raises(CommandFailed, match="no"):
        run_in_foreground(start, lambda: True, lambda: stopped.append(True))
    assert stopped == [True]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
