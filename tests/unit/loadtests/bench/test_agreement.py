"""Apps agree if and only if their answers are the same."""

from __future__ import annotations

import json

from loadtests.bench.agreement import Answer, compare, of_few_customers, read_answer
from loadtests.payments import Payment

SAME = Answer(0.25, "challenge", False)


def test_the_same_is_agreement() -> None:
    found = compare(
        "tuned",
        [SAME, Answer(0.0, "approve", False)],
        [Answer(0.25 + 9e-7, "challenge", False), Answer(0.0, "approve", False)],
    )
    assert found.holds
    assert (found.payments, found.differing, found.flagged) == (2, 0, 1)
    assert 8e-7 < found.worst < 1e-6


def test_another_decision_or_probability_is_none() -> None:
    assert not compare("a", [SAME], [Answer(0.25, "review", False)]).holds
    assert not compare("a", [SAME], [Answer(0.25 + 2e-6, "challenge", False)]).holds
    assert not compare("a", [SAME], [Answer(float("nan"), "challenge", False)]).holds
    assert not compare("a", [], []).holds


def test_degraded_answers_say_nothing_and_must_be_few() -> None:
    poorer = Answer(0.75, "block", True)
    found = compare("a", [SAME, SAME], [SAME, poorer])
    assert (found.degraded, found.differing, found.worst, found.holds) == (1, 0, 0.0, False)
    assert compare("a", [SAME] * 20, [*[SAME] * 19, poorer]).holds


def test_an_answer_is_read() -> None:
    body = {"probability": 0.25, "decision": "challenge", "degraded": False, "reasons": []}
    assert read_answer(body) == SAME


def test_few_customers_are_seen_again_and_again() -> None:
    payments = [payment(at, f"c{at % 3}") for at in range(9)]
    payments += [payment(100 + at, f"once{at}") for at in range(50)]
    chosen = of_few_customers(payments, 8)
    assert len(chosen) == 8
    assert {json.loads(b"{" + p.fields)["customer_id"] for p in chosen} == {"c0", "c1", "c2"}
    assert [p.at_ms for p in chosen] == sorted(p.at_ms for p in chosen)


def payment(at_ms: int, customer: str) -> Payment:
    return Payment(at_ms, json.dumps({"customer_id": customer}).encode()[1:], None)
