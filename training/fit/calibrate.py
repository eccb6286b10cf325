"""Calibration: the knots of maps from raw scores to served ones, fitted on the calibration part.

Supervised scores become probabilities by the method that errs less on later rows:

- isotonic regression. Each of its steps becomes one knot at the centre of the step, so that the map
  rises between steps: payments that a model distinguishes stay distinct (centred isotonic
  regression, Oron and Flournoy 2017).
- beta calibration (Kull, Silva Filho and Flach 2017), `sigmoid(c + a ln s - b ln(1 - s))` with
  a, b >= 0: three parameters, which few frauds can determine.

The scale of raw scores is arbitrary: those of a forest may all lie below 1e-4. So knots are spaced
and dropped by log-odds, and a map that does not keep the fraud rate or the ranking of the rows that
it was fitted on is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression
from threadpoolctl import threadpool_limits

from fraud.combine.calibrate import Calibration
from fraud.errors import NotTrainable
from fraud.payment.batch import Float32, Float64
from training.metrics.counts import roc_auc_by_counts

Knots = tuple[tuple[float, float], ...]

MAX_KNOTS = 200
LOWEST, HIGHEST = 1e-6, 1 - 1e-6
"""The limits of a served probability: no model is certain."""
METHODS = ("isotonic", "beta")
_FOLDS = 4
_LEAST_FRAUDS = 3
"""In each fold; with fewer the two methods cannot be compared."""
_GRID = 1200
_MIN_STEP = 16
"""The least distance between two knots, in units of the last place of a float32: raw scores are
float32, and their last bits, which differ between machines, must not matter."""
_ROUNDING = 4e-6
"""The relative difference of a raw score between machines: it is a sum over hundreds of trees."""
_DIGITS = 9
"""Significant digits of a knot."""
_SMALLEST = float(np.finfo(np.float32).tiny)
_BELOW_ONE = 1 - float(np.finfo(np.float32).epsneg)
_RATE_TOLERANCE = 0.1
"""The share by which a map may predict too many or too few frauds on the rows it was fitted on, or
two standard deviations of their number if that is more."""
_TOP_TOLERANCE = 0.5
"""The same for the tenth of the rows with the highest scores: a map may bend, not be flat."""
_AUC_TOLERANCE = 0.005
"""The ROC-AUC that a map may lose on these rows: scores beyond its outermost knots become equal."""


@dataclass(frozen=True, slots=True)
class CalibrationFit:
    """A map to probabilities and how it was chosen.

    Attributes:
        knots: `Manifest.calibration`.
        method: of `METHODS`; `quantile` for anomaly scores.
        errors: method -> calibration error on later rows, by which the method was chosen; {} with
            too few frauds, when beta is tried first.
    """

    knots: Knots
    method: str
    errors: dict[str, float]


def fit_calibration(raw: Float64, fraud: Float32, max_knots: int = MAX_KNOTS) -> CalibrationFit:
    """Fit the map with the lower error on later rows.

    The rows are cut into four folds of equally many frauds. Each fold after the first is predicted
    by maps fitted on all earlier folds. The method with the lower calibration error over these
    predictions is fitted on all rows.

    Args:
        raw: float64[n] in [0, 1] in the order of time, higher is more likely fraud.
        fraud: float32[n], 1 for fraud, else 0; both occur.
        max_knots: the most knots of the map.

    Raises:
        NotTrainable: no map keeps the fraud rate and the ranking of the scores, or all rows have
            the same label.
    """
    _check_kinds(fraud)
    folds = time_folds(fraud, _FOLDS, _LEAST_FRAUDS)
    errors: dict[str, float] = {}
    for method, fit in (("isotonic", probability_knots), ("beta", beta_knots)):
        predicted = [calibrated(raw[b], fit(raw[a], fraud[a], max_knots)) for a, b in folds]
        if predicted:
            observed = np.concatenate([fraud[later] for _, later in folds])
            errors[method] = round(_error(np.concatenate(predicted), observed), _DIGITS)
    best_first = sorted(METHODS, key=lambda m: errors[m]) if errors else ["beta", "isotonic"]
    faults = []
    for method in best_first:
        knots = (probability_knots if method == "isotonic" else beta_knots)(raw, fraud, max_knots)
        fault = _fault(calibrated(raw, knots), raw, fraud)
        if fault is None:
            return CalibrationFit(knots, method, errors)
        faults.append(f"{method}: {fault}")
    raise NotTrainable(f"the scores cannot be calibrated: {'; '.join(faults)}")


def _fault(probability: Float64, raw: Float64, fraud: Float32) -> str | None:
    """What is wrong with a map on the rows that it was fitted on; None if it is fine."""
    highest = raw >= np.quantile(raw, 0.9)
    parts = (
        (slice(None), _RATE_TOLERANCE, "in all"),
        (highest, _TOP_TOLERANCE, "in the top tenth"),
    )
    for rows, tolerance, where in parts:
        observed, predicted = float(fraud[rows].sum()), float(probability[rows].sum())
        if abs(predicted - observed) > max(tolerance * observed, 2 * np.sqrt(observed)):
            return f"{predicted:.4g} frauds predicted {where}, {observed:.0f} observed"
    before, after = (roc_auc_by_counts(fraud, s) for s in (raw, probability))
    if after < before - _AUC_TOLERANCE:
        return f"ROC AUC {before:.3f} of the scores becomes {after:.3f}"
    return None


def _check_kinds(fraud: Float32) -> None:
    frauds = int((fraud > 0).sum())
    if not 0 < frauds < fraud.size:
        kind = "fraud" if frauds else "genuine payments"
        raise NotTrainable(
            f"{fraud.size:,} rows hold only {kind}: calibration needs labels of both kinds"
        )


def time_folds(fraud: Float32, folds: int, least: int) -> list[tuple[slice, slice]]:
    """The earlier rows and the rows of each fold but the first; folds hold equally many frauds.

    Args:
        fraud: float32[n] in the order of time.
        folds: the most folds; fewer if a fold would hold less than `least` frauds.

    Returns:
        [] if there are fewer than two folds. A fold with only fraud before it is left out, since
        nothing can be fitted on one kind of rows.
    """
    at = np.flatnonzero(fraud > 0)
    folds = min(folds, at.size // least)
    if folds < 2:
        return []
    ends = [int(at[at.size * k // folds]) for k in range(1, folds)]
    edges = [*ends, fraud.size]
    pairs = [(slice(0, a), slice(a, b)) for a, b in pairwise(edges)]
    return [(before, fold) for before, fold in pairs if not fraud[before].all()]


def _error(probability: Float64, fraud: Float32) -> float:
    """The calibration error as in reports: 20 bins of equally many rows."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, 20) if part.size]
    away = [abs(float(probability[p].mean() - fraud[p].mean())) * p.size for p in parts]
    return sum(away) / probability.size


