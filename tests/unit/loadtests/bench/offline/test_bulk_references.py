"""References of benchmarks are such as bulk scoring takes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from bulk.scoring.part_cells import cells_of
from bulk.scoring.tabular_scorer import TabularScorer
from loadtests.bench.offline.bulk_references import fit_reference, number_profiles
from training.metrics.counts import roc_auc_by_counts
from training.sets.schema import FeatureSchema

NAMES = ("amount", "noise")


def table(n=4000):
    rng = np.random.default_rng(1)
    values = rng.lognormal(size=(n, 2)).astype(np.float32)
    fraud = rng.random(n) < 1 / (1 + np.exp(4 - 1.5 * values[:, 0]))
    return values, fraud.astype(np.int8)


def test_profiles_hold_quantiles_of_what_is_known():
    values = np.array([[1, np.nan], [3, np.nan]], np.float32)
    known, unknown = number_profiles(NAMES, values)
    assert (known.quantiles[0], known.quantiles[10], known.quantiles[-1]) == (1, 2, 3)
    assert (unknown.filled, unknown.quantiles) == (0, ())


@pytest.mark.slow
def test_a_fitted_reference_scores_a_file(tmp_path):
    values, fraud = table()
    model = fit_reference(
        tmp_path,
        "cards",
        values,
        fraud,
        FeatureSchema.tabular(NAMES, []),
        kind="tabular",
        profiles=number_profiles(NAMES, values),
        mapped={"amount": "betrag"},
        weight=1.0,
    )
    n = len(fraud)
    calibrated = fraud[int(0.6 * n) : int(0.8 * n)].mean()
    assert model.label_rate == pytest.approx(calibrated)
    scorer = TabularScorer(model)
    cells = cells_of(pa.table({"betrag": values[:, 0].astype(str)}), ["betrag"], ".", [])
    found = scorer.score(scorer.matrix(cells))
    assert roc_auc_by_counts(fraud.astype(np.float32), found) > 0.7
