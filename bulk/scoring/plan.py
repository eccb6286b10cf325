"""What scores a job: plain values that cross processes as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from references.profile.column import ColumnKind, ColumnProfile
from references.reference import ReferenceKind
from stores.whole_file import replace_file


@dataclass(frozen=True, slots=True)
class PlannedArtifact:
    """An artifact on this machine.

    Attributes:
        variant: its name in the artifact store.
        digest: of the artifact; it is verified before its first use in a process.
        folder: where it is.
    """

    variant: str
    digest: str
    folder: str


@dataclass(frozen=True, slots=True)
class PlannedColumn:
    """A column of a reference, and where its values come from.

    Attributes:
        profile: what the column looked like in training.
        file_column: of the file; None: unknown in every row.
        categorical: the models take codes of its texts.
        conversion: code of the conversion that the caller confirmed, "" for none.
        factor: what each number is multiplied by.
        time_format: of the file's column, if it holds times: see `ColumnProfile`.
    """

    profile: ColumnProfile
    file_column: str | None
    categorical: bool = False
    conversion: str = ""
    factor: float = 1.0
    time_format: str = ""

    @property
    def name(self) -> str:
        """Of the reference's column."""
        return self.profile.name

    @property
    def categories(self) -> tuple[str, ...]:
        """All categories of the training; () if the profile does not list all."""
        listed = tuple(text for text, _ in self.profile.categories)
        return listed if len(listed) == self.profile.distinct else ()


@dataclass(frozen=True, slots=True)
class PlannedModel:
    """A reference that scores the file.

    Attributes:
        reference: `name@version`.
        kind: how its features are made.
        weight: share of its score in the ensemble, in (0, 1]; over all models the sum is 1.
        similarity: of the file to the reference, in [0, 1].
        domain_auc: see `references.matching.match.ModelMatch`.
        label_rate: share of fraud that its probabilities are calibrated to, in [0, 1].
        metrics: figures on its own test part.
        columns: of the reference.
        missing: texts that meant a missing value in training.
        model: what scores.
        anomaly: what tells how unusual a row is among the training rows; None if nothing does.
    """

    reference: str
    kind: ReferenceKind
    weight: float
    similarity: float
    domain_auc: float | None
    label_rate: float
    metrics: dict[str, float]
    columns: tuple[PlannedColumn, ...]
    missing: tuple[str, ...]
    model: PlannedArtifact
    anomaly: PlannedArtifact | None = None


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column of the file that the file's own isolation forest looks at: numbers or categories."""

    name: str
    kind: ColumnKind


@dataclass(frozen=True, slots=True)
class ScoringPlan:
    """What scores a job.

    Attributes:
        models: the best match first; at least one.
        columns: what the file's own isolation forest looks at.
        tenant: whose job it is.
        decimal: the decimal sign of numbers in texts of the file.
        missing: texts of the file that mean a missing value.
        seed: of everything random.
    """

    models: tuple[PlannedModel, ...]
    columns: tuple[FileColumn, ...]
    tenant: str
    decimal: str = "."
    missing: tuple[str, ...] = ()
    seed: int = field(default=0)

    @property
    def tabular(self) -> tuple[PlannedModel, ...]:
        """The models of the file's own columns."""
        return tuple(model for model in self.models if model.kind == "tabular")

    @property
    def history(self) -> tuple[PlannedModel, ...]:
        """The models for which the file is replayed before any part is scored."""
        return tuple(model for model in self.models if model.kind == "history")

    def to_document(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> ScoringPlan:
        """Invert `to_document`.

        Raises:
            ValueError, TypeError, KeyError: it is not such a document.
        """
        return cls(
            **{
                **document,
                "models": tuple(_model(model) for model in document["models"]),
                "columns": tuple(
                    FileColumn(c["name"], ColumnKind(c["kind"])) for c in document["columns"]
                ),
                "missing": tuple(document["missing"]),
            }
        )

    def write(self, path: Path) -> None:
        """Write it as JSON, as a whole or not at all."""
        replace_file(path, json.dumps(self.to_document(), sort_keys=True).encode())

    @classmethod
    def read(cls, path: Path) -> ScoringPlan:
        """Invert `write`.

        Raises:
            OSError: there is no such file.
            ValueError, TypeError, KeyError: it is not a plan.
        """
        return cls.from_document(json.loads(path.read_bytes()))


def _model(document: dict[str, Any]) -> PlannedModel:
    anomaly = document["anomaly"]
    return PlannedModel(
        **{
            **document,
            "columns": tuple(
                PlannedColumn(**{**c, "profile": ColumnProfile.from_document(c["profile"])})
                for c in document["columns"]
            ),
            "missing": tuple(document["missing"]),
            "model": PlannedArtifact(**document["model"]),
            "anomaly": None if anomaly is None else PlannedArtifact(**anomaly),
        }
    )
