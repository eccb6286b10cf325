"""Fitting a cascade: cheap variants decide the payments that they are sure are genuine, the plan's
ensemble decides the rest.

How sure is sure enough is fitted on the calibration part, on which nothing was chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fraud.combine.combine import probability_of
from fraud.ensemble import SINGLE, Ensemble, Member
from fraud.errors import NotTrainable
from fraud.payment.batch import Float32, Float64
from fraud.plan import Plan
from fraud.policy.cascade import Cascade, Stage
from training.config import TrainConfig
from training.fit.labelled_votes import LabelledVotes
from training.fit.thresholds import thresholds_on
from training.metrics.counts import average_precision_by_counts

PLAN_NAME = "cascade"
CASCADE_FILE = "cascade_plan.json"
"""The file of the cascade's plan among those of a run."""
CHEAPEST_FIRST = ("logistic", "xgboost", "random-forest")
"""The supervised variants by processor time a row, see `loadtests.bench.offline.cascade`."""
MOST_ASKED = 0.2
"""A first stage that leaves more than this share to the ensemble is not worth its own cost, if
another one leaves less."""
_SPARE = 2
"""How many times the share that was enough is left to the next stage, up to `MOST_ASKED`: later
payments are not those of the calibration part."""
_SHARES = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.125, 0.15, 0.175, 0.2, 0.3, 0.4, 0.5)
"""Shares of payments that a stage may leave to the next one, tried from the smallest up."""


@dataclass(frozen=True, slots=True)
class CascadeFit:
    """A fitted cascade and its figures.

    Attributes:
        plan: of version 1, not active; None if no cascade keeps what it must.
        reason: why there is no plan; "" if there is one.
        figures: part -> its figures there, see `cascade_figures`; {} without a plan.
    """

    plan: Plan | None
    reason: str = ""
    figures: Mapping[str, dict[str, float]] = field(default_factory=dict)

    def to_document(self) -> dict[str, Any]:
        """How it was fitted, JSON-ready: `stages`, `settle_below`, `reason`, and its figures on the
        calibration part as `calibration`."""
        stages = () if self.plan is None else self.cascade.stages
        return {
            "stages": [list(stage.ensemble.voters) for stage in stages],
            "settle_below": [stage.settle_below for stage in stages[:-1]],
            "reason": self.reason,
            "calibration": self.figures.get("calibration", {}),
        }

    @property
    def cascade(self) -> Cascade:
        """The plan's policy.

        Raises:
            ValueError: there is no plan.
        """
        if self.plan is None or not isinstance(self.plan.policy, Cascade):
            raise ValueError(f"no cascade was fitted: {self.reason}")
        return self.plan.policy

    def measured(self, part: str, votes: Mapping[str, Float64], fraud: Float32) -> CascadeFit:
        """Return the fit with its figures on another part; without a plan, itself."""
        if self.plan is None:
            return self
        figures = {**self.figures, part: cascade_figures(self.cascade, votes, fraud)}
        return replace(self, figures=figures)

    def renamed(self, name: Callable[[str], str], plan: str) -> CascadeFit:
        """Return the fit with other names of its variants and of its plan."""
        if self.plan is None:
            return self
        policy = self.cascade.mapped(lambda ensemble: ensemble.renamed(name))
        return replace(self, plan=replace(self.plan, name=plan, policy=policy))


