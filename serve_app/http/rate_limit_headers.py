"""Rate limits as response headers (draft-ietf-httpapi-ratelimit-headers-09)."""

from __future__ import annotations

from fraud.access.tiers import TIERS, Quota, Tier, tier_of
from serve_app.gateway.auth import Principal
from serve_app.gateway.ratelimit.limits import Standing
from serve_app.http.problems import Header, Headers


def policy_header(principal: Principal) -> Headers:
    """Return `RateLimit-Policy`: every limit of the key's tier."""
    return (_POLICIES[tier_of(principal.tier).name],)


def standing_headers(standing: Standing) -> Headers:
    """Return `RateLimit-Policy` and `RateLimit`: rows left (`r`) and seconds until more are back
    (`t`)."""
    state = b'"key";r=%d;t=%d' % (standing.remaining, standing.reset_s)
    return _POLICIES[standing.tier.name], (b"ratelimit", state)


def _policy(tier: Tier) -> Header:
    def item(name: str, quota: Quota) -> str:
        return f'"{name}";q={quota.rows};w={quota.window_s}'

    return b"ratelimit-policy", ", ".join(item(*limit) for limit in tier.limits).encode()


_POLICIES = {tier.name: _policy(tier) for tier in TIERS.values()}
