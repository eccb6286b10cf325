"""SQL statements and Lua scripts: each is a file of its own, and is read here."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def statement(path: str) -> str:
    """Text of a SQL or Lua file.

    Args:
        path: as it lies in the repository, so that a search for the file finds its readers:
            `deciding/plans/sql/active_plan.sql`.

    Raises:
        FileNotFoundError: there is none.
    """
    folder, _, name = path.rpartition("/")
    return files(folder.replace("/", ".")).joinpath(name).read_text(encoding="utf-8")
