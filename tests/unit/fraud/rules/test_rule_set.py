"""The rules together, bound to the columns of a feature matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fraud.combine.combine import combine
from fraud.combine.thresholds import REVIEW
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.payment.batch import TransactionBatch
from fraud.payment.transaction import Transaction
from fraud.rules.columns import RuleFeature
from fraud.rules.rule_set import RuleSet

READ = tuple(RuleFeature)
RULE_SET = RuleSet(READ)
THRESHOLDS = Thresholds(0.02, 0.3, 0.8)


def batch(*amounts_minor):
    rows = [Transaction(f"t{i}", "c", 0, a, "USD", "payment") for i, a in enumerate(amounts_minor)]
    return TransactionBatch.of("default", rows)


@given(
    arrays(np.float32, (4, len(READ)), elements=st.floats(-1e6, 1e6, width=32) | st.just(np.nan)),
    st.lists(st.integers(1, 10**15), min_size=4, max_size=4),
    st.tuples(st.floats(0.001, 1), st.floats(0.001, 1), st.floats(0.001, 1)).map(sorted),
)
def test_rules_never_block_and_always_give_a_reason(values, amounts, cuts):
    thresholds = Thresholds(*cuts)
    plan = Ensemble((Member("a", 1.0),), thresholds)
    fired = RULE_SET.apply(thresholds, batch(*amounts), values)
    outcome = combine(plan, [], 4, fired.probability).outcome
    assert (outcome <= REVIEW).all()
    assert ((fired.probability >= 0) & (fired.probability <= 1)).all()
    for level, reasons in zip(outcome.tolist(), fired.reasons, strict=True):
        assert level == 0 or reasons


def test_rules_work_without_any_known_feature():
    values = np.full((2, len(READ)), np.nan, dtype=np.float32)
    fired = RULE_SET.apply(THRESHOLDS, batch(1, 10**9), values)
    assert [len(r) for r in fired.reasons] == [0, 1]


def test_a_feature_that_does_not_exist_is_an_error():
    with pytest.raises(ValueError, match="do not exist: customer_count_1h, customer_new_device"):
        RuleSet([name for name in READ if name not in ("customer_count_1h", "customer_new_device")])
