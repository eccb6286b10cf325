"""A world of `tests.contracts.experiment` as the reader finds it, without a database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from experiments.reading.reader import Found, LabelDelay
from experiments.rows import Answers, Rows
from experiments.sides import Side
from fraud.plan import Plan
from tests.contracts.experiment import DOCUMENT, outcome_of, world

DAY_MS = 86_400_000
PLAN_OF_TWO = Plan.from_document(DOCUMENT)


def answers(probability: np.ndarray) -> Answers:
    """Return answers with outcomes, NaN for none, each after 3 ms."""
    n = probability.size
    outcome = np.where(np.isfinite(probability), outcome_of(probability), -1).astype(np.int8)
    return Answers(probability, np.full(n, 3, np.float32), outcome, np.zeros(n, bool))


def found_of(
    n: int = 4_000, seed: int = 14, skill: float = 0.25, live: float = 4.0, **changes: Any
) -> Found:
    """Return what the reader finds of `world(n, seed, skill, live)`."""
    made = world(n, seed, skill, live)
    rows = Rows(
        decided_ms=made.decided_ms,
        customer=made.customer,
        amount=made.amount,
        label=np.where(made.labelled, made.fraud, -1).astype(np.int8),
        known_ms=np.where(made.labelled, made.decided_ms + made.delay_ms, -1),
        arm=made.is_new.astype(np.int32),
        arms=("control", "new"),
        live=answers(made.live),
        shadows={"candidate": answers(made.shadow)},
    )
    found = Found(
        rows=rows,
        share=1.0,
        plan_versions=(7,),
        plans=(PLAN_OF_TWO,),
        unreadable=0,
        models={
            Side("shadow", "candidate"): ("xgboost@cccccccccccc",),
            Side("arm", "new"): ("xgboost@aaaaaaaaaaaa",),
        },
        delay=LabelDelay(3 * DAY_MS, 11 * DAY_MS, 80),
    )
    return replace(found, **changes)
