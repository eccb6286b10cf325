"""The result of a job as a file of the user's."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.errors import CommandFailed

if TYPE_CHECKING:
    from bulk.jobs.job import Job
    from bulk.jobs.store import JobStore


def write_result(store: JobStore, job: Job, out: Path) -> None:
    """Write the result of a job, as a whole or not at all: Parquet if `out` ends in .parquet, else
    CSV whose cells no spreadsheet takes for formulas.

    Raises:
        CommandFailed: its files are not in this store any more.
        OSError: `out` cannot be written.
    """
    from bulk.output.csv_file import csv_chunks

    result = store.paths(job.job_id).result
    if not store.bring(job.job_id, result):
        raise CommandFailed("the files of this job are not here", "they may have expired")
    made = out.with_name(f".{out.name}-{secrets.token_hex(4)}")
    try:
        if out.suffix == ".parquet":
            shutil.copyfile(result, made)
        else:
            with made.open("wb") as file:
                for chunk in csv_chunks(result):
                    file.write(chunk)
        os.replace(made, out)
    finally:
        made.unlink(missing_ok=True)
