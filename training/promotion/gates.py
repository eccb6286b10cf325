"""The gates that a model must pass to become champion: pure functions of what was measured."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from settings.toml_file import read_toml
from training.metrics.paired import Difference
from training.metrics.reliability import Reliability

SCHEMA, GOLDEN, LATENCY, SIZE = "schema", "golden rows", "latency", "size"
NOT_WORSE, CALIBRATION, SKILL = "not worse", "calibration", "skill"

ENSEMBLE = "ensemble"
"""The subject of gates on the plan's probability."""


class GateConfig(BaseModel):
    """The limits; each field is a key of a TOML file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weeks: float = Field(
        default=4.0, gt=0, le=520, description="how many of the newest labelled weeks to measure on"
    )
    margin: float = Field(
        default=0.02,
        ge=0,
        le=1,
        description="average precision that a challenger may lose: the paired 95 % interval of the"
        " difference must lie above minus this",
    )
    min_frauds: int = Field(
        default=20, ge=1, description="with fewer in those weeks, nothing is measured"
    )
    max_calibration_error: float = Field(default=0.01, gt=0, le=1)
    max_said_ratio: float = Field(
        default=1.25,
        gt=1,
        description="limit on mean probability over observed share of fraud, in either direction;"
        " the gate fails beyond it if the 95 % interval excludes 1 as well",
    )
    max_band_ratio: float = Field(
        default=2.0, gt=1, description="the same limit within a band of probabilities, at 99 %"
    )
    max_latency_ms: float = Field(default=5.0, gt=0, description="median for one row")
    max_latency_ratio: float = Field(
        default=3.0, ge=1, description="as a multiple of the champion's median"
    )
    free_latency_ms: float = Field(
        default=0.25, ge=0, description="up to this median the ratio is not applied"
    )
    max_mib: float = Field(default=64.0, gt=0, description="of all files of the artifact")
    resamples: int = Field(default=1000, ge=100, le=100_000)
    seed: int = Field(default=0, ge=0)


def read_gates(path: Path) -> GateConfig:
    """Read a TOML file of `GateConfig`'s keys.

    Raises:
        InvalidInput: the file is missing, is not TOML, or a value is invalid.
    """
    return read_toml(path, GateConfig)


@dataclass(frozen=True, slots=True)
class GateResult:
    """The result of one gate.

    Attributes:
        name: of the gate.
        subject: the variant, or `ensemble`.
        passed: whether the subject passes.
        detail: why, with the figure and the limit.
        forceable: a statistical gate, which a person may overrule.
        figures: what was measured, by name.
    """

    name: str
    subject: str
    passed: bool
    detail: str
    forceable: bool = False
    figures: dict[str, float] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """JSON-ready."""
        document = asdict(self)
        document["said"] = document.pop("detail")
        return document


def schema_gate(subject: str, schema_id: str, served: str) -> GateResult:
    """The model uses the features that are served."""
    same = schema_id == served
    detail = f"{schema_id}, as served" if same else f"{schema_id}, but {served} is served"
    return GateResult(SCHEMA, subject, same, detail)


def golden_gate(subject: str, refused: str | None) -> GateResult:
    """The golden rows reproduce in the serving runtime.

    Args:
        refused: why the model could not be loaded; None if it was. Loading scores the golden rows.
    """
    detail = "reproduce in the serving runtime" if refused is None else refused
    return GateResult(GOLDEN, subject, refused is None, detail)


def latency_gate(
    subject: str, p50_ms: float, champion_p50_ms: float | None, config: GateConfig
) -> GateResult:
    """One row takes no longer than allowed, both absolutely and compared with the champion."""
    limit = config.max_latency_ms
    if champion_p50_ms is not None:
        relative = max(config.free_latency_ms, config.max_latency_ratio * champion_p50_ms)
        limit = min(limit, relative)
    figures = {"p50_ms": p50_ms, "limit_ms": limit}
    detail = f"p50 {p50_ms:.3f} ms a row, at most {limit:.3f}"
    if champion_p50_ms is not None:
        figures["champion_p50_ms"] = champion_p50_ms
        detail += f"; the champion {champion_p50_ms:.3f}"
    return GateResult(LATENCY, subject, p50_ms <= limit, detail, figures=figures)


def size_gate(subject: str, size_bytes: int, config: GateConfig) -> GateResult:
    """The artifact is no larger than allowed."""
    mib = size_bytes / 2**20
    detail = f"{mib:.2f} MiB, at most {config.max_mib:g}"
    return GateResult(
        SIZE, subject, mib <= config.max_mib, detail, figures={"bytes": float(size_bytes)}
    )


def not_worse_gate(subject: str, difference: Difference, config: GateConfig) -> GateResult:
    """The model ranks no worse than the champion on the same payments: the whole interval of the
    difference lies above minus the margin (a one-sided non-inferiority test at 2.5 %)."""
    found, low, high = difference
    detail = (
        f"average precision {found:+.4f} [{low:+.4f}, {high:+.4f}], at least {-config.margin:+g}"
    )
    figures = {"difference": found, "low": low, "high": high, "margin": config.margin}
    return GateResult(NOT_WORSE, subject, low >= -config.margin, detail, True, figures)


def skill_gate(subject: str, auc: Difference, rule: Difference | None) -> GateResult:
    """The model beats chance, and the best rule on a single column.

    Args:
        auc: ROC-AUC less that of chance, with its 95 % interval, which must lie above 0.
        rule: average precision less that of the rule, on payments that did not choose the rule;
            it must be above 0. None with too few frauds to measure it.
    """
    figures = {"roc_auc": 0.5 + auc.difference, "roc_auc_low": 0.5 + auc.low}
    detail = f"ROC-AUC {0.5 + auc.difference:.3f} [{0.5 + auc.low:.3f}, {0.5 + auc.high:.3f}]"
    passed = auc.low > 0
    if not passed:
        detail += ", no better than chance"
    if rule is not None:
        figures |= {"over_one_rule": rule.difference}
        detail += f"; average precision {rule.difference:+.4f} against one rule"
        passed = passed and rule.difference > 0
    return GateResult(SKILL, subject, passed, detail, True, figures)


def calibration_gate(
    subject: str, error: float, reliability: Reliability, config: GateConfig
) -> GateResult:
    """The probabilities are calibrated: by the calibration error, and by the ratio of predicted to
    observed fraud over all payments and within each band of probabilities.

    A ratio fails the gate if it exceeds its limit and its interval excludes 1: a few frauds prove
    nothing either way.
    """
    limit = config.max_calibration_error
    overall = reliability.overall
    wrong = []
    if not (math.isfinite(error) and error <= limit):
        wrong.append(f"error {error:.4f}, at most {limit:g}")
    if overall.off(config.max_said_ratio):
        wrong.append(f"{overall.sentence()}, at most a factor of {config.max_said_ratio:g}")
    wrong += [
        f"{band.sentence()}, at most a factor of {config.max_band_ratio:g}"
        for band in reliability.bands
        if band.off(config.max_band_ratio)
    ]
    figures = {"error": error, "limit": limit}
    ends = {"": overall.ratio, "_low": overall.low, "_high": overall.high}
    figures |= {f"said_over_seen{end}": v for end, v in ends.items() if math.isfinite(v)}
    summary = f"error {error:.4f}, at most {limit:g}; {overall.sentence()}"
    return GateResult(CALIBRATION, subject, not wrong, "; ".join(wrong) or summary, True, figures)


def not_measured(name: str, subject: str, why: str, *, forceable: bool = False) -> GateResult:
    """A gate that could not be measured: failed."""
    return GateResult(name, subject, False, f"not measured: {why}", forceable)


def not_applicable(name: str, subject: str, why: str) -> GateResult:
    """A gate that does not apply: passed."""
    return GateResult(name, subject, True, why, name in (NOT_WORSE, CALIBRATION, SKILL))
