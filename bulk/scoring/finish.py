"""From the scores of all parts to the result and the summary of a job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bulk.jobs.options import JobOptions
from bulk.jobs.paths import RESERVED, JobPaths
from bulk.output.result_writer import ResultWriter
from bulk.scoring.combining.levels import Int8, levels
from bulk.scoring.combining.recalibration import Recalibration, recalibrate
from bulk.scoring.history.rejected_rows import add_rejected
from bulk.scoring.job_scores import JobScores, read_job
from bulk.scoring.plan import ScoringPlan
from bulk.scoring.result_columns import free_names, result_columns
from bulk.scoring.summary import summary
from bulk.scoring.summary.agreement import mean_agreement, overlaps
from bulk.scoring.summary.doubts import doubts
from bulk.scoring.summary.unusual_rows import unusual_rows
from fraud.payment.batch import Float32, Float64


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What is said about n rows.

    Attributes:
        scores: of all models.
        recalibrated: how probabilities were adjusted to the file.
        probability: float32[n], as the result shows it.
        level: int8[n], see `levels`.
        overlap: float64[m, m], see `overlaps`.
        agreement: their mean; None with one model.
    """

    scores: JobScores
    recalibrated: Recalibration
    probability: Float32
    level: Int8
    overlap: Float64
    agreement: float | None


def finish(
    paths: JobPaths,
    plan: ScoringPlan,
    options: JobOptions,
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Combine the scores of all parts, write `paths.result`, and return the summary.

    Rows that are no payments join `paths.errors`.

    It holds a few float32 a row in memory, and the cells of one part. It may be repeated: the
    result is the same.

    Args:
        paths: of the job; every part has been scored.
        progress: called with the rows done so far, after each part.

    Returns:
        The summary, JSON-ready; docs/bulk-scoring.md explains its fields.

    Raises:
        FileNotFoundError: a part has not been scored.
    """
    outcome = _outcome(read_job(paths, plan), plan, options)
    _write(paths, plan, options, outcome, progress)
    add_rejected(paths.errors, paths.replay_errors)
    return _summary(paths, plan, options, outcome)


def _outcome(scores: JobScores, plan: ScoringPlan, options: JobOptions) -> _Outcome:
    overlap = overlaps(list(scores.models.values()), scores.prior)
    agreement = mean_agreement(overlap)
    wanted = options.recalibrate == "auto"
    found = recalibrate(
        scores.probability, scores.prior, plan.models, [*scores.models.values()], agreement, wanted
    )
    # Thresholds meet the numbers that the result shows.
    probability = found.probability.astype(np.float32)
    level = levels(probability, options)
    return _Outcome(scores, found, probability, level, overlap, agreement)


def _write(
    paths: JobPaths,
    plan: ScoringPlan,
    options: JobOptions,
    outcome: _Outcome,
    progress: Callable[[int], None],
) -> None:
    with ResultWriter(paths.result) as writer:
        for number, start in zip(paths.part_numbers, outcome.scores.starts.tolist(), strict=True):
            table = pq.read_table(paths.part(number), partitioning=None)
            table = table.drop_columns([n for n in table.column_names if n in RESERVED])
            here = slice(start, start + table.num_rows)
            columns = _columns(plan, options, outcome, here)
            names = free_names(list(columns), table.column_names)
            writer.add(table, {names[name]: values for name, values in columns.items()})
            progress(here.stop)
        writer.commit()


def _columns(
    plan: ScoringPlan, options: JobOptions, outcome: _Outcome, here: slice
) -> dict[str, pa.Array]:
    """Quorum's columns of the rows `here`."""
    scores, references = outcome.scores, [model.reference for model in plan.models]
    return result_columns(
        outcome.probability[here],
        outcome.level[here],
        options.high,
        {name: values[here] for name, values in scores.measures.items()},
        {name: scores.models[one][here] for name, one in _column_names(references).items()},
        " ".join(references),
    )


def _column_names(references: list[str]) -> dict[str, str]:
    """Name of a column of scores -> reference. A version is added only to tell two apart."""
    names = [reference.partition("@")[0] for reference in references]
    return {
        name if names.count(name) == 1 else reference: reference
        for name, reference in zip(names, references, strict=True)
    }


def _summary(
    paths: JobPaths, plan: ScoringPlan, options: JobOptions, outcome: _Outcome
) -> dict[str, Any]:
    scores, probability, agreement = outcome.scores, outcome.probability, outcome.agreement
    counts = summary.level_counts(outcome.level)
    models = summary.model_table(plan, scores.models, outcome.overlap)
    drift = summary.drifted_columns(plan, scores.counts)
    return {
        **summary.short_answer(plan, options, probability, counts, outcome.recalibrated),
        "rows": {
            "total": len(probability),
            "scored": len(probability) - counts["unscored"],
            "unscored": counts["unscored"],
        },
        "levels": counts,
        "thresholds": {
            "high": options.high,
            "medium": options.medium,
            "review": options.review,
        },
        "scores": summary.score_summary(probability),
        "fraud_rate": summary.rate_summary(outcome.recalibrated),
        "recalibration": outcome.recalibrated.summary(),
        "agreement": None if agreement is None else round(agreement, 4),
        "doubts": doubts(models, drift),
        "models": models,
        "drift": drift,
        "anomalies": unusual_rows(paths, plan, scores.anomaly, probability, scores.starts),
    }
