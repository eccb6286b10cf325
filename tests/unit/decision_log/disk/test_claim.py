from __future__ import annotations

import os
import subprocess
import sys

import pytest

from decision_log.disk.claim import claim, share
from decision_log.disk.position import Position, save_position

HOLD = """
import sys, time
from pathlib import Path
from decision_log.disk.claim import claim
held = claim(Path(sys.argv[1]), create=True)
print("held" if held else "not held", flush=True)
time.sleep(600)
"""


def test_a_folder_has_one_holder(tmp_path):
    first = claim(tmp_path / "a", create=True)
    assert first is not None
    assert claim(tmp_path / "a", create=True) is None
    assert claim(tmp_path / "b", create=False) is None
    assert not (tmp_path / "b").exists()
    first.release()
    first.release()
    second = claim(tmp_path / "a", create=False)
    assert second is not None
    second.release()


def test_a_removed_folder_is_claimed_anew(tmp_path):
    first = claim(tmp_path / "a", create=True)
    assert first is not None
    first.remove()
    assert not (tmp_path / "a").exists()
    again = claim(tmp_path / "a", create=True)
    assert again is not None
    again.release()


def test_a_folder_with_something_of_others_in_it_stays(tmp_path):
    first = claim(tmp_path / "a", create=True)
    assert first is not None
    save_position(tmp_path / "a", Position(1, 2))
    (tmp_path / "a" / "note").write_text("?")
    with pytest.raises(OSError, match="not empty"):
        first.remove()
    assert os.listdir(tmp_path / "a") == ["note"]
    again = claim(tmp_path / "a", create=False)
    assert again is not None
    (tmp_path / "a" / "note").unlink()
    again.remove()
    assert os.listdir(tmp_path) == []


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "a")], stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.wait()


def test_a_dead_holder_holds_nothing(tmp_path, holder):
    assert holder.stdout.readline() == "held\n"
    assert claim(tmp_path / "a", create=False) is None
    holder.kill()
    holder.wait()
    found = claim(tmp_path / "a", create=False)
    assert found is not None
    found.release()


def test_readers_share_a_folder_that_nobody_has_claimed(tmp_path):
    (tmp_path / "a").mkdir()
    unlocked = share(tmp_path / "a")
    assert unlocked is not None
    unlocked.release()
    assert list((tmp_path / "a").iterdir()) == [], "nothing is made"
    first = claim(tmp_path / "a", create=True)
    assert first is not None
    assert share(tmp_path / "a") is None
    first.release()
    readers = [share(tmp_path / "a") for _ in range(2)]
    assert claim(tmp_path / "a", create=False) is None
    for reader in readers:
        assert reader is not None
        reader.release()
    again = claim(tmp_path / "a", create=False)
    assert again is not None
    again.release()
