"""The graph of a plan as SVG."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from cluster.plans.graph import graph_of
from cluster.plans.svg_picture import svg_of
from tests.contracts.plan_documents import COMPOSITE, ENSEMBLE


def boxes(svg: str) -> list[tuple[float, float, float, float]]:
    found = Xml.fromstring(svg).iter("{http://www.w3.org/2000/svg}rect")
    return [
        tuple(float(box.get(name)) for name in ("x", "y", "width", "height"))
        for box in found
        if box.get("class") != "ground"
    ]


def test_the_svg_has_a_box_for_each_node_and_none_overlaps_another():
    for document, n in ((ENSEMBLE, 5), (COMPOSITE, 20)):
        svg = svg_of(graph_of(document))
        found = boxes(svg)
        assert len(found) == n
        for i, (x, y, w, h) in enumerate(found):
            for x2, y2, w2, h2 in found[:i]:
                assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y
        root = Xml.fromstring(svg)
        assert all(x >= 0 and x + w <= float(root.get("width")) for x, _, w, _ in found)
        assert all(y >= 0 and y + h <= float(root.get("height")) for _, y, _, h in found)


def test_what_a_person_wrote_is_escaped():
    document = ENSEMBLE | {"name": "<script>&"}
    assert "<script>" not in svg_of(graph_of(document))
    Xml.fromstring(svg_of(graph_of(document)))
