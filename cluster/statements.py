"""The SQL statements of the command line, each in its file of `cluster/sql`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def statement(name: str) -> str:
    """Text of `cluster/sql/<name>.sql`."""
    return (files("cluster") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
