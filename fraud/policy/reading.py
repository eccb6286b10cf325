"""Reading policies from a plan's document."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from fraud.document import RANGE, TYPE, Place
from fraud.ensemble import LEAVES, Ensemble, ensemble_at, thresholds_at
from fraud.payment.limits import MAX_ID_CHARS
from fraud.payment.transaction import CHANNELS, TYPES
from fraud.policy.ab import AB, MOST_ARMS, Arm
from fraud.policy.canary import PROMOTE, STEPS, Advance, Canary
from fraud.policy.cascade import MOST_STAGES, Cascade, Stage
from fraud.policy.guard import guard_at
from fraud.policy.interface import STEP, Policy
from fraud.policy.named import Named, unnamed
from fraud.policy.segments import COLUMNS, MOST_SEGMENTS, Condition, Segment, Segments
from fraud.policy.shadow import MOST_SHADOWS, Shadow, ShadowPolicy

MOST_POLICIES = 500
"""Policies of a plan, each counted as often as it is used: names of names could double without
end."""
DEEPEST = 8
MOST_NAME_CHARS = 40
_KNOWN_VALUES: Final = {"type": TYPES, "channel": CHANNELS}


@dataclass(slots=True)
class PolicyReader:
    """Reads the policies of one document.

    Attributes:
        plans: the place of the document's named sub-plans.
    """

    plans: Place
    _named: dict[str, Policy | None] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)
    _sizes: dict[str, int] = field(default_factory=dict)
    _count: int = 0
    _depth: int = 0

    def root(self, place: Place) -> Policy | None:
        """Read the document's own policy; None if it has faults, which are noted."""
        for name in self.plans.value or () if isinstance(self.plans.value, dict) else ():
            if not _is_name(name):
                self.plans.note(RANGE, f"expected a name of 1 to {MOST_NAME_CHARS} characters")
                return None
            self._by_name(self.plans, name)
        return self._object(place)

    @property
    def named(self) -> dict[str, Policy]:
        """The document's named sub-plans that have no faults."""
        return {name: policy for name, policy in self._named.items() if policy is not None}

    def policy(self, place: Place, key: str = "plan") -> Policy | None:
        """Read the sub-policy at `key`: an object, or the name of one of `plans`."""
        found = place.at(key)
        if isinstance(found.value, str):
            return self._by_name(found, found.value)
        return self._object(found)

    def leaf(self, place: Place) -> Ensemble | None:
        """Read the sub-policy at `plan`, which must be an ensemble."""
        found = self.policy(place)
        plain = None if found is None else unnamed(found)
        if plain is not None and not isinstance(plain, Ensemble):
            place.note(RANGE, f"expected a plan of kind {' or '.join(LEAVES)}", "plan")
            return None
        return plain

    def _object(self, place: Place) -> Policy | None:
        self._count += 1
        self._depth += 1
        try:
            if self._count > MOST_POLICIES:
                place.note(RANGE, f"the plan has more than {MOST_POLICIES} sub-plans")
                return None
            if self._depth > DEEPEST:
                place.note(RANGE, f"sub-plans lie deeper than {DEEPEST} levels")
                return None
            if not isinstance(place.value, dict):
                place.note(TYPE, "expected a plan: an object, or the name of one of `plans`")
                return None
            kind = place.choice("kind", READERS)
            return None if kind is None else READERS[kind](self, place)
        finally:
            self._depth -= 1

    def _by_name(self, place: Place, name: str) -> Policy | None:
        if name in self._open:
            cycle = " -> ".join([*self._open[self._open.index(name) :], name])
            place.note(RANGE, f"the plans use each other in a circle: {cycle}")
            return None
        if name not in self._named:
            if not self.plans.has(name):
                known = ", ".join(self.plans.value or ()) if self.plans.value else "none"
                place.note(RANGE, f"there is no plan of this name among `plans` ({known})")
                return None
            self._open.append(name)
            before = self._count
            depth, self._depth = self._depth, len(self._open)
            self._named[name] = self.policy(self.plans, name)
            self._depth = depth
            self._sizes[name] = self._count - before
            self._open.pop()
        else:
            self._count += self._sizes[name]
            if self._count > MOST_POLICIES:
                place.note(RANGE, f"the plan has more than {MOST_POLICIES} sub-plans")
                return None
        policy = self._named[name]
        return None if policy is None else Named(name, policy)


def _ab(reader: PolicyReader, place: Place) -> AB | None:
    place.only(_keys("arms", "salt", "guard"))
    arms = [_arm(reader, item) for item in place.items("arms", MOST_ARMS, least=2)]
    return place.build(
        AB,
        arms=tuple(arms),
        salt=place.text("salt", 64, ""),
        guard=guard_at(place.at("guard")) if place.has("guard") else None,
    )


def _arm(reader: PolicyReader, place: Place) -> Arm | None:
    place.only(("name", "weight", "slots", "plan"))
    slots = []
    for item in place.items("slots", 10_000):
        pair = item.value
        whole = isinstance(pair, list | tuple) and len(pair) == 2 and all(map(_is_whole, pair))
        if not whole or not 0 <= pair[0] < pair[1] <= 10_000:
            item.note(RANGE, "expected [first, end] with 0 <= first < end <= 10000")
            break
        slots.append((pair[0], pair[1]))
    return place.build(
        Arm,
        name=_name(place),
        weight=place.number("weight", 0, 100),
        policy=reader.policy(place),
        slots=tuple(slots),
    )


