"""The result of matching a file against reference models."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

ReasonCode = Literal[
    "no-reference",  # there is nothing to match against
    "low-similarity",  # what matched is too little or too different
    "column-missing",  # a required column has no counterpart
    "column-mistyped",  # more than 1 % of its rows have another type
    "label-present",  # the file holds the answer
    "column-constant",  # a column that the models need has one value in every row
    "other-domain",  # little but numbers of one shape is shared: names, structure or rows differ
    "other-unit",  # a column's scale differs, and no conversion was confirmed
]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a reference does not fit, or no reference does.

    Attributes:
        code: stable.
        detail: one sentence, without values of the file.
        column: of the file, or of the reference; "" for the whole.
        needed: what would make it fit; "" if nothing would.
    """

    code: ReasonCode
    detail: str
    column: str = ""
    needed: str = ""


@dataclass(frozen=True, slots=True)
class Conversion:
    """A change of unit that the distributions suggest. It is applied only if the user confirms it.

    Attributes:
        code: stable, a key of `CONVERSIONS`, such as `minor-to-major` or `epoch-ms-to-s`.
        factor: what each number is multiplied by; 1.0 for changes of format.
        detail: one sentence.
    """

    code: str
    factor: float
    detail: str


@dataclass(frozen=True, slots=True)
class ColumnMatch:
    """A column of a reference and its counterpart in the file.

    Attributes:
        column: of the reference.
        file_column: of the file; None if there is no counterpart.
        score: how well they match, in [0, 1]; 0 without a counterpart.
        name_score, distribution_score: the parts of `score`, in [0, 1].
        importance: of the reference's column.
        required: the models cannot be used without it.
        note: one sentence about the match, "" if it is plain.
        proposed: a conversion that would bring the distributions together.
        applied: the conversion that the user confirmed.
    """

    column: str
    file_column: str | None
    score: float
    name_score: float
    distribution_score: float
    importance: float
    required: bool
    note: str = ""
    proposed: Conversion | None = None
    applied: Conversion | None = None


@dataclass(frozen=True, slots=True)
class ModelMatch:
    """How well a file fits a reference.

    Attributes:
        reference: its `StoredReference.id`, `name@version`.
        similarity: coverage times closeness, in [0, 1].
        coverage: importance of the columns that have a counterpart, in [0, 1].
        closeness: mean closeness of their distributions, weighted by importance, in [0, 1].
        domain_auc: how easily a classifier tells the file's rows from the sketch's, 0.5 (not at
            all) to 1; None if it was not measured.
        structure: how alike the two are in how columns move together, -1 to 1: the correlation of
            their rank correlations; None if it was not measured, or of fewer than six columns.
        columns: one for each column of the reference.
        unused: columns of the file that the reference has no use for.
        reasons: why it is not used; () if it fits.
        weight: share of its score in the ensemble, in [0, 1]; 0 if it is not used.
        forced: the caller named it, although it does not fit.
    """

    reference: str
    similarity: float
    coverage: float
    closeness: float
    domain_auc: float | None
    columns: tuple[ColumnMatch, ...]
    unused: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    weight: float = 0.0
    forced: bool = False
    structure: float | None = None

    @property
    def fits(self) -> bool:
        """Whether it may score the file."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Match:
    """How well a file fits all references.

    Attributes:
        models: the best first; only the best 20 are kept.
        chosen: `ModelMatch.reference` of those that score, the largest weight first.
        reasons: why the file is refused as a whole; () if it is not.
        rows: rows of the file that were looked at.
    """

    models: tuple[ModelMatch, ...]
    chosen: tuple[str, ...]
    reasons: tuple[Reason, ...] = ()
    rows: int = 0
    notes: tuple[str, ...] = field(default=())

    @property
    def refused(self) -> bool:
        """Whether nothing may score the file."""
        return not self.chosen

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """Columns of the file for which a chosen reference proposes a conversion that was not
        confirmed, sorted."""
        columns = (column for name in self.chosen for column in self.of(name).columns)
        found = (c.file_column for c in columns if c.proposed is not None and c.applied is None)
        return tuple(sorted({name for name in found if name is not None}))

    def of(self, reference: str) -> ModelMatch:
        """Return the match of a reference; KeyError if there is none."""
        for model in self.models:
            if model.reference == reference:
                return model
        raise KeyError(reference)

    def to_document(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Match:
        """Invert `to_document`.

        Raises:
            ValueError, TypeError, KeyError: it is not such a document.
        """
        return cls(
            models=tuple(_model(model) for model in document["models"]),
            chosen=tuple(document["chosen"]),
            reasons=tuple(Reason(**reason) for reason in document["reasons"]),
            rows=int(document["rows"]),
            notes=tuple(document["notes"]),
        )


def _model(document: dict[str, Any]) -> ModelMatch:
    return ModelMatch(
        **{
            **document,
            "columns": tuple(_column(column) for column in document["columns"]),
            "unused": tuple(document["unused"]),
            "reasons": tuple(Reason(**reason) for reason in document["reasons"]),
        }
    )


def _column(document: dict[str, Any]) -> ColumnMatch:
    conversions = {
        name: None if document[name] is None else Conversion(**document[name])
        for name in ("proposed", "applied")
    }
    return ColumnMatch(**{**document, **conversions})
