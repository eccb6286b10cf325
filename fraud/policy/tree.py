"""Walks over policies and their sub-policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fraud.ensemble import Ensemble
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
