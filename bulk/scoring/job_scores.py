"""The scores of all parts of a job, combined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq

from bulk.jobs.paths import JobPaths
from bulk.scoring.combining.ensemble import LEAST, Ensemble, Member
from bulk.scoring.combining.recalibration import bounded
from bulk.scoring.plan import ScoringPlan
from bulk.scoring.score_file import ANOMALY, ANOMALY_REFERENCE, COUNTS, MODEL, Arrays, read_scores
from fraud.payment.batch import Float32, Float64, Int64


@dataclass(slots=True)
class JobScores:
    """n rows, in the order of the file.

    Attributes:
        starts: int64[parts], the place of each part's first row.
        prior: share of fraud that `probability` belongs to, in (0, 1).
        probability: float64[n], of the ensemble; NaN where no model gave a score.
        uncertainty: float32[n], see `Combined`.
        models: reference -> float32[n].
        anomaly: float32[n] in (0, 1].
        anomaly_reference: the same of the best reference; None if it cannot tell.
        counts: reference -> int64[k, bins], for drift.
    """

    starts: Int64
    prior: float
    probability: Float64
    uncertainty: Float32
    models: dict[str, Float32]
    anomaly: Float32
    anomaly_reference: Float32 | None
    counts: dict[str, Int64]

    @property
    def measures(self) -> dict[str, Float32]:
        """Name in the result -> float32[n], of what is no probability."""
        found = {"anomaly": self.anomaly}
        if self.anomaly_reference is not None:
            found["anomaly_reference"] = self.anomaly_reference
        return {**found, "uncertainty": self.uncertainty}


def read_job(paths: JobPaths, plan: ScoringPlan) -> JobScores:
    """Read and combine the scores, part by part.

    Raises:
        FileNotFoundError: a part has not been scored.
    """
    numbers = paths.part_numbers
    sizes = [int(pq.read_metadata(paths.part(number)).num_rows) for number in numbers]
    ensemble = _ensemble(plan)
    found = _unknown(plan, sizes, ensemble.prior)
    for number, size, start in zip(numbers, sizes, found.starts.tolist(), strict=True):
        arrays = read_scores(paths.scores(number), size)
        if arrays is None:
            raise FileNotFoundError(f"part {number} has not been scored")
        _take(found, arrays, slice(start, start + size), ensemble)
    return found


def _ensemble(plan: ScoringPlan) -> Ensemble:
    return Ensemble(
        [Member(m.reference, max(m.weight, LEAST), bounded(m.label_rate)) for m in plan.models]
    )


def _unknown(plan: ScoringPlan, sizes: list[int], prior: float) -> JobScores:
    n = sum(sizes)
    has_reference = plan.models[0].anomaly is not None
    return JobScores(
        starts=(np.cumsum([0, *sizes])[:-1]).astype(np.int64),
        prior=prior,
        probability=np.full(n, np.nan),
        uncertainty=_nan(n),
        models={model.reference: _nan(n) for model in plan.models},
        anomaly=_nan(n),
        anomaly_reference=_nan(n) if has_reference else None,
        counts={},
    )


def _take(found: JobScores, arrays: Arrays, here: slice, ensemble: Ensemble) -> None:
    for name, column in found.models.items():
        column[here] = arrays[f"{MODEL}{name}"]
        counts = arrays[f"{COUNTS}{name}"]
        found.counts[name] = found.counts.get(name, np.zeros_like(counts)) + counts
    found.anomaly[here] = arrays[ANOMALY]
    if found.anomaly_reference is not None:
        found.anomaly_reference[here] = arrays[ANOMALY_REFERENCE]
    combined = ensemble.combine([column[here] for column in found.models.values()])
    found.probability[here] = combined.probability
    found.uncertainty[here] = combined.uncertainty


def _nan(n: int) -> Float32:
    return np.full(n, np.nan, np.float32)
