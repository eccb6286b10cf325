"""Knowledge of the future: early labels, times after the payment, features of later events."""

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
"""If more labels than this were known before their payment, the data are refused."""
RECOMPUTED = 24
"""The number of rows whose features are recomputed."""

_MAX_ROWS = 20_000
_NEAR_DAYS, _FAR_DAYS = 400, 4_000
_CORRELATED = 5.0
"""The correlation of distant times with payment times must exceed this many standard errors."""
_LATE_SHARE = 0.01
_UNITS_MS = {"seconds": 1e3, "milliseconds": 1.0, "minutes": 6e4, "hours": 3.6e6, "days": 8.64e7}


def early_labels(
    label: Int8, known_at_ms: Int64, timestamp_ms: Int64, *, with_payment: bool
) -> list[Finding]:
    """A finding if labels were known before their payment.

    Args:
        with_payment: labels known at the moment of the payment are early, too: feature windows
            would include them before the payment's own features are read.
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
            f" {int(np.argmax(early))} in the order of time: state the delay (delay_days in the"
            " layout) or correct known_at",
        )
    ]


def future_times(name: str, values: Float64, timestamp_ms: Float64) -> list[Finding]:
    """A finding if a column holds times and some of them lie after the payment.

    A column holds times if its values, in some unit since 1970, nearly all lie within 400 days of
    their payment. It also does if they lie up to 4,000 days after it and correlate with the time
    of the payment: the last instalment of a loan is paid years later.

    Args:
        values: float64[n], with the precision of a float32.
        timestamp_ms: float64[n], of the payments.
    """
    known = np.isfinite(values)
    if known.sum() < RECOMPUTED:
        return []
    found, at_ms = values[known], timestamp_ms[known]
    for unit, unit_ms in _UNITS_MS.items():
        apart = found * unit_ms - at_ms
        if not (
            _near(apart, _NEAR_DAYS) or (_near(apart, _FAR_DAYS) and _correlated(found, at_ms))
        ):
            continue
        # The rounding of a float32 and of the unit.
        slack = np.abs(found) * unit_ms * np.finfo(np.float32).eps + unit_ms
        late = apart > slack
        if late.mean() > _LATE_SHARE:
            days = float(np.median(apart[late])) / DAY_MS
            return [
                Finding(
                    "refuse",
                    "later-time",
                    f"{name} holds times ({unit} since 1970) that lie after the payment in"
                    f" {late.mean():.1%} of rows, by a median of {days:.2g} days: it was not known"
                    f" then; honest only if {name} is known when the payment is decided",
                    column=name,
                )
            ]
        return []
    return []


def _near(apart: Float64, days_after: int) -> bool:
    near = (apart >= -_NEAR_DAYS * DAY_MS) & (apart <= days_after * DAY_MS)
    return bool(near.mean() >= 1 - _LATE_SHARE)


def _correlated(values: Float64, at_ms: Float64) -> bool:
    if np.ptp(values) == 0 or np.ptp(at_ms) == 0:
        return False
    return bool(np.corrcoef(values, at_ms)[0, 1] * np.sqrt(values.size) > _CORRELATED)


def future_knowledge(
    history: History, values: Float32, schema_names: Sequence[str], seed: int, n: int = RECOMPUTED
) -> list[Finding]:
    """Recompute the features of some rows from what was known at the time, and compare.

    State is kept by entity, so a row's features depend only on payments that share an entity with
    it. Of these, only the earlier ones and the labels known by then are used.

    Args:
        values: float32[len(history), n_features], the matrix to train on.
    """
    rows = _draw_rows(history, seed, n)
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
                    f" but {own[first]:g} from what was known then ({differs.size} features"
                    " differ): it uses later payments or labels",
                )
            ]
    return []


def _draw_rows(history: History, seed: int, n: int) -> Int64:
    """Draw rows from the later half, which has more history; half of them frauds."""
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
    """A function from a row to the rows up to and including it that share an entity with it."""
    batch = history.batch
    wanted = {getattr(batch, c)[row] for c in columns for row in rows.tolist()} - {None}
    places: dict[tuple[str, str], list[int]] = {}
    for column in columns:
        for i, value in enumerate(getattr(batch, column)):
            if value in wanted:
                places.setdefault((column, value), []).append(i)
    # An account pays and is paid: two columns name it, but it has one state.
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
