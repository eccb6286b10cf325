"""References are looked up here; files are opened, matched and planned by an executor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from bulk.engine.file_steps import examined, matched, planned
from bulk.engine.reference_shelf import ReferenceShelf
from bulk.engine.steps import ReadOrder
from bulk.engine.submission import Examiner, Planning
from bulk.jobs.options import JobOptions
from bulk.jobs.paths import JobPaths
from models.store.location import StorePlace
from references.matching.match import Match
from tests.contracts.jobs import MATCH, new_job

PLACE = StorePlace("/artifacts", None, Path("/caches"), 1)
PATHS = JobPaths(Path("/jobs/1"))


class FakeShelf:
    """References of tenants, as texts."""

    async def visible(self, tenant: str, named: Sequence[str] = ()) -> list[str]:
        return [f"all of {tenant}", *named]

    async def chosen(self, tenant: str, match: Match) -> list[str]:
        return [f"{name} of {tenant}" for name in match.chosen]


class Recorder:
    """Notes what it is to run."""

    workers = 1

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    async def run(self, function: Callable[..., Any], *args: object) -> Any:
        self.calls.append((function, *args))
        return "found"

    async def close(self) -> None:
        pass


async def test_a_file_is_examined_elsewhere_with_what_its_tenant_may_use() -> None:
    executor = Recorder()
    examiner = Examiner(cast(ReferenceShelf, FakeShelf()), PLACE, executor, 1_000)
    options = JobOptions(model=("cards@0123456789ab",), dialect={"delimiter": ";"})
    found = await examiner.examine("mine", PATHS, "a.csv", options)
    assert found == cast(Match, "found")
    order = ReadOrder(PATHS, "a.csv", {"delimiter": ";"}, 1_000)
    references = ["all of mine", "cards@0123456789ab"]
    await examiner.match_again("mine", PATHS, options)
    assert executor.calls == [
        (examined, order, references, PLACE, options),
        (matched, PATHS, references, PLACE, options),
    ]


async def test_a_job_is_planned_elsewhere_with_what_its_match_has_chosen() -> None:
    executor, job = Recorder(), new_job(match=MATCH)
    await Planning(cast(ReferenceShelf, FakeShelf()), PLACE, executor)(job, PATHS)
    references = ["cards@0123456789ab of mine"]
    assert executor.calls == [(planned, job, PATHS, references, PLACE)]
