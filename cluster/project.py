"""Where files that are not part of a package lie."""

from __future__ import annotations

from pathlib import Path


def serve_config() -> Path:
    """`serve_config.yaml`: the one of the working directory, else the one beside the packages."""
    here = Path("serve_config.yaml")
    return here if here.exists() else Path(__file__).resolve().parent.parent / here


def data_folder() -> Path:
    """Public data sets: `../shared/data` from the working directory, else from the project."""
    beside = Path("../shared/data")
    return beside if beside.is_dir() else Path(__file__).resolve().parent.parent / beside
