"""Walks over policies and their sub-policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fraud.ensemble import Ensemble
from fraud.policy.ab import AB
from fraud.policy.canary import Canary
from fraud.policy.interface import Policy, step
from fraud.policy.shadow import Shadow


def leaves(policy: Policy, arm: str = "") -> Iterator[tuple[str, Ensemble]]:
    """Return (arm, ensemble) of each ensemble that may decide, in the order of the document."""
    if isinstance(policy, Ensemble):
        yield arm, policy
    for name, child in policy.children():
        yield from leaves(child, step(arm, name))


def walk(policy: Policy, arm: str = "") -> Iterator[tuple[str, Policy]]:
    """Return (arm, policy) of a policy and all policies below it that may decide."""
    yield arm, policy
    for name, child in policy.children():
        yield from walk(child, step(arm, name))


def shadows(policy: Policy) -> Iterator[tuple[str, Policy]]:
    """Return (name, policy) of everything that is asked in the shadow."""
    for _, found in walk(policy):
        if isinstance(found, Shadow):
            yield from ((shadow.name, shadow.policy) for shadow in found.shadows)


def variants_of(policy: Policy, *, with_shadows: bool = True) -> tuple[str, ...]:
    """Return every variant that may be asked, each once, in the order of the document."""
    found = dict.fromkeys(v for _, ensemble in leaves(policy) for v in ensemble.variants)
    if with_shadows:
        for _, shadow in shadows(policy):
            found |= dict.fromkeys(variants_of(shadow))
    return tuple(found)


def split_alike(
    policy: Policy, salts: frozenset[str] = frozenset(), arm: str = ""
) -> Iterator[str]:
    """Return the way to each split that lies below another one with the same salt: it would get
    only customers whose slots the other one picked, and deal them in no proportion to its weights.
    """
    if isinstance(policy, AB | Canary):
        if policy.salt in salts:
            yield arm
        salts |= {policy.salt}
    for name, child in policy.children():
        yield from split_alike(child, salts, step(arm, name))
    if isinstance(policy, Shadow):
        for shadow in policy.shadows:
            yield from split_alike(shadow.policy, salts, step(arm, shadow.name))


def changed_at(policy: Policy, arm: str, change: Any, here: str = "") -> Policy:
    """Return a policy with `change(sub-policy)` in place of each sub-policy that the way `arm`
    leads to, names and shadows on the way included."""
    if here == arm:
        changed: Policy = change(policy)
        if changed != policy:
            return changed
    steps = iter(policy.children())

    def below(child: Policy) -> Policy:
        name, _ = next(steps)
        return changed_at(child, arm, change, step(here, name))

    return policy.mapped(below)
