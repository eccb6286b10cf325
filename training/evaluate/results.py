"""The results of a training run: figures, pictures and the report page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from training.evaluate.evaluation import Evaluation, evaluate_run
from training.evaluate.page import OUTCOMES, Facts, render
from training.evaluate.picture_set import draw_pictures
from training.finding import Finding
from training.fit.fitted_run import FittedRun


@dataclass(frozen=True, slots=True)
class RunResults:
    """A fitted run with its evaluation and pictures, before it is published.

    Attributes:
        pictures: name -> SVG.
        seconds: stage -> seconds so far.
        findings: of the leak guard; None if it did not run.
    """

    fitted_run: FittedRun
    evaluation: Evaluation
    pictures: Mapping[str, str]
    seconds: Mapping[str, float] = field(default_factory=dict)
    findings: Sequence[Finding] | None = None

    def figures(self, model: str) -> dict[str, float]:
        """The figures of a model on the test part, with the ends of their intervals as
        `<figure>_low` and `<figure>_high`."""
        return {**self.evaluation.models[model], **self.evaluation.bounds(model)}

    def page(self, facts: Facts) -> str:
        """The run as one self-contained HTML page."""
        return render(self.fitted_run, self.evaluation, self.pictures, facts, self.findings)


def results_of(
    fitted_run: FittedRun,
    seconds: Mapping[str, float],
    findings: Sequence[Finding] | None = None,
) -> RunResults:
    """Evaluate a run as its configuration requests, and draw its pictures."""
    evaluation = evaluate_run(fitted_run, fitted_run.config.report)
    thresholds = fitted_run.plan_fit.plan.ensemble.thresholds
    pictures = draw_pictures(
        evaluation,
        fitted_run.dataset.schema.names,
        {outcome: getattr(thresholds, outcome) for outcome in OUTCOMES},
    )
    return RunResults(fitted_run, evaluation, pictures, seconds, findings)
