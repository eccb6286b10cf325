"""The sides of an experiment: what can be compared in a plan, and with what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, NamedTuple

from experiments.rows import WITHIN, is_within
from fraud.variant import base_variant

Kind = Literal["plan", "arm", "shadow", "variant"]

_PARTS = 1_000
"""More parts of one document are not looked at: records' documents are not checked again."""


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
    documents: Iterable[Mapping[str, Any]],
    arms: Collection[str],
    variants: Collection[str],
    shadows: Collection[str],
) -> list[Pair]:
    """Return what is compared: each arm with the first of its split, each shadow with the plan, and
    each pinned or owned model with the champion of the same variant.

    Args:
        documents: of the plan's versions, the newest first.
        arms: arms that decided.
        variants: names of variants that voted.
        shadows: shadows that answered.
    """
    found = {Side("shadow", name): Pair(Side("shadow", name), PLAN, True) for name in shadows}
    for control, others in _splits(documents):
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


def arm_names(documents: Iterable[Mapping[str, Any]], arms: Collection[str]) -> list[str]:
    """Return every arm of a split that decided, and arms that no document names, sorted."""
    named = {arm for control, others in _splits(documents) for arm in (control, *others)}
    found = {arm for arm in named if _decided(arm, arms)}
    found |= {arm for arm in arms if arm and not any(is_within(arm, name) for name in named)}
    return sorted(found)


_ORDER: dict[str, int] = {"arm": 0, "shadow": 1, "variant": 2, "plan": 3}


def _decided(name: str, arms: Collection[str]) -> bool:
    return any(is_within(arm, name) for arm in arms)


def _splits(documents: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """The control of each split and its other arms, as records name them."""
    for document in documents:
        yield from islice(_of(document, document.get("plans") or {}, (), frozenset()), _PARTS)


def _of(
    plan: Any, named: Mapping[str, Any], way: tuple[str, ...], above: frozenset[str]
) -> Iterator[tuple[str, list[str]]]:
    if isinstance(plan, str):
        if plan in above:  # it names itself
            return
        plan, above = named.get(plan), above | {plan}
    if not isinstance(plan, Mapping):
        return
    kind = plan.get("kind")
    parts: list[tuple[tuple[str, ...], Any]] = []
    if kind == "ab":
        parts = [((arm["name"],), arm["plan"]) for arm in plan["arms"]]
    elif kind == "canary":
        parts = [((name,), plan[name]) for name in ("baseline", "canary")]
    elif kind == "shadow":
        parts = [((), plan["plan"])]
    elif kind == "segments":
        parts = [((part["name"],), part["plan"]) for part in plan["segments"]]
        parts.append((("default",), plan["default"]))
    if kind in ("ab", "canary"):
        control, *others = [WITHIN.join((*way, *name)) for name, _ in parts]
        yield control, others
    for name, part in parts:
        yield from _of(part, named, (*way, *name), above)
