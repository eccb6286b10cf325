from __future__ import annotations

import numpy as np
import pytest

from features.families.view import Flow
from tests.contracts.aggregates import features_of, payment, saw


def flow(inflow: list[int], outflow: list[int], since_ms: int) -> Flow:
    """Counts, then sums, over 24 h and 7 d."""
    columns = (np.array([part], dtype=np.int64) for part in (inflow[:2], inflow[2:]))
    others = (np.array([part], dtype=np.int64) for part in (outflow[:2], outflow[2:]))
    return Flow(*columns, *others, np.array([since_ms]), np.array([-1]))


def flows(role: str, **given: object) -> dict[str, float]:
    got = features_of(payment(amount_minor=10_000), saw(role, **given))
    return {name: column[0] for name, column in got.items() if name.startswith(role)}


def test_a_payer_that_passes_money_on() -> None:
    got = flows(
        "payer",
        flow=flow([2, 5, 40_000, 100_000], [1, 3, 20_000, 80_000], 90_000),
        distinct={"payers": [2, 4], "payees": [7, 8]},
        partner_since_s={"payers": 7200, "payees": -1},
    )
    assert got == pytest.approx(
        {
            "payer_inflow_24h": 400,
            "payer_inflow_7d": 1000,
            "payer_inflow_count_7d": 5,
            "payer_fan_in_7d": 4,
            "payer_seconds_since_inflow": 90,
            "payer_pass_through_24h": 300 / 400,
            "payer_pass_through_7d": 900 / 1000,
            "payer_seconds_since_round_trip": 7200,
        }
    )


def test_a_payer_that_never_received_anything() -> None:
    got = flows("payer", flow=flow([0] * 4, [1, 3, 20_000, 80_000], -1))
    zero = {name for name, value in got.items() if value == 0}
    assert zero == {
        "payer_inflow_24h",
        "payer_inflow_7d",
        "payer_inflow_count_7d",
        "payer_fan_in_7d",
    }
    assert all(np.isnan(got[name]) for name in got.keys() - zero)


def test_a_payee_that_empties_its_account() -> None:
    got = flows(
        "payee",
        flow=flow([2, 5, 40_000, 100_000], [1, 3, 38_000, 80_000], 90_000),
        distinct={"payers": [2, 4], "payees": [7, 8]},
    )
    assert got == pytest.approx(
        {"payee_outflow_24h": 380, "payee_fan_out_7d": 8, "payee_pass_through_24h": 0.95}
    )
