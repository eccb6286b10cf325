"""Checks of the machine before anything starts: a clear error now instead of a failure later."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from cluster.errors import CommandFailed

PYTHONS = ((3, 11), (3, 13))
DISK_BYTES = 2 * 1024**3
MEMORY_BYTES = 3 * 1024**3
RAY_PORTS = range(10_002, 20_000)
"""From these Ray chooses ports for its workers."""
OPEN_FILES = 10_267
"""Descriptors that HAProxy wants for Serve's 4,096 connections; it does not start with fewer."""
IMAGE = "QUORUM_IMAGE"
"""The variable that tells that this is the image: the Dockerfile sets it."""
_RAISED_OPEN_FILES = 65_536
_SHARED_MEMORY_MARGIN_BYTES = 64 * 1024**2
_CGROUP = Path("/sys/fs/cgroup")
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 — measured, not written


def check_python(version: tuple[int, int] = sys.version_info[:2]) -> None:
    """Refuse a Python version for which the pinned dependencies have no wheels."""
    lowest, highest = PYTHONS
    if not lowest <= version <= highest:
        raise CommandFailed(
            f"Python {version[0]}.{version[1]} is not supported",
            f"use {lowest[0]}.{lowest[1]} to {highest[0]}.{highest[1]}: "
            "`make up PYTHON=python3.12`",
        )


def check_disk(home: Path, needed_bytes: int = DISK_BYTES) -> None:
    """Refuse a disk with less than `needed_bytes` free."""
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if free < needed_bytes:
        raise CommandFailed(
            f"{_gib(free)} are free on the disk of {existing}, {_gib(needed_bytes)} are needed",
            "free some space, or set QUORUM_HOME to a folder on another disk",
        )


def check_memory(needed_bytes: int = MEMORY_BYTES) -> None:
    """Refuse a machine, or a container, with less than `needed_bytes` of memory available."""
    available = available_memory()
    if available < needed_bytes:
        raise CommandFailed(
            f"{_gib(available)} of memory are available, {_gib(needed_bytes)} are needed",
            "end other programs, or give the container more memory",
        )


def check_front(host: str) -> None:
    """Refuse an address of the HTTP front that only one of several nodes has."""
    if host not in ("0.0.0.0", "::"):  # noqa: S104 — compared, not listened at
        raise CommandFailed(
            f"QUORUM_HTTP_HOST is {host}, but all nodes of a cluster listen at the same address",
            "unset it, or set it to 0.0.0.0 or ::",
            2,
        )


def check_ports(ports: Mapping[int, str]) -> None:
    """Refuse ports that Ray may give to its own workers.

    Args:
        ports: port -> its purpose.
    """
    for port, purpose in ports.items():
        if port in RAY_PORTS:
            raise CommandFailed(
                f"port {port} ({purpose}) is one of those that Ray gives to its workers",
                f"choose one outside of {RAY_PORTS.start} to {RAY_PORTS.stop - 1}",
                2,
            )


def check_account(uid: int | None = None, in_image: bool | None = None) -> None:
    """Refuse to run as root in the image, which has an account of its own.

    Args:
        uid: effective user id; None: ours.
        in_image: whether this is the image; None: what the environment says.
    """
    uid = os.geteuid() if uid is None else uid
    in_image = bool(os.environ.get(IMAGE)) if in_image is None else in_image
    if in_image and uid == 0:
        raise CommandFailed(
            "Quorum's image does not run as root",
            "leave out `--user`, or give it a number that is not 0: `--user 10001:10001`",
        )


def raise_open_files(needed: int = OPEN_FILES) -> None:
    """Raise this process's limit of open files as far as its hard limit and reason allow.

    Processes that it starts inherit the limit. 65,536 is what Ray advises; far more costs programs
    that go through all possible descriptors.

    Raises:
        CommandFailed: the limit stays below `needed`.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    wanted = _RAISED_OPEN_FILES if hard == unlimited else min(hard, _RAISED_OPEN_FILES)
    if soft != unlimited and soft < wanted:
        with contextlib.suppress(ValueError, OSError):  # more than this kernel gives to a process
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    if soft != unlimited and soft < needed:
        raise CommandFailed(
            f"{soft:,} files may be open at once, {needed:,} are needed",
            f"raise the hard limit: `ulimit -Hn {_RAISED_OPEN_FILES}` as root, LimitNOFILE= of "
            f"systemd, or `--ulimit nofile={_RAISED_OPEN_FILES}` of the container",
        )


def check_shared_memory(object_store_bytes: int, folder: Path = _SHARED_MEMORY) -> None:
    """Refuse too little shared memory for Ray's object store, which would go to a disk instead.

    Args:
        object_store_bytes: size of the store.
        folder: where shared memory is mounted. Systems without it keep the store elsewhere.
    """
    if not folder.is_dir():
        return
    free, needed = shutil.disk_usage(folder).free, object_store_bytes + _SHARED_MEMORY_MARGIN_BYTES
    if free < needed:
        raise CommandFailed(
            f"{_mib(free)} of shared memory are free at {folder}, {_mib(needed)} are needed",
            "start the container with `--shm-size 512m`, or mount a larger tmpfs there",
        )


def available_memory(cgroup: Path = _CGROUP) -> int:
    """Return the available memory of the machine, or of the container if that is less, in bytes."""
    available = int(psutil.virtual_memory().available)
    with contextlib.suppress(OSError, ValueError):
        limit = int((cgroup / "memory.max").read_text())  # "max" without a limit: ValueError
        used = int((cgroup / "memory.current").read_text())
        # The page cache counts as used, but is given back on demand.
        for line in (cgroup / "memory.stat").read_text().splitlines():
            if line.startswith("inactive_file "):
                used -= int(line.split()[1])
        available = min(available, max(0, limit - used))
    return available


def _mib(size: int) -> str:
    return f"{size / 1024**2:.0f} MiB"


def _gib(size: int) -> str:
    return f"{size / 1024**3:.1f} GiB"
