"""The votes on recorded decisions: from their records, or asked of models now."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deciding.simulation.models import Models
from decision_log.readers.recorded_decisions import RecordedDecisions, RecordedVotes
from fraud.asking import VariantCall
from fraud.decision import Vote
from fraud.payment.batch import Float64
from fraud.variant import VariantRef, base_variant

NONE, ABSENT, LATE = "none", "absent", "late"
ASKS = (NONE, ABSENT, LATE)
"""Whom a simulation asks: nobody; models whose vote a record does not have (they were not asked
then); these, and those whose recorded vote was late or failed."""

NOT_ON_RECORD = "not on record"
OTHER_FEATURES = "features of another schema"
NO_NUMBER = "no number"
NO_MODEL = "no such model"


@dataclass(slots=True)
class VoteCount:
    """Where the votes of one variant of a plan came from, in rows that the plan asked it about.

    Attributes:
        recorded: version -> rows whose vote was on record.
        asked: version -> rows that the model was asked about now.
        missing: why -> rows without a vote: `late`, `failed` or `missing` as recorded; `not on
            record`; `no such model`; `features of another schema`; `no number` (the model answered
            without one).
    """

    recorded: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)


class Voters:
    """Answers the calls of a plan about recorded decisions, and counts where votes came from.

    A name with a version is answered by recorded votes of that version of the variant, whichever
    name it was asked under: it is the same model. A name without one is answered by the votes
    recorded under the same name, whatever the champion was then.

    Args:
        models: asked for other votes; None: none is asked.
        asks: one of `ASKS`.
    """

    def __init__(self, models: Models | None, asks: str = ABSENT) -> None:
        if asks not in ASKS:
            raise ValueError(f"asks: expected one of {', '.join(ASKS)}")
        self._models = None if asks == NONE else models
        self._asks_late = asks == LATE
        self.counts: dict[str, VoteCount] = {}

    def answer(self, part: RecordedDecisions, call: VariantCall) -> Vote:
        """Answer a call about some rows of `part`."""
        rows = np.arange(len(part)) if call.rows is None else call.rows
        wanted = np.zeros(len(part), np.bool_)
        wanted[rows] = True
        count = self.counts.setdefault(call.variant, VoteCount())
        scores, why = self._recorded(part, call.variant, wanted, count)
        self._ask(part, call.variant, scores, why, count)
        count.missing.update(reason for reason in why[rows].tolist() if reason)
        found = scores[rows]
        if np.isnan(found).all():
            return Vote(call.variant, "", "missing", None, 0.0)
        return Vote(call.variant, "", "ok", found, 0.0)

    def _recorded(
        self, part: RecordedDecisions, name: str, wanted: NDArray[np.bool_], count: VoteCount
    ) -> tuple[Float64, NDArray[Any]]:
        """Return recorded scores of wanted rows, and for each wanted row without one the reason."""
        n = len(part)
        scores = np.full(n, np.nan)
        why = np.where(wanted, NOT_ON_RECORD, "").astype(object)
        heard = np.zeros(n, np.bool_)
        ref = VariantRef.parse(name)
        # Votes of failed calls come first: an answer under another name counts more.
        for votes in sorted(part.votes, key=lambda votes: votes.status == "ok"):
            if not _stands_for(votes, name, ref):
                continue
            held = wanted[votes.rows]
            rows, numbers = votes.rows[held], votes.scores[held]
            if votes.status != "ok":
                why[rows] = votes.status
                continue
            new = ~heard[rows]
            rows, numbers = rows[new], numbers[new]
            heard[rows] = True
            scores[rows] = numbers
            why[rows] = np.where(np.isnan(numbers), NO_NUMBER, "")
            if rows.size:
                count.recorded[votes.version] += int(rows.size)
        return scores, why

    def _ask(
        self,
        part: RecordedDecisions,
        name: str,
        scores: Float64,
        why: NDArray[Any],
        count: VoteCount,
    ) -> None:
        """Ask the model about rows without a vote, and enter its scores."""
        if self._models is None:
            return
        open_rows = why == NOT_ON_RECORD
        if self._asks_late:
            open_rows |= (why != "") & (why != NO_NUMBER)
        if not open_rows.any():
            return
        version = self._models.version(name)
        if version is None:
            why[open_rows & (why == NOT_ON_RECORD)] = NO_MODEL
            return
        self._same_model(part, name, version, open_rows, (scores, why), count)
        if not open_rows.any():
            return
        schema = self._models.schema(name)
        if schema is None:
            why[open_rows & (why == NOT_ON_RECORD)] = NO_MODEL
            return
        rows, values = part.values_of(np.flatnonzero(open_rows), schema)
        why[open_rows] = OTHER_FEATURES
        if not rows.size:
            return
        scores[rows] = self._models.scores(name, values)
        why[rows] = np.where(np.isnan(scores[rows]), NO_NUMBER, "")
        count.asked[version] += int(rows.size)

    @staticmethod
    def _same_model(
        part: RecordedDecisions,
        name: str,
        version: str,
        open_rows: NDArray[np.bool_],
        into: tuple[Float64, NDArray[Any]],
        count: VoteCount,
    ) -> None:
        """Enter votes that the very model which would be asked gave under another name."""
        scores, why = into
        variant = base_variant(name)
        for votes in part.votes:
            if votes.status != "ok" or votes.version != version:
                continue
            if base_variant(votes.variant) != variant:
                continue
            held = open_rows[votes.rows]
            rows, numbers = votes.rows[held], votes.scores[held]
            if rows.size:
                scores[rows] = numbers
                why[rows] = np.where(np.isnan(numbers), NO_NUMBER, "")
                open_rows[rows] = False
                count.recorded[version] += int(rows.size)


def _stands_for(votes: RecordedVotes, name: str, ref: VariantRef) -> bool:
    """Return whether recorded votes answer a name of a plan."""
    if votes.variant == name:
        return True
    if not ref.version or votes.status != "ok" or votes.version != ref.version:
        return False
    return base_variant(votes.variant) == ref.variant
