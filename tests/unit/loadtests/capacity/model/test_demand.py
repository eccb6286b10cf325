"""Loads."""

from __future__ import annotations

import pytest

from loadtests.capacity.model.demand import Demand


def test_a_day_has_the_mean_rate() -> None:
    demand = Demand(3000.0, peak_to_mean=3.0)
    assert demand.mean_per_s == 1000.0
    assert demand.per_day == 86_400_000


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"peak_per_s": 0.0}, "peak_per_s"),
        ({"peak_to_mean": 0.5}, "peak_to_mean"),
        ({"customers": 0}, "customers"),
        ({"retention_days": 0}, "retention_days"),
        ({"tenants": 4, "largest_tenant": 0.1}, "largest_tenant"),
        ({"largest_tenant": 1.5}, "largest_tenant"),
    ],
)
def test_impossible_loads_are_refused_by_name(fields: dict[str, float], name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: expected"):
        Demand(**{"peak_per_s": 1.0, **fields})  # type: ignore[arg-type]
