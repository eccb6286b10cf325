"""From the scores of all parts to the result and the summary of a job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from bulk.jobs.cancelled import Cancelled
from bulk.jobs.options import JobOptions
from bulk.jobs.paths import RESERVED, JobPaths
from bulk.output.result_writer import ResultWriter
from bulk.scoring.combining.ensemble import LEAST, Ensemble, Member
from bulk.scoring.combining.levels import Int8, levels
from bulk.scoring.combining.recalibration import Recalibration, recalibrate
from bulk.scoring.plan import ScoringPlan
from bulk.scoring.result_columns import free_names, result_columns
from bulk.scoring.score_file import ANOMALY, ANOMALY_REFERENCE, COUNTS, MODEL, read_scores
from bulk.scoring.summary import summary
from bulk.scoring.summary.agreement import mean_agreement, rank_correlations
from bulk.scoring.summary.unusual_rows import unusual_rows
from fraud.payment.batch import Float32, Float64, Int64

Progress = Callable[[int, int], None]
"""Called with rows done and rows in all."""


@dataclass(slots=True)
class _Scores:
    """The scores of all parts.

    Attributes:
        starts: int64[parts], the place of each part's first row.
        models: reference -> float32[n].
        measures: anomaly, perhaps anomaly_reference, and uncertainty: float32[n].
        probability: float64[n], of the ensemble.
        counts: reference -> int64[k, bins], for drift.
    """

    starts: Int64
    models: dict[str, Float32]
    measures: dict[str, Float32]
    probability: Float64
    counts: dict[str, Int64]


def finish(
    paths: JobPaths,
    plan: ScoringPlan,
    options: JobOptions,
    progress: Progress = lambda _done, _all: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Combine the scores of all parts, write `paths.result`, and return the summary.

    It holds a few float32 a row in memory, and the cells of one part. It may be repeated: the
    result is the same.

    Args:
        paths: of the job; every part has been scored.
        progress: see `Progress`.
        cancelled: asked after each part.

    Returns:
        The summary, JSON-ready; docs/bulk-scoring.md explains its fields.

    Raises:
        FileNotFoundError: a part has not been scored.
        Cancelled: `cancelled` said so.
    """
    ensemble = Ensemble(
        [
            Member(m.reference, max(m.weight, LEAST), min(max(m.label_rate, LEAST), 1 - LEAST))
            for m in plan.models
        ]
    )
    scores = _read(paths, plan, ensemble)
    correlations = rank_correlations(list(scores.models.values()))
    agreement = mean_agreement(correlations)
    recalibrated = recalibrate(
        scores.probability,
        ensemble.prior,
        plan.models,
        agreement,
        wanted=options.recalibrate == "auto",
    )
    # Thresholds meet the numbers that the result shows.
    probability = recalibrated.probability.astype(np.float32)
    level = levels(probability.astype(np.float64), options)
    _write(paths, plan, options, scores, probability, level, progress, cancelled)
    return _summary(
        paths, plan, options, scores, probability, level, recalibrated, correlations, agreement
    )


def _read(paths: JobPaths, plan: ScoringPlan, ensemble: Ensemble) -> _Scores:
    """Read and combine the scores, part by part."""
    numbers = paths.part_numbers
    sizes = [int(pq.read_metadata(paths.part(number)).num_rows) for number in numbers]
    n = sum(sizes)
    found = _Scores(
        starts=np.cumsum([0, *sizes[:-1]]).astype(np.int64)[: len(sizes)],
        models={model.reference: np.full(n, np.nan, np.float32) for model in plan.models},
        measures={ANOMALY: np.full(n, np.nan, np.float32)},
        probability=np.full(n, np.nan),
        counts={},
    )
    uncertainty = np.full(n, np.nan, np.float32)
    for number, size, start in zip(numbers, sizes, found.starts.tolist(), strict=True):
        arrays = read_scores(paths.scores(number), size)
        if arrays is None:
            raise FileNotFoundError(f"part {number} has not been scored")
        here = slice(start, start + size)
        for name, column in found.models.items():
            column[here] = arrays[f"{MODEL}{name}"]
            counts = arrays[f"{COUNTS}{name}"]
            found.counts[name] = found.counts.get(name, np.zeros_like(counts)) + counts
        found.measures[ANOMALY][here] = arrays[ANOMALY]
        if ANOMALY_REFERENCE in arrays:
            reference = found.measures.setdefault(
                "anomaly_reference", np.full(n, np.nan, np.float32)
            )
            reference[here] = arrays[ANOMALY_REFERENCE]
        combined = ensemble.combine([column[here] for column in found.models.values()])
        found.probability[here] = combined.probability
        uncertainty[here] = combined.uncertainty
    found.measures["uncertainty"] = uncertainty
    return found


def _write(
    paths: JobPaths,
    plan: ScoringPlan,
    options: JobOptions,
    scores: _Scores,
    probability: Float32,
    level: Int8,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> None:
    writer = ResultWriter(paths.result)
    models = " ".join(model.reference for model in plan.models)
    named = _column_names([model.reference for model in plan.models])
    for number, start in zip(paths.part_numbers, scores.starts.tolist(), strict=True):
        if cancelled():
            raise Cancelled("the job was cancelled")
        table = pq.read_table(paths.part(number), partitioning=None)
        table = table.drop_columns([n for n in table.column_names if n in RESERVED])
        here = slice(start, start + table.num_rows)
        columns = result_columns(
            probability[here],
            level[here],
            options.high,
            {name: values[here] for name, values in scores.measures.items()},
            {name: scores.models[reference][here] for name, reference in named.items()},
            models,
        )
        names = free_names(list(columns), table.column_names)
        writer.add(table, {names[name]: values for name, values in columns.items()})
        progress(here.stop, len(probability))
    writer.commit()


def _column_names(references: list[str]) -> dict[str, str]:
    """Name of a column of scores -> reference. A version is added only to tell two apart."""
    names = [reference.partition("@")[0] for reference in references]
    return {
        name if names.count(name) == 1 else reference: reference
        for name, reference in zip(names, references, strict=True)
    }


def _summary(
    paths: JobPaths,
    plan: ScoringPlan,
    options: JobOptions,
    scores: _Scores,
    probability: Float32,
    level: Int8,
    recalibrated: Recalibration,
    correlations: Float64,
    agreement: float | None,
) -> dict[str, Any]:
    counts = summary.level_counts(level)
    return {
        **summary.short_answer(plan, options, probability, counts, recalibrated),
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
        "fraud_rate": summary.rate_summary(recalibrated),
        "recalibration": recalibrated.summary(),
        "agreement": None if agreement is None else round(agreement, 4),
        "models": summary.model_table(plan, scores.models, correlations),
        "drift": summary.drifted_columns(plan, scores.counts),
        "anomalies": unusual_rows(
            paths, plan, scores.measures[ANOMALY], probability, scores.starts
        ),
    }
