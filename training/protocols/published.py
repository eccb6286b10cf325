"""Published figures on the same rows, and figures of plain models."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any


def published(protocol: str) -> list[dict[str, Any]]:
    """Rows of `published.toml`: `split`, `model`, `source`, and figures by name."""
    text = files("training.protocols").joinpath("published.toml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = tomllib.loads(text)[protocol]
    return rows
