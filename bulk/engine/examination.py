"""A file examined: opened, sampled, matched against references, planned.

Called in a process of an executor: a file is not to be trusted, and its matching takes memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import pyarrow.parquet as pq

from bulk.engine.file_profile import FileProfile
from bulk.engine.steps import ReadOrder
from bulk.files.sample import sample_upload
from bulk.jobs.job import Job
from bulk.jobs.options import JobOptions
from bulk.jobs.paths import JobPaths
from bulk.scoring.plan import ScoringPlan
from bulk.scoring.planning import plan_of
from data.cells.texts import DEFAULT_MISSING
from models.store.location import StorePlace
from references.library import Library
from references.matching.match import Match
from references.matching.match_file import match_file
from references.matching.sample import FileSample, MatchOptions
from references.profile.measure import measure
from references.reference import StoredReference

SEED = 0
"""Of samples and second opinions: the same file gives the same match."""


def examine(
    order: ReadOrder,
    references: Sequence[StoredReference],
    artifacts: StorePlace,
    options: JobOptions,
) -> Match:
    """Return how a file fits references. Its sample and profile are left beside it.

    Args:
        order: the file.
        references: those that its sender may use.
        artifacts: where their sketches are.
        options: what the sender said.

    Raises:
        FileRefused: it cannot be read.
        InvalidInput: an option names something that is not there.
        ArtifactsUnavailable: the artifact store does not answer.
    """
    upload = order.open()
    rows = sample_upload(upload, order.paths, SEED)
    columns = dict(zip(rows.column_names, rows.columns, strict=True))
    profiles = measure(columns, decimal=upload.decimal)
    FileProfile(upload.decimal, profiles, upload.notes).write(order.paths)
    return match_sample(order.paths, references, artifacts, options)


def match_sample(
    paths: JobPaths,
    references: Sequence[StoredReference],
    artifacts: StorePlace,
    options: JobOptions,
) -> Match:
    """Return how a file that was examined fits references: its sample and profile are enough.

    Raises:
        InvalidInput, ArtifactsUnavailable: see `examine`.
    """
    profile = FileProfile.read(paths)
    sample = FileSample(profile.columns, pq.read_table(paths.sample), profile.decimal)
    wanted = MatchOptions(
        models=options.models,
        model=options.model,
        columns=dict(options.columns),
        convert=dict(options.convert),
        ignore=options.ignore,
    )
    match = match_file(sample, references, _library(artifacts).sketch, wanted, SEED)
    return replace(match, notes=(*profile.notes, *match.notes))


def plan_job(
    job: Job, paths: JobPaths, references: Sequence[StoredReference], artifacts: StorePlace
) -> ScoringPlan:
    """Return what scores a job, with the models on this machine.

    Args:
        job: with its match.
        paths: of the job; the profile is there.
        references: those that the match has chosen.
        artifacts: where their models are.

    Raises:
        ArtifactRefused, ArtifactsUnavailable: a model cannot be had.
    """
    assert job.match is not None  # a job is queued with a match
    profile = FileProfile.read(paths)
    return plan_of(
        job.match,
        references,
        _library(artifacts).folder,
        profiles=profile.columns,
        tenant=job.tenant,
        decimal=profile.decimal,
        missing=tuple(DEFAULT_MISSING),
        ignore=job.options.ignore,
        seed=SEED,
    )


@lru_cache(maxsize=4)
def _library(artifacts: StorePlace) -> Library:
    """One for each process: it keeps sketches."""
    return Library(artifacts.open())
