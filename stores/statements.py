"""SQL statements and Lua scripts, each in a file of its own."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def statement(path: str) -> str:
    """The text of a SQL or Lua file.

    Args:
        path: from the root of the repository, so that a search for the file finds its readers:
            `deciding/plans/sql/active_plan.sql`.

    Raises:
        FileNotFoundError: there is no such file.
    """
    folder, _, name = path.rpartition("/")
    return files(folder.replace("/", ".")).joinpath(name).read_text(encoding="utf-8")
