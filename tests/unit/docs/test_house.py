"""docs/house.svg shows the rooms and the imports that the code has."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from docs.house import draw, layers, read_imports, thinned
from tests.contracts.root import ROOT


def without_counts(picture: str) -> str:
    """What a new module does not change."""
    return re.sub(r"\d+ modules", "", picture)


def test_the_picture_is_of_this_code() -> None:
    committed = (ROOT / "docs" / "house.svg").read_text()
    assert without_counts(committed) == without_counts(draw()), "`make docs` draws it anew"


def test_it_is_the_same_each_time_and_well_formed() -> None:
    picture = draw()
    assert picture == draw()
    ElementTree.fromstring(picture)


def test_every_room_has_a_box() -> None:
    names = [name for layer in layers() for name in layer]
    picture = draw()
    assert all(f">{name}</text>" in picture for name in names)
    assert picture.count('class="box"') == len(names)


def test_an_arrow_that_follows_from_others_is_left_out() -> None:
    assert thinned({("a", "b"), ("b", "c"), ("a", "c"), ("a", "d")}) == [
        ("a", "b"),
        ("a", "d"),
        ("b", "c"),
    ]


def test_arrows_point_to_a_lower_layer() -> None:
    level = {name: number for number, layer in enumerate(layers()) for name in layer}
    _, arrows = read_imports(list(level))
    assert arrows
    assert all(level[above] < level[below] for above, below in arrows)
