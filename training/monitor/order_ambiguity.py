"""Ambiguous orders of arrival: decisions and labels that concern one entity at nearly the same
time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable

from features.state.entities import ENTITIES, ROLES
from features.state.events import Events, Key
from features.state.labels import LabelEvents
from fraud.payment.batch import Int64

CONCURRENT_MS = 250
"""The longest time from the observation of a payment to its decision, whose time is on record."""

LABEL_LAG_MS = 5_000
"""The longest time from when a label could be known to when it reaches the state of its entities;
the feed polls every second."""

_PARTS_KEPT = 3
_SPACE = {role.name: role.entity.name for role in ROLES}

Touched = tuple[str, Key]
"""(entity name, key)."""


class OrderAmbiguity:
    """The entities touched by the latest parts of a stream of decisions, and when."""

    def __init__(self) -> None:
        self._decided: deque[dict[Touched, list[int]]] = deque(maxlen=_PARTS_KEPT)
        self._known: deque[dict[Touched, list[int]]] = deque(maxlen=_PARTS_KEPT)

    def add(
        self, events: Events, at_ms: Int64, labels: LabelEvents, effective_ms: Iterable[int]
    ) -> None:
        """Add the next part.

        Args:
            events: n rows.
            at_ms: int64[n], rising: the time of each decision.
            labels: m label events among them.
            effective_ms: m rising times at which each label could be known.
        """
        decided: dict[Touched, list[int]] = {}
        for i, moment in enumerate(at_ms.tolist()):
            for touched in touched_by(events, i).values():
                decided.setdefault(touched, []).append(moment)
        known: dict[Touched, list[int]] = {}
        for j, moment in enumerate(effective_ms):
            for entity in ENTITIES:
                identity = labels.ids[entity.name][j]
                if identity is not None:
                    key = (labels.tenant[j], identity)
                    known.setdefault((entity.name, key), []).append(moment)
        self._decided.append(decided)
        self._known.append(known)

    def concurrent(self, touched: Touched, at_ms: int) -> bool:
        """Whether another decision touched an entity within `CONCURRENT_MS` of one at `at_ms`.

        Decisions of the same millisecond count as one micro-batch, whose order is on record.
        """
        return any(
            _some(part.get(touched, ()), start, stop)
            for part in self._decided
            for start, stop in (
                (at_ms - CONCURRENT_MS, at_ms),
                (at_ms + 1, at_ms + CONCURRENT_MS + 1),
            )
        )

    def label_in_flight(self, touched: Touched, at_ms: int) -> bool:
        """Whether a label of an entity became known so shortly before `at_ms` that its state may
        not have included it."""
        return any(
            _some(part.get(touched, ()), at_ms - LABEL_LAG_MS, at_ms + 1) for part in self._known
        )


def touched_by(events: Events, i: int) -> dict[str, Touched]:
    """Role -> the entity that row i touches in it."""
    found: dict[str, Touched] = {}
    for role, space in _SPACE.items():
        identity = events.ids[role][i]
        if identity is not None:
            found[role] = (space, (events.tenant[i], identity))
    return found


def _some(moments: list[int] | tuple[()], start: int, stop: int) -> bool:
    """Whether any of the rising `moments` lies in [start, stop)."""
    return bisect_left(moments, start) < bisect_right(moments, stop - 1)
