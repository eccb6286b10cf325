"""What is asked in the shadow, and that it changes nothing."""

from __future__ import annotations

from fraud.policy.shadow import Shadow, ShadowPolicy
from tests.contracts.decisions import transactions
from tests.contracts.plans import Asked, leaf


def test_a_shadow_is_noted_and_never_asked_by_the_policy_itself():
    policy = Shadow(leaf("live"), (ShadowPolicy("dark", leaf("new")),))
    asked = Asked(policy, transactions(4), {"live": [0.1] * 4})
    assert asked.calls == [("live", [0, 1, 2, 3])]
    assert list(asked.groups) == [""]
    [(name, shadow, rows)] = asked.asking.shadows
    assert (name, shadow.variants, rows) == ("dark", ("new",), None)


def test_a_share_of_the_payments_is_sampled():
    policy = Shadow(leaf("live"), (ShadowPolicy("dark", leaf("new"), 10.0),))
    asked = Asked(policy, transactions(3000), {"live": [0.1] * 3000})
    [(_, _, rows)] = asked.asking.shadows
    assert 240 < len(rows) < 360
