"""What a training run came to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from fraud.plan import Plan


@dataclass(frozen=True, slots=True)
class VariantReport:
    """One trained variant.

    Attributes:
        name, family: see `fraud.artifact.Manifest`.
        version, digest: of its artifact.
        registered: its version number in MLflow.
        bytes: size of its scoring file.
        metrics: figures on the test part.
    """

    name: str
    family: str
    version: str
    digest: str
    registered: str
    bytes: int
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """One training run.

    Attributes:
        variants: in the order in which they were trained.
        ensemble: figures of the plan on the test part, and the share of test payments that
            reaches each of its thresholds.
        plan: the plan; active now, unless challengers or a tabular set were trained.
        baseline: the variant that the others are measured against, None if it was not trained.
        rows, frauds: of `history`, `train`, `validation`, `calibration` and `test`; unlabelled
            rows count only in `rows["history"]`.
        window: first and last moment of each part, RFC 3339.
        schema_id: of the features.
        seed: what the randomness began with.
        seconds: time by stage.
        choices: how calibration and combiner were chosen, see `Trained.choices`.
    """

    variants: tuple[VariantReport, ...]
    ensemble: dict[str, float]
    plan: Plan
    baseline: str | None
    rows: dict[str, int]
    frauds: dict[str, int]
    window: dict[str, str]
    schema_id: str
    seed: int
    seconds: dict[str, float] = field(default_factory=dict)
    choices: dict[str, Any] = field(default_factory=dict)

    def to_document(self) -> dict[str, Any]:
        """JSON-ready dict; `models` holds the figures of each variant and of `ensemble`."""
        document = asdict(self)
        figures = {v.name: v.metrics for v in self.variants}
        document["models"] = {**figures, "ensemble": self.ensemble}
        return document
