"""How good scores are on payments later than all that was learnt from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from fraud.batch import Float32, Float64, Int64
from training.split import DAY_MS

REVIEW_RATES = (0.005, 0.01, 0.02)
CARDS_A_DAY = 100
_BINS = 20


def evaluate(
    score: Float64,
    fraud: Float32,
    customer_id: Sequence[str],
    timestamp_ms: Int64,
    probabilities: bool = True,
) -> dict[str, float]:
    """Figures of one variant on n rows.

    Args:
        score: float64[n], higher is more suspicious.
        fraud: float32[n], 1 fraud and 0 not; both occur.
        customer_id: n ids: the cards of card precision.
        timestamp_ms: int64[n].
        probabilities: scores mean probabilities, so that calibration can be judged.

    Returns:
        `roc_auc`, `average_precision`, `card_precision_at_100`, `recall_at_review_<rate>`, and
        of probabilities `brier`, `calibration_error`; rounded to nine decimals.
    """
    figures = {
        "roc_auc": float(roc_auc_score(fraud, score)),
        "average_precision": float(average_precision_score(fraud, score)),
        "card_precision_at_100": card_precision(score, fraud, customer_id, timestamp_ms),
    }
    for rate in REVIEW_RATES:
        figures[f"recall_at_review_{rate:g}"] = recall_at(score, fraud, rate)
    if probabilities:
        figures["brier"] = float(np.mean((score - fraud) ** 2))
        figures["calibration_error"] = calibration_error(score, fraud)
    return {name: round(value, 9) for name, value in figures.items()}


def recall_at(score: Float64, fraud: Float32, rate: float) -> float:
    """Share of fraud among the `rate` highest scores. Equal scores at the edge count by the share
    of them that still fits: a model that cannot rank gains nothing by the order of rows."""
    budget = rate * score.size
    edge = np.sort(score)[::-1][max(int(np.ceil(budget)), 1) - 1]
    above, at = score > edge, score == edge
    fits = (budget - above.sum()) / at.sum()
    return float((fraud[above].sum() + fits * fraud[at].sum()) / fraud.sum())


def card_precision(
    score: Float64,
    fraud: Float32,
    customer_id: Sequence[str],
    timestamp_ms: Int64,
    cards: int = CARDS_A_DAY,
) -> float:
    """Mean over days of: of the `cards` customers with the highest score that day, the share that
    suffered fraud that day. A customer found once is not counted again, as its card is blocked.
    With fewer customers than that, all of the day's are looked at."""
    ids = np.asarray(customer_id, dtype=object)
    day = timestamp_ms // DAY_MS
    found: set[str] = set()
    shares = []
    for number in np.unique(day):
        rows = np.flatnonzero(day == number)
        worst: dict[str, tuple[float, float]] = {}
        for customer, s, y in zip(ids[rows], score[rows], fraud[rows], strict=True):
            if customer not in found:
                before = worst.get(customer, (-np.inf, 0.0))
                worst[customer] = (max(before[0], float(s)), max(before[1], float(y)))
        # Ties by id: the order of rows must not matter.
        ranked = sorted(worst.items(), key=lambda item: (-item[1][0], item[0]))[:cards]
        hits = [customer for customer, (_, y) in ranked if y > 0]
        found.update(hits)
        if ranked:
            shares.append(len(hits) / len(ranked))
    return float(np.mean(shares)) if shares else 0.0


def calibration_error(probability: Float64, fraud: Float32, bins: int = _BINS) -> float:
    """Expected calibration error: rows in order of probability, cut into `bins` of equal size;
    the mean distance between a bin's mean probability and its share of fraud."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, bins) if part.size]
    distance = [abs(float(probability[p].mean()) - float(fraud[p].mean())) for p in parts]
    return float(np.average(distance, weights=[p.size for p in parts]))
