from __future__ import annotations

import json

import numpy as np
import pytest

from training.config import ReportConfig
from training.evaluate.evaluation import Evaluation, evaluate_run, plan_scorer
from training.fit.fitted_run import FittedRun


@pytest.fixture(scope="session")
def evaluation(fitted_run: FittedRun) -> Evaluation:
    return evaluate_run(fitted_run, fitted_run.config.report)


def test_every_model_has_every_figure_with_its_interval(evaluation: Evaluation) -> None:
    assert list(evaluation.models) == [
        "xgboost", "logistic", "isolation-forest", "ensemble", "one-rule",
    ]  # fmt: skip
    for model, figures in evaluation.models.items():
        probable = model in ("xgboost", "logistic", "ensemble")
        assert ("calibration_error" in figures) == ("brier" in figures) == probable
        for name, interval in evaluation.intervals[model].items():
            assert interval.low <= interval.high, name
            assert {f"{name}_low", f"{name}_high"} <= set(evaluation.bounds(model))
        assert set(evaluation.intervals[model]) == {n for n in figures if "share" not in n}
    assert evaluation.clusters == (300, "customer")


def test_figures_are_those_that_the_artifact_carries(
    fitted_run: FittedRun, evaluation: Evaluation
) -> None:
    for name, model in fitted_run.models.items():
        assert evaluation.models[name] == pytest.approx(model.metrics, abs=2e-9)
    ensemble = evaluation.models["ensemble"]
    assert ensemble == pytest.approx(fitted_run.plan_fit.metrics, abs=2e-9)


def test_the_one_rule_is_the_strongest_column(evaluation: Evaluation) -> None:
    assert evaluation.one_rule is not None
    assert evaluation.one_rule.feature == "amount"
    assert evaluation.one_rule.rising
    one, ensemble = evaluation.models["one-rule"], evaluation.models["ensemble"]
    assert 0.02 < one["average_precision"] < ensemble["average_precision"]


def test_importance_finds_what_fraud_goes_by(fitted_run: FittedRun, evaluation: Evaluation) -> None:
    explanation = evaluation.explanation
    assert explanation is not None
    names = fitted_run.dataset.schema.names
    order = [names[drop.column] for drop in explanation.drops]
    assert order[0] == "amount"
    assert set(order[:3]) == {"amount", "night", "category_code"}
    assert explanation.boosted is not None
    assert names[int(np.argmax(explanation.boosted.contribution))] == "amount"
    assert explanation.boosted.gain.sum() == pytest.approx(1)


def test_effects_rise_with_what_makes_fraud(fitted_run: FittedRun, evaluation: Evaluation) -> None:
    assert evaluation.explanation is not None
    names = fitted_run.dataset.schema.names
    effects = {names[e.column]: e for e in evaluation.explanation.effects}
    amount, code = effects["amount"], effects["category_code"]
    assert amount.factor[-1] > 5 * amount.factor[0]
    assert not amount.is_code
    assert code.is_code
    assert code.x[np.argmax(code.factor)] == 2


def test_weeks_and_segments_add_up(evaluation: Evaluation) -> None:
    n = len(evaluation.fraud)
    for parts in (evaluation.weeks, *evaluation.segments.values()):
        assert sum(part.rows for part in parts) == n
        assert sum(part.frauds for part in parts) == evaluation.fraud.sum()
    assert {part.name for part in evaluation.segments["merchant_category"]} == {
        "food", "fuel", "<b>travel</b>", "(none)",
    }  # fmt: skip
    assert [week.name for week in evaluation.weeks] == sorted(w.name for w in evaluation.weeks)


def test_the_document_is_json(evaluation: Evaluation) -> None:
    document = json.loads(json.dumps(evaluation.to_document(), allow_nan=False))
    low, high = document["intervals"]["ensemble"]["average_precision"]
    assert low < evaluation.models["ensemble"]["average_precision"] < high
    assert document["resampled"] == {"clusters": 300, "of": "customer", "resamples": 40}
    assert document["one_rule"].startswith("amount at least ")
    assert document["weeks"][0]["models"]["ensemble"].keys() >= {"average_precision"}


def test_the_scorer_gives_the_measured_scores(fitted_run: FittedRun) -> None:
    test = fitted_run.plan_fit.scores.test
    values = np.ascontiguousarray(fitted_run.dataset.values[test.rows])
    assert plan_scorer(fitted_run)(values) == pytest.approx(test.scores["ensemble"])


def test_nothing_is_explained_unless_configured(fitted_run: FittedRun) -> None:
    quick = ReportConfig(resamples=20, importance_features=0)
    assert evaluate_run(fitted_run, quick).explanation is None
