"""The tables of docs/scaling.md."""

from __future__ import annotations

import pytest

from loadtests.capacity.constants import Constants
from loadtests.capacity.page import QUICK, with_tables
from tests.contracts.root import ROOT

PAGE = ROOT / "docs" / "scaling.md"


def test_the_page_is_current(constants: Constants) -> None:
    """Run `make docs`. Simulated tables differ in the last digits between versions of numpy."""
    page = PAGE.read_text()
    assert with_tables(page, constants, QUICK) == page


def test_only_what_is_between_marks_changes(constants: Constants) -> None:
    page = "before\n<!-- begin plan -->\nold\n<!-- end plan -->\nafter\n"
    made = with_tables(page, constants)
    assert made.startswith("before\n<!-- begin plan -->\n| ")
    assert made.endswith(" |\n<!-- end plan -->\nafter\n")
    assert with_tables(page, constants, ("saturation",)) == page


def test_an_unknown_table_is_refused(constants: Constants) -> None:
    with pytest.raises(KeyError, match="moon"):
        with_tables("<!-- begin moon -->\n<!-- end moon -->", constants)
