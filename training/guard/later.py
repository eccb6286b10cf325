"""What was not known yet at the payment: labels, moments, and features that know them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from data.history.history import History
from features.backfill import backfill
from features.state.entities import ROLES
from fraud.payment.batch import Float32, Float64, Int64
from training.finding import Finding
from training.guard.rows import Bools
from training.sets.split import DAY_MS, FRAUD, UNKNOWN, Int8

EARLY_SHARE = 0.01
"""Of labels: more of them known before their payment are refused."""
REPLAYED = 24
"""Rows that are replayed on their own."""

_MAX_ROWS = 20_000
_NEAR_DAYS, _FAR_DAYS = 400, 4_000
_GOES_ALONG = 5.0
"""Errors of chance by which far moments have to go along with their payments' times."""
_LATE_SHARE = 0.01
_UNITS_MS = {"seconds": 1e3, "milliseconds": 1.0, "minutes": 6e4, "hours": 3.6e6, "days": 8.64e7}


def early_labels(
    label: Int8, known_at_ms: Int64, timestamp_ms: Int64, *, with_payment: bool
) -> list[Finding]:
    """Labels that were known before their payment.

    Args:
        with_payment: one known at the very moment of the payment is early as well: windows would
            have learnt it before the payment's own features are read.
    """
    labelled = label != UNKNOWN
    early = labelled & (known_at_ms <= timestamp_ms if with_payment else known_at_ms < timestamp_ms)
    count = int(early.sum())
    if count == 0:
        return []
    share = max(
        count / int(labelled.sum()),
        int((early & (label == FRAUD)).sum()) / max(int((label == FRAUD).sum()), 1),
    )
    when = "at or before" if with_payment else "before"
    return [
        Finding(
            "refuse" if share > EARLY_SHARE else "warn",
            "early-label",
            f"{count:,} labels were known {when} their own payment, the first in row"
            f" {int(np.argmax(early))} in the order of time: give the delay (delay_days of the"
            " layout) or correct known_at",
        )
    ]


def later_time(name: str, values: Float64, timestamp_ms: Float64) -> list[Finding]:
    """A finding if a column holds moments, and some lie after the payment.

    A column holds moments if, counted in some unit since 1970, nearly all of its values lie
    within 400 days of their payment, or up to 4,000 days after it and the later, the later the
    payment: the last rate of a loan is paid years after it was given.

    Args:
        values: float64[n], exact to a float32.
        timestamp_ms: float64[n], of the payments.
    """
    known = np.isfinite(values)
    if known.sum() < REPLAYED:
        return []
    found, at_ms = values[known], timestamp_ms[known]
    for unit, unit_ms in _UNITS_MS.items():
        apart = found * unit_ms - at_ms
        if not (_near(apart, _NEAR_DAYS) or (_near(apart, _FAR_DAYS) and _along(found, at_ms))):
            continue
        # What a float32 and a whole unit leave open.
        slack = np.abs(found) * unit_ms * np.finfo(np.float32).eps + unit_ms
        late = apart > slack
        if late.mean() > _LATE_SHARE:
            days = float(np.median(apart[late])) / DAY_MS
            return [
                Finding(
                    "refuse",
                    "later-time",
                    f"{name} holds moments ({unit} since 1970) after the payment in"
                    f" {late.mean():.1%} of rows, by {days:.2g} days in the median: it was not"
                    f" known then; honest only if {name} is known when the payment is decided",
                    column=name,
                )
            ]
        return []
    return []


def _near(apart: Float64, days_after: int) -> bool:
    near = (apart >= -_NEAR_DAYS * DAY_MS) & (apart <= days_after * DAY_MS)
    return bool(near.mean() >= 1 - _LATE_SHARE)


def _along(values: Float64, at_ms: Float64) -> bool:
    if np.ptp(values) == 0 or np.ptp(at_ms) == 0:
        return False
    return bool(np.corrcoef(values, at_ms)[0, 1] * np.sqrt(values.size) > _GOES_ALONG)


def later_labels(
    history: History, values: Float32, schema_names: Sequence[str], seed: int, n: int = REPLAYED
) -> list[Finding]:
    """Replay rows on their own, with only what was known when they happened, and compare.

    State is kept by entity, so the payments that share an entity with a row are all its features
    depend on; of them only those before it, and labels known by then, are given.

    Args:
        values: float32[len(history), n_features], the matrix to be trained on.
    """
    rows = _drawn(history, seed, n)
    columns = sorted({role.column for role in ROLES})
    touched = _touched(history, rows, columns)
    for row in rows.tolist():
        near = touched(row)
        if near.size > _MAX_ROWS:
            continue
        alone = _known_at(history, near, row)
        own = [f.values[-1] for f in backfill([alone.batch], [alone.label_events()])][-1]
        kept = np.asarray(values[row])
        differs = np.flatnonzero((own != kept) & ~(np.isnan(own) & np.isnan(kept)))
        if differs.size:
            first = int(differs[0])
            return [
                Finding(
                    "refuse",
                    "later-labels",
                    f"{schema_names[first]} of row {row} in the order of time is {kept[first]:g},"
                    f" but {own[first]:g} by what was known then ({differs.size} features differ):"
                    " it knows payments or labels of later",
                )
            ]
    return []


def _drawn(history: History, seed: int, n: int) -> Int64:
    """Rows from the later half, where there is much to know, half of them frauds."""
    rng = np.random.default_rng(seed)
    half = len(history) // 2
    later = np.arange(half, len(history))
    fraud = history.label[half:] == FRAUD
    drawn = [
        rng.choice(kind, min(n // 2, kind.size), replace=False)
        for kind in (later[fraud], later[~fraud])
    ]
    return np.sort(np.concatenate(drawn))


def _touched(history: History, rows: Int64, columns: Sequence[str]) -> Callable[[int], Int64]:
    """For a row, the rows up to it that share an entity with it, itself the last."""
    batch = history.batch
    wanted = {getattr(batch, c)[row] for c in columns for row in rows.tolist()} - {None}
    places: dict[tuple[str, str], list[int]] = {}
    for column in columns:
        for i, value in enumerate(getattr(batch, column)):
            if value in wanted:
                places.setdefault((column, value), []).append(i)
    # An account pays and is paid: its state is one, under the names of two columns.
    accounts = ("customer_id", "counterparty_id")

    def near(row: int) -> Int64:
        found = [np.array([row])]
        for column in columns:
            value = getattr(batch, column)[row]
            found.extend(
                np.array(places.get((other, value), ()), np.int64)
                for other in (accounts if column in accounts else (column,))
            )
        every = np.unique(np.concatenate(found))
        return every[every <= row]

    return near


def _known_at(history: History, near: Int64, row: int) -> History:
    at_ms = history.batch.timestamp_ms[row]
    known: Bools = history.known_at_ms[near] <= at_ms
    part = History(
        history.batch.take(near.tolist()), history.label[near], history.known_at_ms[near]
    )
    return replace(part, label=np.where(known, part.label, UNKNOWN).astype(np.int8))
