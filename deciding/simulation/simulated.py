"""A plan run over recorded decisions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deciding.simulation.votes import Voters
from decision_log.readers.recorded_decisions import RecordedDecisions
from features.definitions import RULE_SET, SCHEMA_ID
from fraud.asking import Asking
from fraud.combine.combine import combine, needs_rules, probability_of_votes
from fraud.decision import Vote
from fraud.ensemble import Settled
from fraud.payment.batch import Float64
from fraud.plan import Plan
from fraud.policy.recorded import answered

UNDECIDED = -1
"""Outcome of a row that rules would decide, but its features are of a schema whose rules are not
known here."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """n decisions under another plan.

    Attributes:
        outcome: int8[n], indices into `OUTCOMES`, or `UNDECIDED`.
        probability: float64[n], NaN where undecided.
        arm: see `DecisionBatch.arm`.
        by_rules: number of rows that rules decided.
    """

    outcome: NDArray[np.int8]
    probability: Float64
    arm: list[str]
    by_rules: int


def simulated(plan: Plan, part: RecordedDecisions, voters: Voters) -> Simulated:
    """Run a plan over recorded decisions.

    Deadlines are not simulated: a vote on record counts, however long it took, and one that was
    late is missing unless `voters` ask again. Shadows are not asked.
    """
    n = len(part)
    asking = Asking(part.batch)
    groups = answered(plan.policy, asking, lambda call: voters.answer(part, call))
    found = Simulated(np.zeros(n, np.int8), np.zeros(n), [""] * n, 0)
    by_rules = 0
    for group in groups:
        by_rules += _decide(group, part, asking, found)
    return Simulated(found.outcome, found.probability, found.arm, by_rules)


def _decide(group: Settled, part: RecordedDecisions, asking: Asking, into: Simulated) -> int:
    """Decide the rows of one group; return how many rules decided."""
    rows = np.arange(len(part)) if group.rows is None else group.rows
    votes = asking.votes.votes(group.asked, group.rows)
    m = len(rows)
    rules, unknown = None, np.zeros(m, np.bool_)
    by_rules = 0
    if needs_rules(group.ensemble, votes, m):
        rules, unknown = _rules(group, part, rows, votes)
        by_rules = int((~np.isnan(rules)).sum())
    combined = combine(group.ensemble, votes, m, rules, group.asked)
    into.outcome[rows] = np.where(unknown, UNDECIDED, combined.outcome)
    into.probability[rows] = np.where(unknown, np.nan, combined.probability)
    for i in rows.tolist():
        into.arm[i] = group.arm
    return by_rules


def _rules(
    group: Settled, part: RecordedDecisions, rows: NDArray[np.intp], votes: tuple[Vote, ...]
) -> tuple[Float64, NDArray[np.bool_]]:
    """Apply the rules to the rows whose votes do not suffice.

    Returns:
        float64[m], probabilities of these rows, NaN for all others; bool[m], rows that need rules
        and have features of another schema.
    """
    unvoted = np.isnan(probability_of_votes(group.ensemble, votes, len(rows)))
    known, values = part.values_of(rows[unvoted], SCHEMA_ID)
    rules = np.full(len(rows), np.nan)
    if known.size:
        batch = part.batch.take(known.tolist())
        fired = RULE_SET.apply(group.ensemble.thresholds, batch, values)
        rules[np.searchsorted(rows, known)] = fired.probability
    return rules, unvoted & np.isnan(rules)
