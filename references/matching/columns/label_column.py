"""The label among a file's columns: a file that holds the answer need not be scored."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pyarrow as pa

from data.guess.column import Column
from data.guess.column_names import label_confidence, normalised
from data.guess.label import LabelGuess, guess_label
from references.profile.plain import plain

SURE = 4
"""Names from this confidence on are those of a label."""
_NAMES_FRAUD = 5
_MOST_FRAUD = 0.6
"""A larger share of frauds is another kind of flag."""


def label_columns(rows: pa.Table, labels: Collection[str], ignore: Collection[str]) -> list[str]:
    """Return the columns that are a label, in the order of the file.

    A label has two values. Its name says fraud, or it is called like a label and its values mean
    yes and no or good and bad, or it has the name of a reference's label.

    Args:
        rows: a sample.
        labels: names of the references' labels.
        ignore: columns that the sender does not want looked at.
    """
    known = {normalised(label) for label in labels if label}
    return [
        name
        for name in rows.column_names
        if name not in ignore
        and (label_confidence(name) >= SURE or normalised(name) in known)
        and _is_label(Column(name, plain(rows.column(name))), normalised(name) in known)
    ]


def _is_label(column: Column, is_known: bool) -> bool:
    if len(column.values) != 2:
        return False
    if is_known or label_confidence(column.name) >= _NAMES_FRAUD:
        return True
    guess = guess_label([column])
    return guess is not None and guess.certain and _share(column, guess) <= _MOST_FRAUD


def _share(column: Column, guess: LabelGuess) -> float:
    texts: Iterable[str | None] = column.texts.values.to_pylist()
    return sum(text in guess.fraud for text in texts) / max(column.filled, 1)
