"""Layouts of files that lack columns."""

from __future__ import annotations

import pytest

from data.layout.layout import LayoutInvalid, load_layout, parse_layout
from tests.contracts.layouts import MINIMAL


def test_columns_that_a_file_lacks() -> None:
    layout = load_layout("canonical")
    lean = layout.without(frozenset({"latitude", "device_id", "label_known_at"}))
    assert "latitude" not in lean.degrees
    assert "device_id" not in lean.text
    assert lean.label is None
    with pytest.raises(LayoutInvalid, match="no column amount"):
        layout.without(frozenset({"amount"}))
    with pytest.raises(LayoutInvalid, match="no column TERMINAL_ID"):
        load_layout("handbook").without(frozenset({"TERMINAL_ID"}))


def test_a_column_that_the_file_lacks_has_a_nearest_name() -> None:
    layout = parse_layout(MINIMAL, "mine.toml")
    with pytest.raises(LayoutInvalid, match=r"no column card; did you mean Cards\?"):
        layout.without(frozenset({"card"}), ["id", "Cards", "at", "value"])
