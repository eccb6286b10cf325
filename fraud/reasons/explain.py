"""From what each feature added to the reasons of a decision."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fraud.decision import Reason
from fraud.explanation import Explanation
from fraud.payment.batch import Float32, Float64, TransactionBatch
from fraud.reasons.catalogue import CODES, RAISES, check_codes
from fraud.reasons.number_text import exact_money, percent
from fraud.reasons.phrase import LEAST_FOR_MEAN, Own, Saying

TOP = 4
"""Reasons that one decision carries at most: what an analyst reads."""
LEAST_LOG_ODDS = 0.01
"""What adds less changes the odds by less than 1 %, and is no reason."""
_HARDLY_ANY = 0.05
"""Of something that is counted: fewer in a window are none."""
_ONE_CURRENCY = 0.9
"""Amounts of the training tell what is usual if so many of its payments were in the currency, and
sums of a history are in it: they add amounts up whatever their currencies."""
_ANY_CURRENCY = " (whatever the currency)"


class Teller:
    """Finds and words the reasons of decisions.

    Args:
        names: k names of the columns of a feature matrix.
        sayings: how each of them is told.
        currency: name of the column that holds the currency as a code.

    Raises:
        ValueError: a code is not in the catalogue.
        KeyError: a saying names a column that there is not.
    """

    def __init__(self, names: Sequence[str], sayings: Sequence[Saying], currency: str) -> None:
        check_codes(saying.code for saying in sayings)
        self.names = tuple(names)
        self._sayings = tuple(sayings)
        self._place = place = {name: j for j, name in enumerate(names)}
        self._currency = place.get(currency)
        self._floor = np.array([saying.floor for saying in sayings])
        rests = [s.rests_on or (name, -np.inf) for name, s in zip(names, sayings, strict=True)]
        self._rests_on = np.array([place[name] for name, _ in rests], dtype=np.intp)
        self._rests_at = np.array([least for _, least in rests])
        self._told_as = np.array(
            [place[s.told_as or name] for name, s in zip(names, sayings, strict=True)], np.intp
        )
        for saying in sayings:
            _check_columns(saying, place)
        # Columns of one code beside each other, codes in the order of the catalogue.
        of_column = np.array([CODES.index(saying.code) for saying in sayings], dtype=np.intp)
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
        """The strongest reasons of some rows, strongest first.

        What features of one code added is added up; those without evidence (unknown, or too little
        to rest on) are left out, whatever the model made of that. The feature that added most
        speaks for the others.

        Args:
            batch: payments, of which
            rows: these m, by number, are asked about.
            values: float32[m, k], NaN where unknown.
            explanation: of m rows.
            top: reasons a row at most.

        Returns:
            m tuples, () where no evidence raised the risk.
        """
        added = np.nan_to_num(explanation.contributions, nan=0.0, posinf=0.0, neginf=0.0)
        added = np.where(self.evidence(values), added, 0.0)
        # Added up one after the other: a row gives the same sum whatever rows it is asked with.
        sums = np.add.reduceat(added[:, self._order], self._starts, axis=1)
        strength = np.argsort(-sums, axis=1, kind="stable")
        found = []
        for k, i in enumerate(rows):
            telling = _Telling(self, batch, i, values, k, explanation)
            reasons: list[Reason] = []
            for group in strength[k].tolist():
                total = float(sums[k, group])
                if total < LEAST_LOG_ODDS or len(reasons) == top:
                    break
                members = self._members[group]
                j = int(members[added[k, members].argmax()])
                feature, sentence = telling.of(j)
                code = self._codes[group]
                reasons.append(Reason(code, feature, sentence, round(total, 6), RAISES))
            found.append(tuple(reasons))
        return found

    def evidence(self, values: Float32) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """bool[m, k]: whether each value says something at all."""
        with np.errstate(invalid="ignore"):
            said = np.isfinite(values) & (values >= self._floor)
            said &= np.isfinite(values[:, self._told_as])
            rests = self._rests_at == -np.inf
            enough = values[:, self._rests_on] >= self._rests_at
        found: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = said & (rests | enough)
        return found

    def saying(self, j: int) -> Saying:
        """How column j is told."""
        return self._sayings[j]

    def speaker(self, j: int) -> int:
        """Which column speaks for column j."""
        return int(self._told_as[j])

    def place(self, name: str) -> int:
        """Which column has a name."""
        return self._place[name]

    def is_of_one_currency(self, share: Float64) -> bool:
        """Whether nearly all payments of the training were in a payment's currency, by the shares
        float64[k] of its row."""
        return self._currency is not None and bool(share[self._currency] >= _ONE_CURRENCY)


class _Telling:
    """Words about one row."""

    __slots__ = ("_batch", "_explanation", "_i", "_is_mixed", "_k", "_teller", "_values")

    def __init__(
        self,
        teller: Teller,
        batch: TransactionBatch,
        i: int,
        values: Float32,
        k: int,
        explanation: Explanation,
    ) -> None:
        self._teller = teller
        self._batch = batch
        self._i = i
        self._values = values[k]
        self._k = k
        self._explanation = explanation
        self._is_mixed = not teller.is_of_one_currency(explanation.share[k])

    def of(self, j: int) -> tuple[str, str]:
        """The column that speaks for column j, and its sentence."""
        j = self._teller.speaker(j)
        saying = self._teller.saying(j)
        sentence = saying.phrase.replace("{value}", self._value(saying, j))
        sentence = sentence.replace("{amount}", self._amount()) + self._usual(saying, j)
        if saying.unit.is_money and self._is_mixed and self._tells_history(saying):
            sentence += _ANY_CURRENCY
        return self._teller.names[j], sentence

    def _value(self, saying: Saying, j: int) -> str:
        if saying.of_payment == "amount_minor":
            return self._amount()
        if saying.of_payment is not None:
            return str(getattr(self._batch, saying.of_payment)[self._i])
        return saying.unit.value(float(self._values[j]), self._history_currency())

    def _amount(self) -> str:
        """The payment's, to the last digit: the feature is a float32."""
        return exact_money(self._batch.amount_minor[self._i], self._batch.currency[self._i])

    def _history_currency(self) -> str:
        """What sums of a history are in, "" if that is not sure."""
        return "" if self._is_mixed else self._batch.currency[self._i]

    def _tells_history(self, saying: Saying) -> bool:
        """Whether amounts other than the payment's are told."""
        if saying.of_payment is None:
            return True
        return saying.own is not None and self._own(saying.own) is not None

    def _usual(self, saying: Saying, j: int) -> str:
        currency = self._history_currency()
        if saying.own is not None:
            own = self._own(saying.own)
            if own is not None:
                none = saying.unit.noun and own < _HARDLY_ANY
                said = "none" if none else f"about {saying.unit.range(own, own, currency)}"
                return f"; usually {said} for this {saying.own.whose}"
        if not saying.compares:
            return ""
        asked, k = self._explanation, self._k
        if saying.is_flag or (saying.of_payment is not None and not saying.unit.is_money):
            share = float(asked.share[k, j])
            return f"; true of {percent(share)} % of payments" if np.isfinite(share) else ""
        if saying.unit.is_money and self._is_mixed:
            return ""
        low, high = float(asked.low[j]), float(asked.high[j])
        if not (np.isfinite(low) and np.isfinite(high)):
            return ""
        return f"; usually {saying.unit.range(low, high, currency)}"

    def _own(self, own: Own) -> float | None:
        """What is usual for the entity; None if it has done too little."""
        total, count = self._of(own.total), self._of(own.count)
        if own.recent_count is not None and own.recent_total is not None:
            total -= self._of(own.recent_total)
            count -= self._of(own.recent_count)
        if not count >= LEAST_FOR_MEAN:  # unknown is not enough either
            return None
        # A window's old edge is cut at a tile, so that a part may seem larger than its whole.
        usual = total / count if own.scale is None else total * own.scale
        return max(0.0, usual) if np.isfinite(usual) else None

    def _of(self, name: str) -> float:
        return float(self._values[self._teller.place(name)])


def _check_columns(saying: Saying, place: dict[str, int]) -> None:
    """Raises KeyError if a saying names a column that there is not."""
    own = saying.own
    if own is not None:
        for name in (own.total, own.count, own.recent_total, own.recent_count):
            if name is not None:
                place[name]
