"""Each rule: when it fires, and its sentence."""

from __future__ import annotations

import numpy as np
import pytest

from features.definitions import NAMES
from fraud.combine.combine import combine
from fraud.combine.thresholds import REVIEW
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.payment.batch import TransactionBatch
from fraud.payment.transaction import Transaction
from fraud.reasons.catalogue import CODES
from fraud.rules.columns import RuleFeature
from fraud.rules.declared import RULES
from fraud.rules.rule_set import RuleSet

READ = tuple(RuleFeature)
RULE_SET = RuleSet(NAMES)
THRESHOLDS = Thresholds(0.02, 0.3, 0.8)
PLAN = Ensemble((Member("a", 1.0),), THRESHOLDS)


def batch(*amounts_minor):
    rows = [Transaction(f"t{i}", "c", 0, a, "USD", "payment") for i, a in enumerate(amounts_minor)]
    return TransactionBatch.of("default", rows)


def fired_by(amount_minor, features):
    assert set(features) <= set(READ)
    values = np.array([[features.get(name, np.nan) for name in NAMES]], dtype=np.float32)
    return RULE_SET.apply(THRESHOLDS, batch(amount_minor), values)


def outcome_of(amount_minor=1_000, **features):
    fired = fired_by(amount_minor, features)
    combined = combine(PLAN, [], 1, fired.probability)
    return int(combined.outcome[0]), [r.code for r in fired.reasons[0]]


def test_nothing_known_and_a_small_amount_is_approved():
    assert outcome_of() == (0, [])


def test_nothing_known_and_a_high_amount_is_challenged():
    assert outcome_of(600_000) == (1, ["AMOUNT"])


def test_signs_add_up_to_a_review():
    outcome, codes = outcome_of(
        customer_count_30d=9,
        customer_count_60d=12,
        customer_amount_zscore_30d=9,
        customer_amount_ratio_30d=12,
        customer_new_device=1,
    )
    assert outcome == REVIEW
    assert codes == ["UNUSUAL_AMOUNT", "NEW_DEVICE"]


def test_a_usual_amount_from_a_new_device_is_approved():
    new = {"customer_count_60d": 8, "customer_new_device": 1}
    assert outcome_of(customer_amount_ratio_30d=1, **new) == (0, [])


def test_a_first_payment_is_judged_by_its_amount_alone():
    # To a customer without a history everything is new.
    first = {"customer_count_60d": 0, "customer_new_device": 1, "customer_new_counterparty": 1}
    assert outcome_of(600_000, **first) == (1, ["AMOUNT"])
    assert outcome_of(600_000, **first | {"customer_count_60d": 1})[0] == REVIEW


@pytest.mark.parametrize(("payments", "codes"), [(2, []), (4, []), (5, ["UNUSUAL_AMOUNT"])])
def test_a_deviation_rests_on_enough_payments(payments, codes):
    unusual = {"customer_amount_zscore_30d": 90, "customer_amount_ratio_30d": 8}
    assert outcome_of(customer_count_30d=payments, **unusual)[1] == codes


def test_a_burst_is_challenged():
    assert outcome_of(customer_count_1h=30) == (1, ["CUSTOMER_VELOCITY"])


def test_a_burst_is_about_the_window_that_its_sentence_names():
    day = {"customer_count_24h": 14, "customer_velocity_ratio_24h": 9, "customer_count_1h": 1}
    for said, feature in (({"customer_count_1h": 12}, "1h"), (day, "24h")):
        (reason,) = fired_by(500, said).reasons[0]
        assert reason.feature == f"customer_count_{feature}"


def test_codes_are_distinct():
    assert len({rule.code for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(
    ("amount_minor", "features", "sentence"),
    [
        (
            90_000,
            {
                "customer_count_30d": 20,
                "customer_amount_zscore_30d": 6.2,
                "customer_amount_ratio_30d": 8.25,
            },
            "900.00 USD is 8.2 times the mean of payments by this customer in the last 30 days;"
            " the rule begins at 3 times",
        ),
        (
            500,
            {"customer_count_1h": 12},
            "12 payments by this customer in the last hour; the rule begins at 10",
        ),
        (
            500,
            {"customer_count_24h": 14, "customer_velocity_ratio_24h": 9, "customer_count_1h": 1},
            "14 payments by this customer in the last 24 hours, 9 times the daily mean of 30 days;"
            " the rule begins at 10, and 8 times",
        ),
        (
            600_050,
            {},
            "the amount is 6,000.50 USD; the rule begins at 5,000.00 USD",
        ),
        (
            90_000,
            {
                "customer_count_30d": 9,
                "customer_count_60d": 20,
                "customer_new_device": 1,
                "customer_amount_ratio_30d": 3.5,
            },
            "900.00 USD, 3.5 times the mean of payments by this customer in the last 30 days, from"
            " a device that this customer has not used in the last 60 days; the rule begins at 3"
            " times, or at 5,000.00 USD",
        ),
        (
            500,
            {"device_distinct_customers_24h": 7},
            "7 customers used this device in the last 24 hours; the rule begins at 5",
        ),
    ],
)
def test_a_sentence_has_the_value_and_where_the_rule_begins(amount_minor, features, sentence):
    (reason,) = fired_by(amount_minor, features).reasons[0]
    assert reason.detail == sentence
    assert (reason.direction, reason.contribution) == ("raises", 0.0)
    assert reason.code in CODES