def beta_knots(raw: Float64, fraud: Float32, max_knots: int = MAX_KNOTS) -> Knots:
    """Beta calibration of raw scores float64[n] in [0, 1], as knots.

    The curve is sampled at 1200 points from the lowest score to the highest, evenly spaced in
    log-odds. At most `max_knots` of them are kept, those where the curve bends most.
    """
    inside = _inside(raw)
    columns = np.stack([np.log(inside), -np.log1p(-inside)], axis=1)
    bias, (a, b) = fit_log_odds(columns, fraud, least=0.0, ridge=0.0, towards=1.0)
    lowest, highest = _log_odds(np.array([inside.min(), inside.max()])).tolist()
    odds = np.linspace(lowest, highest, _GRID)
    x = np.unique(np.concatenate([[0.0], 1 / (1 + np.exp(-odds)), [1.0]]))
    s = _inside(x)
    y = 1 / (1 + np.exp(-np.clip(bias + a * np.log(s) - b * np.log1p(-s), -50, 50)))
    return _knots(x, y, max_knots)


def _inside(scores: Float64) -> Float64:
    """Scores clipped so that they and their distances to 1 have a logarithm."""
    return np.clip(scores, _SMALLEST, _BELOW_ONE)


def _log_odds(scores: Float64) -> Float64:
    odds: Float64 = np.log(scores) - np.log1p(-scores)
    return odds


