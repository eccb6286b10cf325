"""Tiers of API keys: how many rows may be decided for a key and for a customer of its tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `rows` rows in any period of `window_s` seconds."""

    rows: int
    window_s: int


@dataclass(frozen=True, slots=True)
class Tier:
    """The limits of a key.

    Attributes:
        name: as `api_keys.tier` holds it.
        key: quota of all rows that the key sends.
        customer: quota of the rows of one customer of the key's tenant, over all keys; None: no
            limit.
    """

    name: str
    key: Quota
    customer: Quota | None

    @property
    def limits(self) -> tuple[tuple[str, Quota], ...]:
        """Name and quota of each limit, the key's first."""
        own = ("key", self.key)
        return (own,) if self.customer is None else (own, ("customer", self.customer))


DEFAULT_TIER: Final = "standard"

TIERS: Final = {
    tier.name: tier
    for tier in (
        Tier("free", Quota(50, 1), Quota(60, 60)),
        Tier("standard", Quota(5_000, 1), Quota(6_000, 60)),
        Tier("premium", Quota(20_000, 1), Quota(30_000, 60)),
        # For local load tests from few customers: more than two cores can decide.
        Tier("demo", Quota(50_000, 1), Quota(1_500_000, 60)),
    )
}
"""Every tier, by name."""


def tier_of(name: str) -> Tier:
    """Return the tier of that name, the default tier if this release does not know the name."""
    return TIERS.get(name) or TIERS[DEFAULT_TIER]
