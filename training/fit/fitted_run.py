"""Everything that a training run has produced before it is published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from training.config import TrainConfig
from training.fit.cascade import PLAN_NAME as CASCADE
from training.fit.combining.choice import MemberComparison
from training.fit.plan_fit import CalibratedModel, PlanFit
from training.fit.scores import ENSEMBLE, ScoredPart, SplitScores
from training.fit.search_trial import SearchTrial
from training.sets.dataset import Dataset
from training.sets.split import Split


@dataclass(frozen=True, slots=True)
class FittedRun:
    """A run's data, models and figures.

    Attributes:
        dataset, split, config: what the models were trained on, and how.
        models: variant -> its model with calibration and figures, in the order of
            `config.variants`.
        plan_fit: the plan, its figures, and every model's scores on the held-back parts.
        trials: of the search that `config` comes from; () without a search.
    """

    dataset: Dataset
    split: Split
    config: TrainConfig
    models: dict[str, CalibratedModel]
    plan_fit: PlanFit
    trials: tuple[SearchTrial, ...] = ()

    def short(self) -> tuple[str, ...]:
        """A sentence for each held-back part with fewer frauds than wanted."""
        return self.split.short(self.dataset.label, self.config.split.wanted_frauds)

    def comparison(self) -> dict[str, Any] | None:
        """Average precision of the ensemble and of its best member on the test part, JSON-ready;
        None for a single voter."""
        found = self.plan_fit.comparison
        if found is None:
            return None
        difference = found.difference
        return {
            "together": round(found.ensemble, 9),
            "alone": round(found.best_member, 9),
            "difference": None if difference is None else [round(v, 9) for v in difference],
        }

    def choices(self) -> dict[str, Any]:
        """How parameters, calibrations, combining method and cascade were chosen, JSON-ready."""
        plan_fit = self.plan_fit
        fits = {name: model.calibration for name, model in self.models.items()}
        fits["ensemble"] = plan_fit.calibration
        return {
            "calibration": {n: {"method": f.method, "errors": f.errors} for n, f in fits.items()},
            "combiner": {
                "kind": plan_fit.choice.combination.method.name,
                "merits": plan_fit.choice.figures,
                "contest": _comparison_document(plan_fit.choice.comparison),
            },
            "subsets": {
                subset.name: {
                    "method": None if subset.calibration is None else subset.calibration.method,
                    "reason": subset.reason,
                }
                for subset in plan_fit.subsets
            },
            "cascade": None if plan_fit.cascade is None else plan_fit.cascade.to_document(),
            "shared_calibration": self.split.shared,
            "search": [trial.row() for trial in self.trials],
        }


def _comparison_document(found: MemberComparison | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "member": found.member,
        "won": found.won,
        "kept": found.kept,
        "said": found.sentence(),
        "together": found.ensemble,
        "alone": found.best_member,
    }


def table_variant(table: str | None, variant: str) -> str:
    """The name of a variant trained on a table's own columns; trained on payments (None), its
    own name."""
    return variant if table is None else f"{table}-{variant}"


def renamed_for_table(fitted_run: FittedRun, table: str) -> FittedRun:
    """The same run with its models named `<table>-<variant>`, so that they never replace the
    models that serve payments."""

    def name(variant: str) -> str:
        return table_variant(table, variant)

    plan_fit = fitted_run.plan_fit
    plan, cascade, scores = plan_fit.plan, plan_fit.cascade, plan_fit.scores
    subsets = tuple(s.renamed(name) for s in plan_fit.subsets)
    errors = [plan_fit.subset_errors[subset.name] for subset in plan_fit.subsets]
    return replace(
        fitted_run,
        models={
            name(variant): replace(model, fitted=replace(model.fitted, variant=name(variant)))
            for variant, model in fitted_run.models.items()
        },
        plan_fit=replace(
            plan_fit,
            plan=replace(plan, name=table, policy=plan.ensemble.renamed(name)),
            choice=plan_fit.choice.renamed(name),
            subsets=subsets,
            subset_errors={s.name: e for s, e in zip(subsets, errors, strict=True)},
            cascade=cascade and cascade.renamed(name, f"{table}-{CASCADE}"),
            scores=SplitScores(
                test=_renamed(scores.test, name),
                validation=_renamed(scores.validation, name),
                calibration=_renamed(scores.calibration, name),
                probabilities=frozenset(
                    v if v == ENSEMBLE else name(v) for v in scores.probabilities
                ),
            ),
        ),
    )


def _renamed(part: ScoredPart, name: Callable[[str], str]) -> ScoredPart:
    scores = {v if v == ENSEMBLE else name(v): s for v, s in part.scores.items()}
    return replace(part, scores=scores)