def fit_log_odds(
    columns: Float64, fraud: Float32, *, least: float, ridge: float, towards: float
) -> tuple[float, Float64]:
    """Logistic regression with bounded weights: intercept and weights >= `least`.

    Minimises log-loss + ridge * n * sum (w - towards)^2.

    Args:
        columns: float64[n, k].
        fraud: float32[n], 1 for fraud, else 0; both occur.

    Raises:
        NotTrainable: all rows have the same label.
    """
    _check_kinds(fraud)
    y = fraud.astype(np.float64)
    n, k = columns.shape
    # Centred: otherwise the intercept and the weights of very low scores depend on each other, and
    # the solver stops before it has found either.
    centre = columns.mean(axis=0)
    columns = columns - centre

    def loss(theta: Float64) -> tuple[float, Float64]:
        odds = theta[0] + columns @ theta[1:]
        p = 1 / (1 + np.exp(-np.clip(odds, -50, 50)))
        away = theta[1:] - towards
        value = float((np.logaddexp(0, odds) - y * odds).sum()) / n + ridge * float(away @ away)
        slope = np.concatenate([[(p - y).sum() / n], columns.T @ (p - y) / n + 2 * ridge * away])
        return value, slope

    share = float(y.mean())
    start = np.full(k + 1, max(towards, least))
    start[0] = np.log(share / (1 - share))
    with threadpool_limits(1):  # the order of additions must not depend on the machine
        found = minimize(
            loss,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=[(None, None), *[(least, None)] * k],
            options={"maxiter": 500, "ftol": 1e-12, "gtol": 1e-8},
        )
    weights: Float64 = found.x[1:].round(_DIGITS)
    return round(float(found.x[0] - centre @ weights), _DIGITS), weights


def probability_knots(raw: Float64, fraud: Float32, max_knots: int = MAX_KNOTS) -> Knots:
    """Fit a map from raw scores to probabilities by centred isotonic regression.

    Args:
        raw: float64[n] in [0, 1], higher is more likely fraud.
        fraud: float32[n], 1 for fraud, else 0; both occur.

    Returns:
        At most `max_knots` knots, strictly rising in x, never falling in y, y in
        [1e-6, 1 - 1e-6].
    """
    centre, share, rows = _steps(raw, fraud.astype(np.float64), np.ones(raw.size))
    # A step without fraud, or with only fraud, is not certain: add one row at the overall rate. A
    # step may then lie below the one before it, so the regression runs once more.
    share = (share * rows + fraud.mean()) / (rows + 1)
    centre, share, _ = _steps(centre, share, rows)
    return _knots(*_with_ends(centre, share), max_knots)


def _steps(x: Float64, y: Float64, rows: Float64) -> tuple[Float64, Float64, Float64]:
    """Isotonic regression of y on x: the centre, level and weight of each step, rising."""
    # By rank, on which alone it depends: scikit-learn treats scores closer than 1e-15 as equal.
    _, rank = np.unique(x, return_inverse=True)
    level = IsotonicRegression().fit_transform(rank, y, sample_weight=rows)
    levels, step = np.unique(level, return_inverse=True)
    weight: Float64 = np.bincount(step, rows).astype(np.float64)
    return np.bincount(step, x * rows) / weight, levels.astype(np.float64), weight


def _with_ends(x: Float64, y: Float64) -> tuple[Float64, Float64]:
    """Beyond the outermost centres the map rises on, half way to certainty."""
    if x[0] > 0:
        x, y = np.insert(x, 0, 0.0), np.insert(y, 0, y[0] / 2)
    if x[-1] < 1:
        x, y = np.append(x, 1.0), np.append(y, (1 + y[-1]) / 2)
    return x, y


