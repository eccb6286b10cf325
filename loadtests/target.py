"""The Quorum under load: its address and a key for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Target:
    """A running Quorum.

    Attributes:
        url: base URL without a trailing slash.
        api_key: a valid key; never printed.
        home: its `$QUORUM_HOME`, if it runs on this machine.
    """

    url: str
    api_key: str = field(repr=False)
    home: Path


class NoTarget(Exception):
    """The address or the key of Quorum is unknown. The message names what is missing."""


def find_target(environment: Mapping[str, str] = os.environ) -> Target:
    """Return the target of `QUORUM_URL` and `QUORUM_API_KEY`, else of the demo.env of `quorum up`.

    Raises:
        NoTarget: neither has both.
    """
    home = Path(environment.get("QUORUM_HOME", ".quorum")).resolve()
    known = {**_demo(home / "demo.env"), **environment}
    missing = [name for name in ("QUORUM_URL", "QUORUM_API_KEY") if not known.get(name)]
    if missing:
        raise NoTarget(f"{' and '.join(missing)} not set and not in {home}/demo.env: run `make up`")
    return Target(known["QUORUM_URL"].rstrip("/"), known["QUORUM_API_KEY"], home)


def _demo(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    lines = (line.removeprefix("export ") for line in path.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, _, value in pairs}
