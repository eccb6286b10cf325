"""What happens when a file is submitted, over HTTP or on the command line, and when its job is
planned: both look references up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import asyncpg
import pyarrow.parquet as pq

from bulk.engine.executor import Executor
from bulk.engine.file_steps import FileProfile, opened
from bulk.engine.steps import ReadOrder
from bulk.files.sample import sample_upload
from bulk.jobs.job import Job
from bulk.jobs.options import JobOptions
from bulk.jobs.paths import JobPaths
from bulk.scoring.plan import ScoringPlan
from bulk.scoring.planning import plan_of
from data.cells.texts import DEFAULT_MISSING
from models.store.location import StorePlace
from references import catalogue
from references.library import Library
from references.matching.match import Match
from references.matching.match_file import match_file
from references.matching.sample import FileSample, MatchOptions
from references.profile.measure import measure
from references.reference import Reference, StoredReference
from stores.postgres.errors import translate_outages

SEED = 0
"""Of samples and second opinions: the same file gives the same match."""


@dataclass(slots=True)
class ReferenceShelf:
    """The references in PostgreSQL that jobs use.

    Attributes:
        source: a pool of connections.
        owner_of: tenant -> the owner of its models, `HOUSE` for the home tenant.
        known: digest -> reference, as read so far.
    """

    source: asyncpg.Pool
    owner_of: Callable[[str], str]
    known: dict[str, Reference] = field(default_factory=dict)

    async def visible(self, tenant: str, named: Sequence[str] = ()) -> list[StoredReference]:
        """Return the references that a tenant's file is matched against: all champions, and older
        versions that the caller names.

        Raises:
            StoreUnavailable: PostgreSQL does not answer.
            NotFound: there is no such version.
        """
        owner = self.owner_of(tenant)
        async with translate_outages():
            found = await catalogue.visible(self.source, owner, self.known)
            ids = {stored.id for stored in found}
            for name in named:
                if "@" in name and name not in ids:
                    found.append(await catalogue.find(self.source, owner, name))
        return found

    async def chosen(self, tenant: str, match: Match) -> list[StoredReference]:
        """Return the references that a match has chosen.

        Raises:
            StoreUnavailable: PostgreSQL does not answer.
            NotFound: one has been removed.
        """
        owner = self.owner_of(tenant)
        async with translate_outages():
            return [await catalogue.find(self.source, owner, name) for name in match.chosen]

    async def count_use(self, tenant: str, match: Match) -> None:
        """Count one more use of each reference that a match has chosen."""
        used = await self.chosen(tenant, match)
        async with translate_outages():
            await catalogue.count_use(self.source, used)


class Examiner:
    """Opens files and matches them.

    Args:
        shelf: the references.
        artifacts: where their sketches are.
        executor: does the work: files are not to be trusted, and take memory.
        max_unpacked_bytes: most bytes that a file may unpack to.
    """

    def __init__(
        self,
        shelf: ReferenceShelf,
        artifacts: StorePlace,
        executor: Executor,
        max_unpacked_bytes: int,
    ) -> None:
        self._shelf = shelf
        self._artifacts = artifacts
        self._executor = executor
        self._max_unpacked_bytes = max_unpacked_bytes

    async def examine(
        self, tenant: str, paths: JobPaths, file_name: str, options: JobOptions
    ) -> Match:
        """Return how the file at `paths.upload` fits the tenant's references. Its sample and
        profile are left beside it.

        Raises:
            FileRefused: it cannot be read.
            InvalidInput, NotFound: an option names something that is not there.
            WorkerLost, Unavailable: not now.
        """
        references = await self._shelf.visible(tenant, options.model)
        order = ReadOrder(paths, file_name, options.dialect, self._max_unpacked_bytes)
        return await self._executor.run(_examine, order, references, self._artifacts, options)

    async def match_again(self, tenant: str, paths: JobPaths, options: JobOptions) -> Match:
        """Return how a file that was examined before fits with other options. Its sample and
        profile are enough; the dialect is that of the first time.

        Raises:
            InvalidInput, NotFound, WorkerLost, Unavailable: see `examine`.
        """
        references = await self._shelf.visible(tenant, options.model)
        return await self._executor.run(_match, paths, references, self._artifacts, options)


class Planning:
    """Finds what scores a job: a `Planner`.

    Args:
        shelf: the references.
        artifacts: where their models are.
    """

    def __init__(self, shelf: ReferenceShelf, artifacts: StorePlace) -> None:
        self._shelf = shelf
        self._artifacts = artifacts

    async def __call__(self, job: Job, paths: JobPaths) -> ScoringPlan:
        """See `Planner`."""
        assert job.match is not None  # a job is queued with a match
        references = await self._shelf.chosen(job.tenant, job.match)
        return await asyncio.to_thread(self._plan, job, job.match, paths, references)

    def _plan(
        self, job: Job, match: Match, paths: JobPaths, references: Sequence[StoredReference]
    ) -> ScoringPlan:
        profile = FileProfile.read(paths)
        return plan_of(
            match,
            references,
            _library(self._artifacts).folder,
            profiles=profile.columns,
            tenant=job.tenant,
            decimal=profile.decimal,
            missing=tuple(DEFAULT_MISSING),
            ignore=job.options.ignore,
            seed=SEED,
        )


def unconfirmed(match: Match) -> list[str]:
    """Return the columns of the file for which a chosen reference proposes a conversion that was
    not confirmed, sorted."""
    columns = (column for name in match.chosen for column in match.of(name).columns)
    found = (c.file_column for c in columns if c.proposed is not None and c.applied is None)
    return sorted({name for name in found if name is not None})


def _examine(
    order: ReadOrder,
    references: Sequence[StoredReference],
    artifacts: StorePlace,
    options: JobOptions,
) -> Match:
    upload = opened(order)
    rows = sample_upload(upload, order.paths, SEED)
    columns = dict(zip(rows.column_names, rows.columns, strict=True))
    profiles = measure(columns, decimal=upload.decimal)
    FileProfile(upload.decimal, profiles, upload.notes).write(order.paths)
    match = _match(order.paths, references, artifacts, options)
    return replace(match, notes=(*upload.notes, *match.notes))


def _match(
    paths: JobPaths,
    references: Sequence[StoredReference],
    artifacts: StorePlace,
    options: JobOptions,
) -> Match:
    profile = FileProfile.read(paths)
    sample = FileSample(profile.columns, pq.read_table(paths.sample), profile.decimal)
    chosen = MatchOptions(
        models=options.models,
        model=options.model,
        columns=dict(options.columns),
        convert=dict(options.convert),
        ignore=options.ignore,
    )
    return match_file(sample, references, _library(artifacts).sketch, chosen, SEED)


@lru_cache(maxsize=4)
def _library(artifacts: StorePlace) -> Library:
    """One for each process: it keeps sketches."""
    return Library(artifacts.open())
