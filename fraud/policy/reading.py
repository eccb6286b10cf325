"""Reading policies from a plan's document."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from fraud.document import RANGE, TYPE, Place, is_number
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
"""Levels of sub-plans, the plan's own policy included."""
MOST_NAME_CHARS = 40
_MOST_NAMED = 20
"""Names that the text of a fault lists."""
_TOO_DEEP = f"sub-plans lie deeper than {DEEPEST} levels"
_KNOWN_VALUES: Final = {"type": TYPES, "channel": CHANNELS}


@dataclass(frozen=True, slots=True)
class _Read:
    """A named sub-plan that was read.

    Attributes:
        policy: None if it has faults, which are noted.
        size: policies that it consists of.
        height: levels of sub-plans, itself included.
    """

    policy: Policy | None
    size: int
    height: int


@dataclass(slots=True)
class PolicyReader:
    """Reads the policies of one document.

    Attributes:
        plans: the place of the document's named sub-plans.
    """

    plans: Place
    _named: dict[str, _Read] = field(default_factory=dict)
    _shadows: dict[str, Policy] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)
    _count: int = 0
    _depth: int = 0
    _deepest: int = 0

    def root(self, place: Place) -> Policy | None:
        """Read the document's own policy; None if it has faults, which are noted."""
        if not self._sound_names():
            return None
        for name in self.plans.value or ():
            self._by_name(self.plans, name)
        return self._object(place)

    @property
    def named(self) -> dict[str, Policy]:
        """The document's named sub-plans that have no faults."""
        return {name: r.policy for name, r in self._named.items() if r.policy is not None}

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

    def is_shadow(self, name: str, policy: Policy) -> bool:
        """Return whether a shadow's name means this sub-plan and no other in all of the document:
        what shadows say is kept and reported under their names."""
        plain = unnamed(policy)
        return self._shadows.setdefault(name, plain) == plain

    def _sound_names(self) -> bool:
        """Whether `plans` is an object, or absent, whose keys may be names."""
        plans = self.plans.value
        if plans is None:
            return True
        if not isinstance(plans, dict):
            self.plans.note(TYPE, "expected an object")
        elif len(plans) > MOST_POLICIES:
            self.plans.note(RANGE, f"expected at most {MOST_POLICIES} sub-plans")
        elif not all(map(_is_name, plans)):
            what = f"expected names of 1 to {MOST_NAME_CHARS} printable characters"
            self.plans.note(RANGE, f"{what} without `{STEP.strip()}` and /")
        else:
            return True
        return False

    def _object(self, place: Place) -> Policy | None:
        if not self._counted(place, 1):
            return None
        if not self._entered(place, 1):
            return None
        self._depth += 1
        try:
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
        if not self.plans.has(name):
            known = ", ".join(list(self.plans.value or ())[:_MOST_NAMED])
            detail = f"there is no plan of this name among `plans` ({known or 'none'})"
            place.note(RANGE, detail)
            return None
        read = self._named.get(name)
        if read is None:
            if len(self._open) >= DEEPEST:
                place.note(RANGE, _TOO_DEEP)
                return None
            read = self._named[name] = self._read(name)
        elif not self._counted(place, read.size):
            return None
        if not self._entered(place, read.height):
            return None
        if read.policy is None:
            if place is not self.plans:
                place.note(RANGE, f"the plan {name} of `plans` cannot be used")
            return None
        return Named(name, read.policy)

    def _read(self, name: str) -> _Read:
        """Read one of `plans`, as if it stood alone."""
        before = self._count, self._depth, self._deepest
        self._open.append(name)
        # The name of a name is a level of its own: a chain of names ends, too.
        self._depth = self._deepest = 1 if isinstance(self.plans.value[name], str) else 0
        policy = self.policy(self.plans, name)
        self._open.pop()
        height = self._deepest
        count, self._depth, self._deepest = before
        return _Read(policy, self._count - count, height)

    def _counted(self, place: Place, policies: int) -> bool:
        """Count some policies; note a fault if there are too many by now."""
        self._count += policies
        if self._count > MOST_POLICIES:
            place.note(RANGE, f"the plan has more than {MOST_POLICIES} sub-plans")
            return False
        return True

    def _entered(self, place: Place, levels: int) -> bool:
        """Go some levels down from here; note a fault if that is too deep."""
        self._deepest = max(self._deepest, self._depth + levels)
        if self._depth + levels > DEEPEST:
            place.note(RANGE, _TOO_DEEP)
            return False
        return True


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
    if not all(map(is_number, steps)):
        place.note(TYPE, "expected finite numbers", "steps")
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
    name = _name(place)
    if policy is not None and _has_shadow(policy):
        place.note(RANGE, "expected a plan without shadows of its own", "plan")
    elif policy is not None and not reader.is_shadow(name, policy):
        place.note(RANGE, "another shadow of the plan has this name", "name")
    return place.build(
        ShadowPolicy,
        name=name,
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
        value = item.value
        if not isinstance(value, str):
            item.note(TYPE, "expected a text")
            continue
        if known is not None and value not in known:
            item.note(RANGE, f"expected one of {', '.join(known)}")
        elif not 0 < len(value) <= MAX_ID_CHARS or not value.isprintable():
            item.note(RANGE, f"expected 1 to {MAX_ID_CHARS} printable characters")
        found.append(value)
    return tuple(found)


def _name(place: Place) -> str:
    name = place.text("name", MOST_NAME_CHARS)
    if not _is_name(name):
        place.note(
            RANGE, f"expected a name without `{STEP.strip()}`, / and blanks at its ends", "name"
        )
    return name


def _is_name(name: Any) -> bool:
    if not isinstance(name, str) or not name.isprintable():
        return False
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
