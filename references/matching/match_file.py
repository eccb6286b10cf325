"""A file against all references: which of their models may score it, and why not the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.leaky_names import mentions_label
from references.matching.columns.cells import Cells
from references.matching.columns.history import match_fields
from references.matching.columns.label_column import label_columns
from references.matching.columns.pairing import Wishes, pair_columns
from references.matching.columns.payments import Payments, read_payments
from references.matching.judging.domain import domain_auc
from references.matching.judging.refusal import column_reasons, fit_reasons
from references.matching.judging.similarity import similarity_of
from references.matching.judging.structure import structure_agreement
from references.matching.judging.thresholds import THRESHOLDS, Thresholds
from references.matching.judging.weights import skill, weighted
from references.matching.match import ColumnMatch, Match, ModelMatch, Reason
from references.matching.overrides import check_options, named
from references.matching.sample import FileSample, MatchOptions
from references.profile.column import ColumnKind, ColumnProfile
from references.reference import StoredReference

KEPT = 20
"""Models whose match is told."""
JUDGED = 5
"""Best models that get a second opinion, if not more are asked for."""

Sketch = Callable[[StoredReference], pa.Table]


def match_file(
    file: FileSample,
    references: Sequence[StoredReference],
    sketch: Sketch,
    options: MatchOptions,
    seed: int = 0,
    limits: Thresholds = THRESHOLDS,
) -> Match:
    """Match a file against references.

    Args:
        file: a sample of its rows, and the profiles of its columns.
        references: those that the sender may use.
        sketch: reads the sketch of a reference; called for the best few.
        options: what the sender said.
        seed: of the second opinion.
        limits: where the lines are drawn.

    Raises:
        InvalidInput: the options name a column, a conversion or a reference that is not there.
    """
    check_options(file, references, options)
    return _Matching(file, references, sketch, options, seed, limits).match()


class _Matching:
    """One file, all references."""

    def __init__(
        self,
        file: FileSample,
        references: Sequence[StoredReference],
        sketch: Sketch,
        options: MatchOptions,
        seed: int,
        limits: Thresholds,
    ) -> None:
        self._file = file
        self._references = {stored.id: stored for stored in references}
        self._sketch = sketch
        self._options = options
        self._seed = seed
        self._limits = limits
        self._forced = named(references, options)
        labels = [stored.reference.label for stored in references]
        self._labels = label_columns(file.rows, labels, options.ignore)
        hidden = {*options.ignore, *self._labels}
        self._profiles = {p.name: p for p in file.profiles if p.name not in hidden}
        self._cells = Cells(file.rows, decimal=file.decimal, missing=file.missing)
        self._hidden = hidden
        self._payments = self._read_payments()

    def match(self) -> Match:
        found = sorted(map(self._compared, self._references.values()), key=self._order)
        judged = {m.reference for m in found[: max(JUDGED, self._options.models)]} | self._forced
        found = [self._judged(m) if m.reference in judged else self._reasoned(m) for m in found]
        found.sort(key=lambda m: (not m.fits, *self._order(m)))
        kept = [m for i, m in enumerate(found) if i < KEPT or m.reference in self._forced]
        reasons = self._refusals(kept)
        skills = {m.reference: self._skill(m) for m in kept}
        blocked = self._labels and not self._forced
        chosen = () if blocked else weighted(kept, skills, self._options.models, self._forced)
        weights = {m.reference: m.weight for m in chosen}
        return Match(
            models=tuple(replace(m, weight=weights.get(m.reference, 0.0)) for m in kept),
            chosen=tuple(m.reference for m in chosen),
            reasons=() if chosen else reasons,
            rows=self._file.rows.num_rows,
            notes=self._notes(),
        )

    def _read_payments(self) -> Payments:
        has_history = any(s.reference.kind == "history" for s in self._references.values())
        if not has_history or not self._file.rows.num_rows:
            return Payments(None, {}, {})
        rows_total = max((p.rows for p in self._file.profiles), default=0)
        return read_payments(self._file.rows, rows_total, self._options.columns, self._hidden)

    def _compared(self, stored: StoredReference) -> ModelMatch:
        reference = stored.reference
        if reference.kind == "history":
            columns = match_fields(
                self._payments, self._profiles, reference.columns, self._options.convert
            )
        else:
            wishes = Wishes(self._options.columns, self._options.convert)
            columns = pair_columns(list(self._profiles.values()), reference.columns, wishes)
        similarity = similarity_of(columns)
        used = {c.file_column for c in columns}
        return ModelMatch(
            reference=stored.id,
            similarity=similarity.value,
            coverage=similarity.coverage,
            closeness=similarity.closeness,
            domain_auc=None,
            columns=columns,
            unused=tuple(name for name in self._profiles if name not in used),
            forced=stored.id in self._forced,
        )

    def _judged(self, match: ModelMatch) -> ModelMatch:
        """The match with its second opinion and its reasons."""
        stored = self._references[match.reference]
        if match.similarity > 0:
            auc, structure = self._opinions(stored, match)
            match = replace(match, domain_auc=auc, structure=structure)
        return self._reasoned(match)

    def _reasoned(self, match: ModelMatch) -> ModelMatch:
        reference = self._references[match.reference].reference
        reasons = [
            *column_reasons(reference, match.columns, self._profiles, self._cells, self._limits),
            *fit_reasons(reference, match, self._limits),
        ]
        if reference.kind == "history" and not reasons:
            reasons += self._payment_reasons()
        return replace(match, reasons=tuple(reasons), forced=match.forced and bool(reasons))

    def _payment_reasons(self) -> list[Reason]:
        evidence = self._payments.evidence
        if evidence >= self._limits.evidence:
            return []
        detail = (
            f"little speaks for payments: {evidence:.2f}, but {self._limits.evidence:.2f} is needed"
        )
        if self._payments.other_subjects:
            words = ", ".join(sorted(self._payments.other_subjects)[:5])
            detail += f"; its columns speak of {words}"
        needed = "an amount, customers that occur again, and merchants, counterparties or channels"
        return [Reason("other-domain", detail, needed=needed)]

    def _opinions(
        self, stored: StoredReference, match: ModelMatch
    ) -> tuple[float | None, float | None]:
        """How easily rows are told apart, and whether columns move together alike."""
        reference = stored.reference
        table = self._sketch(stored)
        theirs = Cells(table, decimal=reference.decimal, missing=reference.missing)
        known = {column.name: column for column in reference.columns}
        pairs: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
        for column in match.columns:
            if column.file_column is None or column.column not in theirs:
                continue
            profile = known[column.column].profile
            if _comparable(profile, self._profiles[column.file_column], column):
                pairs.append(self._cells_of(column, profile, theirs))
        if not pairs:
            return None, None
        ours, others = (np.column_stack(side) for side in zip(*pairs, strict=True))
        return domain_auc(ours, others, self._seed), structure_agreement(ours, others)

    def _cells_of(
        self, match: ColumnMatch, profile: ColumnProfile, theirs: Cells
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        name = match.file_column or ""
        if profile.kind is ColumnKind.CATEGORY and not profile.whole:
            return self._cells.codes(name), theirs.codes(match.column)
        factor = match.applied.factor if match.applied else 1.0
        return self._cells.numbers(name) * factor, theirs.numbers(match.column)

    def _skill(self, match: ModelMatch) -> float:
        return skill(self._references[match.reference].reference.metrics)

    def _order(self, match: ModelMatch) -> tuple[float, str]:
        return -match.similarity, match.reference

    def _refusals(self, found: Sequence[ModelMatch]) -> tuple[Reason, ...]:
        if self._labels:
            return tuple(
                Reason(
                    "label-present",
                    f"{name} is the label: the file holds the answer",
                    name,
                    f"a file without {name}, or ignore = {name}",
                )
                for name in self._labels
            )
        if not self._references:
            needed = "a reference: quorum train --auto FILE, or quorum references populate"
            return (Reason("no-reference", "there is no reference to match", needed=needed),)
        best = found[0]
        detail = f"none of {len(self._references)} references fits; the closest is {best.reference}"
        return (
            Reason("low-similarity", detail, needed=best.reasons[0].needed if best.reasons else ""),
        )

    def _notes(self) -> tuple[str, ...]:
        leaky = [name for name in self._profiles if mentions_label(name)]
        return (
            *(f"{name} is the label: it is not used" for name in self._labels),
            *(f"{name} mentions the label: a model that uses it is wrong" for name in leaky),
        )


def _comparable(profile: ColumnProfile, file: ColumnProfile, match: ColumnMatch) -> bool:
    """Whether rows can be told apart by a column: periods differ, ids too, and what differs by
    itself needs no second opinion."""
    kinds = (ColumnKind.NUMBER, ColumnKind.CATEGORY)
    return profile.kind in kinds and file.kind in kinds and match.distribution_score >= 0.3
