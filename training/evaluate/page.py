"""The report of a training run as one self-contained HTML page, without scripts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from features.definitions import FEATURES
from training.config import BASELINE
from training.evaluate.baselines import ONE_RULE
from training.evaluate.evaluation import Evaluation, Explanation
from training.evaluate.picture_set import colours_of, effect_name
from training.evaluate.pictures import COLOURS, inline
from training.finding import Finding
from training.fit.cascade import CASCADE_FILE
from training.fit.fitted_run import FittedRun
from training.sets.split import Bounds

_TILES = (
    ("average_precision", "average precision"),
    ("recall_at_review_0.01", "recall at 1 % review"),
    ("value_caught_at_review_0.01", "value caught at 1 %"),
    ("card_precision_at_100", "card precision@100"),
    ("roc_auc", "ROC-AUC"),
    ("calibration_error", "calibration error"),
)
_TITLES = dict(_TILES)
OUTCOMES = ("challenge", "review", "block")
_COLUMNS = (
    ("average_precision", "avg precision"),
    ("roc_auc", "ROC-AUC"),
    ("card_precision_at_100", "card prec. @100 a day"),
    ("recall_at_review_0.005", "recall 0.5 %"),
    ("recall_at_review_0.01", "recall 1 %"),
    ("recall_at_review_0.02", "recall 2 %"),
    ("recall_at_1pct_fpr", "recall 1 % FPR"),
    ("value_caught_at_review_0.005", "value 0.5 %"),
    ("value_caught_at_review_0.01", "value 1 %"),
    ("value_caught_at_review_0.02", "value 2 %"),
)
"""Calibration error and Brier score are shown under Calibration."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts of a run for its page, besides the models.

    Attributes:
        run_id: in the registry.
        made_at: time of the run, UTC.
        role: the alias that the models got.
        versions: variant -> version of its artifact.
        environment: name -> value: seed, code and library versions.
        seconds: stage -> seconds so far.
    """

    run_id: str
    made_at: datetime
    role: str
    versions: Mapping[str, str]
    environment: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)


def render(
    fitted_run: FittedRun,
    evaluation: Evaluation,
    pictures: Mapping[str, str],
    facts: Facts,
    findings: Sequence[Finding] | None,
) -> str:
    """HTML of a run.

    Args:
        pictures: name -> SVG, see `picture_set`.
        findings: of the leak guard; None if it did not run.
    """
    plan_fit, explanation = fitted_run.plan_fit, evaluation.explanation
    rows, frauds = fitted_run.split.counts(fitted_run.dataset.label)
    names = fitted_run.dataset.schema.names
    choices = fitted_run.choices()
    baseline = next((n for n in evaluation.models if n.endswith(BASELINE)), None)
    html: str = _template().render(
        css=Markup(_text("page.css")),  # noqa: S704  our own file
        facts={
            "run_id": facts.run_id,
            "made_at": facts.made_at.strftime("%Y-%m-%d %H:%M UTC"),
            "role": facts.role,
            "seconds": facts.seconds,
            "guarded": findings is not None,
        },
        findings=list(findings or ()),
        evaluation=evaluation,
        explanation=explanation,
        models=[n for n in evaluation.models if n != ONE_RULE],
        colours={n: f"var(--{_VARIABLES[c]})" for n, c in colours_of(evaluation).items()},
        notes=_notes(evaluation, facts, baseline),
        baseline=baseline,
        tiles=[(n, t) for n, t in _TILES if n in evaluation.models["ensemble"]],
        columns=[c for c in _COLUMNS if any(c[0] in f for f in evaluation.models.values())],
        sections=_sections(evaluation),
        window=fitted_run.split.bounds.window(),
        timeline=_timeline(fitted_run.split.bounds),
        parts=_parts(fitted_run.split.bounds, rows, frauds),
        rows=rows,
        frauds=frauds,
        shared=fitted_run.split.shared,
        short=fitted_run.short(),
        crossed=_is_crossed(fitted_run.split.bounds),
        pictures={
            name: Markup(inline(svg, name, name))  # noqa: S704  text in it is escaped by its maker
            for name, svg in pictures.items()
        },
        calibration={n: f for n, f in choices["calibration"].items() if n in evaluation.models},
        subsets=choices["subsets"],
        subset_errors=plan_fit.subset_errors,
        cascade=choices["cascade"],
        cascade_test={} if plan_fit.cascade is None else plan_fit.cascade.figures.get("test", {}),
        cascade_file=CASCADE_FILE,
        reliability=_reliability(evaluation),
        comparison=fitted_run.comparison(),
        ratios=[(n, _ratio(f.overall.ratio)) for n, f in evaluation.reliability.items()],
        combiner=choices["combiner"],
        merits=[
            (kind, " and ".join(f"{v:.4f} {_TITLES[n]}" for n, v in merit.items()))
            for kind, merit in choices["combiner"]["merits"].items()
        ],
        features=_features(explanation, names),
        effects=[
            {"picture": effect_name(names[e.column]), "caption": _MEANINGS.get(names[e.column], "")}
            for e in (explanation.effects if explanation else ())
        ],
        plan=plan_fit.plan,
        thresholds={o: getattr(plan_fit.plan.ensemble.thresholds, o) for o in OUTCOMES},
        environment=list(facts.environment.items()),
        variants=[
            {
                "name": name,
                "version": facts.versions.get(name, ""),
                "imbalance": model.fitted.imbalance,
                "parameters": model.fitted.parameters,
            }
            for name, model in fitted_run.models.items()
        ],
    )
    return html


_VARIABLES = {colour: name for name, colour in COLOURS.items()}
_MEANINGS = {feature.name: feature.meaning for feature in FEATURES}


def _template() -> Any:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["fixed"] = lambda value, digits: f"{value:.{digits}f}"
    environment.filters["signed"] = lambda value, digits: f"{value:+.{digits}f}"
    environment.filters["capital"] = lambda text: text[:1].upper() + text[1:]
    environment.filters["thousands"] = lambda value: f"{value:,}".replace(",", " ")
    environment.filters["percent"] = lambda share: f"{share * 100:.3g}\N{NO-BREAK SPACE}%"
    return environment.from_string(_text("page.html.j2"))


def _text(name: str) -> str:
    return files("training.evaluate").joinpath(name).read_text(encoding="utf-8")


def _notes(evaluation: Evaluation, facts: Facts, baseline: str | None) -> dict[str, str]:
    notes = dict(facts.versions)
    if baseline is not None:
        notes[baseline] = f"{notes.get(baseline, '')} baseline".strip()
    if evaluation.one_rule is not None:
        notes[ONE_RULE] = f"baseline: {evaluation.one_rule.feature}"
    return notes


def _reliability(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Predicted and observed fraud of the ensemble, overall and by band."""
    found = evaluation.reliability["ensemble"]
    return [
        {
            "name": "all" if q is found.overall else f"{q.band[0]:g} to {q.band[1]:g}",
            "rows": q.rows,
            "frauds": q.frauds,
            "predicted": q.predicted,
            "observed": q.observed,
            "ratio": _ratio(q.ratio),
            "low": _ratio(q.low),
            "high": _ratio(q.high),
        }
        for q in (found.overall, *found.bands)
    ]


