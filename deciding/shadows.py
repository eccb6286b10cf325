"""Shadows: asked after the decision, never awaited, dropped first under load."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from deciding.fan_out import FanOut
from fraud.asking import Asking
from fraud.combine.combine import combine
from fraud.decision import DecisionBatch
from fraud.ensemble import Settled
from fraud.payment.batch import FeatureBatch
from fraud.policy.interface import Policy
from fraud.shadow_decision import ShadowDecision, shadow_votes
from telemetry import metrics

logger = logging.getLogger(__name__)

MOST_ROWS = 512
"""Most rows in flight. Those of a micro-batch that would exceed it are dropped."""


class ShadowSink(Protocol):
    """Keeps what shadows would have decided."""

    def offer(self, decisions: Sequence[ShadowDecision]) -> None:
        """Take them, or drop them if too many wait already. Does not block, never raises."""
        ...


class ShadowRunner:
    """Asks the shadows of decided micro-batches, each in a task of its own.

    Args:
        fan_out: asks the variants; not that of decisions, whose circuit breakers it must not open.
        sink: keeps the results.
        most_rows: see `MOST_ROWS`.
        is_busy: returns whether decisions need all there is: then every shadow is dropped.
        clock_s: monotonic seconds.
    """

    def __init__(
        self,
        fan_out: FanOut,
        sink: ShadowSink,
        most_rows: int = MOST_ROWS,
        is_busy: Callable[[], bool] = lambda: False,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fan_out = fan_out
        self._sink = sink
        self._most_rows = most_rows
        self._is_busy = is_busy
        self._clock_s = clock_s
        self._rows = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def launch(
        self,
        asking: Asking,
        features: FeatureBatch,
        batches: Sequence[DecisionBatch],
        rows: Sequence[Sequence[int]],
        of_house: Sequence[bool],
    ) -> None:
        """Start asking the shadows of a micro-batch, or drop them.

        Args:
            asking: n transactions, with their shadows.
            features: float32[n, n_features].
            batches, rows: the decisions on them; see `fraud.decision.Decisions`.
            of_house: for each batch whether the house's plan made it.
        """
        decided = {
            place: (batch, i)
            for batch, own in zip(batches, rows, strict=True)
            for i, place in enumerate(own)
        }
        houses = {
            place
            for own, is_house in zip(rows, of_house, strict=True)
            for place in (own if is_house else ())
        }
        for name, policy, own in asking.shadows:
            places = np.arange(len(asking.batch)) if own is None else own
            # All of them are decided by one plan. The shadows of tenants' plans are no labels:
            # there is no end to them.
            label = name if int(places[0]) in houses else ""
            if self._rows + len(places) > self._most_rows or self._is_busy():
                metrics.observe_shadow(label, "dropped", len(places))
                continue
            self._rows += len(places)
            shadow = name, label, policy
            task = asyncio.create_task(self._run(shadow, asking, features, places, decided))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Drop what is in flight."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(
        self,
        shadow: tuple[str, str, Policy],
        whole: Asking,
        features: FeatureBatch,
        places: np.ndarray[tuple[int], np.dtype[np.intp]],
        decided: dict[int, tuple[DecisionBatch, int]],
    ) -> None:
        name, label, policy = shadow
        began_s = self._clock_s()
        try:
            asking = Asking(whole.batch.take(places.tolist()))
            features = features.take(places)
            groups = await self._fan_out.run(policy.run(asking, None, ""), asking, features)
            elapsed_ms = (self._clock_s() - began_s) * 1e3
            of_row = [decided[place] for place in places.tolist()]
            for group in groups:
                self._sink.offer(_decisions(name, group, asking, of_row, elapsed_ms))
            metrics.observe_shadow(label, "asked", len(places), elapsed_ms / 1e3)
        except Exception as error:  # a shadow's failure must not reach decisions
            metrics.observe_shadow(label, "failed", len(places))
            logger.warning("shadow %s failed: %s", name, type(error).__name__)
        finally:
            self._rows -= len(places)


def _decisions(
    name: str,
    group: Settled,
    asking: Asking,
    of_row: Sequence[tuple[DecisionBatch, int]],
    elapsed_ms: float,
) -> list[ShadowDecision]:
    rows = list(range(len(of_row))) if group.rows is None else group.rows.tolist()
    votes = asking.votes.votes(group.asked, group.rows)
    combined = combine(group.ensemble, votes, len(rows), None, group.asked)
    tenants = asking.batch.tenant
    return [
        ShadowDecision(
            tenant=tenants[row],
            decision_id=of_row[row][0].decision_id[of_row[row][1]],
            decided_at_ms=of_row[row][0].decided_at_ms,
            plan=of_row[row][0].plan,
            plan_version=of_row[row][0].plan_version,
            shadow=name,
            outcome=int(combined.outcome[i]),
            probability=float(combined.probability[i]),
            votes=shadow_votes(votes, i),
            elapsed_ms=elapsed_ms,
        )
        for i, row in enumerate(rows)
        if combined.probability[i] == combined.probability[i]
    ]
