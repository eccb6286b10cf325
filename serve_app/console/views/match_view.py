"""A match as the page shows it: the models, their columns, and the conversions to confirm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from references.matching.match import ColumnMatch, Conversion, Match, ModelMatch, Reason
from serve_app.console.views.pictures import bar
from serve_app.console.views.words import percent

REASONS: Final = {
    "no-reference": "There is nothing to match against",
    "low-similarity": "Too little matched",
    "column-missing": "A column is missing",
    "column-mistyped": "A column has another type",
    "label-present": "The file holds the answer",
    "column-constant": "A column never changes",
    "other-domain": "The rows look different",
    "other-unit": "A column has another unit",
}
"""code of a reason -> its heading. A code that is not here is shown as it is."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change of unit that the user may confirm.

    Attributes:
        value: of its checkbox: the code, a colon and the column of the file.
        models: whose matches propose it.
    """

    file_column: str
    conversion: Conversion
    models: tuple[str, ...]

    @property
    def value(self) -> str:
        """What the form sends for it."""
        return f"{self.conversion.code}:{self.file_column}"


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model of a match.

    Attributes:
        outcome: whether it scores the file, in a word or two.
        matched, missing: its columns with and without a counterpart, the most important first.
        pictures: name of a measure -> (value as text, bar).
    """

    match: ModelMatch
    chosen: bool
    outcome: str
    matched: tuple[ColumnMatch, ...]
    missing: tuple[ColumnMatch, ...]
    similarity: Markup

    @property
    def name(self) -> str:
        """The name of the reference, without its version."""
        return self.match.reference.partition("@")[0]

    @property
    def version(self) -> str:
        """The version of the reference."""
        return self.match.reference.partition("@")[2]

    @property
    def domain(self) -> str:
        """How easily the file's rows are told from those that the model learnt from."""
        auc = self.match.domain_auc
        if auc is None:
            return "not measured"
        word = "hardly" if auc < 0.7 else "partly" if auc < 0.9 else "easily"
        return f"{word} (AUC {auc:.2f})"


def models_of(match: Match) -> list[ModelView]:
    """Return the models: those that score first, by weight; then the others by similarity."""
    order = {reference: place for place, reference in enumerate(match.chosen)}
    ranked = sorted(match.models, key=lambda m: (order.get(m.reference, len(order)), -m.similarity))
    return [_model(model, model.reference in order) for model in ranked]


def proposals_of(match: Match) -> list[Proposal]:
    """Return each proposed conversion once, with the models that propose it; those of models that
    do not fit as well, as a conversion may be all that they need."""
    found: dict[tuple[str, str], tuple[Conversion, list[str]]] = {}
    for model in match.models:
        for column in model.columns:
            if column.proposed is None or column.file_column is None:
                continue
            if column.applied is not None:
                continue
            key = (column.file_column, column.proposed.code)
            found.setdefault(key, (column.proposed, []))[1].append(model.reference)
    return [
        Proposal(column, conversion, tuple(models))
        for (column, _), (conversion, models) in found.items()
    ]


def heading(reason: Reason) -> str:
    """Return a reason in a few words."""
    return REASONS.get(reason.code, reason.code)


def _model(match: ModelMatch, chosen: bool) -> ModelView:
    columns = sorted(match.columns, key=lambda column: -column.importance)
    style = "good" if chosen else "plain"
    said = f"Similarity {percent(match.similarity)}"
    return ModelView(
        match=match,
        chosen=chosen,
        outcome=_outcome(match, chosen),
        matched=tuple(c for c in columns if c.file_column is not None),
        missing=tuple(c for c in columns if c.file_column is None),
        similarity=bar(match.similarity, said, style),
    )


def _outcome(match: ModelMatch, chosen: bool) -> str:
    if chosen:
        return "used at your word" if match.forced else "scores the file"
    return "fits, not needed" if match.fits else "does not fit"
