"""The guard's rounds: of raw history, of a matrix before it is learnt from, and of a layout."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from data.history.history import History
from data.layout.layout import Layout
from data.leaky_names import mentions_label, names_label
from fraud.errors import NotTrainable
from training.finding import Finding, Severity
from training.guard.columns.aggregates import label_sums
from training.guard.columns.copies import noisy_labels
from training.guard.columns.equal import equal_columns
from training.guard.columns.label_columns import telling
from training.guard.columns.raw import RAW_TEXTS, matrix_columns, payment_columns
from training.guard.columns.steps import label_steps
from training.guard.customers import disjoint_customers
from training.guard.duplicates import identical_rows
from training.guard.later import early_labels, later_labels, later_time
from training.guard.rows import guard_rows
from training.sets.dataset import Dataset
from training.sets.split import Split


def inspect_history(history: History, seed: int) -> list[Finding]:
    """Look at raw payments before features are made of them: each field against the label, and
    labels that were known too early."""
    at_ms = np.array(history.batch.timestamp_ms, np.int64)
    rows = guard_rows(history.label, at_ms, seed)
    return [
        *telling(payment_columns(history, rows), rows),
        *disjoint_customers(history),
        *early_labels(history.label, history.known_at_ms, at_ms, with_payment=True),
    ]


def inspect_replay(history: History, dataset: Dataset, seed: int) -> list[Finding]:
    """Look at the matrix of features that was made of a history: whether it knows the future."""
    return later_labels(history, dataset.values, dataset.schema.names, seed)


def inspect_dataset(dataset: Dataset, split: Split, seed: int) -> list[Finding]:
    """Look at a matrix and how it is cut: its columns, and identical rows on both sides."""
    learnt = np.unique(np.concatenate([split.train, split.validation, split.calibration]))
    return [
        *inspect_columns(dataset, seed),
        *identical_rows(dataset.values, learnt, split.test, dataset.label),
    ]


def inspect_columns(dataset: Dataset, seed: int) -> list[Finding]:
    """Look at each column of a matrix against the label. A table's own columns are also looked at
    for moments and labels of later."""
    rows = guard_rows(dataset.label, dataset.timestamp_ms, seed)
    found = telling(matrix_columns(dataset, rows), rows)
    if dataset.schema.is_tabular:
        told = {finding.column for finding in found if finding.severity == "refuse"}
        more = [
            *noisy_labels(dataset, rows),
            *label_sums(dataset),
            *label_steps(dataset),
            *equal_columns(dataset, rows),
        ]
        found += [finding for finding in more if finding.column not in told]
        found += early_labels(
            dataset.label, dataset.known_at_ms, dataset.timestamp_ms, with_payment=False
        )
        at_ms = dataset.timestamp_ms[rows.rows].astype(np.float64)
        for i, name in enumerate(dataset.schema.names):
            if i not in dataset.schema.categorical:
                found += later_time(name, dataset.values[rows.rows, i].astype(np.float64), at_ms)
    return found


def check_declared(dataset: Dataset, honest: Collection[str]) -> None:
    """See to it that what is declared honest is there: a matrix's column, or a payment's field.

    Raises:
        NotTrainable: a name is of no column.
    """
    fields = {*RAW_TEXTS, "transaction_id", "timestamp", "amount", "latitude", "longitude"}
    unknown = sorted(set(honest) - {*dataset.schema.names, *fields})
    if unknown:
        raise NotTrainable(f"honest: the data have no column {unknown[0]}")


def inspect_layout(layout: Layout) -> list[Finding]:
    """Look at which columns of a file a layout takes for inputs."""
    tabular = layout.tabular
    mapped = {
        f"columns.{field}" + ("" if i == 0 else f" {i + 1}"): column
        for field, text in layout.text.items()
        for i, column in enumerate(text.columns)
    }
    mapped |= {f"columns.{field}": column for field, column in layout.degrees.items()}
    mapped |= {"columns.amount": layout.amount.column}
    if tabular is not None:
        mapped |= {f"tabular {n}": n for n in (*tabular.numeric, *tabular.categorical)}
    label = layout.label
    told: set[str] = set()
    if label is not None:
        told = set() if label.join is not None else {label.column}
        told |= set() if label.known_at is None else label.known_at.columns_read()
    found = []
    for where, column in mapped.items():
        if column in told:
            sentence = (
                f"layout {layout.name}: {where} is {column}, which [label] reads the label from"
            )
            found.append(Finding("refuse", "label-column", sentence, column=column))
        elif mentions_label(column) and where.startswith("columns."):
            outright = names_label(column)
            what = "is a name of the label" if outright else "speaks of the label"
            sentence = (
                f"layout {layout.name}: {where} is {column}, whose name {what}; honest only if"
                f" {column} is known when the payment is decided"
            )
            severity: Severity = "refuse" if outright else "warn"
            found.append(Finding(severity, "speaking-name", sentence, column=column))
    return found
