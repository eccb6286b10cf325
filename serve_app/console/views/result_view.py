"""The summary of a job that is done, as the page shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from bulk.jobs.job import Job
from serve_app.console.views import pictures
from serve_app.console.views.words import listed, percent, score

LEVELS: Final = ("high", "medium", "low")
_FULL_PSI: Final = 0.5
"""A bar of this PSI is full."""
_WORDS: Final = {
    "stable": ("as in training", "good"),
    "moderate": ("a little", "wait"),
    "large": ("much", "bad"),
}


@dataclass(frozen=True, slots=True)
class Level:
    """How many rows have a level."""

    name: str
    rows: int
    share: float


@dataclass(frozen=True, slots=True)
class Drifted:
    """How a column differs from training."""

    name: str
    psi: str
    bar: Markup
    word: str
    style: str


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a job. What the summary does not have is empty or None, and not shown."""

    rows: int
    models: str
    forced: tuple[str, ...]
    levels: tuple[Level, ...]
    levels_bar: Markup
    by_rank: bool
    rate: Mapping[str, float | None] | None
    rate_picture: Markup
    recalibration: str
    histogram: Markup
    quantiles: tuple[tuple[str, str], ...]
    drift: tuple[Drifted, ...]
    anomalies: tuple[Mapping[str, Any], ...]
    has_probability: bool
    agreement: tuple[tuple[str, str], ...]


def result_of(job: Job) -> Result:
    """Return what the page of a job that is done shows."""
    summary = job.summary
    counts = {name: int(summary.get("levels", {}).get(name, 0)) for name in LEVELS}
    total = sum(counts.values())
    by_rank = job.options.review is not None
    histogram = summary.get("histogram") or {"edges": (), "counts": ()}
    rate = summary.get("estimated_rate") or None
    anomalies = tuple(summary.get("anomalies", ()))
    chosen = job.match.chosen if job.match else ()
    return Result(
        rows=int(summary.get("rows", total)),
        models=listed([name.partition("@")[0] for name in chosen]),
        forced=tuple(n for n in chosen if job.match and job.match.of(n).forced),
        levels=tuple(Level(n, c, c / total if total else 0.0) for n, c in counts.items()),
        levels_bar=pictures.levels(*(counts[name] for name in LEVELS)),
        by_rank=by_rank,
        rate=rate,
        rate_picture=_rate(rate),
        recalibration=_recalibration(summary.get("recalibration") or {}),
        histogram=pictures.histogram(
            histogram["edges"],
            histogram["counts"],
            None if by_rank else job.options.medium,
            None if by_rank else job.options.high,
        ),
        quantiles=tuple(
            (percent(float(share)), f"{value:.4f}")
            for share, value in (summary.get("quantiles") or {}).items()
        ),
        drift=tuple(_drifted(column) for column in summary.get("drift", ())),
        anomalies=anomalies,
        has_probability=any(row.get("probability") is not None for row in anomalies),
        agreement=tuple(_agreement(summary.get("agreement") or {})),
    )


def _rate(rate: Mapping[str, float | None] | None) -> Markup:
    if not rate or rate.get("low") is None or rate.get("high") is None:
        return Markup("")
    low, middle, high = (float(rate[name] or 0.0) for name in ("low", "rate", "high"))
    return pictures.interval(low, middle, high)


def _recalibration(told: Mapping[str, Any]) -> str:
    if not told:
        return ""
    said = (
        "Probabilities were fitted to the rate of fraud in this file."
        if told.get("applied")
        else "Probabilities are as the models say: they were not fitted to this file."
    )
    reason = str(told.get("reason") or "").strip()
    return (
        f"{said} {reason[:1].upper()}{reason[1:]}{'' if reason.endswith('.') else '.'}"
        if (reason)
        else said
    )


def _drifted(column: Mapping[str, Any]) -> Drifted:
    psi = column["psi"]
    level = str(column.get("level", ""))
    word, style = _WORDS.get(level, (level, "plain"))
    if psi is None:
        return Drifted(str(column["column"]), "–", Markup(""), word, style)
    drawn = pictures.bar(psi / _FULL_PSI, f"PSI {psi:.3f}", style)
    return Drifted(str(column["column"]), f"{psi:.3f}", drawn, word, style)


def _agreement(told: Mapping[str, Any] | Sequence[Any]) -> list[tuple[str, str]]:
    if not isinstance(told, Mapping):
        return []
    return [
        (name.replace("_", " "), score(value))
        for name, value in told.items()
        if isinstance(value, int | float)
    ]
