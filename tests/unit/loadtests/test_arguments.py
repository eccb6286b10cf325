"""Arguments that are names."""

from __future__ import annotations

import argparse

import pytest

from loadtests.arguments import names_of

KNOWN = ("red", "green", "blue")


def test_names_stay_in_the_order_of_the_text() -> None:
    assert names_of("blue,red", KNOWN, "colours") == ["blue", "red"]


@pytest.mark.parametrize(("text", "named"), [("red,moon", "moon"), ("", ""), ("red,", "")])
def test_an_unknown_name_is_refused_by_the_known_ones(text: str, named: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as refused:
        names_of(text, KNOWN, "colours")
    assert str(refused.value) == f"{named}: the colours are red, green, blue"
