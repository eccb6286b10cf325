"""The summary of a job that is done, as the page shows it.

`bulk.scoring.finish` makes the summary. A part that it lacks is empty here, and not shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from bulk.jobs.job import Job
from serve_app.console.views import pictures
from serve_app.console.views.drift_view import Drifted, drift_of
from serve_app.console.views.words import listed, percent, score

LEVELS: Final = ("high", "medium", "low")
_SHOWN_QUANTILES: Final = 0.5
"""Quantiles below this share say little: most rows are genuine."""


@dataclass(frozen=True, slots=True)
class Level:
    """How many rows have a level, and their share of the rows with one."""

    name: str
    rows: int
    share: float


@dataclass(frozen=True, slots=True)
class Rate:
    """The estimated share of fraud in the file, with its interval of 95 %.

    Attributes:
        training: the share that the models learnt from; None if unknown.
    """

    estimate: float
    low: float | None
    high: float | None
    training: float | None

    @property
    def picture(self) -> Markup:
        """The interval, drawn; empty without one."""
        if self.low is None or self.high is None:
            return Markup("")
        return pictures.interval(self.low, self.estimate, self.high, self.training)


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one model said about the file.

    Attributes:
        agreement: its rank correlation with each model of the list, in their order; a dash with
            itself and where it is unknown.
    """

    name: str
    version: str
    weight: str
    mean: str
    training: str
    agreement: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a job.

    Attributes:
        models, forced: names of the models that scored, and of those that do not fit.
        unscored: rows that no model could score.
        by_rank: levels go by rank, not by thresholds.
        recalibration: one or two sentences.
        doubts: what speaks against trusting it, in sentences.
        agreement: share of their riskiest rows in common, mean of all pairs; "" for one model.
        quantiles: (share of rows, probability).
    """

    rows: int
    unscored: int
    models: str
    forced: str
    doubts: tuple[str, ...]
    levels: tuple[Level, ...]
    levels_bar: Markup
    by_rank: bool
    rate: Rate | None
    recalibration: str
    histogram: Markup
    quantiles: tuple[tuple[str, str], ...]
    drift: tuple[Drifted, ...]
    anomalies: tuple[Mapping[str, Any], ...]
    agreement: str
    opinions: tuple[Opinion, ...]


def result_of(job: Job) -> Result:
    """Return what the page of a job that is done shows."""
    summary = job.summary
    counts = {name: int(summary.get("levels", {}).get(name, 0)) for name in LEVELS}
    leveled = sum(counts.values())
    rows = summary.get("rows") or {}
    scores = summary.get("scores") or {}
    chosen = job.match.chosen if job.match else ()
    agreement = summary.get("agreement")
    return Result(
        rows=int(rows.get("total", leveled)),
        unscored=int(rows.get("unscored", 0)),
        models=listed([_name(reference) for reference in chosen]),
        forced=listed([_name(n) for n in chosen if job.match and job.match.of(n).forced]),
        doubts=tuple(summary.get("doubts") or ()),
        levels=tuple(Level(n, c, c / leveled if leveled else 0.0) for n, c in counts.items()),
        levels_bar=pictures.levels(*(counts[name] for name in LEVELS)),
        by_rank=job.options.review is not None,
        rate=_rate(summary.get("fraud_rate") or {}, summary.get("recalibration") or {}),
        recalibration=_recalibration(summary.get("recalibration") or {}),
        histogram=_histogram(job, scores),
        quantiles=tuple(
            ("highest" if share == 1 else percent(share), f"{value:.4f}")
            for share, value in scores.get("quantiles") or ()
            if share >= _SHOWN_QUANTILES
        ),
        drift=drift_of(summary.get("drift") or ()),
        anomalies=tuple(summary.get("anomalies") or ()),
        agreement="" if agreement is None else score(agreement),
        opinions=_opinions(summary.get("models") or ()),
    )


def _name(reference: str) -> str:
    return reference.partition("@")[0]


def _histogram(job: Job, scores: Mapping[str, Any]) -> Markup:
    by_rank = job.options.review is not None
    medium, high = (None, None) if by_rank else (job.options.medium, job.options.high)
    edges, counts = scores.get("edges") or (), scores.get("counts") or ()
    return pictures.histogram(edges, counts, medium, high)


def _rate(told: Mapping[str, Any], recalibration: Mapping[str, Any]) -> Rate | None:
    if told.get("estimate") is None:
        return None
    training = recalibration.get("training_rate")
    return Rate(told["estimate"], told.get("low"), told.get("high"), training)


def _recalibration(told: Mapping[str, Any]) -> str:
    if not told:
        return ""
    said = (
        "Probabilities were fitted to the share of fraud in this file."
        if told.get("done")
        else "Probabilities are as the models say, not fitted to this file."
    )
    reason = str(told.get("reason") or "").strip().rstrip(".")
    return f"{said} {reason[:1].upper()}{reason[1:]}." if reason else said


def _opinions(models: Sequence[Mapping[str, Any]]) -> tuple[Opinion, ...]:
    references = [str(model["reference"]) for model in models]
    return tuple(
        Opinion(
            name=_name(reference),
            version=reference.partition("@")[2],
            weight=percent(model.get("weight")),
            mean=percent(model.get("mean")),
            training=percent(model.get("training_rate")),
            agreement=tuple(
                score((model.get("agreement") or {}).get(other)) for other in references
            ),
        )
        for reference, model in zip(references, models, strict=True)
    )
