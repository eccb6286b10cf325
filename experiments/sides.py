"""The sides of an experiment: what can be compared in a plan, and with what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from experiments.rows import is_within
from fraud.plan import Plan
from fraud.policy.ab import AB
from fraud.policy.canary import Canary
from fraud.policy.interface import step
from fraud.policy.tree import walk
from fraud.variant import base_variant

Kind = Literal["plan", "arm", "shadow", "variant"]


class Side(NamedTuple):
    """The whole plan (name ""), an arm, a shadow, or a variant that votes."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return "the plan" if self.kind == "plan" else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Pair:
    """A side, and the one that it would replace.

    Attributes:
        paired: both answer the same payments; otherwise each has customers of its own.
    """

    side: Side
    against: Side
    paired: bool


PLAN = Side("plan", "")


def pairs(
    plans: Iterable[Plan],
    arms: Collection[str],
    variants: Collection[str],
    shadows: Collection[str],
) -> list[Pair]:
    """Return what is compared: each arm with the first of its split, each shadow with the plan, and
    each pinned or owned model with the champion of the same variant.

    Args:
        plans: the plan's versions, the newest first.
        arms: arms that decided.
        variants: names of variants that voted.
        shadows: shadows that answered.
    """
    found = {Side("shadow", name): Pair(Side("shadow", name), PLAN, True) for name in shadows}
    for control, others in _splits(plans):
        for name in others:
            side = Side("arm", name)
            if _decided(name, arms) and _decided(control, arms) and side not in found:
                found[side] = Pair(side, Side("arm", control), False)
    for name in variants:
        base = base_variant(name)
        if name != base and base in variants:
            side = Side("variant", name)
            found[side] = Pair(side, Side("variant", base), True)
    return sorted(found.values(), key=lambda pair: (_ORDER[pair.side.kind], pair.side.name))


def arm_names(plans: Iterable[Plan], arms: Collection[str]) -> list[str]:
    """Return every arm of a split that decided, and arms that no version names, sorted."""
    named = {arm for control, others in _splits(plans) for arm in (control, *others)}
    found = {arm for arm in named if _decided(arm, arms)}
    found |= {arm for arm in arms if arm and not any(is_within(arm, name) for name in named)}
    return sorted(found)


_ORDER: dict[str, int] = {"arm": 0, "shadow": 1, "variant": 2, "plan": 3}


def _decided(name: str, arms: Collection[str]) -> bool:
    return any(is_within(arm, name) for arm in arms)


def _splits(plans: Iterable[Plan]) -> Iterator[tuple[str, list[str]]]:
    """The control of each split and its other arms, as records name them."""
    for plan in plans:
        for way, policy in walk(plan.policy):
            if isinstance(policy, AB | Canary):
                control, *others = [step(way, name) for name, _ in policy.children()]
                yield control, others
