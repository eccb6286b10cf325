"""One Quorum for the whole run, started by its command line as users do, in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.contracts.ports import free_ports, serve_ports

_PREFIX = "quorum-e2e-"
_QUORUM = str(Path(sys.executable).with_name("quorum"))


@dataclass
class Quorum:
    """A Quorum under test, with its address and key."""

    home: Path
    environment: dict[str, str]
    url: str = ""
    key: str = ""

    def run(self, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `quorum <arguments>`. The test fails if the command fails, unless `ok` is False."""
        done = subprocess.run(
            [_QUORUM, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        if ok:
            assert done.returncode == 0, f"quorum {arguments}: {done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments: str) -> Any:
        """Return what `quorum <arguments> --json` prints."""
        return json.loads(self.run(*arguments, "--json").stdout)

    def up(self) -> dict[str, str]:
        """Run `quorum up` with a small history."""
        report: dict[str, str] = self.json("up", "--customers", "400", "--days", "75")
        self.url, self.key = report["url"], report["api_key"]
        return report

    def client(self, key: str | None = None) -> httpx.Client:
        """A client with an API key."""
        return httpx.Client(
            base_url=self.url, headers={"X-API-Key": key or self.key}, timeout=30, trust_env=False
        )

    @property
    def database_url(self) -> str:
        """URL of its PostgreSQL."""
        for line in (self.home / "settings.env").read_text().splitlines():
            name, _, value = line.partition("=")
            if name == "DATABASE_URL":
                return value.strip("'\"")
        raise AssertionError("no DATABASE_URL in settings.env")


def _environment(home: Path) -> dict[str, str]:
    http, dashboard, ray, fallback, own = free_ports(5)
    inherited = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("QUORUM_", "RAY_", "DATABASE_", "REDIS_", "PROMETHEUS_"))
    }
    return {
        **inherited,
        **serve_ports(),
        "QUORUM_HOME": str(home),
        "QUORUM_HTTP_PORT": str(http),
        "QUORUM_DASHBOARD_PORT": str(dashboard),
        "QUORUM_RAY_PORT": str(ray),
        "QUORUM_FALLBACK_PORT": str(fallback),
        "QUORUM_NODE_PORT": str(own),
        "QUORUM_DRIFT_INTERVAL_S": "5",
        "QUORUM_MAX_PAST_DAYS": "3650",  # old data sets are sent with their own times
        "QUORUM_REBUILD_WAIT_MS": "300",  # history may come late on a busy machine
    }


def _clean_up_killed_runs() -> None:
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid = left.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            Quorum(left, _environment(left)).run("down", ok=False)
            shutil.rmtree(left, ignore_errors=True)


@pytest.fixture(scope="session")
def quorum() -> Iterator[Quorum]:
    """A running Quorum; nothing of it is left afterwards."""
    _clean_up_killed_runs()
    home = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    quorum = Quorum(home, _environment(home))
    try:
        quorum.up()
        yield quorum
    finally:
        quorum.run("down", ok=False)
        shutil.rmtree(home, ignore_errors=True)
