"""Draw docs/house.svg: the rooms of the code, in the layers of the import contract.

    python -m docs.house > docs/house.svg        (or `make docs`)

Layers come from the contract in pyproject.toml, rooms and arrows from the imports themselves. An
arrow that follows from two others is left out.
"""

from __future__ import annotations

import itertools
import sys
import textwrap
import tomllib
from dataclasses import dataclass
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).parent.parent

Arrow = tuple[str, str]

_BOX = 330
_PADDING = 14
_LINE = 16
_SLOT = 26  # the width that an arrow takes where it passes a layer
_GAP = 40  # between two neighbours of a layer
_RISE = 46  # between two layers
_MARGIN = 24
_LETTERS = (_BOX - 2 * _PADDING) // 7  # of 11 px monospace, in one line

_STYLE = """
    .ground { fill: #ffffff } .box { fill: #f6f8fa; stroke: #8c959f }
    text { fill: #1f2328; font: 11px ui-monospace, Menlo, Consolas, monospace }
    .name { font: bold 15px system-ui, sans-serif } .faint { fill: #59636e }
    .arrow { fill: none; stroke: #0969da; stroke-width: 1.5 } .tip { fill: #0969da }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #0d1117 } .box { fill: #161b22; stroke: #6e7681 }
      text { fill: #e6edf3 } .faint { fill: #9198a1 }
      .arrow { stroke: #58a6ff } .tip { fill: #58a6ff }
    }"""


@dataclass(frozen=True)
class Room:
    """A top-level package: its folders and how many modules it has."""

    name: str
    folders: list[str]
    modules: int

    @property
    def lines(self) -> list[str]:
        return textwrap.wrap(", ".join(self.folders), _LETTERS)

    @property
    def height(self) -> int:
        return 2 * _PADDING + _LINE * (1 + len(self.lines))


