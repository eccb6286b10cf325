"""Why a reference does not fit a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from references.matching.columns.cells import Cells
from references.matching.columns.names import is_anonymous
from references.matching.columns.pairing import NAMED
from references.matching.judging.similarity import similarity_of
from references.matching.judging.thresholds import Thresholds
from references.matching.match import ColumnMatch, ModelMatch, Reason
from references.profile.column import ColumnKind, ColumnProfile
from references.reference import Reference, ReferenceColumn


def column_reasons(
    reference: Reference,
    columns: Sequence[ColumnMatch],
    profiles: Mapping[str, ColumnProfile],
    cells: Cells,
    limits: Thresholds,
) -> list[Reason]:
    """Return the reasons that lie in single columns: missing, mistyped, constant, another unit."""
    known = {column.name: column for column in reference.columns}
    found: list[Reason] = []
    for match in columns:
        found += _of_column(reference, known[match.column], match, profiles, cells, limits)
    return found


def fit_reasons(reference: Reference, match: ModelMatch, limits: Thresholds) -> list[Reason]:
    """Return the reasons that lie in the whole: too little in common, or other rows."""
    least = limits.history_similarity if reference.kind == "history" else limits.similarity
    if match.coverage < limits.coverage:
        lacking = [c for c in match.columns if c.file_column is None and c.importance > 0]
        lacking.sort(key=lambda c: -c.importance)
        return [
            Reason(
                "low-similarity",
                f"only {match.coverage:.0%} of what its models look at has a counterpart",
                needed=f"columns like {', '.join(c.column for c in lacking[:5])}",
            )
        ]
    if _once_confirmed(match) < least:
        detail = f"similarity {match.similarity:.2f}, but {least:.2f} is needed"
        return [Reason("low-similarity", detail, needed=_furthest(match.columns))]
    return _domain_reasons(reference, match, limits) if reference.kind == "tabular" else []


def _once_confirmed(match: ModelMatch) -> float:
    """The similarity if columns of another unit were as close as the rest: a file is not unlike for
    a conversion that its sender has yet to confirm."""
    others = [c for c in match.columns if c.file_column is not None and c.proposed is None]
    pending = any(c.proposed is not None for c in match.columns)
    if not pending or not others:
        return match.similarity
    return max(match.similarity, match.coverage * similarity_of(others).closeness)


def _domain_reasons(reference: Reference, match: ModelMatch, limits: Thresholds) -> list[Reason]:
    """Reasons to doubt that columns which look alike mean the same."""
    matched = [c for c in match.columns if c.file_column is not None]
    weights = _weights(matched)
    columns = 1 / sum(w * w for w in weights)
    worded = {c.name for c in reference.columns if c.profile.kind is ColumnKind.CATEGORY}
    support = sum(
        weight
        for weight, column in zip(weights, matched, strict=True)
        if _speaks(column, column.column in worded, match, limits)
    )
    if support < _support_needed(columns, match, limits):
        detail = (
            f"names or structure speak for only {support:.0%} of what looks alike: other tables"
            " have numbers of the same shape"
        )
        needed = "columns with the reference's names, or `columns`, which says what they are"
        return [Reason("other-domain", detail, needed=needed)]
    if columns >= limits.few_columns:
        return []
    names = sum(w * c.name_score for w, c in zip(weights, matched, strict=True))
    told_apart = match.domain_auc is not None and match.domain_auc > limits.few_auc
    if names >= limits.few_names and not told_apart:
        return []
    detail = "nearly all depends on one or two columns, whose names or rows differ"
    needed = "more of the reference's columns, or rows like those it learnt from"
    return [Reason("other-domain", detail, needed=needed)]


def _support_needed(columns: float, match: ModelMatch, limits: Thresholds) -> float:
    is_wide = (
        columns >= limits.wide_columns
        and match.coverage >= limits.wide_coverage
        and match.closeness >= limits.wide_closeness
    )
    return limits.wide_support if is_wide else limits.support


def _speaks(column: ColumnMatch, is_worded: bool, match: ModelMatch, limits: Thresholds) -> bool:
    """Whether more than a distribution speaks for a pair: names, structure, or texts in common."""
    structure = match.structure if match.structure is not None else 0.0
    if is_anonymous(column.column) or is_anonymous(column.file_column or ""):
        return structure >= limits.structure
    if is_worded and column.distribution_score >= limits.same_texts:
        return True
    return column.name_score >= NAMED or structure >= limits.strong_structure


def _weights(columns: Sequence[ColumnMatch]) -> list[float]:
    """Importances that sum to 1."""
    total = sum(c.importance for c in columns)
    return [c.importance / total if total else 1 / len(columns) for c in columns]


def _of_column(
    reference: Reference,
    column: ReferenceColumn,
    match: ColumnMatch,
    profiles: Mapping[str, ColumnProfile],
    cells: Cells,
    limits: Thresholds,
) -> list[Reason]:
    if match.file_column is None:
        if not match.required:
            return []
        needed = f"a column like {match.column}: {_described(column.profile)}"
        detail = f"{match.column} is required and has no counterpart"
        return [Reason("column-missing", detail, match.column, needed)]
    if not (match.required or match.importance >= limits.weighty):
        return []
    profile = profiles[match.file_column]
    varied = column.profile.kind is not ColumnKind.CONSTANT
    if profile.kind is ColumnKind.CONSTANT and varied:
        detail = f"{match.file_column} has one value in every row"
        return [
            Reason("column-constant", detail, match.file_column, "a column with its own values")
        ]
    if (share := _mistyped(reference, column, match, cells)) > limits.mistyped:
        detail = f"{share:.1%} of the filled rows of {match.file_column} are not numbers"
        needed = f"numbers in all but {limits.mistyped:.0%} of the rows"
        return [Reason("column-mistyped", detail, match.file_column, needed)]
    if match.proposed is not None and match.applied is None:
        needed = f"a confirmation: convert {match.file_column} = {match.proposed.code}"
        return [Reason("other-unit", match.proposed.detail, match.file_column, needed)]
    return []


def _mistyped(
    reference: Reference, column: ReferenceColumn, match: ColumnMatch, cells: Cells
) -> float:
    is_number = column.profile.kind is ColumnKind.NUMBER and not column.categorical
    if reference.kind == "history" and column.name != "amount":
        return 0.0
    name = match.file_column or ""
    if not is_number or name not in cells or match.applied is not None:
        return 0.0
    return cells.unreadable(name)


def _described(profile: ColumnProfile) -> str:
    if profile.kind is ColumnKind.NUMBER and profile.quantiles:
        return (
            f"numbers, half of them between {profile.quantiles[5]:g} and {profile.quantiles[15]:g}"
        )
    return {
        ColumnKind.CATEGORY: f"one of about {profile.distinct} categories",
        ColumnKind.IDENTIFIER: "ids",
        ColumnKind.TIME: "times",
    }.get(profile.kind, "texts")


def _furthest(columns: Sequence[ColumnMatch]) -> str:
    """The columns that cost most similarity."""
    lost = sorted(columns, key=lambda c: c.importance * (c.distribution_score - 1))
    names = [c.column for c in lost[:3] if c.importance > 0]
    return f"values closer to the reference's in {', '.join(names)}" if names else ""
