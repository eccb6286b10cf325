"""Which fields of payments the features are made from."""

from __future__ import annotations

import numpy as np
import pytest

from features.definitions import FEATURES, N_FEATURES, NAMES
from tests.contracts.payments import payments
from training.reference.payment_fields import (
    REQUIRED,
    fields_read,
    importance_of_fields,
    payment_columns,
)

NAMED = {feature.name: feature for feature in FEATURES}


@pytest.mark.parametrize(
    ("feature", "fields"),
    [
        ("request_log_amount", {"amount"}),
        ("request_is_near_threshold", {"amount"}),
        ("request_is_night", {"timestamp"}),
        ("request_category_code", {"merchant_category"}),
        ("request_type_code", {"type"}),
        ("customer_count_24h", {"customer_id", "timestamp"}),
        ("customer_std_amount_7d", {"customer_id", "timestamp", "amount"}),
        ("customer_distinct_merchants_1h", {"customer_id", "timestamp", "merchant_id"}),
        ("customer_distinct_counterparties_1h", {"customer_id", "timestamp", "counterparty_id"}),
        ("device_distinct_customers_24h", {"device_id", "timestamp", "customer_id"}),
        ("customer_new_device", {"customer_id", "timestamp", "device_id"}),
        ("customer_seconds_since_merchant", {"customer_id", "timestamp", "merchant_id"}),
        ("merchant_risk_24h", {"merchant_id", "timestamp"}),
        ("customer_km_from_home", {"customer_id", "timestamp", "latitude", "longitude"}),
        ("customer_category_share_60d", {"customer_id", "timestamp", "merchant_category"}),
        ("customer_max_ratio_7d", {"customer_id", "timestamp", "amount"}),
        ("customer_count_trend_7d", {"customer_id", "timestamp"}),
        ("payer_inflow_24h", {"customer_id", "counterparty_id", "timestamp", "amount"}),
        ("payer_inflow_count_7d", {"customer_id", "counterparty_id", "timestamp"}),
        ("payer_seconds_since_inflow", {"customer_id", "counterparty_id", "timestamp"}),
        ("payee_fan_out_7d", {"counterparty_id", "timestamp"}),
        ("payee_pass_through_24h", {"counterparty_id", "timestamp", "amount"}),
    ],
)
def test_a_feature_reads_what_its_meaning_says(feature: str, fields: set[str]) -> None:
    assert fields_read(NAMED[feature]) == fields


def test_every_feature_reads_fields_that_payments_have() -> None:
    fields = set(payment_columns(payments(1, seed=1)))
    for feature in FEATURES:
        read = fields_read(feature)
        assert read, feature.name
        assert read <= fields, feature.name
        if feature.entity is not None:
            assert "timestamp" in read, feature.name
    assert fields >= REQUIRED


def test_the_importance_of_features_is_shared_among_their_fields() -> None:
    even = importance_of_fields(np.full(N_FEATURES, 1 / N_FEATURES))
    assert sum(even.values()) == pytest.approx(1)
    one = np.zeros(N_FEATURES)
    one[NAMES.index("customer_sum_amount_24h")] = 1.0
    shares = {name: share for name, share in importance_of_fields(one).items() if share}
    assert shares == {name: pytest.approx(1 / 3) for name in ("customer_id", "timestamp", "amount")}
