"""What a steward changes in a plan: arms that it takes out, steps that canaries take. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from fraud.plan import Plan
from fraud.policy.ab import AB
from fraud.policy.canary import BASELINE, CANARY, Canary
from fraud.policy.guard import Breach, Guard
from fraud.policy.health import Health
from fraud.policy.interface import step
from fraud.policy.tree import changed_at, walk

Split = AB | Canary
DEFAULT = Guard()
"""The window, and the least decisions of a step, of a canary without a guard."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A part of a split, equal to itself only.

    Attributes:
        at: the way to the split from the root of the plan.
        name: of the arm in its split.
        split: what it is a part of.
        share: percent of the split's customers.
    """

    at: str
    name: str
    split: Split
    share: float

    @property
    def arm(self) -> str:
        """The way to it, as decisions below it begin."""
        return step(self.at, self.name)

    @property
    def is_control(self) -> bool:
        """Whether the others are compared with it: it is never taken out."""
        return self.name == self.split.children()[0][0]

    @property
    def guard(self) -> Guard:
        """The bands of its split."""
        return self.split.guard or DEFAULT


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one split in a plan.

    Attributes:
        side: the arm that it is about.
        reason: why, a sentence without a full stop.
        band: the band that the arm has left; "" if the change is a step of a canary.
        made: makes it.
    """

    side: Side
    reason: str
    band: str
    made: Callable[[Any], Any]


def sides(plan: Plan) -> tuple[Side, ...]:
    """Return every arm that has customers, of each canary and of each a/b split with a guard. Where
    only the control has customers there is nothing to look at."""
    found = [side for side in _sides(plan) if side.share > 0]
    at_stake = {side.at for side in found if not side.is_control}
    return tuple(side for side in found if side.at in at_stake)


def canaries(plan: Plan) -> tuple[Side, ...]:
    """Return the canary of each canary split, also those without customers."""
    return tuple(
        side for side in _sides(plan) if isinstance(side.split, Canary) and not side.is_control
    )


def breaches(health: Mapping[Side, Health]) -> list[tuple[Side, Breach]]:
    """Return the arms that have left their band."""
    found = [(side, side.guard.breach(own)) for side, own in health.items()]
    return [(side, breach) for side, breach in found if breach is not None]


def taken_out(found: Iterable[tuple[Side, Breach]]) -> list[Change]:
    """Return the changes that take out arms which have left their band, controls excepted."""
    return [_without(side, breach) for side, breach in found if not side.is_control]


def next_steps(
    health: Mapping[Side, Health], age: timedelta, promoted: Callable[[Side], bool]
) -> list[Change]:
    """Return the next steps of canaries that are due and have not left their band.

    Args:
        health: of every side.
        age: for how long the version has decided: no step is younger.
        promoted: whether the report recommends a canary.
    """
    changes = []
    for side, own in health.items():
        if not may_step(side, own):
            continue
        assert isinstance(side.split, Canary)
        advance = side.split.advance
        minutes = advance.after_minutes
        if advance.on_promote:
            if promoted(side):
                changes.append(_stepped(side, "as its report recommends to promote it"))
        elif minutes is not None and age >= timedelta(minutes=minutes):
            changes.append(_stepped(side, f"after {minutes:g} min"))
    return changes


def may_step(side: Side, health: Health) -> bool:
    """Return whether a side is a canary that has a next step and decided enough, all within its
    bands."""
    return (
        isinstance(side.split, Canary)
        and not side.is_control
        and not at_end(side)
        and side.guard.suffices(health)
        and side.guard.breach(health) is None
    )


def at_end(side: Side) -> bool:
    """Return whether a canary has taken its last step."""
    assert isinstance(side.split, Canary)
    return side.split.step == len(side.split.steps) - 1


def changed(plan: Plan, changes: Iterable[Change]) -> Plan:
    """Return a plan with some changes."""
    policy = plan.policy
    for change in changes:
        policy = changed_at(policy, change.side.at, change.made)
    return replace(plan, policy=policy)


def _sides(plan: Plan) -> Iterator[Side]:
    for at, policy in walk(plan.policy):
        if isinstance(policy, AB) and policy.guard is not None:
            yield from (Side(at, arm.name, policy, arm.weight) for arm in policy.arms)
        elif isinstance(policy, Canary):
            yield Side(at, BASELINE, policy, 100 - policy.share)
            yield Side(at, CANARY, policy, policy.share)


def _without(side: Side, breach: Breach) -> Change:
    def made(policy: Any) -> Any:
        if isinstance(policy, AB):
            return policy.without(side.name)
        return replace(policy, step=None) if isinstance(policy, Canary) else policy

    to = side.split.children()[0][0]
    reason = f"{side.arm}: {breach}; its customers go to {to}"
    return Change(side, reason, breach.band, made)


def _stepped(side: Side, why: str) -> Change:
    split = side.split
    assert isinstance(split, Canary)
    assert split.step is not None
    after = split.step + 1

    def made(policy: Any) -> Any:
        return replace(policy, step=after) if isinstance(policy, Canary) else policy

    reason = (
        f"{side.arm}: step {after + 1} of {len(split.steps)}:"
        f" {split.share:g} % -> {split.steps[after]:g} %, {why}"
    )
    return Change(side, reason, "", made)
