"""Layouts by name and by path."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.layout.layout import LayoutUnknown, layout_names, load_layout
from tests.contracts.layouts import MINIMAL

LEAKS = {"TX_FRAUD_SCENARIO", "isFlaggedFraud", "fraudStep", "fraud_kind"}


@pytest.mark.parametrize("name", layout_names())
def test_a_layout_that_comes_with_quorum_is_sound_and_maps_no_leak(name: str) -> None:
    layout = load_layout(name)
    assert layout.name == name
    assert layout.label is not None
    assert not layout.columns() & LEAKS


def test_the_real_sets_each_have_one() -> None:
    assert set(layout_names()) >= {
        "canonical",
        "handbook",
        "sparkov",
        "paysim",
        "amlsim",
        "ulb",
        "uci-default",
        "german-credit",
    }


def test_a_file_is_read_by_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL)
    layout = load_layout(str(path))
    assert layout.columns() == {"id", "card", "at", "value"}
    assert layout.label is None


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(LayoutUnknown, match=r"sparkov.*did you mean handbook\?"):
        load_layout("handbok")
