"""Reading the decisions of a plan, in bounded memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from experiments.reading.collecting import BUCKETS, Decisions, Shadows, sorted_models
from experiments.rows import Rows
from experiments.sides import Side
from fraud.errors import InvalidInput
from fraud.plan import Plan
from fraud.record import plan_digest
from stores.statements import statement

MAX_ROWS = 300_000
"""The most decisions that a report rests on: beyond, it takes a sample of customers. With four
variants a decision needs about 120 bytes."""

ROWS_PER_PART = 64
"""Work on one part takes a millisecond or two, while decisions wait."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which decisions to read.

    Attributes:
        tenant: whose payments.
        plan: name of the plan. If the tenant has plans of its own by this name, the house's plan
            of the same name does not count.
        since, until: when the decisions were made, end exclusive. Labels count if they were known
            by `until`.
        version: one version of the plan; None: all.
    """

    tenant: str
    plan: str
    since: datetime
    until: datetime
    version: int | None = None


@dataclass(frozen=True, slots=True)
class LabelDelay:
    """How long labels of fraud took to be known.

    Attributes:
        median_ms, usual_ms: the median, and the time within which nine of ten were known; None
            without any label of fraud.
        frauds: how many labels this rests on.
    """

    median_ms: int | None
    usual_ms: int | None
    frauds: int


@dataclass(frozen=True, slots=True)
class Found:
    """What is on record of an experiment.

    Attributes:
        rows: the decisions, of all customers or of a sample of them.
        share: the share of customers in the sample, in (0, 1].
        plan_versions: versions that decided, rising.
        plans: these versions, the newest first.
        unreadable: versions whose document cannot be read any more.
        models: side -> the models behind it, `variant@version`.
        delay: of the tenant's labels.
    """

    rows: Rows
    share: float
    plan_versions: tuple[int, ...]
    plans: tuple[Plan, ...]
    unreadable: int
    models: dict[Side, tuple[str, ...]]
    delay: LabelDelay


async def read(connection: Any, wanted: Wanted, max_rows: int = MAX_ROWS) -> Found:
    """Read decisions with the answers of shadows, and the labels of their payments.

    Of more than `max_rows` decisions it keeps those of a sample of customers, chosen by a hash. The
    share is halved, while it reads, as often as needed.

    Args:
        connection: a connection of asyncpg in a transaction of one snapshot.

    Raises:
        OSError, asyncpg.PostgresError: the database does not answer, or not in time.
    """
    arguments = (wanted.tenant, wanted.plan, wanted.version, wanted.since, wanted.until)
    decisions = Decisions(max_rows)
    own = await _own_digests(connection, wanted)
    async for part in _parts(connection, "decisions", *arguments, own):
        decisions.add(part)
    rows, keys = decisions.rows()
    shadows = Shadows(keys)
    if keys.size:
        async for part in _parts(connection, "shadows", *arguments):
            shadows.add(part)
    plans = await _plans(connection, decisions.digests)
    delay = await connection.fetchrow(
        statement("experiments/reading/sql/label_delay.sql"), wanted.tenant, wanted.until
    )
    return Found(
        rows=replace(rows, shadows=shadows.answers()),
        share=decisions.buckets / BUCKETS,
        plan_versions=tuple(sorted(decisions.plan_versions)),
        plans=plans,
        unreadable=len(decisions.digests) - len(plans),
        models=sorted_models(decisions.models, shadows.models),
        delay=LabelDelay(delay["median_ms"], delay["usual_ms"], delay["frauds"]),
    )


async def _own_digests(connection: Any, wanted: Wanted) -> list[str] | None:
    """The digests of the tenant's own plans by this name; None if it has none.

    Before it had one, the house's plan may have decided for it under the same name and version.
    """
    found = await connection.fetch(
        statement("experiments/reading/sql/own_plans.sql"), wanted.tenant, wanted.plan
    )
    digests = []
    for row in found:
        with suppress(InvalidInput):
            plan = Plan.from_document(msgspec.json.decode(row["document"]))
            digests.append(plan_digest(plan.to_document()))
    return digests if found else None


async def _plans(connection: Any, digests: dict[str, tuple[int, int]]) -> tuple[Plan, ...]:
    """The plans that can be read, the newest version first, of one version that decided last."""
    found = await connection.fetch(statement("experiments/reading/sql/documents.sql"), [*digests])
    newest = sorted(found, key=lambda row: digests[row["digest"]], reverse=True)
    plans = []
    for row in newest:
        with suppress(InvalidInput):
            plans.append(Plan.from_document(msgspec.json.decode(row["document"])))
    return tuple(plans)


async def _parts(connection: Any, name: str, *arguments: Any) -> AsyncIterator[list[Any]]:
    cursor = await connection.cursor(statement(f"experiments/reading/sql/{name}.sql"), *arguments)
    while rows := await cursor.fetch(ROWS_PER_PART):
        yield list(rows)
