"""The graph of a plan as text: rows go in at the top."""

from __future__ import annotations

from collections.abc import Iterator

from cluster.plans.graph import Edge, Node


def text_of(root: Node) -> str:
    """Return the picture, lines without an end of line at the last."""
    return "\n".join([f"rows → {root.title}", *_below(root, "")])


def _below(node: Node, indent: str) -> Iterator[str]:
    for i, edge in enumerate(node.edges):
        is_last = i + 1 == len(node.edges)
        yield f"{indent}{_branch(edge, is_last)} {_line(edge)}"
        under = indent + ("   " if is_last else "│  ")
        bar = "│  " if edge.node.edges else "   "
        yield from (f"{under}{bar}{note}" for note in edge.node.notes)
        yield from _below(edge.node, under)


def _branch(edge: Edge, is_last: bool) -> str:
    if edge.beside:
        return "└┄" if is_last else "├┄"
    return "└─" if is_last else "├─"


def _line(edge: Edge) -> str:
    if not edge.node.edges:  # a variant: its name first, so that names stand below each other
        return f"{edge.node.title}  ({edge.label})"
    return f"{edge.label} → {edge.node.title}" if edge.label else edge.node.title
