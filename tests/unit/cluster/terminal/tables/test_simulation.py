"""A simulation as tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rich.console import Console

from cluster.terminal.tables.simulation import simulation_tables
from fraud.costs import Costs
from fraud.ensemble import Thresholds
from fraud.plan import Plan
from tests.contracts.plans import leaf
from tests.contracts.recorded import simulated_on_record

PLAN = Plan(
    "new",
    7,
    leaf("xgboost", "logistic", thresholds=Thresholds(0.1, 0.4, 0.8)),
    costs=Costs(review=5.0, false_block=20.0),
)


def shown(document: dict[str, Any]) -> str:
    console = Console(width=160)
    with console.capture() as capture:
        console.print(simulation_tables(document))
    return capture.get()


def test_figures_are_those_of_the_document() -> None:
    document = simulated_on_record("acme", PLAN, 40)
    said = shown(document)
    assert "40 decisions of tenant acme under plan new v7 instead of default v3" in said
    assert f"{document['flipped']} (" in said
    for o in document["outcomes"]:
        line = next(line for line in said.splitlines() if line.startswith(f"{o['outcome']} "))
        assert f"{o['before']} ({o['rate_before']:.2%})" in line
        assert f"{o['after']} ({o['rate_after']:.2%})" in line
    for flip in document["flips"]:
        assert f"{flip['before']} -> {flip['after']}" in said
    labels = document["labels"]
    line = next(line for line in said.splitlines() if line.startswith("fraud caught "))
    counts = (labels["fraud"], labels["caught_before"], labels["caught_after"])
    assert line.split()[2:] == [str(n) for n in counts]
    for cost in labels["cost"]:
        assert f"cost, {cost['currency']}" in said
    assert document["sample"][0]["decision_id"] in said
    assert f"{document['votes'][0]['recorded']['0123456789ab']} 0123456789ab" in said


def test_what_is_not_known_is_said() -> None:
    document = simulated_on_record("acme", replace(PLAN, policy=leaf("random-forest")), 1)
    votes = document["votes"][0]
    votes["refused"] = "[no] artifact"
    document["undecided"] = 3
    document["labels"] |= {"labelled": 0, "mature": 0}
    said = shown(document)
    assert "3 more are left out: rules would decide them" in said
    assert "none has a label: nothing is known of caught fraud" in said
    assert "1 would have been decided by rules" in said
    assert "1 not on record: [no] artifact" in said
    document["labels"]["labelled"] = 5
    assert "5 have labels, none of them mature yet" in shown(document)


def test_long_lists_of_segments_end() -> None:
    document = simulated_on_record("acme", PLAN, 40)
    segment = document["segments"]["country"][0]
    document["segments"]["country"] = [{**segment, "name": f"c{i}"} for i in range(20)]
    said = shown(document)
    assert "c7 " in said
    assert "c8 " not in said
    assert "and 12 more" in said


def test_a_tenant_without_decisions_is_told() -> None:
    document = simulated_on_record("acme", PLAN, 1) | {"decisions": 0}
    assert simulation_tables(document) == (
        "tenant acme has no decisions on record to simulate plan new v7 on"
    )
