"""Bytes of a decision on links."""

from __future__ import annotations

from features.definitions import N_FEATURES
from loadtests.capacity.measure.link_costs import measure_links
from loadtests.payments import Payment


def test_links_carry_the_features_of_each_row(payments: list[Payment]) -> None:
    costs = measure_links(payments)
    row = 4 * N_FEATURES
    assert costs.fetch.row > row
    # Every variant gets them.
    assert costs.variants.row > 4 * row
    assert costs.decide.row < costs.fetch.row
