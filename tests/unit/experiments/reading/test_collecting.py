"""How many decisions are kept."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from experiments.reading.collecting import BUCKETS, Decisions

N = 2_000


def row(i: int, variants: int) -> dict[str, Any]:
    votes = [
        {"variant": f"xgboost@{v:012x}", "status": "ok", "version": f"{v:012x}", "score": 0.1}
        for v in range(variants)
    ]
    return {
        "decision_id": UUID(int=i),
        "decided_ms": i,
        "customer": i * 7_919,
        "payment": i,
        "plan_version": 1,
        "outcome": "approve",
        "probability": 0.1,
        "degraded": False,
        "arm": "",
        "digest": None,
        "votes": json.dumps(votes),
        "stage_ms": "{}",
        "transaction": json.dumps({"amount_minor": 100, "currency": "EUR"}),
        "is_fraud": None,
        "known_ms": None,
    }


@pytest.mark.parametrize(("variants", "most"), [(1, N), (8, N), (16, N // 2), (64, N // 8)])
def test_many_variants_leave_room_for_fewer_decisions(variants: int, most: int) -> None:
    decisions = Decisions(N)
    for start in range(0, N, 100):
        decisions.add([row(i, variants) for i in range(start, start + 100)])
    rows, keys = decisions.rows()
    share = decisions.buckets / BUCKETS
    assert most / 4 < len(rows) <= most
    assert share >= most / N / 2
    assert len(rows) == len(keys) == pytest.approx(N * share, rel=0.3)
    assert len(rows.variants) == variants
    assert all(np.isfinite(answers.probability).all() for answers in rows.variants.values())
