from __future__ import annotations

import math

import numpy as np
import pytest

from tests.contracts.aggregates import features_of, payment, saw

WHO = ("customer", "merchant", "device", "counterparty")


@pytest.mark.parametrize("who", WHO)
def test_risk_worked_out_by_hand(who: str) -> None:
    windows = 5 if who == "customer" else 4 if who == "merchant" else 3
    month = 3 if windows > 3 else 2
    count, total = [0] * windows, [0] * windows
    count[month], total[month] = 10, 100_000
    seen = saw(
        who,
        known=[2, 4, 10],
        frauds=[1, 1, 2],
        fraud_total=[100, 100, 30_000],
        fraud_known_age_ms=3_600_000,
        fraud_run_age_ms=86_400_000,
        count=count,
        total=total,
    )
    got = {name: column[0] for name, column in features_of(payment(), seen).items()}
    assert got[f"{who}_risk_24h"] == 0.5
    assert got[f"{who}_risk_7d"] == 0.25
    assert got[f"{who}_risk_30d"] == pytest.approx(0.2)
    assert got[f"{who}_frauds_7d"] == 1
    assert got[f"{who}_frauds_30d"] == 2
    assert got[f"{who}_known_30d"] == 10
    assert got[f"{who}_smoothed_risk_30d"] == pytest.approx((2 + 5 * 0.005) / 15)
    assert got[f"{who}_seconds_since_fraud_known"] == 3600
    assert got[f"{who}_fraud_run_seconds"] == 86_400
    assert got[f"{who}_fraud_amount_ratio_30d"] == pytest.approx(1.5)


@pytest.mark.parametrize("who", WHO)
def test_without_labels_only_counts_and_the_prior_are_known(who: str) -> None:
    got = {name: column[0] for name, column in features_of(payment(), saw(who)).items()}
    unknown = ("risk_24h", "risk_7d", "risk_30d", "seconds_since_fraud_known")
    for aggregate in (*unknown, "fraud_run_seconds", "fraud_amount_ratio_30d"):
        assert math.isnan(got[f"{who}_{aggregate}"])
    for aggregate in ("frauds_7d", "frauds_30d", "known_30d"):
        assert got[f"{who}_{aggregate}"] == 0
    assert got[f"{who}_smoothed_risk_30d"] == np.float32(0.005)
