"""SQL statements and Lua scripts, each in a file of its own."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_INCLUDE = re.compile(r"^ *-- include (\S+)\n", re.MULTILINE)


@cache
def statement(path: str) -> str:
    """Return the text of a SQL or Lua file.

    A line `-- include PATH` is replaced by the text of that file.

    Args:
        path: from the root of the repository, so that a search for the file finds its readers:
            `deciding/plans/sql/active_plan.sql`.

    Raises:
        FileNotFoundError: there is no such file.
    """
    folder, _, name = path.rpartition("/")
    text = files(folder.replace("/", ".")).joinpath(name).read_text(encoding="utf-8")
    return _INCLUDE.sub(lambda line: statement(line[1]), text)