def fit_cascade(plan: Plan, on: LabelledVotes, config: TrainConfig) -> CascadeFit:
    """Fit the cascade whose last stage is the plan's ensemble.

    Each earlier stage is one variant. It settles the payments with a
    probability below a threshold: the highest one, of a grid of shares, with which the cascade
    keeps enough of the ensemble's average precision. It settles no payment as fraud: those are few,
    and their order is where average precision is won. Later payments differ from those it is fitted
    on: half of what may be lost is left as a margin, and twice the share that would do goes on, up
    to a fifth. All stages have the same thresholds of outcomes, fitted on the cascade's own
    probabilities.

    Args:
        plan: a plan of one ensemble.
        on: votes of every supervised variant on the calibration part.
    """
    wanted = config.cascade.stages
    if wanted:
        candidates: list[tuple[str, ...]] = [wanted]
    else:
        candidates = [(v,) for v in CHEAPEST_FIRST if v in on.votes]
    last = plan.ensemble
    best: tuple[float, Cascade] | None = None
    for names in candidates:
        if set(last.voters) <= set(names) or not set(names) <= set(on.votes):
            continue  # nobody is left to be asked, or one was not trained
        found = _fitted(names, last, on, config)
        if found is not None and (best is None or found[0] < best[0]):
            best = found
        if best is not None and best[0] <= MOST_ASKED:
            break
    if best is None:
        what = " > ".join(wanted) if wanted else "any single variant"
        return CascadeFit(
            None,
            f"with {what} before the plan's ensemble no cascade keeps {config.cascade.keep:.1%} of"
            " its average precision",
        )
    cascade = best[1]
    probability, _ = run_cascade(cascade, on.votes)
    try:
        thresholds = thresholds_on(probability, on, config)
    except NotTrainable as error:
        return CascadeFit(None, str(error))
    fitted = cascade.mapped(lambda ensemble: replace(ensemble, thresholds=thresholds))
    return CascadeFit(Plan(PLAN_NAME, 1, fitted, costs=plan.costs)).measured(
        "calibration", on.votes, on.fraud
    )


def run_cascade(
    cascade: Cascade, votes: Mapping[str, Float64]
) -> tuple[Float64, NDArray[np.bool_]]:
    """Decide n rows whose votes are all known.

    Returns:
        probability: float64[n].
        asked: bool[n], whether the last stage decided the row.
    """
    n = len(next(iter(votes.values())))
    probability, left = np.full(n, np.nan), np.ones(n, dtype=bool)
    for stage in cascade.stages:
        here = probability_of(stage.ensemble, votes, n)
        sure = left.copy()
        if stage is not cascade.stages[-1]:
            sure &= here < stage.settle_below
            if stage.settle_from is not None:
                sure |= left & (here >= stage.settle_from)
        else:
            asked = left
        probability = np.where(sure, here, probability)
        left = left & ~sure
    return probability, asked


def cascade_figures(
    cascade: Cascade, votes: Mapping[str, Float64], fraud: Float32
) -> dict[str, float]:
    """`asked`: the share of rows that the last stage decides; `average_precision` of the cascade's
    probabilities over all rows; `kept`: the same as a share of the last stage's own."""
    probability, asked = run_cascade(cascade, votes)
    alone = probability_of(cascade.stages[-1].ensemble, votes, fraud.size)
    precision = average_precision_by_counts(fraud, probability)
    return {
        "asked": round(float(asked.mean()), 9),
        "average_precision": round(precision, 9),
        "kept": round(precision / average_precision_by_counts(fraud, alone), 9),
    }


def _fitted(
    names: Sequence[str], last: Ensemble, on: LabelledVotes, config: TrainConfig
) -> tuple[float, Cascade] | None:
    """The share of rows that a cascade with these first stages leaves to the ensemble, and the
    cascade; None if it cannot keep enough."""
    cascade = None
    lost = (1 - config.cascade.keep) / 2
    stages: tuple[Stage, ...] = ()
    for number, name in enumerate(names, start=1):
        keep = 1 - lost * number / len(names)
        cascade = _widest(stages, _single(name, last), last, on, keep)
        if cascade is None:
            return None
        stages = cascade.stages[:-1]
    assert cascade is not None, "there is a first stage"
    return cascade_figures(cascade, on.votes, on.fraud)["asked"], cascade


def _widest(
    before: tuple[Stage, ...], leaf: Ensemble, last: Ensemble, on: LabelledVotes, keep: float
) -> Cascade | None:
    """The cascade whose stage `leaf`, after those before it, settles most rows and keeps enough."""
    score = probability_of(leaf, on.votes, on.fraud.size)

    def leaving(share: float) -> Cascade:
        level = float(np.quantile(score, 1 - share))
        return Cascade((*before, Stage(leaf, settle_below=level), Stage(last)))

    for share in _SHARES:
        if cascade_figures(leaving(share), on.votes, on.fraud)["kept"] >= keep:
            return leaving(max(share, min(_SPARE * share, MOST_ASKED)))
    return None


def _single(name: str, last: Ensemble) -> Ensemble:
    """One variant that decides alone. Its votes are probabilities already."""
    return Ensemble(
        kind=SINGLE,
        members=(Member(name, 1.0),),
        thresholds=last.thresholds,
        deadline_ms=last.deadline_ms,
    )
