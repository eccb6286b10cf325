"""Models of the kind that a reference holds, fitted quickly for benchmarks of bulk scoring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bulk.scoring.plan import PlannedArtifact, PlannedColumn, PlannedModel
from fraud.combine.calibrate import Calibration
from fraud.payment.batch import Float32, Float64
from models.artifact import version_of
from references.profile.column import QUANTILES, ColumnKind, ColumnProfile
from references.reference import ReferenceKind
from training.config import TrainConfig
from training.export.fitted import Fitted
from training.export.scoring import raw_scores
from training.fit.calibrate import anomaly_knots, fit_calibration
from training.fit.in_process import fit_in_process
from training.metrics.counts import average_precision_by_counts, roc_auc_by_counts
from training.registry.artifact_writer import write_artifact
from training.sets.sample import draw_sample
from training.sets.schema import FeatureSchema

VARIANT, ANOMALY = "xgboost", "isolation-forest"
_FITTED, _CALIBRATED = 0.6, 0.8
_GOLDEN = 64


def fit_reference(
    folder: Path,
    name: str,
    values: Float32,
    fraud: NDArray[np.int8],
    schema: FeatureSchema,
    *,
    kind: ReferenceKind,
    profiles: Sequence[ColumnProfile],
    mapped: Mapping[str, str],
    weight: float,
    rows: int = 200_000,
) -> PlannedModel:
    """Fit boosted trees and an isolation forest on the first 60 % of the rows, calibrate on the
    next 20 %, and measure on the last.

    Args:
        folder: gets the artifacts.
        values: float32[n, k] in the order of time.
        fraud: int8[n].
        profiles: of the reference's columns; for `kind` tabular those of `schema`.
        mapped: column of the reference -> column of the file.
        weight: of the model in the plan.
        rows: the most that are fitted on.
    """
    n = len(fraud)
    train, middle, test = np.split(np.arange(n), [int(_FITTED * n), int(_CALIBRATED * n)])
    config = TrainConfig.model_validate({"variants": [VARIANT, ANOMALY]})
    sample = draw_sample(values, fraud, train, middle, schema, rows, seed=0)
    fitted = fit_in_process(sample, config)
    label = fraud.astype(np.float32)
    raw = raw_scores(fitted[VARIANT], values[middle])
    knots = fit_calibration(raw, label[middle]).knots
    scores = Calibration(knots)(raw_scores(fitted[VARIANT], values[test]))
    metrics = {
        "roc_auc": roc_auc_by_counts(label[test], scores),
        "average_precision": average_precision_by_counts(label[test], scores),
    }
    unusual = anomaly_knots(raw_scores(fitted[ANOMALY], values[middle]))
    best, of_anomaly = (
        _written(folder / name, fitted[variant], schema, curve, values[test][:_GOLDEN])
        for variant, curve in ((VARIANT, knots), (ANOMALY, unusual))
    )
    coded = {schema.names[i] for i in schema.categorical} if kind == "tabular" else set()
    return PlannedModel(
        reference=f"{name}@{version_of(best.digest)}",
        kind=kind,
        weight=weight,
        similarity=0.9,
        domain_auc=None,
        label_rate=float(label[middle].mean()),
        metrics=metrics,
        columns=tuple(
            PlannedColumn(profile, mapped.get(profile.name), profile.name in coded)
            for profile in profiles
        ),
        missing=(),
        model=best,
        anomaly=of_anomaly,
    )


def number_profiles(names: Sequence[str], values: Float32) -> list[ColumnProfile]:
    """Profiles of columns of numbers [n, k]."""
    places = np.linspace(0, 1, QUANTILES)
    found = []
    for i, name in enumerate(names):
        known = values[~np.isnan(values[:, i]), i].astype(np.float64)
        quantiles = tuple(np.quantile(known, places).tolist()) if known.size else ()
        found.append(
            ColumnProfile(name, ColumnKind.NUMBER, len(values), known.size, quantiles=quantiles)
        )
    return found


def _written(
    folder: Path,
    fitted: Fitted,
    schema: FeatureSchema,
    knots: tuple[tuple[float, float], ...],
    golden: Float32,
) -> PlannedArtifact:
    raw: Float64 = raw_scores(fitted, golden)
    place = folder / fitted.variant
    digest = write_artifact(
        place,
        fitted,
        schema=schema,
        knots=knots,
        golden=(golden, raw, Calibration(knots)(raw)),
        metrics={},
        training={},
    )
    return PlannedArtifact(fitted.variant, digest, str(place))
