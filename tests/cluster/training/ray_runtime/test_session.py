"""A private Ray ends with its driver, however the driver ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil

PATIENCE_S = 120
# Fits for ever, as far as a test is concerned, until a signal comes.
DRIVER = """
import sys
from pathlib import Path
import numpy as np
from training.config import TrainConfig
from training.fit.on_ray import fit_on_ray
from training.ray_runtime.session import ray_session
from training.run_storage import RunStorage
from training.sets.sample import Sample

x = np.random.default_rng(1).normal(size=(4000, 6)).astype(np.float32)
y = (x[:, 0] > 1).astype(np.float32)
names = tuple("abcdef")
sample = Sample(x, y, np.ones(4000, np.float32), x, y, names, ())
config = TrainConfig.model_validate({
    "variants": ["xgboost", "logistic"],
    "xgboost": {"rounds": 5000, "early_stopping_rounds": 5000, "checkpoint_rounds": 20},
})
try:
    with ray_session(None, 0):
        fit_on_ray(sample, config, RunStorage.local(Path(sys.argv[1])), lambda name: None)
except KeyboardInterrupt:
    print("interrupted")
else:
    print("ended")
"""


def _await(what: Callable[[], object], name: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, name
        time.sleep(0.1)


def _session(leader: int) -> list[str]:
    """The names of the live processes of a session."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.name())
        except (OSError, psutil.Error):
            continue
    return found


def _driver(storage: Path) -> subprocess.Popen[str]:
    storage.mkdir()
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(storage)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _fits(driver: subprocess.Popen[str], storage: Path) -> bool:
    """The first boosting state is kept, and more will follow."""
    assert driver.poll() is None
    return any(storage.rglob("losses.json"))


def _ends_with_its_node(driver: subprocess.Popen[str], number: signal.Signals) -> str:
    """Send a signal to a driver that fits.

    Returns:
        Its output.
    """
    (keeper,) = psutil.Process(driver.pid).children()
    folder = Path(keeper.cmdline()[-2])
    assert folder.is_dir()
    assert len(_session(keeper.pid)) > 5, "the node is in the keeper's session"
    driver.send_signal(number)
    said, _ = driver.communicate(timeout=PATIENCE_S)
    _await(lambda: not _session(keeper.pid), "its processes end")
    _await(lambda: not folder.exists(), "its folder is removed")
    return said


def test_nothing_is_left(tmp_path: Path) -> None:
    # Both at once: starting is what takes time, and two private nodes do not know each other.
    places = {signal.SIGINT: tmp_path / "int", signal.SIGKILL: tmp_path / "kill"}
    drivers = {number: _driver(place) for number, place in places.items()}
    try:
        for number, driver in drivers.items():
            _await(partial(_fits, driver, places[number]), "training begins")
        assert _ends_with_its_node(drivers[signal.SIGKILL], signal.SIGKILL) == ""
        assert drivers[signal.SIGINT].poll() is None, "the other goes on"
        assert _ends_with_its_node(drivers[signal.SIGINT], signal.SIGINT) == "interrupted\n"
        assert not list(places[signal.SIGINT].iterdir()), "no checkpoint is left"
    finally:
        for driver in drivers.values():
            driver.kill()
            driver.wait()
