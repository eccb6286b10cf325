"""Numbers that rise at each fraud: running sums of labels that include the row's own."""

from __future__ import annotations

import numpy as np

from fraud.payment.batch import Float64, Int64
from training.finding import Finding
from training.sets.dataset import Dataset
from training.sets.split import FRAUD, UNKNOWN

LEAST_FRAUDS = 20
"""The least number of frauds that follow another payment of their group."""
RISES, OTHERS = 0.9, 0.03
"""The shares of frauds and of other payments at which the number is higher than before."""

_MOST_ROWS = 400_000
_GLANCE = 2_000


def label_steps(dataset: Dataset) -> list[Finding]:
    """Findings on numbers of a table that rise at frauds and hardly ever otherwise, from one
    payment of a group to the next. A group is a card, a merchant, or the whole file.

    An honest count of earlier frauds rises only at the payment after the fraud.
    """
    schema = dataset.schema
    labelled = np.flatnonzero(dataset.label != UNKNOWN)[-_MOST_ROWS:]
    fraud = dataset.label[labelled] == FRAUD
    if fraud.sum() < LEAST_FRAUDS:
        return []
    numbers = [i for i in range(len(schema.names)) if i not in schema.categorical]
    found: dict[str, Finding] = {}
    for group in (None, *schema.categorical):
        here, before = _neighbours(dataset, labelled, group)
        whose = "payment" if group is None else f"payment of the same {schema.names[group]}"
        for i in numbers:
            name = schema.names[i]
            if name in found:
                continue
            shares = _rise_shares(dataset.values[:, i], labelled, here, before, fraud)
            if shares is None:
                continue
            found[name] = Finding(
                "refuse",
                "label-aggregate",
                f"{name} is higher than at the previous {whose} for {shares[0]:.1%} of frauds and"
                f" {shares[1]:.2%} of others: it counts the label of its own row; honest only if"
                f" {name} counts only labels that are known when the payment is decided",
                column=name,
            )
    return list(found.values())


def _neighbours(dataset: Dataset, labelled: Int64, group: int | None) -> tuple[Int64, Int64]:
    """Positions among the labelled rows, and for each the previous position of the same group."""
    places = np.arange(labelled.size)
    if group is None:
        return places[1:], places[:-1]
    code = np.asarray(dataset.values[labelled, group], np.float64)
    order = np.argsort(code, kind="stable")
    same = code[order[1:]] == code[order[:-1]]
    return order[1:][same], order[:-1][same]


def _rise_shares(
    column: np.ndarray, labelled: Int64, here: Int64, before: Int64, fraud: np.ndarray
) -> tuple[float, float] | None:
    """The shares of frauds and others at which it rises; None unless they give the label away."""
    bad = np.flatnonzero(fraud[here])
    if bad.size < LEAST_FRAUDS:
        return None

    def share(chosen: np.ndarray) -> float:
        now = np.asarray(column[labelled[here[chosen]]], np.float64)
        then: Float64 = np.asarray(column[labelled[before[chosen]]], np.float64)
        return float((now > then).mean())

    # Some of the frauds suffice to rule most numbers out.
    if share(bad[:: max(1, bad.size // _GLANCE)]) < RISES:
        return None
    good = np.flatnonzero(~fraud[here])
    if good.size < LEAST_FRAUDS:
        return None
    shares = share(bad), share(good)
    return shares if shares[0] >= RISES and shares[1] <= OTHERS else None