def anomaly_knots(raw: Float64, max_knots: int = MAX_KNOTS) -> Knots:
    """Map raw anomaly scores to their quantile among `raw` (float64[n]), in [0, 1].

    Half of the knots lie in the highest twentieth, where the threshold will be.
    """
    half = max_knots // 2
    level: Float64 = np.linspace(0, 0.95, half, dtype=np.float64)
    upper: Float64 = np.linspace(0.95, 1, max_knots - half + 1, dtype=np.float64)
    level = np.concatenate([level[:-1], upper])
    return _knots(np.quantile(raw, level), level, max_knots, lowest=0.0, highest=1.0)


def _knots(
    x: Float64, y: Float64, max_knots: int, lowest: float = LOWEST, highest: float = HIGHEST
) -> Knots:
    y = np.maximum.accumulate(np.clip(y, lowest, highest))
    x, y = _spaced(_significant(x), _significant(y))
    while x.size > max_knots:
        x, y = _without_flattest(x, y, x.size - max_knots)
    return tuple((float(a), float(b)) for a, b in zip(x, y, strict=True))


def _spaced(x: Float64, y: Float64) -> tuple[Float64, Float64]:
    """Of knots closer than the least distance keep the last, whose y is the highest."""
    step = _MIN_STEP * np.spacing(x.astype(np.float32)).astype(np.float64)
    kept = [x.size - 1]
    for i in range(x.size - 2, -1, -1):
        if x[kept[-1]] - x[i] >= step[kept[-1]]:
            kept.append(i)
    kept.reverse()
    return x[kept], y[kept]


def _without_flattest(x: Float64, y: Float64, surplus: int) -> tuple[Float64, Float64]:
    """Drop the knots nearest to the line between their neighbours, but no two in a row, so that
    each is measured against neighbours that stay. The ends stay."""
    slope = (y[2:] - y[:-2]) / (x[2:] - x[:-2])
    without = y[:-2] + slope * (x[1:-1] - x[:-2])
    # In log-odds: a difference that is nothing at a probability of 0.5 is large at 0.0001.
    with_it, without = (_log_odds(np.clip(p, LOWEST, HIGHEST)) for p in (y[1:-1], without))
    bend = np.abs(with_it - without)
    dropped: set[int] = set()
    for i in np.argsort(bend, kind="stable") + 1:
        if len(dropped) == surplus:
            break
        if i - 1 not in dropped and i + 1 not in dropped:
            dropped.add(int(i))
    kept = [i for i in range(x.size) if i not in dropped]
    return x[kept], y[kept]


def _significant(values: Float64) -> Float64:
    return np.array([float(f"{value:.{_DIGITS}g}") for value in values.tolist()])


def anomaly_fit(raw: Float64) -> CalibrationFit:
    """`anomaly_knots` of raw scores float64[n]."""
    return CalibrationFit(anomaly_knots(raw), "quantile", {})


def calibrated(raw: Float64, knots: Knots) -> Float64:
    """Calibrated scores of raw scores float64[n], as served."""
    return Calibration(knots)(raw)


def rounding_reach(raw: Float64, knots: Knots) -> float:
    """The most that calibrated scores differ between machines, at least 1e-5. A raw score differs
    by a share of itself, or of its distance to 1 if that is less, and by its last bits."""
    last_bits = np.spacing(np.abs(raw).astype(np.float32)).astype(np.float64)
    reach = _ROUNDING * np.minimum(np.abs(raw), np.abs(1 - raw)) + _MIN_STEP / 2 * last_bits
    moved = [np.abs(calibrated(raw + d, knots) - calibrated(raw, knots)) for d in (-reach, reach)]
    return max(1e-5, float(np.max(moved, initial=0.0)) * 1.5)
