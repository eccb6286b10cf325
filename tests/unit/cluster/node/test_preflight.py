"""Checks of the machine before a start."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from cluster.errors import CommandFailed
from cluster.node.preflight import (
    IMAGE,
    OPEN_FILES,
    available_memory,
    check_account,
    check_disk,
    check_memory,
    check_python,
    check_shared_memory,
    raise_open_files,
)


@pytest.mark.parametrize("version", [(3, 10), (3, 14), (2, 7)])
def test_other_pythons_are_refused(version: tuple[int, int]) -> None:
    with pytest.raises(CommandFailed, match="not supported"):
        check_python(version)


def test_a_disk_that_is_too_full_is_refused(tmp_path: Path) -> None:
    check_disk(tmp_path / "not" / "there" / "yet", needed_bytes=1)
    with pytest.raises(CommandFailed, match="needed"):
        check_disk(tmp_path, needed_bytes=2**62)


def test_too_little_memory_is_refused() -> None:
    with pytest.raises(CommandFailed, match="memory"):
        check_memory(needed_bytes=2**62)


def test_a_containers_limit_counts_and_its_page_cache_does_not(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("900000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 300000\n")
    assert available_memory(tmp_path) == 400_000


def test_no_limit_is_the_machines_memory(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("max\n")
    assert available_memory(tmp_path) > 1_000_000


def test_the_image_does_not_run_as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.delenv(IMAGE, raising=False)
    check_account()  # a plain machine
    monkeypatch.setenv(IMAGE, "1")
    with pytest.raises(CommandFailed, match="root") as failure:
        check_account()
    assert "--user" in failure.value.hint
    monkeypatch.setattr(os, "geteuid", lambda: 10001)
    check_account()


class _Limits:
    """The limit of open files of a process: soft and hard."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, soft: int, hard: int) -> None:
        self.now = (soft, hard)
        monkeypatch.setattr(resource, "getrlimit", lambda _: self.now)
        monkeypatch.setattr(resource, "setrlimit", lambda _, limits: setattr(self, "now", limits))


@pytest.mark.parametrize(
    ("soft", "hard", "after"),
    [
        (1_024, 20_000, 20_000),
        (1_024, OPEN_FILES, OPEN_FILES),
        (1_024, 1_048_576, 65_536),
        (1_024, resource.RLIM_INFINITY, 65_536),
        (100_000, 1_048_576, 100_000),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, resource.RLIM_INFINITY),
    ],
)
def test_open_files_are_raised_within_the_hard_limit(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, after: int
) -> None:
    limits = _Limits(monkeypatch, soft, hard)
    raise_open_files()
    assert limits.now == (after, hard)


def test_too_few_open_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _Limits(monkeypatch, 1_024, OPEN_FILES - 1)
    with pytest.raises(CommandFailed, match="10,266 files may be open at once") as failure:
        raise_open_files()
    assert "ulimit" in failure.value.hint
    assert "--ulimit nofile=" in failure.value.hint


def test_a_kernel_that_gives_fewer_than_the_hard_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("current limit exceeds maximum limit")

    limits = _Limits(monkeypatch, OPEN_FILES, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "setrlimit", refuse)
    raise_open_files()  # it has enough as it is
    limits.now = (256, resource.RLIM_INFINITY)
    with pytest.raises(CommandFailed, match="256 files"):
        raise_open_files()


def test_too_little_shared_memory_is_refused(tmp_path: Path) -> None:
    check_shared_memory(0, tmp_path)
    check_shared_memory(2**62, tmp_path / "absent")  # macOS has no such folder
    with pytest.raises(CommandFailed, match="shared memory") as failure:
        check_shared_memory(2**62, tmp_path)
    assert "--shm-size" in failure.value.hint
