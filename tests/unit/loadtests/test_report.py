"""Medians, ratios and tables."""

from __future__ import annotations

import json

from loadtests.closed_loop import Figures
from loadtests.memory import RoleMemory
from loadtests.report import document, markdown, ratios, summary

ROUNDS = {
    "quorum": [
        Figures(1, 100, 10.0, 1.0, 2.0, 3.0, {}, 0.1),
        Figures(1, 300, 30.0, 3.0, 4.0, 9.0, {"status 500": 2}, 0.3),
        Figures(1, 200, 20.0, 2.0, 3.0, 6.0, {}, 0.2),
    ],
    "no-op": [Figures(1, 400, 40.0, 0.5, 0.6, 0.7, {}, 0.5)],
}
MEMORY = [RoleMemory("Ingress", 1, 200.4, 150.2), RoleMemory("PostgreSQL", 8, 90.0, 40.0)]


def test_medians_over_rounds() -> None:
    quorum, noop = summary(ROUNDS)
    assert (quorum["per_s"], quorum["p50_ms"], quorum["p99_ms"]) == (20.0, 2.0, 6.0)
    assert (quorum["failures"], noop["failures"]) == (2, 0)
    assert ratios(summary(ROUNDS), "quorum", "no-op") == {1: 0.5}
    assert ratios(summary({"quorum": ROUNDS["quorum"]}), "quorum", "no-op") == {}


def test_tables_name_everything() -> None:
    text = markdown(ROUNDS, MEMORY)
    assert "| quorum | 1 | 20 | 2.00 | 3.00 | 6.00 | 0.50 | 0.20 | 2 |" in text
    assert "| PostgreSQL | 8 | 90 | 40 |" in text
    assert "| all | 9 |  | 190 |" in text


def test_memory_without_pss_has_no_sum() -> None:
    assert "| all | 1 |  |  |" in markdown(ROUNDS, [RoleMemory("Ingress", 1, 200.0, None)])


def test_the_document_is_json() -> None:
    found = json.loads(json.dumps(document(ROUNDS, MEMORY, {"url": "http://a"})))
    assert found["ratio_to_noop"] == {"1": 0.5}
    assert len(found["rounds"]["quorum"]) == 3
    assert found["memory"][0]["role"] == "Ingress"
