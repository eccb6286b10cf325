"""Where files that are not part of a package lie."""

from __future__ import annotations

from pathlib import Path


def serve_config() -> Path:
    """`serve_config.yaml`: the one of the working directory, else the one beside the packages."""
    here = Path("serve_config.yaml")
    return here if here.exists() else Path(__file__).resolve().parent.parent / here