def _canary(reader: PolicyReader, place: Place) -> Canary | None:
    place.only(_keys("baseline", "canary", "steps", "step", "salt", "advance", "guard"))
    steps = [item.value for item in place.items("steps", 100)] or list(STEPS)
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in steps):
        place.note(TYPE, "expected numbers", "steps")
        return None
    stopped = "step" in place.value and place.value["step"] is None
    return place.build(
        Canary,
        baseline=reader.policy(place, "baseline"),
        canary=reader.policy(place, "canary"),
        steps=tuple(map(float, steps)),
        step=None if stopped else place.whole("step", 0, 99, 0),
        salt=place.text("salt", 64, ""),
        advance=_advance(place.at("advance")) if place.has("advance") else Advance(),
        guard=guard_at(place.at("guard")) if place.has("guard") else None,
    )


def _advance(place: Place) -> Advance:
    place.only(("after_minutes", "on"))
    if place.has("on"):
        place.choice("on", (PROMOTE,))
        return Advance(on_promote=True)
    return Advance(after_minutes=place.number("after_minutes", 0, 525_600, above=True))


def _shadow(reader: PolicyReader, place: Place) -> Shadow | None:
    place.only(_keys("plan", "shadows"))
    shadows = [_shadow_policy(reader, i) for i in place.items("shadows", MOST_SHADOWS, least=1)]
    return place.build(Shadow, policy=reader.policy(place), shadows=tuple(shadows))


def _shadow_policy(reader: PolicyReader, place: Place) -> ShadowPolicy | None:
    place.only(("name", "share", "plan"))
    policy = reader.policy(place)
    if policy is not None and _has_shadow(policy):
        place.note(RANGE, "expected a plan without shadows of its own", "plan")
    return place.build(
        ShadowPolicy,
        name=_name(place),
        policy=policy,
        share=place.number("share", 0, 100, 100.0, above=True),
    )


def _has_shadow(policy: Policy) -> bool:
    return isinstance(policy, Shadow) or any(_has_shadow(child) for _, child in policy.children())


def _cascade(reader: PolicyReader, place: Place) -> Cascade | None:
    place.only(_keys("stages"))
    items = list(place.items("stages", MOST_STAGES, least=2))
    stages = [_stage(reader, item, item is items[-1]) for item in items]
    return place.build(Cascade, stages=tuple(stages))


def _stage(reader: PolicyReader, place: Place, last: bool) -> Stage | None:
    place.only(("plan",) if last else ("plan", "settle_below", "settle_from"))
    settles_high = not last and place.has("settle_from")
    return place.build(
        Stage,
        ensemble=reader.leaf(place),
        settle_below=0.0 if last else place.number("settle_below", 0, 1, 0.0),
        settle_from=place.number("settle_from", 0, 1) if settles_high else None,
    )


def _segments(reader: PolicyReader, place: Place) -> Segments | None:
    place.only(_keys("segments", "default"))
    found = [_segment(reader, item) for item in place.items("segments", MOST_SEGMENTS, least=1)]
    return place.build(Segments, segments=tuple(found), default=reader.policy(place, "default"))


def _segment(reader: PolicyReader, place: Place) -> Segment | None:
    place.only(("name", "when", "plan", "thresholds"))
    own = thresholds_at(place.at("thresholds")) if place.has("thresholds") else None
    return place.build(
        Segment,
        name=_name(place),
        when=_condition(place.at("when")),
        policy=reader.policy(place),
        thresholds=own,
    )


def _condition(place: Place) -> Condition | None:
    if not place.only((*COLUMNS, "amount")):
        return None
    values = tuple((name, _values(place, name)) for name in COLUMNS if place.has(name))
    low, high = -math.inf, math.inf
    if place.has("amount"):
        amount = place.at("amount")
        amount.only(("from", "below"))
        low = amount.number("from", 0, 1e15, low)
        high = amount.number("below", 0, 1e15, high, above=True)
        if not low < high:
            amount.note(RANGE, "expected from < below")
    elif not values:
        place.note(RANGE, f"expected at least one of {', '.join((*COLUMNS, 'amount'))}")
    return place.build(Condition, values=values, amount_from=low, amount_below=high)


def _values(place: Place, name: str) -> tuple[str, ...]:
    found = []
    for item in place.items(name, 300, least=1):
        known = _KNOWN_VALUES.get(name)
        if not isinstance(item.value, str) or not 0 < len(item.value) <= MAX_ID_CHARS:
            item.note(TYPE, "expected a text")
        elif known is not None and item.value not in known:
            item.note(RANGE, f"expected one of {', '.join(known)}")
        found.append(str(item.value))
    return tuple(found)


def _name(place: Place) -> str:
    name = place.text("name", MOST_NAME_CHARS)
    if not _is_name(name):
        place.note(
            RANGE, f"expected a name without `{STEP.strip()}`, / and blanks at its ends", "name"
        )
    return name


def _is_name(name: str) -> bool:
    plain = STEP.strip() not in name and "/" not in name and name == name.strip()
    return 0 < len(name) <= MOST_NAME_CHARS and plain


def _keys(*own: str) -> tuple[str, ...]:
    """Keys of a document: a policy's own, and a plan's."""
    return ("kind", *own, "name", "version", "plans", "costs")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _ensemble(reader: PolicyReader, place: Place) -> Ensemble | None:
    return ensemble_at(place)


READERS: dict[str, Callable[[PolicyReader, Place], Policy | None]] = {
    **dict.fromkeys(LEAVES, _ensemble),
    AB.kind: _ab,
    Canary.kind: _canary,
    Shadow.kind: _shadow,
    Cascade.kind: _cascade,
    Segments.kind: _segments,
}
"""Kind in a document -> reader of such a policy."""

KINDS = tuple(READERS)
"""Every kind of policy."""
