"""Rate limits as headers."""

from __future__ import annotations

from fraud.access.tiers import TIERS
from serve_app.gateway.auth import Principal
from serve_app.gateway.ratelimit.limits import Standing
from serve_app.http.rate_limit_headers import policy_header, standing_headers

POLICY = b'"key";q=50;w=1, "customer";q=60;w=60'


def test_the_policy_names_every_limit_of_the_tier() -> None:
    free = Principal("k", "acme", "free")
    assert policy_header(free) == ((b"ratelimit-policy", POLICY),)
    unknown, standard = (Principal("k", "acme", tier) for tier in ("of-tomorrow", "standard"))
    assert policy_header(unknown) == policy_header(standard)


def test_the_standing_is_what_is_left_and_for_how_long() -> None:
    headers = dict(standing_headers(Standing(TIERS["free"], 47, 2)))
    assert headers == {b"ratelimit-policy": POLICY, b"ratelimit": b'"key";r=47;t=2'}
