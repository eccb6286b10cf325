"""The graph of a plan."""

from __future__ import annotations

from cluster.plans.graph import graph_of
from fraud.plan import Plan
from tests.contracts.plans import TREE


def nodes(node):
    """All nodes of a graph."""
    yield node
    for edge in node.edges:
        yield from nodes(edge.node)


def test_every_variant_that_a_plan_may_ask_is_in_its_graph():
    said = " ".join(node.title for node in nodes(graph_of(TREE)))
    for name in Plan.from_document(TREE).variants:
        assert name in said
