"""What happens when a file is submitted, over HTTP or on the command line, and when its job is
planned: both look references up. The work itself is done by an executor."""

from __future__ import annotations

from bulk.engine.file_steps import examined, matched, planned
from bulk.engine.reference_shelf import ReferenceShelf
from bulk.engine.steps import ReadOrder
from bulk.engine.workers.executor import Executor
from bulk.jobs.job import Job
from bulk.jobs.options import JobOptions
from bulk.jobs.paths import JobPaths
from bulk.scoring.plan import ScoringPlan
from models.store.location import StorePlace
from references.matching.match import Match


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
        return await self._executor.run(examined, order, references, self._artifacts, options)

    async def match_again(self, tenant: str, paths: JobPaths, options: JobOptions) -> Match:
        """Return how a file that was examined before fits with other options. Its sample and
        profile are enough; the dialect is that of the first time.

        Raises:
            InvalidInput, NotFound, WorkerLost, Unavailable: see `examine`.
        """
        references = await self._shelf.visible(tenant, options.model)
        return await self._executor.run(matched, paths, references, self._artifacts, options)


class Planning:
    """Finds what scores a job: a `Planner`.

    Args:
        shelf: the references.
        artifacts: where their models are.
        executor: fetches them.
    """

    def __init__(self, shelf: ReferenceShelf, artifacts: StorePlace, executor: Executor) -> None:
        self._shelf = shelf
        self._artifacts = artifacts
        self._executor = executor

    async def __call__(self, job: Job, paths: JobPaths) -> ScoringPlan:
        """See `Planner`."""
        assert job.match is not None  # a job is queued with a match
        references = await self._shelf.chosen(job.tenant, job.match)
        return await self._executor.run(planned, job, paths, references, self._artifacts)
