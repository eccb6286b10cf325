"""The reasons of a decision, from what each feature added to its score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fraud.decision import Reason
from fraud.explanation import Explanation
from fraud.payment.batch import Float32, Float64, TransactionBatch
from fraud.reasons.catalogue import CODES, RAISES
from fraud.reasons.number_text import exact_money, percent
from fraud.reasons.wording import LEAST_FOR_MEAN, OwnHistory, Wording, check_wordings

TOP = 4
"""Most reasons of one decision: analysts read no more."""
LEAST_LOG_ODDS = 0.01
"""Features that add less change the odds by less than 1 %, and are not reasons."""
_HARDLY_ANY = 0.05
"""A usual count below this is written as "none"."""
_ONE_CURRENCY = 0.9
"""Histories and training data add up amounts of all currencies. If at least this share of training
payments was in the payment's currency, sums are shown in it and compared with the training data."""
_ANY_CURRENCY = " (whatever the currency)"


class ReasonWriter:
    """Finds the reasons of decisions and puts them into words.

    Args:
        names: k names of the columns of a feature matrix.
        wordings: how each of them is put into words.
        currency: name of the column that holds the currency as a code.

    Raises:
        ValueError: a wording has a code that is not in the catalogue, or reads a column that is not
            among `names`.
    """

    def __init__(self, names: Sequence[str], wordings: Sequence[Wording], currency: str) -> None:
        check_wordings(wordings, names)
        self.names = tuple(names)
        self._wordings = tuple(wordings)
        self._place = place = {name: j for j, name in enumerate(names)}
        self._currency = place.get(currency)
        self._floor = np.array([wording.floor for wording in wordings])
        required = [w.requires or (name, -np.inf) for name, w in zip(names, wordings, strict=True)]
        self._required = np.array([place[name] for name, _ in required], dtype=np.intp)
        self._required_least = np.array([least for _, least in required])
        self._stated_by = np.array(
            [place[w.stated_by or name] for name, w in zip(names, wordings, strict=True)], np.intp
        )
        # Columns grouped by code, in the order of the catalogue.
        of_column = np.array([CODES.index(wording.code) for wording in wordings], dtype=np.intp)
        self._order = np.argsort(of_column, kind="stable")
        codes, starts = np.unique(of_column[self._order], return_index=True)
        self._starts = starts
        ends = [*starts[1:].tolist(), len(self._order)]
        self._members = [self._order[a:b] for a, b in zip(starts.tolist(), ends, strict=True)]
        self._codes = [CODES[code] for code in codes.tolist()]

    def strongest(
        self,
        batch: TransactionBatch,
        rows: Sequence[int],
        values: Float32,
        explanation: Explanation,
        top: int = TOP,
    ) -> list[tuple[Reason, ...]]:
        """Return the strongest reasons of some rows, strongest first.

        Contributions of features with the same code are added up. Features without evidence
        (unknown, or with too little behind them) are left out, whatever the model made of them. The
        feature that added most is put into words.

        Args:
            batch: payments.
            rows: numbers of the m rows of `batch` to explain.
            values: float32[m, k], NaN where unknown.
            explanation: of m rows.
            top: most reasons for a row.

        Returns:
            m tuples, () where no evidence raised the risk.
        """
        added = np.nan_to_num(explanation.contributions, nan=0.0, posinf=0.0, neginf=0.0)
        added = np.where(self.evidence(values), added, 0.0)
        # Added up one after the other: a row's sum does not depend on the other rows.
        sums = np.add.reduceat(added[:, self._order], self._starts, axis=1)
        strength = np.argsort(-sums, axis=1, kind="stable")
        found = []
        for k, i in enumerate(rows):
            text = _RowText(self, batch, i, values, k, explanation)
            reasons: list[Reason] = []
            for group in strength[k].tolist():
                total = float(sums[k, group])
                if total < LEAST_LOG_ODDS or len(reasons) == top:
                    break
                members = self._members[group]
                j = int(members[added[k, members].argmax()])
                feature, sentence = text.of(j)
                code = self._codes[group]
                reasons.append(Reason(code, feature, sentence, round(total, 6), RAISES))
            found.append(tuple(reasons))
        return found

    def evidence(self, values: Float32) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Return bool[m, k]: whether each value is evidence."""
        with np.errstate(invalid="ignore"):
            known = np.isfinite(values) & (values >= self._floor)
            known &= np.isfinite(values[:, self._stated_by])
            enough = values[:, self._required] >= self._required_least
        free = self._required_least == -np.inf
        found: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = known & (free | enough)
        return found

    def wording(self, j: int) -> Wording:
        """Return the wording of column j."""
        return self._wordings[j]

    def stated_by(self, j: int) -> int:
        """Return the index of the column that is worded for column j, often j itself."""
        return int(self._stated_by[j])

    def place(self, name: str) -> int:
        """Return the index of a column."""
        return self._place[name]

    def is_of_one_currency(self, share: Float64) -> bool:
        """Return whether nearly all training payments were in a payment's currency.

        Args:
            share: float64[k], see `Explanation.share`, of the payment's row.
        """
        return self._currency is not None and bool(share[self._currency] >= _ONE_CURRENCY)


class _RowText:
    """Sentences about one row."""

    __slots__ = ("_batch", "_explanation", "_i", "_is_mixed", "_k", "_values", "_writer")

    def __init__(
        self,
        writer: ReasonWriter,
        batch: TransactionBatch,
        i: int,
        values: Float32,
        k: int,
        explanation: Explanation,
    ) -> None:
        self._writer = writer
        self._batch = batch
        self._i = i
        self._values = values[k]
        self._k = k
        self._explanation = explanation
        self._is_mixed = not writer.is_of_one_currency(explanation.share[k])

    def of(self, j: int) -> tuple[str, str]:
        """Return the name of the feature that is worded for column j, and its sentence."""
        j = self._writer.stated_by(j)
        wording = self._writer.wording(j)
        sentence = wording.phrase.replace("{value}", self._value(wording, j))
        sentence = sentence.replace("{amount}", self._amount()) + self._usual(wording, j)
        if wording.unit.is_money and self._is_mixed and self._shows_history(wording):
            sentence += _ANY_CURRENCY
        return self._writer.names[j], sentence

    def _value(self, wording: Wording, j: int) -> str:
        if wording.of_payment == "amount_minor":
            return self._amount()
        if wording.of_payment is not None:
            return str(getattr(self._batch, wording.of_payment)[self._i])
        return wording.unit.value(float(self._values[j]), self._history_currency())

    def _amount(self) -> str:
        """The payment's amount to the last digit: the feature is a float32."""
        return exact_money(self._batch.amount_minor[self._i], self._batch.currency[self._i])

    def _history_currency(self) -> str:
        """The currency of sums over a history, "" if it is not certain."""
        return "" if self._is_mixed else self._batch.currency[self._i]

    def _shows_history(self, wording: Wording) -> bool:
        """Whether the sentence holds amounts other than the payment's."""
        if wording.of_payment is None:
            return True
        return wording.own is not None and self._own(wording.own) is not None

    def _usual(self, wording: Wording, j: int) -> str:
        currency = self._history_currency()
        if wording.own is not None:
            own = self._own(wording.own)
            if own is not None:
                none = wording.unit.noun and own < _HARDLY_ANY
                usual = "none" if none else f"about {wording.unit.range(own, own, currency)}"
                return f"; usually {usual} for this {wording.own.entity}"
        if not wording.compares:
            return ""
        explanation, k = self._explanation, self._k
        if wording.is_flag or (wording.of_payment is not None and not wording.unit.is_money):
            share = float(explanation.share[k, j])
            return f"; true of {percent(share)} % of payments" if np.isfinite(share) else ""
        if wording.unit.is_money and self._is_mixed:
            return ""
        low, high = float(explanation.low[j]), float(explanation.high[j])
        if not (np.isfinite(low) and np.isfinite(high)):
            return ""
        return f"; usually {wording.unit.range(low, high, currency)}"

    def _own(self, own: OwnHistory) -> float | None:
        """What is usual for the entity; None if it has too few payments."""
        total, count = self._column(own.total), self._column(own.count)
        if own.recent_count is not None and own.recent_total is not None:
            total -= self._column(own.recent_total)
            count -= self._column(own.recent_count)
        if not count >= LEAST_FOR_MEAN:  # unknown is not enough either
            return None
        # Windows are cut at tiles, so the recent one may seem larger than the long one.
        usual = total / count if own.scale is None else total * own.scale
        return max(0.0, usual) if np.isfinite(usual) else None

    def _column(self, name: str) -> float:
        return float(self._values[self._writer.place(name)])
