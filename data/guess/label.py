"""The column that is the label, and the columns that may leak it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from data.guess.column import Column
from data.guess.column_names import confidence, label_confidence, mentions_later_event
from data.guess.words import without_accents
from data.leaky_names import mentions_label

_FRAUD = (
    "1 true yes y t fraud fraudulent bad default defaulted charged_off chgoff charge_off chargeback"
    " suspicious laundering illicit anomaly positive confirmed_fraud scam"
    " oui o vrai fraude frauduleux frauduleuse ja si sim betrug"
)
_GENUINE = (
    "0 false no n f genuine legit legitimate good non_fraud not_fraud no_fraud normal paid p_i_f"
    " fully_paid ok clean negative licit regular -1"
    " non faux legitime authentique normale nein nao"
)
_OFTEN = 0.9
_SELDOM = 0.1


@dataclass(frozen=True, slots=True)
class LabelGuess:
    """The label of a file.

    Attributes:
        fraud, genuine: texts of the column with these meanings.
        certain: the texts are usual words for fraud and genuine.
    """

    column: Column
    fraud: list[str]
    genuine: list[str]
    certain: bool


def guess_label(columns: list[Column]) -> LabelGuess | None:
    """Return the most likely label; None if no column looks like one."""
    rated = [(label_confidence(c.name), c) for c in columns if c.is_flag]
    rated = [(points, c) for points, c in rated if points]
    if not rated:
        return None
    column = max(rated, key=lambda pair: pair[0])[1]
    return LabelGuess(column, *meanings(column.values, column.filled < len(column.cells)))


def meanings(values: list[str], has_empty: bool) -> tuple[list[str], list[str], bool]:
    """Return the texts for fraud and for genuine, and whether these are certain.

    Args:
        values: the distinct texts of a label, the most frequent first.
        has_empty: some cells are empty.
    """
    if len(values) == 1 and has_empty:
        return values, [""], False  # a mark or an empty cell
    fraud = [v for v in values if _plain(v) in _FRAUD.split()]
    genuine = [v for v in values if _plain(v) in _GENUINE.split()]
    rest = [v for v in values if v not in fraud and v not in genuine]
    if not rest:
        return fraud, genuine, True
    codes = all(v.lstrip("-").isdigit() for v in values) and not genuine
    if codes or (not fraud and not genuine):
        return [values[-1]], [v for v in values if v != values[-1]], False
    if not fraud:
        return rest, genuine, False
    return fraud, [*genuine, *rest], False


def leak(column: Column, label: LabelGuess | None) -> str | None:
    """Return why a column may leak the label; None if nothing suggests it."""
    party = confidence("counterparty_id", column.name) >= 3 and not column.is_flag
    if mentions_label(column.name) and not party:  # the target of a transfer is a party
        return "its name mentions the label"
    if mentions_later_event(column.name):
        return "its name describes something that happens after a payment"
    if label is None or not label.fraud:
        return None
    texts = label.column.texts.values.to_pylist()
    fraud = np.array([v in label.fraud for v in texts], dtype=np.bool_)
    genuine = ~fraud & np.array([v is not None for v in texts], dtype=np.bool_)
    if min(fraud.sum(), genuine.sum()) < 5:
        return None
    filled = column.texts.values.is_valid().to_numpy(zero_copy_only=False)
    if filled[fraud].mean() >= _OFTEN and filled[genuine].mean() <= _SELDOM:
        return "it is filled for frauds and hardly ever for other payments"
    if filled[genuine].mean() >= _OFTEN and filled[fraud].mean() <= _SELDOM:
        return "it is empty for frauds and hardly ever for other payments"
    return None


def _plain(text: str) -> str:
    """Lower case, words joined; the minus sign of a number stays."""
    return "_".join(re.sub(r"(?<=.)-", " ", without_accents(text.lower())).split())
