"""The cost matrix of a plan."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.costs import CostMatrix, interrupted, reviewed, stopped
from fraud.errors import InvalidInput
from training.config import CostConfig
from training.fit.costs import outcome_costs

OUTCOMES = np.array([0, 1, 2, 3], np.int8)
DOCUMENT = {
    "review": 4.0,
    "false_block": 25.0,
    "missed_share": 0.9,
    "challenge": 0.5,
    "challenge_stops": 0.7,
}


@pytest.mark.parametrize("fraud", [0.0, 1.0])
def test_costs_are_those_that_training_minimises(fraud: float) -> None:
    amount = np.full(4, 120.0)
    trained = outcome_costs(np.full(4, fraud, np.float32), amount, CostConfig(**DOCUMENT))
    each = [trained.approve[0], trained.challenge[1], trained.review[2], trained.block[3]]
    costs = CostMatrix.from_document(DOCUMENT)
    assert costs.of(OUTCOMES, np.full(4, fraud), amount).tolist() == pytest.approx(each)


def test_the_keys_are_those_of_a_training() -> None:
    assert set(CostMatrix.__dataclass_fields__) == set(CostConfig.model_fields)
    given = CostMatrix.from_document({"review": 1, "false_block": 2, "challenge": None})
    trained = CostConfig(review=1, false_block=2)
    assert (given.missed_share, given.challenge_stops, given.challenge) == (
        trained.missed_share,
        trained.challenge_stops,
        0.0,
    )


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"review": 1}, "review and false_block"),
        ({"review": "x", "false_block": 1}, "expected numbers"),
        ({"review": -1, "false_block": 1}, ">= 0"),
        ({"review": float("nan"), "false_block": 1}, ">= 0"),
        ({"review": 1, "false_block": 1, "challenge_stops": 2}, "challenge_stops"),
        ({"review": 1, "false_block": 1, "bribe": 2}, "bribe"),
    ],
)
def test_other_documents_are_refused(document: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        CostMatrix.from_document(document)


def test_what_an_outcome_stops() -> None:
    assert stopped(OUTCOMES, 0.25).tolist() == [0.0, 0.25, 1.0, 1.0]
    assert interrupted(OUTCOMES).tolist() == [0.0, 1.0, 1.0, 1.0]
    assert reviewed(OUTCOMES).tolist() == [0.0, 0.0, 1.0, 1.0]
