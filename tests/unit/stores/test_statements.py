"""Every SQL statement and Lua script is a file with a reader; every reader finds its file."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

from stores.statements import statement
from tests.contracts.root import ROOT

ROOMS = [p.parent for p in ROOT.glob("*/__init__.py") if p.parent.name != "tests"]
# a migration is run because it is there; the schema's own statements are read as a folder
MIGRATIONS = ROOT / "cluster" / "schema" / "migrations"


@functools.cache
def named() -> set[str]:
    """Paths that the code reads; all that match where a part is chosen at run time."""
    found: set[str] = set()
    for source in (p for room in ROOMS for p in room.rglob("*.py")):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.update(re.findall(r"[\w/]+\.(?:sql|lua)\b", node.value))
            if isinstance(node, ast.JoinedStr):
                parts = [v.value if isinstance(v, ast.Constant) else "*" for v in node.values]
                pattern = "".join(map(str, parts))
                if re.fullmatch(r"[\w/*]+\.(?:sql|lua)", pattern):
                    found.update(str(p.relative_to(ROOT)) for p in ROOT.glob(pattern))
    for path in files():
        found.update(re.findall(r"-- include (\S+)", path.read_text(encoding="utf-8")))
    return found


def files() -> list[Path]:
    every = (p for room in ROOMS for p in room.rglob("*") if p.suffix in (".sql", ".lua"))
    return sorted(p for p in every if p.parent != MIGRATIONS)


def test_every_file_has_a_reader():
    asked = named()
    unread = [
        str(p.relative_to(ROOT))
        for p in files()
        if str(p.relative_to(ROOT)) not in asked and p.parts[len(ROOT.parts)] != "loadtests"
    ]
    assert unread == []


def test_every_reader_finds_its_file():
    whole = [path for path in named() if "/" in path and not path.startswith("/")]
    assert whole
    for path in whole:
        assert statement(path).strip()


def test_an_included_file_stands_in_the_place_of_its_line():
    text = statement("decision_log/readers/sql/payments_before.sql")
    assert "-- include" not in text
    assert "SELECT\n" in text
    assert "    t.transaction_id,\n" in text
    assert "    t.longitude\nFROM transactions AS t\n" in text


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(FileNotFoundError, match=r"nothing\.sql"):
        statement("deciding/plans/sql/nothing.sql")
