"""The graph of a plan: the way that rows take from its root to the variants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]

_MOST_LISTED = 6
"""Values of a condition that are written out."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A way to another node.

    Attributes:
        label: who takes it.
        node: where it leads.
        beside: rows are shown to it, and what it says does not decide.
    """

    label: str
    node: Node
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """A policy or a variant.

    Attributes:
        title: what it is.
        notes: lines of text about it.
        edges: where rows go on, in the order of the document.
    """

    title: str
    notes: tuple[str, ...] = ()
    edges: tuple[Edge, ...] = ()


def graph_of(document: Document) -> Node:
    """Return the graph of a valid plan's document."""
    named = document.get("plans") or {}
    root = _Builder(named).node(document)
    version = f" v{document['version']}" if document.get("version") else ""
    return Node(f"plan {document['name']}{version}", (), (Edge("", root),))


class _Builder:
    def __init__(self, named: Document) -> None:
        self._named = named
        self._by_kind: dict[str, Callable[[Document], Node]] = {
            "ab": self._ab,
            "canary": self._canary,
            "shadow": self._shadow,
            "cascade": self._cascade,
            "segments": self._segments,
        }

    def node(self, plan: Document | str) -> Node:
        """The node of a sub-plan: a document, or the name of one."""
        if isinstance(plan, str):
            found = self.node(self._named[plan])
            return Node(f"{found.title} “{plan}”", found.notes, found.edges)
        return self._by_kind.get(plan["kind"], _leaf)(plan)

    def _ab(self, plan: Document) -> Node:
        edges = [
            Edge(f"{arm['name']}, {_percent(arm['weight'])} of customers", self.node(arm["plan"]))
            for arm in plan["arms"]
        ]
        return Node("A/B split", _guard(plan), tuple(edges))

    def _canary(self, plan: Document) -> Node:
        steps = plan.get("steps") or [1, 5, 25, 50, 100]
        at = plan.get("step", 0)
        share = 0 if at is None else steps[at]
        now = "taken out" if at is None else f"now step {at + 1}"
        ramp = f"steps {', '.join(_percent(step) for step in steps)}; {now}"
        edges = (
            Edge(f"baseline, {_percent(100 - share)} of customers", self.node(plan["baseline"])),
            Edge(f"canary, {_percent(share)} of customers", self.node(plan["canary"])),
        )
        return Node("canary", (ramp, *_advance(plan), *_guard(plan)), edges)

    def _shadow(self, plan: Document) -> Node:
        edges = [Edge("decides", self.node(plan["plan"]))]
        for shadow in plan["shadows"]:
            label = f"shadow {shadow['name']}, {_percent(shadow.get('share') or 100)} of rows"
            edges.append(Edge(label, self.node(shadow["plan"]), beside=True))
        return Node("shadow", (), tuple(edges))

    def _cascade(self, plan: Document) -> Node:
        edges = []
        for i, stage in enumerate(plan["stages"]):
            who = "all rows" if i == 0 else "rows not yet settled"
            edges.append(Edge(f"stage {i + 1}, {who}{_settled(stage)}", self.node(stage["plan"])))
        return Node("cascade", (), tuple(edges))

    def _segments(self, plan: Document) -> Node:
        edges = [
            Edge(
                f"{segment['name']}: {_condition(segment.get('when') or {})}",
                _with_thresholds(self.node(segment["plan"]), segment.get("thresholds")),
            )
            for segment in plan["segments"]
        ]
        edges.append(Edge("all others", self.node(plan["default"])))
        return Node("segments, the first that matches", (), tuple(edges))


def _leaf(plan: Document) -> Node:
    edges = [Edge(_member(member), Node(member["variant"])) for member in plan["members"]]
    if plan.get("anomaly"):
        edges.append(Edge("anomaly score", Node(plan["anomaly"])))
    combiner = plan.get("combiner") or "mean"
    title = plan["kind"] if plan["kind"] == "single" else f"{plan['kind']}, {combiner}"
    deadline = plan.get("deadline_ms")
    notes = [] if deadline is None else [f"waits {deadline} ms for votes"]
    return _with_thresholds(Node(title, tuple(notes), tuple(edges)), plan.get("thresholds"))


def _member(member: Document) -> str:
    said = [f"weight {member['weight']:.4g}"]
    if member.get("required"):
        said.append("required")
    if member.get("deadline_ms"):
        said.append(f"{member['deadline_ms']} ms")
    return ", ".join(said)


def _with_thresholds(node: Node, thresholds: Document | None) -> Node:
    """The node with a note of thresholds, which take the place of others that it may have."""
    if not thresholds:
        return node
    said = [
        f"{outcome} from {thresholds[outcome]:.4g}"
        for outcome in ("challenge", "review", "block")
        if thresholds.get(outcome) is not None
    ]
    if thresholds.get("anomaly_challenge") is not None:
        said.append(f"or anomaly {thresholds['anomaly_challenge']:.4g}")
    kept = tuple(note for note in node.notes if not note.startswith("challenge from"))
    return Node(node.title, (*kept, ", ".join(said)), node.edges)


def _settled(stage: Document) -> str:
    said = []
    if stage.get("settle_below") is not None:
        said.append(f"below {stage['settle_below']:.4g}")
    if stage.get("settle_from") is not None:
        said.append(f"from {stage['settle_from']:.4g}")
    return f"; settles {' and '.join(said)}" if said else ""


def _condition(when: Document) -> str:
    said = []
    for name, wanted in when.items():
        if isinstance(wanted, Mapping):
            low, high = wanted.get("from"), wanted.get("below")
            bounds = [f"from {low:,}"] if low is not None else []
            bounds += [f"below {high:,}"] if high is not None else []
            said.append(f"{name} {' '.join(bounds)}")
        else:
            values = [wanted] if isinstance(wanted, str) else list(wanted)
            more = f" and {len(values) - _MOST_LISTED} more" if len(values) > _MOST_LISTED else ""
            said.append(f"{name} {'/'.join(map(str, values[:_MOST_LISTED]))}{more}")
    return ", ".join(said) or "every row"


def _advance(plan: Document) -> tuple[str, ...]:
    advance = plan.get("advance") or {}
    if advance.get("after_minutes") is not None:
        return (f"next step after {advance['after_minutes']:g} min",)
    return (f"next step when its report says {advance['on']}",) if advance.get("on") else ()


def _guard(plan: Document) -> tuple[str, ...]:
    guard = plan.get("guard")
    if not guard:
        return ()
    said = []
    if guard.get("max_error_rate") is not None:
        said.append(f"errors at most {guard['max_error_rate'] * 100:.4g} %")
    if guard.get("max_p95_ms") is not None:
        said.append(f"p95 at most {guard['max_p95_ms']:g} ms")
    if guard.get("block_rate") is not None:
        low, high = guard["block_rate"]
        said.append(f"blocks {low * 100:.4g} % to {high * 100:.4g} %")
    return (f"guard: {', '.join(said)}",) if said else ()


def _percent(share: float) -> str:
    return f"{share:g} %"
