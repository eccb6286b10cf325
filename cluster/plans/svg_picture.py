"""The graph of a plan as an SVG: rows go in at the top, variants stand at the bottom."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from cluster.plans.graph import Edge, Node

_LETTER = 6.7  # width of 11 px monospace
_LINE = 15
_PADDING = 9
_GAP = 22  # between neighbours
_RISE = 34  # between a box and the label below it, and from there to the next box
_MARGIN = 20
_WRAP = 34  # letters in a line

_STYLE = """
    .ground { fill: #ffffff } .box { fill: #f6f8fa; stroke: #8c959f }
    .variant { fill: #ddf4ff; stroke: #54aeff }
    text { fill: #1f2328; font: 11px ui-monospace, Menlo, Consolas, monospace; text-anchor: middle }
    .title { font-weight: bold } .faint { fill: #59636e }
    .way { fill: none; stroke: #0969da; stroke-width: 1.5 } .beside { stroke-dasharray: 4 4 }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #0d1117 } .box { fill: #161b22; stroke: #6e7681 }
      .variant { fill: #121d2f; stroke: #388bfd }
      text { fill: #e6edf3 } .faint { fill: #9198a1 } .way { stroke: #58a6ff }
    }"""


@dataclass(frozen=True, slots=True)
class _Tree:
    """A node with the width of everything below it."""

    title: tuple[str, ...]
    notes: tuple[str, ...]
    label: tuple[str, ...]
    is_beside: bool
    is_variant: bool
    below: tuple[_Tree, ...]

    @property
    def box_width(self) -> float:
        return max(len(line) for line in (*self.title, *self.notes)) * _LETTER + 2 * _PADDING

    @property
    def box_height(self) -> float:
        return (len(self.title) + len(self.notes)) * _LINE + 2 * _PADDING

    @property
    def label_height(self) -> float:
        return len(self.label) * _LINE

    @property
    def width(self) -> float:
        own = max([self.box_width, *(len(line) * _LETTER for line in self.label)])
        gaps = _GAP * (len(self.below) - 1)
        return max(own, sum(tree.width for tree in self.below) + gaps)

    @property
    def height(self) -> float:
        below = max((tree.height for tree in self.below), default=0.0)
        return self.label_height + _RISE + self.box_height + below


def svg_of(root: Node) -> str:
    """Return the picture as the text of an SVG file."""
    tree = _tree(Edge("rows", root))
    width, height = tree.width + 2 * _MARGIN, tree.height + 2 * _MARGIN
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"  <title>{escape(root.title)}</title>",
        f"  <style>{_STYLE}\n  </style>",
        f'  <rect class="ground" width="{width:.0f}" height="{height:.0f}"/>',
        *(f"  {shape}" for shape in _drawn(tree, width / 2, _MARGIN, None)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _tree(edge: Edge) -> _Tree:
    node = edge.node
    return _Tree(
        title=_wrapped(node.title),
        notes=tuple(line for note in node.notes for line in _wrapped(note)),
        label=_wrapped(edge.label),
        is_beside=edge.beside,
        is_variant=not node.edges,
        below=tuple(_tree(below) for below in node.edges),
    )


def _wrapped(text: str) -> tuple[str, ...]:
    return tuple(textwrap.wrap(text, _WRAP))


def _drawn(tree: _Tree, x: float, y: float, above: tuple[float, float] | None) -> Iterator[str]:
    """The shapes of a tree.

    Args:
        x: its middle.
        y: its top: where its label begins.
        above: the end of the box above it; None at the root.
    """
    if above is None:
        yield _way("way", x, y + tree.label_height + 2, x, y + tree.label_height + _RISE)
    else:
        style = "way beside" if tree.is_beside else "way"
        if tree.label:
            yield _way(style, *above, x, y + _RISE / 2 - 2)
        top = y + _RISE / 2 + tree.label_height + 2 if tree.label else above[1]
        start = x if tree.label else above[0]
        yield _way(style, start, top, x, y + tree.label_height + _RISE)
    yield from _text(tree.label, "faint", x, y + (_RISE / 2 if above else 0))
    top = y + tree.label_height + _RISE
    style = "variant" if tree.is_variant else "box"
    yield (
        f'<rect class="{style}" x="{x - tree.box_width / 2:.1f}" y="{top:.1f}"'
        f' width="{tree.box_width:.1f}" height="{tree.box_height:.1f}" rx="6"/>'
    )
    yield from _text(tree.title, "title", x, top + _PADDING)
    yield from _text(tree.notes, "faint", x, top + _PADDING + len(tree.title) * _LINE)
    bottom = top + tree.box_height
    left = x - (sum(t.width for t in tree.below) + _GAP * (len(tree.below) - 1)) / 2
    for below in tree.below:
        yield from _drawn(below, left + below.width / 2, bottom, (x, bottom))
        left += below.width + _GAP


def _way(style: str, x: float, y: float, to_x: float, to_y: float) -> str:
    middle = (y + to_y) / 2
    bend = f"M{x:.1f} {y:.1f} C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}"
    return f'<path class="{style}" d="{bend}"/>'


def _text(lines: tuple[str, ...], style: str, x: float, y: float) -> Iterator[str]:
    for i, line in enumerate(lines):
        yield (
            f'<text class="{style}" x="{x:.1f}" y="{y + (i + 1) * _LINE - 4:.1f}">'
            f"{escape(line)}</text>"
        )
