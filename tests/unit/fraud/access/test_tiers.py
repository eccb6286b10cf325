"""Tiers: sound, and enough for what is promised."""

from __future__ import annotations

from fraud.access.tiers import DEFAULT_TIER, TIERS, tier_of
from serve_app.gateway.ratelimit.interface import BUCKETS
from settings.settings import Settings


def test_every_tier_is_found_by_its_name_and_any_other_is_the_default_one() -> None:
    assert {name: tier_of(name) for name in TIERS} == TIERS
    assert tier_of("of tomorrow") is TIERS[DEFAULT_TIER]
    assert all(quota.rows > 0 for tier in TIERS.values() for _, quota in tier.limits)


def test_the_demo_tier_lets_a_benchmark_through_though_its_customers_are_few() -> None:
    rows_a_second = 20_000
    for _, quota in TIERS["demo"].limits:
        # At a steady rate a window and one bucket count.
        assert quota.rows >= rows_a_second * quota.window_s * (BUCKETS + 1) / BUCKETS


def test_a_full_batch_is_within_the_default_tier() -> None:
    assert TIERS[DEFAULT_TIER].key.rows >= Settings().max_batch_rows
    customer = TIERS[DEFAULT_TIER].customer
    assert customer is not None
    assert customer.rows >= Settings().max_batch_rows
