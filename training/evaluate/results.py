"""All that is told of a training run: figures, pictures and a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from training.evaluate.evaluation import Evaluation, evaluate_run
from training.evaluate.page import OUTCOMES, Facts, render
from training.evaluate.picture_set import album
from training.finding import Finding
from training.fit.trained import Trained


@dataclass(frozen=True, slots=True)
class Story:
    """A run, judged and drawn, before it is made to count.

    Attributes:
        pictures: name -> SVG.
        seconds: by stage, so far.
        findings: of the leak guard; None if it did not run.
    """

    trained: Trained
    evaluation: Evaluation
    pictures: Mapping[str, str]
    seconds: Mapping[str, float] = field(default_factory=dict)
    findings: Sequence[Finding] | None = None

    def figures(self, model: str) -> dict[str, float]:
        """Figures of a model on the test part, and the ends of their intervals as
        `<figure>_low` and `<figure>_high`."""
        return {**self.evaluation.models[model], **self.evaluation.bounds(model)}

    def page(self, facts: Facts) -> str:
        """The run as one HTML page that needs nothing else."""
        return render(self.trained, self.evaluation, self.pictures, facts, self.findings)


def tell(
    trained: Trained,
    seconds: Mapping[str, float],
    findings: Sequence[Finding] | None = None,
) -> Story:
    """Judge a run as closely as its configuration asks for, and draw it."""
    evaluation = evaluate_run(trained, trained.config.report)
    thresholds = trained.judgement.plan.thresholds
    pictures = album(
        evaluation,
        trained.dataset.schema.names,
        {outcome: getattr(thresholds, outcome) for outcome in OUTCOMES},
    )
    return Story(trained, evaluation, pictures, seconds, findings)
