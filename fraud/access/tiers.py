"""Tiers of API keys: how many rows a key, and a customer of its tenant, may have decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `rows` in any `window_s` seconds, wherever they begin."""

    rows: int
    window_s: int


@dataclass(frozen=True, slots=True)
class Tier:
    """What a key may do.

    Attributes:
        name: as `api_keys.tier` holds it.
        key: rows of all that the key sends.
        customer: rows of one customer of the key's tenant, whichever key sends them; None: any
            number.
    """

    name: str
    key: Quota
    customer: Quota | None

    @property
    def limits(self) -> tuple[tuple[str, Quota], ...]:
        """Name and quota of each limit, the key's own first."""
        own = ("key", self.key)
        return (own,) if self.customer is None else (own, ("customer", self.customer))


DEFAULT_TIER: Final = "standard"

TIERS: Final = {
    tier.name: tier
    for tier in (
        Tier("free", Quota(50, 1), Quota(60, 60)),
        Tier("standard", Quota(5_000, 1), Quota(6_000, 60)),
        Tier("premium", Quota(20_000, 1), Quota(30_000, 60)),
        # For load tests of one's own Quorum: more than any two cores decide, and few customers.
        Tier("demo", Quota(50_000, 1), Quota(1_500_000, 60)),
    )
}
"""Every tier, by name."""


def tier_of(name: str) -> Tier:
    """The tier of that name; of a name that this release does not know, the default one."""
    return TIERS.get(name) or TIERS[DEFAULT_TIER]
