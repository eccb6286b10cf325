"""Columns that aggregate the labels of a merchant, a customer or a place over the whole file.

Such an aggregate includes the row's own label and later ones. It has one value for each group and
follows the labels of the group. If the row's own label was left out, it has one value for each
group and label, and so gives the label away once the group is known.
"""

from __future__ import annotations

import numpy as np

from fraud.payment.batch import Float64, Int64
from training.finding import Finding
from training.sets.dataset import Dataset
from training.sets.split import FRAUD, UNKNOWN

LEAST_FRAUDS = 20
_LEAST_GROUPS = 8
_FOLLOWS = 0.985
_SAME = 0.97
"""The least share of rows; the codes of two names may coincide."""
_GLANCE_ROWS = 4_000
_GLANCE = 0.9


def label_sums(dataset: Dataset) -> list[Finding]:
    """Findings on numbers of a table that aggregate the labels of one of its groups."""
    schema = dataset.schema
    labelled = np.flatnonzero(dataset.label != UNKNOWN)
    fraud = (dataset.label[labelled] == FRAUD).astype(np.float64)
    if fraud.sum() < LEAST_FRAUDS:
        return []
    numbers = [i for i in range(len(schema.names)) if i not in schema.categorical]
    found: dict[str, Finding] = {}
    for group in schema.categorical:
        names, code = np.unique(np.asarray(dataset.values[labelled, group]), return_inverse=True)
        code = code.reshape(-1)
        if not _LEAST_GROUPS <= names.size <= labelled.size / 2:
            continue
        order = np.lexsort((fraud, code))
        for i in numbers:
            name = schema.names[i]
            if name in found:
                continue
            values = np.asarray(dataset.values[labelled, i], np.float64)
            what = _aggregate_kind(values, code, fraud, order)
            if what is not None:
                found[name] = Finding(
                    "refuse",
                    "label-aggregate",
                    f"{name} {what} {schema.names[group]}: it includes the labels of this payment"
                    f" and of later ones; honest only if {name} counts only labels that are known"
                    " when the payment is decided",
                    column=name,
                )
    return list(found.values())


def _aggregate_kind(values: Float64, code: Int64, fraud: Float64, order: Int64) -> str | None:
    # Neighbours of one group and label suffice to rule most pairs out.
    head = order[:_GLANCE_ROWS] if order.size <= 2 * _GLANCE_ROWS else order[-2 * _GLANCE_ROWS :]
    pair = (code[head[1:]] == code[head[:-1]]) & (fraud[head[1:]] == fraud[head[:-1]])
    if not pair.any() or np.mean(_equal(values[head[1:]], values[head[:-1]])[pair]) < _GLANCE:
        return None
    known = np.isfinite(values)
    groups = int(code.max()) + 1
    rows = np.bincount(code[known], minlength=groups)
    frauds = np.bincount(code[known], fraud[known], minlength=groups)
    mean = np.bincount(code[known], values[known], minlength=groups) / np.maximum(rows, 1)
    enough = rows >= 2
    if enough.sum() < _LEAST_GROUPS:
        return None
    if np.ptp(mean[enough]) == 0:
        return None
    mixed = enough & (frauds > 0) & (frauds < rows)
    within = _equal(values[known], mean[code[known]])
    if _holds_for_both(within, fraud[known]):
        share = frauds / np.maximum(rows, 1)
        follows = any(
            np.ptp(sums[enough]) and _follows(mean[enough], sums[enough])
            for sums in (share, frauds.astype(np.float64))
        )
        if follows or _follows_counts(mean[enough], rows[enough], frauds[enough].astype(np.int64)):
            return "has one value for each value, and follows the labels, of"
        return None
    both = code * 2 + fraud.astype(np.int64)
    rows_both = np.bincount(both[known], minlength=2 * groups)
    mean_both = np.bincount(both[known], values[known], minlength=2 * groups) / np.maximum(
        rows_both, 1
    )
    alike = _equal(values[known], mean_both[both[known]])
    apart = mixed & ~_equal(mean_both[0::2], mean_both[1::2])
    repeated = mixed & (rows_both[0::2] >= 2)
    if _holds_for_both(alike, fraud[known]) and (apart & repeated).sum() >= _LEAST_GROUPS:
        return "has one value for frauds and one for others, within each value of"
    return None


def _holds_for_both(same: np.ndarray, fraud: Float64) -> bool:
    """Whether `same` holds for frauds and for others separately; together frauds would hardly
    count."""
    sides = (same[fraud > 0], same[fraud == 0])
    return all(side.size > 0 and side.mean() > _SAME for side in sides)


def _equal(a: Float64, b: Float64) -> np.ndarray:
    return np.isclose(a, b, rtol=1e-4, atol=1e-6)


def _follows_counts(mean: Float64, rows: Int64, frauds: Int64) -> bool:
    """Whether groups with equally many rows and frauds have one number, and groups with more frauds
    another: the number is some mean of labels that was shrunk towards the overall mean."""
    order = np.lexsort((mean, frauds, rows))
    mean, rows, frauds = mean[order], rows[order], frauds[order]
    same_rows = rows[1:] == rows[:-1]
    alike = same_rows & (frauds[1:] == frauds[:-1])
    more = same_rows & ~alike
    if min(alike.sum(), more.sum()) < _LEAST_GROUPS:
        return False
    equal = _equal(mean[1:], mean[:-1])
    rises = np.diff(mean)[more]
    one_way = max((rises > 0).mean(), (rises < 0).mean())
    return bool(equal[alike].mean() > _SAME and not equal[more].any() and one_way > _SAME)


def _follows(sums: Float64, labels: Float64) -> bool:
    correlation = np.corrcoef(sums, labels)[0, 1]
    return bool(abs(correlation) >= _FOLLOWS)
