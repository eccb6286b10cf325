"""The steps of jobs that are files: what the other rooms do, put together."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from bulk.engine.steps import FileRead, ReadOrder
from bulk.engine.told_rows import RowTeller, told_rows
from bulk.engine.whole_file_check import check_columns, check_payments
from bulk.files.opening import open_upload
from bulk.files.split import split_upload
from bulk.files.upload import Upload
from bulk.jobs.job import Job
from bulk.jobs.paths import JobPaths
from bulk.scoring.finish import finish
from bulk.scoring.history.replay import replay_file
from bulk.scoring.plan import ScoringPlan
from bulk.scoring.score_part import score_part
from references.matching.match import Match
from references.profile.column import ColumnProfile
from references.profile.measure import Profiler
from stores.whole_file import replace_file


@dataclass(frozen=True, slots=True)
class FileProfile:
    """What is known about a file before its rows are scored: `JobPaths.profile`.

    Attributes:
        decimal: the decimal sign of numbers in texts.
        columns: profiles, in the order of the file; of the sample until the file was read.
        notes: what its sender should know, one sentence each.
    """

    decimal: str
    columns: tuple[ColumnProfile, ...]
    notes: tuple[str, ...] = ()

    def write(self, paths: JobPaths) -> None:
        """Write it as a whole."""
        document = {
            "decimal": self.decimal,
            "columns": [column.to_document() for column in self.columns],
            "notes": self.notes,
        }
        replace_file(paths.profile, json.dumps(document).encode())

    @classmethod
    def read(cls, paths: JobPaths) -> FileProfile:
        """Invert `write`.

        Raises:
            FileNotFoundError: it was never written.
        """
        document = json.loads(paths.profile.read_bytes())
        columns = tuple(ColumnProfile.from_document(column) for column in document["columns"])
        return cls(document["decimal"], columns, tuple(document["notes"]))


@dataclass(frozen=True, slots=True)
class FileSteps:
    """See `bulk.engine.steps.Steps`."""

    def read(self, order: ReadOrder) -> FileRead:
        """See `Steps`."""
        upload = opened(order)
        profiler = Profiler(decimal=upload.decimal)
        teller = RowTeller(order.paths)

        found = split_upload(
            upload,
            order.paths,
            progress=lambda rows, _failed, _share: teller.tell(rows),
            cancelled=lambda: False,  # whoever cancels ends this process
            add=profiler.add,
        )
        FileProfile(upload.decimal, profiler.profiles(), upload.notes).write(order.paths)
        teller.end()
        return FileRead(found.rows_total, found.rows_failed, found.parts)

    def check(self, paths: JobPaths, plan: ScoringPlan, match: Match) -> Match:
        """See `Steps`."""
        return check_columns(paths, plan, match)

    def replay(self, paths: JobPaths, plan: ScoringPlan, match: Match) -> Match:
        """See `Steps`."""
        teller = RowTeller(paths)
        rejected = replay_file(paths, plan, lambda done, _all: teller.tell(done))
        teller.end()
        rows = sum(_rows(paths, number) for number in paths.part_numbers)
        return check_payments(plan, match, rows, rejected)

    def score(self, paths: JobPaths, number: int, plan: ScoringPlan) -> None:
        """See `Steps`."""
        score_part(paths, number, plan)

    def finish(self, paths: JobPaths, plan: ScoringPlan, job: Job) -> dict[str, Any]:
        """See `Steps`."""
        teller = RowTeller(paths)
        summary = finish(paths, plan, job.options, lambda done, _all: teller.tell(done))
        teller.end()
        return summary

    def told_rows(self, paths: JobPaths) -> int | None:
        """See `Steps`."""
        return told_rows(paths)


def opened(order: ReadOrder) -> Upload:
    """Open the file of an order.

    Raises:
        FileRefused: it cannot be read.
    """
    return open_upload(
        order.paths.upload,
        order.file_name,
        max_unpacked_bytes=order.max_unpacked_bytes,
        dialect=order.dialect,
    )


def _rows(paths: JobPaths, number: int) -> int:
    return int(pq.read_metadata(paths.part(number)).num_rows)
