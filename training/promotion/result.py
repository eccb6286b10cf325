"""The result of a promotion or a rollback, and what may overrule its gates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fraud.errors import InvalidInput
from training.promotion.assessment import Assessment


@dataclass(slots=True)
class PromotionResult:
    """The result of a promotion or a rollback.

    Attributes:
        done: an alias or the plan changed.
        summary: what happened, or why nothing did, one sentence.
        moved: variant -> versions `from` (None: there was no champion) and `to`.
        plan: `name` and `version` of the activated plan; None if the plan did not change.
        assessment: the gates; None if none applied.
        forced: failed gates that were overruled.
        refused: failed gates prevented the change.
        lag: why MLflow's aliases are not up to date; None if they are.
    """

    done: bool
    summary: str
    moved: dict[str, dict[str, str | None]] = field(default_factory=dict)
    plan: dict[str, Any] | None = None
    assessment: Assessment | None = None
    forced: list[str] = field(default_factory=list)
    refused: bool = False
    lag: str | None = None

    def document(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "done": self.done,
            "said": self.summary,
            "moved": self.moved,
            "plan": self.plan,
            "refused": self.refused,
            "forced": self.forced,
            "mlflow_lag": self.lag,
            **({} if self.assessment is None else self.assessment.document()),
        }


@dataclass(frozen=True, slots=True)
class Force:
    """A request to overrule failed statistical gates; the reason is stored with the promotion.

    Raises:
        InvalidInput: the reason is empty.
    """

    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise InvalidInput("--force needs a --reason, which is kept with the promotion")


def apply_gates(assessment: Assessment, force: Force | None, what: str) -> PromotionResult:
    """Return a result that is `refused` unless every gate passed or every failed one is
    overruled."""
    failed = assessment.failed
    result = PromotionResult(False, "", assessment=assessment)
    result.forced = [f"{gate.name} of {gate.subject}" for gate in failed]
    if not failed or (force is not None and all(gate.forceable for gate in failed)):
        return result
    result.refused, result.forced = True, []
    names = ", ".join(f"{gate.name} of {gate.subject}" for gate in failed)
    hard = [gate.name for gate in failed if not gate.forceable]
    also = f"; --force cannot overrule {', '.join(dict.fromkeys(hard))}" if force and hard else ""
    result.summary = (
        f"{what} is not promoted: {len(failed)} of {len(assessment.gates)} gates failed"
        f" ({names}){also}"
    )
    return result
