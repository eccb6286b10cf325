"""SVG drawn by hand."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from markupsafe import Markup

from serve_app.console.views.pictures import bar, histogram, interval, levels, short

NS = "{http://www.w3.org/2000/svg}"


def parsed(svg: Markup) -> ET.Element:
    assert isinstance(svg, Markup)
    root = ET.fromstring(svg)
    assert root.get("role") == "img"
    assert root[0].tag == "title"
    assert root[0].text
    return root


def shapes(root: ET.Element, style: str) -> list[ET.Element]:
    return [each for each in root.iter() if each.get("class") == style]


def test_a_histogram_has_a_bar_for_each_bin_in_its_level() -> None:
    edges = [i / 10 for i in range(11)]
    counts = [900, 40, 9, 8, 7, 6, 5, 4, 3, 1]
    root = parsed(histogram(edges, counts, 0.1, 0.5))
    bars = {style: shapes(root, style) for style in ("low", "medium", "high")}
    assert {style: len(found) for style, found in bars.items()} == {
        "low": 1,
        "medium": 4,
        "high": 5,
    }
    heights = [float(each.get("height", "")) for found in bars.values() for each in found]
    assert heights == sorted(heights, reverse=True)
    # A scale of square roots: a 900th of the rows has a 30th of the height.
    assert heights[0] / heights[-1] == pytest.approx(30, rel=0.02)
    assert "0 to 0.1: 900 rows" in [title.text for title in root.iter("title")]
    assert [line.text for line in root.iter("text")][:1] == ["0"]
    assert len(shapes(root, "mark")) == 2


def test_levels_by_rank_colour_nothing() -> None:
    root = parsed(histogram([0, 0.5, 1], [3, 1], None, None))
    assert len(shapes(root, "plain")) == 2
    assert shapes(root, "mark") == []


@pytest.mark.parametrize("counts", [[], [0, 0]])
def test_without_rows_there_is_no_histogram(counts: list[int]) -> None:
    assert histogram([0, 0.5, 1][: len(counts) + 1], counts, 0.1, 0.5) == ""


@pytest.mark.parametrize("most", [1, 2, 3, 7, 10, 99, 1_000, 123_456, 9_999_999])
def test_ticks_are_apart_and_within(most: int) -> None:
    root = parsed(histogram([0, 1], [most], None, None))
    heights = [float(line.get("y1", "")) for line in shapes(root, "grid")]
    assert 2 <= len(heights) <= 7
    assert all(16 <= y <= 216 for y in heights)
    ordered = sorted(heights)
    assert min(b - a for a, b in pairwise(ordered)) >= 30


@pytest.mark.parametrize(("share", "width"), [(-1.0, None), (0.0, None), (0.5, 60), (9.0, 120)])
def test_a_bar(share: float, width: float | None) -> None:
    drawn = shapes(parsed(bar(share, "half", "good")), "good")
    assert [float(each.get("width", "")) for each in drawn] == ([] if width is None else [width])


def test_texts_are_escaped() -> None:
    hostile = '"><script>alert(1)</script>&'
    root = parsed(bar(0.5, hostile, hostile))
    assert root[0].text == hostile
    assert not list(root.iter("script"))


def test_levels_show_even_a_few_rows() -> None:
    root = parsed(levels(1, 0, 1_000_000))
    widths = {s: [float(e.get("width", "")) for e in shapes(root, s)] for s in ("high", "low")}
    assert widths["high"][0] >= 3
    assert widths["high"][0] + widths["low"][0] == pytest.approx(640, abs=0.2)
    assert shapes(root, "medium") == []
    assert levels(0, 0, 0) == ""


def test_an_interval_lies_in_its_picture() -> None:
    root = parsed(interval(0.005, 0.006, 0.008, 0.012))
    (span,), (point,), (mark,) = (shapes(root, s) for s in ("span", "point", "mark"))
    places = [float(x) for x in (span.get("x1"), point.get("cx"), span.get("x2"), mark.get("x1"))]
    assert places == sorted(places)
    assert places[0] >= 6
    assert places[-1] <= 314
    assert "0.6\xa0%" in (root[0].text or "")
    assert shapes(parsed(interval(0.0, 0.0, 0.0)), "mark") == []


def test_counts_in_little_room() -> None:
    assert [short(n) for n in (0, 950, 12_000, 1_200_000, 3e9)] == [
        *("0", "950", "12k", "1.2m", "3bn"),
    ]
