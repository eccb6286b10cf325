"""The state of asking variants about one micro-batch: calls to make, answers received."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fraud.decision import Vote
from fraud.payment.batch import Float64, TransactionBatch

Rows = NDArray[np.intp] | None
"""Rising indices of rows; None for all rows of the micro-batch."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class VariantCall:
    """One call to one variant.

    Attributes:
        variant: its name.
        rows: the rows that it is asked about.
        deadline_ms: longest wait for its answer, > 0.
    """

    variant: str
    rows: Rows = None
    deadline_ms: float = 100


Run = Generator[Sequence[VariantCall], None, T]
"""Yields the calls of each stage, and is resumed when their answers are in the `VoteBook`."""


class VoteBook:
    """The answers of variants. No row is asked about twice at one variant.

    Args:
        n: number of rows of the micro-batch.
    """

    __slots__ = ("_answers", "_n")

    def __init__(self, n: int) -> None:
        self._n = n
        self._answers: dict[str, list[tuple[Rows, Vote]]] = {}

    def add(self, calls: Iterable[VariantCall], votes: Iterable[Vote]) -> None:
        """Enter the answers to some calls; `scores` have one number for each row of the call."""
        for call, vote in zip(calls, votes, strict=True):
            # Rows rise, so that n of them are all.
            rows = None if call.rows is None or len(call.rows) == self._n else call.rows
            self._answers.setdefault(call.variant, []).append((rows, vote))

    def unanswered(self, variant: str, rows: Rows) -> Rows | bool:
        """Return the rows that `variant` has not been asked about; False if there is none."""
        for asked, _ in self._answers.get(variant, ()):
            if asked is None:
                return False
            rows = np.setdiff1d(np.arange(self._n) if rows is None else rows, asked)
            if not rows.size:
                return False
        return rows

    def votes(self, variants: Iterable[str], rows: Rows) -> tuple[Vote, ...]:
        """Return the votes of some variants on some rows, without those that were not asked.

        `scores` have one number for each of `rows`, NaN where the variant has none.
        """
        found = (self._vote(self._answers.get(variant, ()), rows) for variant in variants)
        return tuple([vote for vote in found if vote is not None])

    def all_votes(self) -> list[Vote]:
        """Return every answer, in the order in which they were entered."""
        return [vote for answers in self._answers.values() for _, vote in answers]

    def _vote(self, answers: Sequence[tuple[Rows, Vote]], rows: Rows) -> Vote | None:
        if len(answers) == 1 and answers[0][0] is None:
            vote = answers[0][1]
            return vote if vote.scores is None or rows is None else _on(vote, vote.scores[rows])
        parts = [(asked, vote) for asked, vote in answers if _overlap(asked, rows)]
        if not parts:
            return None
        if len(parts) == 1:
            asked, vote = parts[0]
            if vote.scores is None or asked is rows:
                return vote
        scored = [(asked, vote) for asked, vote in parts if vote.scores is not None]
        if not scored:
            return parts[-1][1]
        # Rows of one group were asked about in one call, unless a stage completed an earlier one.
        whole = np.full(self._n, np.nan)
        for asked, vote in scored:
            whole[slice(None) if asked is None else asked] = vote.scores
        return _on(scored[-1][1], whole if rows is None else whole[rows])


@dataclass(slots=True)
class Asking:
    """What a policy sees while it asks about one micro-batch.

    Attributes:
        batch: n transactions.
        votes: the answers so far.
        shadows: `(name, policy, rows)` of what is to be asked beside the decision, once it is made;
            filled by shadow policies.
    """

    batch: TransactionBatch
    votes: VoteBook = field(init=False)
    shadows: list[tuple[str, Any, Rows]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.votes = VoteBook(len(self.batch))


def taken(rows: Rows, places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the rows at some places among `rows`."""
    return places if rows is None else rows[places]


def together(runs: Iterable[Run[T]]) -> Run[list[T]]:
    """Run several at once, stage by stage: a variant that several of them ask in one stage gets one
    call. Return what each returned."""
    found: list[T | None] = []
    living: list[tuple[int, Run[T]]] = []
    for i, run in enumerate(runs):
        found.append(None)
        living.append((i, run))
    while living:
        calls: list[VariantCall] = []
        going = []
        for i, run in living:
            try:
                calls += next(run)
                going.append((i, run))
            except StopIteration as stop:
                found[i] = stop.value
        living = going
        if calls:
            yield merged(calls)
    return found  # type: ignore[return-value]


def merged(calls: Sequence[VariantCall]) -> Sequence[VariantCall]:
    """Return one call for each variant, about all the rows that it is to be asked about, with the
    longest of the deadlines."""
    by_variant: dict[str, list[VariantCall]] = {}
    for call in calls:
        by_variant.setdefault(call.variant, []).append(call)
    # Several variants are asked about the same parts: ensembles ask all their members about one.
    unions: dict[tuple[int, ...], Rows] = {}
    made = []
    for variant, same in by_variant.items():
        if len(same) == 1:
            made += same
            continue
        parts = tuple([id(call.rows) for call in same])
        if parts not in unions:
            unions[parts] = _union([call.rows for call in same])
        longest = max([call.deadline_ms for call in same])
        made.append(VariantCall(variant, unions[parts], longest))
    return made


def _union(parts: Sequence[Rows]) -> Rows:
    if any(part is None for part in parts):
        return None
    # A third of the time of `np.unique`: policies give each row to one ensemble.
    rows = np.sort(np.concatenate([part for part in parts if part is not None]))
    return np.unique(rows) if (rows[1:] == rows[:-1]).any() else rows


def _on(vote: Vote, scores: Float64) -> Vote:
    """The vote with other scores; several times as fast as `replace`."""
    return Vote(vote.variant, vote.version, vote.status, scores, vote.elapsed_ms, vote.digest)


def _overlap(asked: Rows, rows: Rows) -> bool:
    if asked is None or rows is None:
        return True
    if not rows.size:
        return False
    # The rows of a group were asked about together: one of them stands for all.
    place = np.searchsorted(asked, rows[0])
    return bool(place < len(asked) and asked[place] == rows[0]) or bool(np.isin(rows, asked).any())
