"""Which column says what a payment turned out to be, and which ones give that away."""

from __future__ import annotations

import re

import numpy as np

from data.guess.column import Column
from data.guess.column_names import confidence, label_confidence, mentions_later_event
from data.leaky_names import mentions_label

_FRAUD = (
    "1 true yes y t fraud fraudulent bad default defaulted charged_off chgoff charge_off chargeback"
    " suspicious laundering illicit anomaly positive confirmed_fraud scam"
)
_GENUINE = (
    "0 false no n f genuine legit legitimate good non_fraud not_fraud no_fraud normal paid p_i_f"
    " fully_paid ok clean negative licit regular -1"
)
_GIVEN_AWAY = 0.9
_SELDOM = 0.1


def choose_label(columns: list[Column]) -> Column | None:
    """The column that is most surely the label; None if none is."""
    rated = [(label_confidence(c.name), c) for c in columns if c.is_flag]
    rated = [(points, c) for points, c in rated if points]
    return max(rated, key=lambda pair: pair[0])[1] if rated else None


def meanings(column: Column) -> tuple[list[str], list[str], bool]:
    """Its texts for fraud, those for genuine, and whether they say so themselves."""
    if len(column.values) == 1 and column.filled < len(column.cells):
        return column.values, [""], False  # X, or nothing
    fraud = [v for v in column.values if _plain(v) in _FRAUD.split()]
    genuine = [v for v in column.values if _plain(v) in _GENUINE.split()]
    rest = [v for v in column.values if v not in fraud and v not in genuine]
    if not rest:
        return fraud, genuine, True
    codes = all(v.lstrip("-").isdigit() for v in column.values) and not genuine
    if codes or (not fraud and not genuine):
        return [column.rarest], [v for v in column.values if v != column.rarest], False
    if not fraud:
        return rest, genuine, False
    return fraud, [*genuine, *rest], False


def leak(column: Column, label: Column | None, frauds: list[str]) -> str | None:
    """Why a column may not be an input; None if nothing speaks against it."""
    party = confidence("counterparty_id", column.name) >= 3 and not column.is_flag
    if mentions_label(column.name) and not party:  # who a transfer's target is, is known with it
        return "its name speaks of the label"
    if mentions_later_event(column.name):
        return "its name speaks of what happens after a payment"
    if label is None or label is column or not frauds:
        return None
    told = label.texts.values.to_pylist()
    fraud = np.array([v in frauds for v in told], dtype=np.bool_)
    genuine = ~fraud & np.array([v is not None for v in told], dtype=np.bool_)
    filled = column.texts.values.is_valid().to_numpy(zero_copy_only=False)
    if min(fraud.sum(), genuine.sum()) < 5:
        return None
    if filled[fraud].mean() >= _GIVEN_AWAY and filled[genuine].mean() <= _SELDOM:
        return "it is filled for frauds and hardly for others"
    if filled[genuine].mean() >= _GIVEN_AWAY and filled[fraud].mean() <= _SELDOM:
        return "it is empty for frauds and hardly for others"
    return None


def _plain(text: str) -> str:
    """Lower case, words joined; the sign of a number stays."""
    return "_".join(re.sub(r"(?<=.)-", " ", text.lower()).split())
