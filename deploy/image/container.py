"""A container of the image, run by runc as `docker run` would run it, where there is no Docker."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

USER = 10001
# Docker's daemon has no limit; without CAP_SYS_RESOURCE a test cannot give more than it has.
_MOST_OPEN_FILES = min(65_536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
_CLOSED = ["nosuid", "noexec", "nodev"]
_NAMESPACES = ("pid", "network", "ipc", "uts", "mount")


@dataclass(frozen=True, slots=True)
class Limits:
    """What `docker run` is told about a container.

    Attributes:
        shared_memory: `--shm-size`, as a mount option.
        open_files: `--ulimit nofile=`, soft and hard limit.
        user: `--user`; the image's own by default.
    """

    shared_memory: str = "512m"
    open_files: tuple[int, int] = (1_024, _MOST_OPEN_FILES)
    user: int = USER


def bundle(
    image: dict[str, Any], root: str, home: Path, command: Sequence[str], limits: Limits
) -> dict[str, Any]:
    """Return runc's configuration: `docker run --read-only --tmpfs /tmp`, no capabilities, an empty
    network, and a volume for the home.

    Args:
        image: the image's own configuration: `Env`, `Entrypoint`, `WorkingDir`.
        root: its file system.
        home: the folder that is its volume.
        command: arguments of the entry point.
        limits: what differs from run to run.
    """
    caps: dict[str, list[str]] = {
        kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")
    }
    soft, hard = limits.open_files
    shared = [*_CLOSED, "mode=1777", f"size={limits.shared_memory}"]
    temporary = ["nosuid", "nodev", "mode=1777", "size=1g"]
    pseudo = ["newinstance", "ptmxmode=0666", "mode=0620"]
    return {
        "ociVersion": "1.0.0",
        "process": {
            "terminal": False,
            "user": {"uid": limits.user, "gid": limits.user},
            "args": [*image["Entrypoint"], *command],
            "env": image["Env"],
            "cwd": image["WorkingDir"],
            "capabilities": caps,
            "rlimits": [{"type": "RLIMIT_NOFILE", "soft": soft, "hard": hard}],
            "noNewPrivileges": True,
        },
        "root": {"path": root, "readonly": True},
        "hostname": "quorum",
        "mounts": [
            _mount("/proc", "proc", []),
            _mount("/dev", "tmpfs", ["nosuid", "mode=755", "size=64k"]),
            _mount("/dev/pts", "devpts", ["nosuid", "noexec", *pseudo]),
            _mount("/dev/shm", "tmpfs", shared),  # noqa: S108 — of the container
            _mount("/tmp", "tmpfs", temporary),  # noqa: S108 — of the container
            _mount("/sys", "sysfs", [*_CLOSED, "ro"]),
            {**_mount("/var/lib/quorum", "bind", ["rbind", "rw"]), "source": str(home)},
        ],
        "linux": {"namespaces": [{"type": kind} for kind in _NAMESPACES]},
    }


@dataclass(slots=True)
class Container:
    """A container that runs, or has run.

    Args:
        name: a name that no other container of runc's has.
        folder: runc's bundle; the output of the container is `log` in it.
        config: see `bundle`.
    """

    name: str
    folder: Path
    config: dict[str, Any]
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        """What the container prints."""
        return self.folder / "log"

    def start(self) -> None:
        """Start it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "config.json").write_text(json.dumps(self.config))
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [*_RUNC, "run", "--bundle", str(self.folder), self.name],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def call(self, *command: str, timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as `docker exec` does."""
        environment = [part for line in self.config["process"]["env"] for part in ("--env", line)]
        user = self.config["process"]["user"]["uid"]
        return subprocess.run(
            [*_RUNC, "exec", "--user", f"{user}:{user}", *environment, self.name, *command],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def ended(self) -> int | None:
        """Return the exit code, or None while it runs."""
        assert self._process is not None
        return self._process.poll()

    def wait(self, timeout_s: float) -> int:
        """Wait for its end. Returns the exit code.

        Raises:
            subprocess.TimeoutExpired: it runs on.
        """
        assert self._process is not None
        return self._process.wait(timeout_s)

    def stop(self, timeout_s: float) -> tuple[int, float]:
        """Send SIGTERM, as `docker stop` does. Returns the exit code and the seconds."""
        began = time.monotonic()
        subprocess.run([*_RUNC, "kill", self.name, "TERM"], check=True)
        return self.wait(timeout_s), time.monotonic() - began

    def remove(self) -> None:
        """End it at once if it still runs, with all that runs inside."""
        with suppress(subprocess.CalledProcessError):
            subprocess.run(
                [*_RUNC, "delete", "--force", self.name],
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()


_RUNC = ("runc",)


def _mount(place: str, kind: str, options: list[str]) -> dict[str, Any]:
    return {"destination": place, "type": kind, "source": kind, "options": options}
