"""States are dropped after the last payment that needs them, and not before."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from bulk.scoring.history.last_seen import LastSeen


def payments(customers, payees):
    n = len(customers)
    absent = pa.nulls(n, pa.string())
    return pa.table(
        {
            "customer_id": customers,
            "counterparty_id": pa.array(payees, pa.string()),
            "merchant_id": ["m"] * n,
            "device_id": absent,
        }
    )


def test_an_id_ends_with_its_last_bucket():
    seen = LastSeen()
    seen.add(payments(["a", "b", "a"], [None] * 3), np.array([0, 2, 1]))
    seen.add(payments(["c"], [None]), np.array([0]))
    ended = [seen.ended(bucket) for bucket in range(3)]
    assert [sorted(one["customer"]) for one in ended] == [["c"], ["a"], ["b"]]
    assert [one["merchant"] for one in ended] == [[], [], ["m"]]
    assert all(one["device"] == [] for one in ended)


def test_payers_and_payees_of_transfers_are_accounts():
    seen = LastSeen()
    seen.add(payments(["a", "b"], ["x", None]), np.array([0, 0]))
    seen.add(payments(["x"], ["y"]), np.array([1]))
    first, second = seen.ended(0), seen.ended(1)
    # b made no transfer; x is paid first and pays later.
    assert (first["account"], first["counterparty"]) == (["a"], ["x"])
    assert sorted(second["account"]) == ["x", "y"]
