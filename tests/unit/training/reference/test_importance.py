"""Which columns the models of a run go by, and without which they cannot be used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from training.config import ReportConfig
from training.evaluate.evaluation import evaluate_run
from training.evaluate.results import RunResults
from training.fit.fitted_run import FittedRun
from training.reference.importance import column_importance, required_columns


@pytest.fixture(scope="module")
def results(fitted_run: FittedRun) -> RunResults:
    quick = ReportConfig(resamples=20, importance_features=0)
    return RunResults(fitted_run, evaluate_run(fitted_run, quick), {})


def test_what_fraud_goes_by_is_important(results: RunResults) -> None:
    names = results.fitted_run.dataset.schema.names
    found = dict(zip(names, column_importance(results).tolist(), strict=True))
    assert sum(found.values()) == pytest.approx(1)
    assert sorted(found, key=lambda name: -found[name])[0] == "amount"
    assert found["noise"] < 0.1 < found["category_code"]


def test_without_boosted_trees_columns_are_judged_alone(results: RunResults) -> None:
    run = results.fitted_run
    models = {name: model for name, model in run.models.items() if name != "xgboost"}
    found = column_importance(replace(results, fitted_run=replace(run, models=models)))
    assert found.sum() == pytest.approx(1)
    assert found.argmax() == run.dataset.schema.names.index("amount")


@pytest.mark.parametrize(
    ("shares", "required"),
    [
        ([0.9, 0.06, 0.04], ["c0"]),
        ([0.5, 0.35, 0.1, 0.05], ["c0", "c1"]),
        ([0.3, 0.3, 0.2, 0.2], ["c0", "c1", "c2"]),
        ([0.04] * 25, []),
        ([1.0], ["c0"]),
    ],
)
def test_few_columns_that_carry_most_are_required(shares: list[float], required: list[str]) -> None:
    found = required_columns({f"c{i}": share for i, share in enumerate(shares)})
    assert sorted(found) == required