def layers() -> list[list[str]]:
    """The rooms of each layer, from top to bottom, as the import contract has them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (contract,) = (
        contract
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    )
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]


def read_imports(names: list[str]) -> tuple[dict[str, Room], set[Arrow]]:
    """Return the rooms of these names, and an arrow for each room that another one imports."""
    graph = grimp.build_graph(*names, cache_dir=None)
    packages = {module.rpartition(".")[0] for module in graph.modules}
    rooms = {
        name: Room(
            name,
            sorted(
                child.rpartition(".")[2] for child in graph.find_children(name) if child in packages
            ),
            sum(
                module not in packages for module in graph.modules if module.startswith(f"{name}.")
            ),
        )
        for name in names
    }
    arrows = {
        (module.partition(".")[0], imported.partition(".")[0])
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
    }
    return rooms, {(above, below) for above, below in arrows if above != below}


def thinned(arrows: set[Arrow]) -> list[Arrow]:
    """Return the arrows that do not follow from others (the transitive reduction)."""

    def reachable(start: str) -> set[str]:
        found: set[str] = set()
        ahead = [start]
        while ahead:
            here = ahead.pop()
            new = {below for above, below in arrows if above == here} - found
            found |= new
            ahead += new
        return found

    beyond = {above: reachable(above) for above, _ in arrows}
    return sorted(
        (above, below)
        for above, below in arrows
        if not any(below in beyond.get(between, ()) for start, between in arrows if start == above)
    )


class _Drawing:
    """Rows of boxes. An arrow past a layer has a slot in it, so that it crosses no box."""

    def __init__(self, rows: list[list[str]], rooms: dict[str, Room], arrows: list[Arrow]) -> None:
        self._rooms = rooms
        self._level = {name: level for level, row in enumerate(rows) for name in row}
        self._rows = [list(row) for row in rows]
        self._paths = [self._path(above, below) for above, below in arrows]
        self._order()
        self._place()

    def _path(self, above: str, below: str) -> list[str]:
        """Arrows to the same room share the slots that they pass."""
        path = [above]
        for level in range(self._level[above] + 1, self._level[below]):
            slot = f"{below}@{level}"
            if slot not in self._rows[level]:
                self._rows[level].append(slot)
            path.append(slot)
        return [*path, below]

    def _order(self) -> None:
        """Put what is connected near each other: each row by the mean place of its neighbours."""
        beside: dict[str, set[str]] = {}
        for path in self._paths:
            for one, other in itertools.pairwise(path):
                beside.setdefault(one, set()).add(other)
                beside.setdefault(other, set()).add(one)
        for sweep in range(24):
            place = {
                node: (index + 0.5) / len(row)
                for row in self._rows
                for index, node in enumerate(row)
            }
            for row in self._rows if sweep % 2 else reversed(self._rows):
                means = {
                    node: sum(place[other] for other in near) / len(near)
                    for node in row
                    if (near := beside.get(node))
                }
                row.sort(key=lambda node: (round(means.get(node, place[node]), 6), node))
                place |= {node: (index + 0.5) / len(row) for index, node in enumerate(row)}

    def _place(self) -> None:
        self.width = 2 * _MARGIN + max(self._length(row) for row in self._rows)
        self._middle: dict[str, float] = {}
        self._top: dict[str, int] = {}
        y = _MARGIN
        for row in self._rows:
            x = (self.width - self._length(row)) / 2
            for node in row:
                self._middle[node] = x + self._breadth(node) / 2
                self._top[node] = y
                x += self._breadth(node) + _GAP
            y += self._height(row) + _RISE
        self.height = y - _RISE + _MARGIN

    def _breadth(self, node: str) -> int:
        return _BOX if node in self._rooms else _SLOT

    def _length(self, row: list[str]) -> int:
        return sum(self._breadth(node) for node in row) + _GAP * (len(row) - 1)

    def _height(self, row: list[str]) -> int:
        return max(self._rooms[node].height for node in row if node in self._rooms)

    def box(self, name: str) -> str:
        room = self._rooms[name]
        left, top = self._middle[name] - _BOX / 2, self._top[name]
        height = self._height(self._rows[self._level[name]])
        text = [
            f'<rect class="box" x="{left:g}" y="{top}" width="{_BOX}" height="{height}" rx="6"/>',
            f'<text class="name" x="{left + _PADDING:g}" y="{top + 25}">{escape(name)}</text>',
            f'<text class="faint" x="{left + _BOX - _PADDING:g}" y="{top + 25}"'
            f' text-anchor="end">{room.modules} modules</text>',
        ]
        text += [
            f'<text x="{left + _PADDING:g}" y="{top + 27 + _LINE * line}">{escape(words)}</text>'
            for line, words in enumerate(room.lines, start=1)
        ]
        return "\n".join(f"  {line}" for line in text)

    def arrow(self, path: list[str]) -> str:
        """Down from the lower edge of the first box, through its slots, to the last one's top."""
        x, y = self._port(path[0], path[1], out=True), self._bottom(path[0])
        steps = [f"M{x:g} {y:g}"]
        for node, after in zip(path[1:], [*path[2:], ""], strict=True):
            to = self._port(node, path[path.index(node) - 1], out=False)
            top = self._top[node] - (0 if after else 7)
            half = (top - y) / 2
            steps.append(f"C{x:g} {y + half:g} {to:g} {top - half:g} {to:g} {top:g}")
            if after:
                steps.append(f"V{self._bottom(node):g}")
            x, y = to, self._bottom(node)
        tip = self._top[path[-1]]
        return (
            f'  <path class="arrow" d="{" ".join(steps)}"/>\n'
            f'  <path class="tip" d="M{x:g} {tip} l-4.5 -8 h9 z"/>'
        )

    def _bottom(self, node: str) -> int:
        return self._top[node] + self._height(self._rows[self._row_of(node)])

    def _row_of(self, node: str) -> int:
        return self._level[node] if node in self._level else int(node.rpartition("@")[2])

    def _port(self, node: str, other: str, *, out: bool) -> float:
        """Where an arrow between these two leaves or meets this one: each has its own place."""
        if node not in self._rooms:
            return self._middle[node]
        ends = {
            (path[1] if out else path[-2]) for path in self._paths if path[0 if out else -1] == node
        }
        order = sorted(ends, key=lambda end: (self._middle[end], end))
        step = min(60.0, (_BOX - 2 * _PADDING) / len(order))
        return self._middle[node] + (order.index(other) - (len(order) - 1) / 2) * step

    def text(self) -> str:
        boxes = "\n".join(self.box(name) for row in self._rows for name in row if "@" not in name)
        arrows = "\n".join(self.arrow(path) for path in self._paths)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height}"'
            f' width="{self.width:g}" height="{self.height}" role="img">\n'
            "  <title>The rooms of Quorum and what they import</title>\n"
            f"  <style>{_STYLE}\n  </style>\n"
            f'  <rect class="ground" width="{self.width:g}" height="{self.height}"/>\n'
            f"{arrows}\n{boxes}\n</svg>\n"
        )


def draw() -> str:
    """Return the picture of the code as it is now, as SVG."""
    rows = layers()
    names = [name for row in rows for name in row]
    rooms, arrows = read_imports(names)
    return _Drawing(rows, rooms, thinned(arrows)).text()


if __name__ == "__main__":
    sys.stdout.write(draw())
