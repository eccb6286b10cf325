"""The name of the set that a file is trained as: its models are called `<name>-<variant>`."""

from __future__ import annotations

import re
from pathlib import Path

from data.guess.words import without_accents
from fraud.variant import VARIANT_PATTERN
from models.artifact import REFERENCE_FAMILY, REFERENCE_PREFIX
from training.auto.unclear import Unclear
from training.config import VARIANTS

LONGEST = 64 - 1 - max(map(len, VARIANTS))
"""A variant's name has 64 characters at most."""

_TAKEN = (*VARIANTS, REFERENCE_FAMILY, "cascade")


def set_name(path: Path, wanted: str | None) -> str:
    """Return the name that the caller wants, else one made of the file's.

    Raises:
        Unclear: it cannot be a name, or names something else already.
    """
    name = _of_file(path) if wanted is None else wanted
    if not re.fullmatch(VARIANT_PATTERN, name) or ".." in name:
        about = "the file's name gives no name" if wanted is None else f"{name!r} is no name"
        raise Unclear(
            about, "--name NAME: lower-case letters, digits, dots, dashes, underscores, from a"
            " letter or digit on"
        )  # fmt: skip
    if len(name) > LONGEST:
        raise Unclear(f"{name!r} is too long", f"--name NAME of at most {LONGEST} characters")
    if name in _TAKEN or name.startswith(REFERENCE_PREFIX):
        raise Unclear(f"{name!r} has another meaning", "--name NAME gives the models another name")
    return name


def _of_file(path: Path) -> str:
    """The file's name up to its first dot, in plain lower case."""
    plain = without_accents(path.name.split(".")[0].lower())
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return words[:LONGEST].rstrip("-")
