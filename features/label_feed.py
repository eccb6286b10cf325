"""The feed of labels from PostgreSQL into window state: each once, in the order of their effect."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from features.state.entities import ENTITIES
from features.state.labels import LabelEvents
from features.store.postgres import REACH, PostgresHistory, to_microseconds, to_time
from features.store.redis import RedisStore
from features.store.span import Span, day
from stores.poll import Poll, Wait
from stores.postgres.errors import translate_outages
from stores.statements import statement

PAYMENT_WAIT = timedelta(seconds=60)
"""How long a label waits for its payment to be on record."""

BATCH_LABELS = 250
"""Labels of one step: few enough that its script call delays payments by milliseconds only."""

_log = logging.getLogger(__name__)
_FEED = statement("features/store/sql/label_feed.sql")
_SPAN = statement("features/store/sql/label_span.sql")
_DUE = statement("features/store/sql/label_due.sql")
_ON_RECORD = statement("features/store/sql/on_record.sql")

_AFTER = timedelta(days=32)
"""How long before its payment a label may be known. Such a label is a mistake, but it counts."""


class LabelFeed:
    """Learns the labels that took effect since the cursor, which Redis keeps beside the states.

    A label takes effect when it is known and stored (`labels.effective_at`). Labels are learnt in
    the order of (effective_at, label_id). One script call learns a batch and moves the cursor past
    it, provided that the cursor still stands where the batch began: each label is learnt once, in
    spite of restarts and however many feeds run. States that Redis does not hold are skipped: they
    are rebuilt with the labels up to the cursor.

    A label whose payment is not on record holds up the feed until `PAYMENT_WAIT` after it took
    effect: payments reach PostgreSQL within seconds. Then it is skipped with a warning. If its
    payment comes later still, it counts in states that are rebuilt from then on.

    Args:
        pool: of the primary, which settles the order of labels.
        store: of the states that learn.
    """

    def __init__(self, pool: asyncpg.Pool, store: RedisStore) -> None:
        self._pool = pool
        self._store = store
        self._history = PostgresHistory(pool)

    async def step(self, now: datetime) -> int:
        """Learn the next batch of labels that took effect by `now`.

        Returns:
            The number of labels that the cursor moved past; 0 if none is due, the next one waits
            for its payment, or another feed was faster.

        Raises:
            StoreUnavailable: PostgreSQL or Redis does not answer; nothing is lost.
        """
        cursor = await self._store.cursor()
        after = (to_time(cursor[0]), cursor[1])
        async with translate_outages():
            if not await self._pool.fetchval(_DUE, *after, now):
                return 0
        newest, _ = await self._history.newest()
        until = min(newest, to_microseconds(now))
        async with translate_outages():
            due = (*after, to_time(until), BATCH_LABELS)
            span = await self._pool.fetchrow(_SPAN, *due)
            if span["first"] is None:
                return 0
            query = _FEED.format(since=day(span["first"] - REACH), until=day(span["last"] + _AFTER))
            rows = await self._pool.fetch(query, *due, REACH)
            rows = _until_waiting(rows, await self._unrecorded(rows), to_time(until))
        if not rows:
            return 0
        last = (to_microseconds(rows[-1]["effective_at"]), rows[-1]["label_id"])
        events = _events([row for row in rows if row["is_event"]])
        if not await self._store.learn_until(events, cursor, last):
            return 0
        return len({row["label_id"] for row in rows})

    async def _unrecorded(self, rows: Sequence[Any]) -> set[int]:
        """Return the ids of labels whose payments are not on record at any time. Only a few labels
        need
        this query, which searches all months on record."""
        lost = [row for row in rows if not row["is_found"]]
        if not lost:
            return set()
        query = _ON_RECORD.format(**asdict(Span.everything()))
        columns = [[row[name] for row in lost] for name in ("tenant", "transaction_id")]
        known = {tuple(found) for found in await self._pool.fetch(query, *columns)}
        return {r["label_id"] for r in lost if (r["tenant"], r["transaction_id"]) not in known}

    def poll(self, every_s: float, clock: Callable[[], datetime]) -> Poll:
        """A poll that steps again at once while labels are due, else every `every_s` seconds.

        Args:
            clock: () -> the present, a datetime with a time zone.
        """

        async def step() -> Wait | None:
            return Wait(0.0) if await self.step(clock()) else None

        return Poll("the label feed", step, every_s)


def _until_waiting(rows: Sequence[Any], unrecorded: set[int], now: datetime) -> Sequence[Any]:
    """The rows before the first label of `unrecorded` that still waits for its payment."""
    for i, row in enumerate(rows):
        if row["label_id"] not in unrecorded:
            continue
        if row["effective_at"] > now - PAYMENT_WAIT:
            return rows[:i]
        _log.warning(
            "label %d of tenant %s has no payment on record: skipped",
            row["label_id"],
            row["tenant"],
        )
    return rows


def _events(rows: Sequence[Any]) -> LabelEvents:
    return LabelEvents(
        tenant=[row["tenant"] for row in rows],
        known_at_ms=[row["known_at_ms"] for row in rows],
        fraud=[row["is_fraud"] for row in rows],
        hundredths=[row["amount_hundredths"] for row in rows],
        ids={entity.name: [row[entity.column] for row in rows] for entity in ENTITIES},
        previous=[
            None if row["previous_ms"] is None else (row["previous_ms"], row["previous_fraud"])
            for row in rows
        ],
    )
