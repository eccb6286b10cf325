"""A policy run over votes that are known already: for replay and simulation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fraud.asking import Asking, VariantCall
from fraud.decision import Vote
from fraud.ensemble import Settled
from fraud.payment.batch import TransactionBatch
from fraud.policy.interface import Policy

Answer = Callable[[VariantCall], Vote]
"""Answers a call with a vote whose `scores`, if any, are those of the rows of the call."""


def settled(policy: Policy, batch: TransactionBatch, votes: Sequence[Vote]) -> list[Settled]:
    """Return which ensembles decide n rows on which these votes were cast.

    Args:
        votes: `scores` float64[n]. A variant without a vote here is missing.
    """
    by_name = {vote.variant: vote for vote in votes}

    def answer(call: VariantCall) -> Vote:
        vote = by_name.get(call.variant)
        if vote is None:
            return Vote(call.variant, "", "missing", None, 0.0)
        if vote.scores is None or call.rows is None:
            return vote
        scores = vote.scores[call.rows]
        return Vote(vote.variant, vote.version, vote.status, scores, 0.0, vote.digest)

    return answered(policy, Asking(batch), answer)


def answered(policy: Policy, asking: Asking, answer: Answer) -> list[Settled]:
    """Run a policy over all rows of `asking`, and enter the answers to what it asks."""
    run = policy.run(asking, None, "")
    try:
        while True:
            calls = next(run)
            asking.votes.add(calls, [answer(call) for call in calls])
    except StopIteration as stop:
        groups: list[Settled] = stop.value
        return groups
