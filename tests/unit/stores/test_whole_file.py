from __future__ import annotations

import os
import stat

import pytest

from stores.whole_file import replace_file, whole_file


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_takes_the_place_of_another(tmp_path, mode):
    path = tmp_path / "deep" / "file"
    replace_file(path, b"old")
    replace_file(path, b"new", mode)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert os.listdir(path.parent) == ["file"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch, step):
    path = tmp_path / "file"
    replace_file(path, b"old")

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fails)
    with pytest.raises(OSError, match="No space"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_file_that_is_written_by_another_program_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "new" / "x"
    with whole_file(path, 0o640) as made:
        made.write_bytes(b"first")
        assert not path.exists()
    assert path.read_bytes() == b"first"
    assert path.stat().st_mode & 0o777 == 0o640
    with pytest.raises(KeyError), whole_file(path) as made:
        fail_half_way(made)
    assert path.read_bytes() == b"first"
    assert list(path.parent.iterdir()) == [path]


def fail_half_way(made):
    made.write_bytes(b"half")
    raise KeyError
