"""Skill: whether a run's plan beats chance and the baselines."""

from __future__ import annotations

import numpy as np

from fraud.errors import NotTrainable
from fraud.payment.batch import Float64
from training.config import BASELINE
from training.evaluate.baselines import ONE_RULE
from training.evaluate.evaluation import Evaluation
from training.evaluate.results import RunResults
from training.fit.fitted_run import FittedRun
from training.fit.scores import ENSEMBLE
from training.metrics.cases import Cases
from training.metrics.paired import paired_difference
from training.metrics.ranking import Ranking, roc_auc

CHANCE = 0.5
"""The ROC-AUC of random scores."""
ENOUGH_FRAUDS = 100
"""With fewer frauds a figure may lie below that of a rule by chance."""


class NoSkill(NotTrainable):
    """A plan that does not beat chance or a baseline. `args[0]` states which, with the figures."""


def require_skill(results: RunResults, force: str | None) -> str:
    """Return why models without skill become champions nevertheless, "" if they have skill.

    Args:
        force: the reason to overrule the check; None: it stands.

    Raises:
        NoSkill: they have no skill, and the check is not overruled.
    """
    found = no_skill(results.fitted_run, results.evaluation)
    if not found:
        return ""
    sentences = "; ".join(found)
    if force is None:
        raise NoSkill(
            f"{sentences}: nothing was registered; --force --reason WHY makes it champion"
        )
    return f"{force.strip()} (overruled: {sentences})"


def no_skill(fitted_run: FittedRun, evaluation: Evaluation) -> tuple[str, ...]:
    """A sentence for each standard that the plan does not beat on the test part; () if it beats
    all.

    Chance: the whole 95 % interval of the ROC-AUC must lie above 0.5. The rule of one column: the
    average precision or the ROC-AUC must be higher, unless there are few frauds. The logistic
    regression: it must not be better with 95 % confidence.
    """
    test = fitted_run.plan_fit.scores.test
    of = test.cases()
    score = test.scores[ENSEMBLE]
    found = []
    auc = roc_auc(Ranking(score, of.fraud).steps())
    interval = evaluation.intervals.get(ENSEMBLE, {}).get("roc_auc")
    low = auc if interval is None else interval.low
    if not low > CHANCE:
        bounds = "" if interval is None else f" [{interval.low:.3f}, {interval.high:.3f}]"
        found.append(
            f"the plan is no better than chance: ROC-AUC {auc:.3f}{bounds} on later payments"
        )
    frauds = float(of.fraud.sum())
    if evaluation.one_rule is not None:
        rule = evaluation.one_rule.score(fitted_run.dataset.values[test.rows])
        rates = [evaluation.models[n]["average_precision"] for n in (ENSEMBLE, ONE_RULE)]
        worse = frauds >= ENOUGH_FRAUDS and rates[0] <= rates[1]
        if worse and auc <= roc_auc(Ranking(rule, of.fraud).steps()):
            found.append(
                f"the plan is no better than one rule ({evaluation.one_rule.sentence()}): average"
                f" precision {rates[0]:.4f} and {rates[1]:.4f}"
            )
    baseline = next((n for n in fitted_run.models if n.endswith(BASELINE)), None)
    if baseline is not None and baseline not in {
        m.variant for m in fitted_run.plan_fit.plan.ensemble.members
    }:
        scores = test.scores[baseline]
        if _surely_worse(score, scores, of):
            rates = [evaluation.models[n]["average_precision"] for n in (ENSEMBLE, baseline)]
            found.append(
                f"the plan is worse than {baseline}: average precision {rates[0]:.4f} and"
                f" {rates[1]:.4f}"
            )
    return tuple(found)


def _surely_worse(score: Float64, other: Float64, of: Cases) -> bool:
    try:
        difference = paired_difference(
            score, np.asarray(other, np.float64), of.fraud, of.cluster, resamples=200
        )
    except NotTrainable:
        return False
    return difference.high < 0