def _ratio(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "\N{INFINITY}"


def _sections(evaluation: Evaluation) -> list[tuple[str, str]]:
    return [
        ("models", "Models"),
        ("data", "Data"),
        ("curves", "Scores"),
        ("weeks", "By week"),
        *([("segments", "By segment")] if evaluation.segments else []),
        ("calibration", "Calibration"),
        *([("features", "Features")] if evaluation.explanation else []),
        ("plan", "Plan"),
        ("environment", "Environment"),
    ]


def _is_crossed(bounds: Bounds) -> bool:
    """Whether parts of the training time were held back in turn."""
    return bounds.validation_start_ms < bounds.train_end_ms


def _timeline(bounds: Bounds) -> list[dict[str, Any]]:
    """The parts of time from the start of history to its end; empty ones are left out."""
    b, window = bounds, bounds.window()
    cuts = [
        ("warm-up", "history_start", "train_start"),
        ("train", "train_start", "train_end"),
        ("gap", "train_end", "validation_start"),
        ("validation", "validation_start", "validation_end"),
        ("calibration", "calibration_start", "calibration_end"),
        ("gap", "calibration_end", "test_start"),
        ("test", "test_start", "test_end"),
    ]
    parts_of_time = []
    reached = b.history_start_ms
    for name, start, end in cuts:
        from_ms, to_ms = getattr(b, f"{start}_ms"), getattr(b, f"{end}_ms")
        if to_ms > max(from_ms, reached):
            reached = to_ms
            parts_of_time.append(
                {
                    "name": name,
                    "kind": name,
                    "share": round(
                        100 * (to_ms - from_ms) / (b.test_end_ms - b.history_start_ms), 2
                    ),
                    "start": _minute(window[start]),
                    "end": _minute(window[end]),
                }
            )
    return parts_of_time


def _parts(
    bounds: Bounds, rows: Mapping[str, int], frauds: Mapping[str, int]
) -> list[dict[str, Any]]:
    window = bounds.window()
    window["history_end"] = window["test_end"]
    return [
        {
            "name": part,
            "start": _minute(window[f"{part}_start"]),
            "end": _minute(window[f"{part}_end"]),
            "rows": rows[part],
            "frauds": frauds[part],
            "share": frauds[part] / max(rows[part], 1),
        }
        for part in rows
    ]


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")


def _features(explanation: Explanation | None, names: Sequence[str]) -> list[dict[str, Any]]:
    if explanation is None:
        return []
    boosted = explanation.boosted
    return [
        {
            "name": names[drop.column],
            "meaning": _MEANINGS.get(names[drop.column]),
            "mean": drop.mean,
            "spread": drop.spread,
            "contribution": 0.0 if boosted is None else float(boosted.contribution[drop.column]),
            "gain": 0.0 if boosted is None else float(boosted.gain[drop.column]),
        }
        for drop in explanation.drops
    ]
