"""The result of a simulation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from deciding.simulation.figures import Figures, FlipFigures
from deciding.simulation.ledger import Flip


@dataclass(frozen=True, slots=True)
class SegmentFigures:
    """The figures of the decisions of one segment, such as those in EUR."""

    name: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class VoteFigures:
    """Where the votes of a variant came from, see `VoteCount`.

    Attributes:
        refused: why its model could not be asked, "" if it was, or did not need to be.
    """

    variant: str
    recorded: dict[str, int]
    asked: dict[str, int]
    missing: dict[str, int]
    refused: str


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a simulation.

    Attributes:
        plan, plan_version, tenant: what was simulated, on whose decisions.
        last: how many decisions were asked for.
        is_complete: the newest `last` decisions were read, or all there are; else time was up.
        undecided: decisions that are in no other figure: rules would decide them, and their
            features are of another schema.
        by_rules: decisions that rules would have made.
        first_ms, last_ms: when the oldest and the newest decision was made; 0 without any.
        recorded_plans: (name, version, decisions) of the plans that made them.
        figures: of all.
        flips: by outcomes.
        segments: by what -> figures of each, most decisions first.
        votes: of each variant that was asked.
        sample: some flipped decisions.
    """

    plan: str
    plan_version: int
    tenant: str
    last: int
    is_complete: bool
    undecided: int
    by_rules: int
    first_ms: int
    last_ms: int
    recorded_plans: tuple[tuple[str, int, int], ...]
    figures: Figures
    flips: tuple[FlipFigures, ...]
    segments: dict[str, tuple[SegmentFigures, ...]]
    votes: tuple[VoteFigures, ...]
    sample: tuple[Flip, ...]

    def to_document(self) -> dict[str, Any]:
        """Return a JSON-ready dict, times in RFC 3339."""
        document = asdict(self)
        at = {"first_at": document.pop("first_ms"), "last_at": document.pop("last_ms")}
        document |= {name: _text(ms) if ms else None for name, ms in at.items()}
        document["plan"] = {"name": self.plan, "version": document.pop("plan_version")}
        document["recorded_plans"] = [
            {"name": name, "version": version, "decisions": n}
            for name, version, n in self.recorded_plans
        ]
        document["segments"] = {
            by: [{"name": s["name"], **s["figures"]} for s in found]
            for by, found in document["segments"].items()
        }
        figures: dict[str, Any] = document.pop("figures")
        return document | figures


def _text(ms: int) -> str:
    return (
        datetime.fromtimestamp(ms / 1000, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
