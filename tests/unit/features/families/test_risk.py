from __future__ import annotations

import math

import numpy as np
import pytest

from tests.contracts.aggregates import features_of, payment, saw

ENTITY_NAMES = ("customer", "merchant", "device", "counterparty")


@pytest.mark.parametrize("entity", ENTITY_NAMES)
def test_risk_worked_out_by_hand(entity: str) -> None:
    windows = 5 if entity == "customer" else 4 if entity == "merchant" else 3
    month = 3 if windows > 3 else 2
    count, total = [0] * windows, [0] * windows
    count[month], total[month] = 10, 100_000
    seen = saw(
        entity,
        known=[2, 4, 10],
        frauds=[1, 1, 2],
        fraud_total=[100, 100, 30_000],
        fraud_known_age_ms=3_600_000,
        fraud_run_age_ms=86_400_000,
        count=count,
        total=total,
    )
    got = {name: column[0] for name, column in features_of(payment(), seen).items()}
    assert got[f"{entity}_risk_24h"] == 0.5
    assert got[f"{entity}_risk_7d"] == 0.25
    assert got[f"{entity}_risk_30d"] == pytest.approx(0.2)
    assert got[f"{entity}_frauds_7d"] == 1
    assert got[f"{entity}_frauds_30d"] == 2
    assert got[f"{entity}_known_30d"] == 10
    assert got[f"{entity}_smoothed_risk_30d"] == pytest.approx((2 + 5 * 0.005) / 15)
    assert got[f"{entity}_seconds_since_fraud_known"] == 3600
    assert got[f"{entity}_fraud_run_seconds"] == 86_400
    assert got[f"{entity}_fraud_amount_ratio_30d"] == pytest.approx(1.5)


@pytest.mark.parametrize("entity", ENTITY_NAMES)
def test_without_labels_only_counts_and_the_prior_are_known(entity: str) -> None:
    got = {name: column[0] for name, column in features_of(payment(), saw(entity)).items()}
    unknown = ("risk_24h", "risk_7d", "risk_30d", "seconds_since_fraud_known")
    for aggregate in (*unknown, "fraud_run_seconds", "fraud_amount_ratio_30d"):
        assert math.isnan(got[f"{entity}_{aggregate}"])
    for aggregate in ("frauds_7d", "frauds_30d", "known_30d"):
        assert got[f"{entity}_{aggregate}"] == 0
    assert got[f"{entity}_smoothed_risk_30d"] == np.float32(0.005)
