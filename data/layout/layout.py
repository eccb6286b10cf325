"""Layouts by name or from a TOML file. The format: docs/layouts.md."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from data.layout.document import LayoutDocument
from data.layout.mapping import Layout, LayoutInvalid, LayoutUnknown, MostlyUnreadable
from fraud.errors import InvalidInput
from settings.toml_file import parse_toml

__all__ = [
    "Layout",
    "LayoutInvalid",
    "LayoutUnknown",
    "MostlyUnreadable",
    "layout_names",
    "load_layout",
    "parse_layout",
]


def layout_names() -> list[str]:
    """Return the names of the layouts that come with Quorum, sorted."""
    folder = files("data.layout").joinpath("layouts")
    return sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml"))


def load_layout(name_or_path: str) -> Layout:
    """Return a layout that comes with Quorum, or one from a TOML file.

    Raises:
        LayoutUnknown: there is neither such a layout nor such a file.
        LayoutInvalid: a key of it is wrong.
    """
    known = layout_names()
    if name_or_path in known:
        place = files("data.layout").joinpath("layouts", f"{name_or_path}.toml")
        return parse_layout(place.read_text(encoding="utf-8"), f"{name_or_path}.toml")
    path = Path(name_or_path)
    if not path.is_file():
        near = get_close_matches(name_or_path, known, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        listed = ", ".join(known)
        raise LayoutUnknown(f"no layout {name_or_path}: neither a file nor one of {listed}{hint}")
    try:
        return parse_layout(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError:
        raise LayoutInvalid(f"{path}: is not UTF-8 text") from None


def parse_layout(toml: str, origin: str) -> Layout:
    """Return the layout that a TOML text describes.

    Args:
        origin: file name for messages.

    Raises:
        LayoutInvalid: the message names `origin` and the key.
    """
    try:
        return parse_toml(toml, origin, LayoutDocument).layout(toml)
    except InvalidInput as error:
        raise LayoutInvalid(error.detail) from None
