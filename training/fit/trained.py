"""Everything that a training run knows before it is made to count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from training.config import TrainConfig
from training.fit.ensemble import Contest
from training.fit.evaluated import ENSEMBLE, Evaluated, Scored
from training.fit.plan_fit import Judged, Judgement
from training.fit.trial import Trial
from training.sets.dataset import Dataset
from training.sets.split import Split


@dataclass(frozen=True, slots=True)
class Trained:
    """A run's data, models and figures.

    Attributes:
        dataset, split, config: what was trained on, and how.
        judged: variant -> its model, calibration and figures, in the order of `config.variants`.
        judgement: the plan, its figures, and every model's scores on what was held back.
        trials: of the search that `config` comes from; none if there was no search.
    """

    dataset: Dataset
    split: Split
    config: TrainConfig
    judged: dict[str, Judged]
    judgement: Judgement
    trials: tuple[Trial, ...] = ()

    def short(self) -> tuple[str, ...]:
        """A sentence for each held back part with fewer frauds than are wanted."""
        return self.split.short(self.dataset.label, self.config.split.wanted_frauds)

    def beside(self) -> dict[str, Any] | None:
        """Average precision of the ensemble and of its best member on the test part, JSON-ready;
        None of a single voter."""
        found = self.judgement.beside
        if found is None:
            return None
        difference = found.difference
        return {
            "together": round(found.together, 9),
            "alone": round(found.alone, 9),
            "difference": None if difference is None else [round(v, 9) for v in difference],
        }

    def choices(self) -> dict[str, Any]:
        """How parameters, calibration and combiner were chosen, JSON-ready."""
        j = self.judgement
        fits = {name: model.calibration for name, model in self.judged.items()}
        fits["ensemble"] = j.calibration
        return {
            "calibration": {n: {"method": f.method, "errors": f.errors} for n, f in fits.items()},
            "combiner": {
                "kind": j.combiner.method.name,
                "merits": j.combiner.merits,
                "contest": _contest(j.combiner.contest),
            },
            "shared_calibration": self.split.shared,
            "search": [trial.row() for trial in self.trials],
        }


def variant_of(tabular_set: str | None, variant: str) -> str:
    """Name of a variant that was trained on a tabular set; on payments (None) its own."""
    return variant if tabular_set is None else f"{tabular_set}-{variant}"


def _contest(contest: Contest | None) -> dict[str, Any] | None:
    if contest is None:
        return None
    return {
        "member": contest.member,
        "won": contest.won,
        "kept": contest.kept,
        "said": contest.sentence(),
        "together": contest.together,
        "alone": contest.alone,
    }


def named_after(trained: Trained, tabular_set: str) -> Trained:
    """The same run under names of a tabular set's own: `<set>-<variant>`, so that its models never
    take the place of those that serve payments."""

    def name(variant: str) -> str:
        return variant_of(tabular_set, variant)

    judged = {
        name(variant): replace(model, fitted=replace(model.fitted, variant=name(variant)))
        for variant, model in trained.judged.items()
    }
    plan = trained.judgement.plan
    plan = replace(
        plan,
        name=tabular_set,
        members=tuple(replace(m, variant=name(m.variant)) for m in plan.members),
        anomaly=None if plan.anomaly is None else name(plan.anomaly),
    )
    evaluated = trained.judgement.evaluated
    combiner = trained.judgement.combiner
    contest = combiner.contest
    judgement = replace(
        trained.judgement,
        plan=plan,
        combiner=replace(
            combiner,
            weights={name(v): w for v, w in combiner.weights.items()},
            contest=contest and replace(contest, member=name(contest.member)),
        ),
        evaluated=Evaluated(
            test=_renamed(evaluated.test, name),
            validation=_renamed(evaluated.validation, name),
            calibration=_renamed(evaluated.calibration, name),
            probabilities=frozenset(
                v if v == ENSEMBLE else name(v) for v in evaluated.probabilities
            ),
        ),
    )
    return replace(trained, judged=judged, judgement=judgement)


def _renamed(part: Scored, name: Callable[[str], str]) -> Scored:
    scores = {v if v == ENSEMBLE else name(v): s for v, s in part.scores.items()}
    return replace(part, scores=scores)
