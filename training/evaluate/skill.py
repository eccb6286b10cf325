"""Whether a run's plan has learnt anything: against chance, and against the baselines."""

from __future__ import annotations

import numpy as np

from fraud.errors import NotTrainable
from fraud.payment.batch import Float64
from training.config import BASELINE
from training.evaluate.baselines import ONE_RULE
from training.evaluate.evaluation import Evaluation, cases_of
from training.evaluate.results import Story
from training.fit.evaluated import ENSEMBLE
from training.fit.trained import Trained
from training.metrics.cases import Cases
from training.metrics.paired import paired_difference
from training.metrics.ranking import Ranking, roc_auc

CHANCE = 0.5
"""ROC-AUC of a model that knows nothing."""
ENOUGH_FRAUDS = 100
"""With fewer, a figure that lies below a rule's may do so by chance."""


class NoSkill(NotTrainable):
    """A plan that is no better than chance or than a baseline. `args[0]` says which, and by how
    much."""


def overruled(story: Story, force: str | None) -> str:
    """Why models without skill become champions all the same; "" if they have it.

    Args:
        force: the reason of whoever insists; None: nobody does.

    Raises:
        NoSkill: they have none, and nobody insists.
    """
    found = no_skill(story.trained, story.evaluation)
    if not found:
        return ""
    said = "; ".join(found)
    if force is None:
        raise NoSkill(f"{said}: nothing was registered; --force --reason WHY makes it champion")
    return f"{force.strip()} (overruled: {said})"


def no_skill(trained: Trained, evaluation: Evaluation) -> tuple[str, ...]:
    """A sentence for each thing that the plan does not beat on the test part; () if it beats all.

    Chance is beaten if the whole 95 % interval of the ROC-AUC lies above 0.5. A rule of one column
    is beaten by a higher average precision or a higher ROC-AUC; with few frauds nobody asks. The
    logistic regression counts where it is surely better.
    """
    test = trained.judgement.evaluated.test
    of = cases_of(test)
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
        rule = evaluation.one_rule.score(trained.dataset.values[test.rows])
        rates = [evaluation.models[n]["average_precision"] for n in (ENSEMBLE, ONE_RULE)]
        worse = frauds >= ENOUGH_FRAUDS and rates[0] <= rates[1]
        if worse and auc <= roc_auc(Ranking(rule, of.fraud).steps()):
            found.append(
                f"the plan is no better than one rule ({evaluation.one_rule.sentence()}): average"
                f" precision {rates[0]:.4f} and {rates[1]:.4f}"
            )
    baseline = next((n for n in trained.judged if n.endswith(BASELINE)), None)
    if baseline is not None and baseline not in {m.variant for m in trained.judgement.plan.members}:
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
