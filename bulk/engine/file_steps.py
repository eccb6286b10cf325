"""The steps of jobs that are files: what the other rooms do, put together.

The engine's own process has a reference to these functions and calls them elsewhere. So everything
large (Arrow, scikit-learn, the models) is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bulk.engine.steps import ReadOrder
from bulk.engine.told_rows import RowTeller, told_rows
from bulk.jobs.file_read import FileRead
from bulk.jobs.job import Job
from bulk.jobs.options import JobOptions
from bulk.jobs.paths import JobPaths
from bulk.scoring.plan import ScoringPlan
from models.store.location import StorePlace
from references.matching.match import Match
from references.reference import StoredReference


@dataclass(frozen=True, slots=True)
class FileSteps:
    """See `bulk.engine.steps.Steps`."""

    def read(self, order: ReadOrder) -> FileRead:
        """See `Steps`."""
        from bulk.engine.file_profile import FileProfile
        from bulk.files.split import split_upload
        from references.profile.measure import Profiler

        upload = order.open()
        profiler = Profiler(decimal=upload.decimal)
        teller = RowTeller(order.paths)
        found = split_upload(
            upload,
            order.paths,
            progress=teller.tell,
            add=profiler.add,
        )
        FileProfile(upload.decimal, profiler.profiles(), upload.notes).write(order.paths)
        teller.end()
        return found

    def check(self, paths: JobPaths, plan: ScoringPlan, match: Match) -> Match:
        """See `Steps`."""
        from bulk.engine.whole_file_check import check_columns

        return check_columns(paths, plan, match)

    def replay(self, paths: JobPaths, plan: ScoringPlan, match: Match) -> Match:
        """See `Steps`."""
        import pyarrow.parquet as pq

        from bulk.engine.whole_file_check import check_payments
        from bulk.scoring.history.replay import replay_file

        teller = RowTeller(paths)
        rejected = replay_file(paths, plan, teller.tell)
        teller.end()
        rows = sum(int(pq.read_metadata(paths.part(n)).num_rows) for n in paths.part_numbers)
        return check_payments(plan, match, rows, rejected)

    def score(self, paths: JobPaths, number: int, plan: ScoringPlan) -> None:
        """See `Steps`."""
        from bulk.scoring.score_part import score_part

        score_part(paths, number, plan)

    def finish(self, paths: JobPaths, plan: ScoringPlan, job: Job) -> dict[str, Any]:
        """See `Steps`."""
        from bulk.scoring.finish import finish

        teller = RowTeller(paths)
        summary = finish(paths, plan, job.options, teller.tell)
        teller.end()
        return summary

    def told_rows(self, paths: JobPaths) -> int | None:
        """See `Steps`."""
        return told_rows(paths)


def examined(
    order: ReadOrder,
    references: Sequence[StoredReference],
    artifacts: StorePlace,
    options: JobOptions,
) -> Match:
    """See `bulk.engine.examination.examine`."""
    from bulk.engine.examination import examine

    return examine(order, references, artifacts, options)


def matched(
    paths: JobPaths,
    references: Sequence[StoredReference],
    artifacts: StorePlace,
    options: JobOptions,
) -> Match:
    """See `bulk.engine.examination.match_sample`."""
    from bulk.engine.examination import match_sample

    return match_sample(paths, references, artifacts, options)


def planned(
    job: Job, paths: JobPaths, references: Sequence[StoredReference], artifacts: StorePlace
) -> ScoringPlan:
    """See `bulk.engine.examination.plan_job`."""
    from bulk.engine.examination import plan_job

    return plan_job(job, paths, references, artifacts)
