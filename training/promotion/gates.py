"""What a model has to pass before it becomes champion: pure judgement over what was measured."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from settings.toml_file import read_toml
from training.metrics.paired import Difference
from training.metrics.said_seen import SaidSeen

SCHEMA, GOLDEN, LATENCY, SIZE = "schema", "golden rows", "latency", "size"
NOT_WORSE, CALIBRATION, SKILL = "not worse", "calibration", "skill"

ENSEMBLE = "ensemble"
"""Subject of the gates that the votes under the plan have to pass."""


class GateConfig(BaseModel):
    """Limits, each a key of a TOML file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weeks: float = Field(default=4.0, gt=0, le=520, description="newest labelled weeks to judge on")
    margin: float = Field(
        default=0.02,
        ge=0,
        le=1,
        description="average precision that a challenger may lose: its paired 95 % interval must"
        " lie above minus this",
    )
    min_frauds: int = Field(default=20, ge=1, description="with fewer in those weeks, no verdict")
    max_calibration_error: float = Field(default=0.01, gt=0, le=1)
    max_said_ratio: float = Field(
        default=1.25,
        gt=1,
        description="mean probability over share of fraud, either way: beyond it, and with a 95 %"
        " interval that excludes 1, probabilities do not mean what they say",
    )
    max_band_ratio: float = Field(
        default=2.0, gt=1, description="the same within a band of probabilities, at 99 %"
    )
    max_latency_ms: float = Field(default=5.0, gt=0, description="p50 of one row")
    max_latency_ratio: float = Field(default=3.0, ge=1, description="of the champion's p50")
    free_latency_ms: float = Field(
        default=0.25, ge=0, description="up to here nobody asks what the champion needs"
    )
    max_mib: float = Field(default=64.0, gt=0, description="all files of the artifact")
    resamples: int = Field(default=1000, ge=100, le=100_000)
    seed: int = Field(default=0, ge=0)


def read_gates(path: Path) -> GateConfig:
    """Read a TOML file of `GateConfig`'s keys.

    Raises:
        InvalidInput: the file is missing, is not TOML, or says something that cannot be.
    """
    return read_toml(path, GateConfig)


@dataclass(frozen=True, slots=True)
class Gate:
    """One verdict.

    Attributes:
        name: what was looked at.
        subject: the variant, or `ensemble`.
        passed: the verdict.
        said: why, with the figure and the limit.
        forceable: it is a matter of statistics, which a person may know better.
        figures: what was measured, by name.
    """

    name: str
    subject: str
    passed: bool
    said: str
    forceable: bool = False
    figures: dict[str, float] = field(default_factory=dict)


def schema_gate(subject: str, schema_id: str, served: str) -> Gate:
    """A model sees the features that are served."""
    same = schema_id == served
    said = f"{schema_id}, as served" if same else f"{schema_id}, and {served} is served"
    return Gate(SCHEMA, subject, same, said)


def golden_gate(subject: str, refused: str | None) -> Gate:
    """Its golden rows reproduce in the runtime that serves.

    Args:
        refused: why it could not be loaded; None if it was, which scores them.
    """
    said = "reproduce in the runtime that serves" if refused is None else refused
    return Gate(GOLDEN, subject, refused is None, said)


def latency_gate(
    subject: str, p50_ms: float, champion_p50_ms: float | None, config: GateConfig
) -> Gate:
    """One row takes no longer than allowed, here and beside the champion."""
    limit = config.max_latency_ms
    if champion_p50_ms is not None:
        beside = max(config.free_latency_ms, config.max_latency_ratio * champion_p50_ms)
        limit = min(limit, beside)
    figures = {"p50_ms": p50_ms, "limit_ms": limit}
    said = f"p50 {p50_ms:.3f} ms a row, at most {limit:.3f}"
    if champion_p50_ms is not None:
        figures["champion_p50_ms"] = champion_p50_ms
        said += f"; the champion {champion_p50_ms:.3f}"
    return Gate(LATENCY, subject, p50_ms <= limit, said, figures=figures)


def size_gate(subject: str, size_bytes: int, config: GateConfig) -> Gate:
    """Its files are no larger than allowed."""
    mib = size_bytes / 2**20
    said = f"{mib:.2f} MiB, at most {config.max_mib:g}"
    return Gate(SIZE, subject, mib <= config.max_mib, said, figures={"bytes": float(size_bytes)})


def not_worse_gate(subject: str, difference: Difference, config: GateConfig) -> Gate:
    """It ranks no worse than the champion on the same payments: the whole interval of the
    difference lies above minus the margin (non-inferiority, at 2.5 % on the side that matters)."""
    found, low, high = difference
    said = f"average precision {found:+.4f} [{low:+.4f}, {high:+.4f}], at least {-config.margin:+g}"
    figures = {"difference": found, "low": low, "high": high, "margin": config.margin}
    return Gate(NOT_WORSE, subject, low >= -config.margin, said, True, figures)


def skill_gate(subject: str, auc: Difference, rule: Difference | None) -> Gate:
    """It knows something: more than chance, and more than one rule of one column.

    Args:
        auc: ROC-AUC less that of chance, with its 95 % interval, which has to lie above 0.
        rule: average precision less that of the rule, on payments that did not choose it; None
            with too few frauds to tell. The rule is beaten by a difference above 0.
    """
    figures = {"roc_auc": 0.5 + auc.difference, "roc_auc_low": 0.5 + auc.low}
    said = f"ROC-AUC {0.5 + auc.difference:.3f} [{0.5 + auc.low:.3f}, {0.5 + auc.high:.3f}]"
    passed = auc.low > 0
    if not passed:
        said += ", no better than chance"
    if rule is not None:
        figures |= {"over_one_rule": rule.difference}
        said += f"; average precision {rule.difference:+.4f} against one rule"
        passed = passed and rule.difference > 0
    return Gate(SKILL, subject, passed, said, True, figures)


def calibration_gate(subject: str, error: float, said: SaidSeen, config: GateConfig) -> Gate:
    """Its probabilities mean what they say: the calibration error, and what was said over what
    was seen, of all payments and within each band of probabilities.

    A quotient counts against it if it lies beyond its limit and its interval excludes 1: a few
    frauds prove nothing either way.
    """
    limit = config.max_calibration_error
    overall = said.overall
    wrong = []
    if not (math.isfinite(error) and error <= limit):
        wrong.append(f"error {error:.4f}, at most {limit:g}")
    if overall.off(config.max_said_ratio):
        wrong.append(f"{overall.sentence()}, at most {config.max_said_ratio:g} times off")
    wrong += [
        f"{band.sentence()}, at most {config.max_band_ratio:g} times off"
        for band in said.bands
        if band.off(config.max_band_ratio)
    ]
    figures = {"error": error, "limit": limit}
    ends = {"": overall.ratio, "_low": overall.low, "_high": overall.high}
    figures |= {f"said_over_seen{end}": v for end, v in ends.items() if math.isfinite(v)}
    passed = f"error {error:.4f}, at most {limit:g}; {overall.sentence()}"
    return Gate(CALIBRATION, subject, not wrong, "; ".join(wrong) or passed, True, figures)


def unmeasured(name: str, subject: str, why: str, *, forceable: bool = False) -> Gate:
    """A gate that nothing could be measured for: not passed."""
    return Gate(name, subject, False, f"not measured: {why}", forceable)


def waved(name: str, subject: str, why: str) -> Gate:
    """A gate that does not apply: passed."""
    return Gate(name, subject, True, why, name in (NOT_WORSE, CALIBRATION, SKILL))
