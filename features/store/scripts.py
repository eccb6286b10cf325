"""The texts of the scripts that run inside Redis."""

from __future__ import annotations

from importlib.resources import files


def source(name: str) -> str:
    """The text of `<name>.lua` of this folder."""
    return files("features.store").joinpath(f"{name}.lua").read_text("utf-8")
