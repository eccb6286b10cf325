"""Knots of the maps from raw scores to what is served, fitted on the calibration part.

Supervised scores become probabilities in one of two ways, whichever errs less on later rows:

- isotonic regression. Each of its steps becomes one knot at the step's own centre, so that the map
  rises between steps instead of standing still: payments that a model tells apart stay apart
  (centred isotonic regression, Oron and Flournoy 2017).
- beta calibration (Kull, Silva Filho and Flach 2017), `sigmoid(c + a ln s - b ln(1 - s))` with
  a, b >= 0: three numbers, which few frauds can settle.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression
from threadpoolctl import threadpool_limits

from fraud.batch import Float32, Float64
from fraud.combine.calibrate import Calibration

Knots = tuple[tuple[float, float], ...]

MAX_KNOTS = 200
LOWEST, HIGHEST = 1e-6, 1 - 1e-6
METHODS = ("isotonic", "beta")
_FOLDS = 4
_LEAST_FRAUDS = 3
"""In each fold; with fewer the two methods cannot be told apart."""
_GRID = 1200
# Knots closer than this would make a cliff on which the last bits of a raw score decide.
_MIN_STEP = 1e-5
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class CalibrationFit:
    """A map to probabilities and how it was chosen.

    Attributes:
        knots: `Manifest.calibration`.
        method: of `METHODS`; `quantile` for anomaly scores.
        errors: method -> calibration error on later rows, on which the choice rests; {} if there
            were too few frauds to choose by: then it is beta.
    """

    knots: Knots
    method: str
    errors: dict[str, float]


def fit_calibration(raw: Float64, fraud: Float32) -> CalibrationFit:
    """Fit the map that errs least out of time.

    The rows are cut into four folds of equally many frauds. Each but the first is predicted by
    maps fitted on all folds before it; the method with the lower calibration error over these
    predictions is fitted on all rows.

    Args:
        raw: float64[n] in [0, 1] in the order of time, higher is more likely fraud.
        fraud: float32[n], 1 fraud and 0 not; both occur.
    """
    folds = time_folds(fraud, _FOLDS, _LEAST_FRAUDS)
    errors: dict[str, float] = {}
    for method, fit in (("isotonic", probability_knots), ("beta", beta_knots)):
        said = [calibrated(raw[b], fit(raw[a], fraud[a])) for a, b in folds]
        if said:
            seen = np.concatenate([fraud[later] for _, later in folds])
            errors[method] = round(_error(np.concatenate(said), seen), _DIGITS)
    method = min(METHODS, key=lambda m: errors[m]) if errors else "beta"
    fit = probability_knots if method == "isotonic" else beta_knots
    return CalibrationFit(fit(raw, fraud), method, errors)


def time_folds(fraud: Float32, folds: int, least: int) -> list[tuple[slice, slice]]:
    """Rows before, and rows of, each fold but the first: folds of equally many frauds.

    Args:
        fraud: float32[n] in the order of time.
        folds: how many at most; fewer if a fold would hold less than `least` frauds.

    Returns:
        [] if there are not even two such folds.
    """
    at = np.flatnonzero(fraud > 0)
    folds = min(folds, at.size // least)
    if folds < 2:
        return []
    ends = [int(at[at.size * k // folds]) for k in range(1, folds)]
    edges = [*ends, fraud.size]
    return [(slice(0, a), slice(a, b)) for a, b in pairwise(edges)]


def _error(probability: Float64, fraud: Float32) -> float:
    """Calibration error as reports give it: 20 bins of equally many rows."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, 20) if part.size]
    away = [abs(float(probability[p].mean() - fraud[p].mean())) * p.size for p in parts]
    return sum(away) / probability.size


def beta_knots(raw: Float64, fraud: Float32, max_knots: int = MAX_KNOTS) -> Knots:
    """Beta calibration of raw scores float64[n] in [0, 1], as knots.

    The curve is followed at 1200 points, evenly spaced in log-odds, of which those stay that bend
    it most: at most `max_knots`.
    """
    inside = np.clip(raw, LOWEST, HIGHEST)
    columns = np.stack([np.log(inside), -np.log1p(-inside)], axis=1)
    bias, (a, b) = fit_log_odds(columns, fraud, least=0.0, ridge=0.0, towards=1.0)
    odds = np.linspace(np.log(LOWEST), -np.log(LOWEST), _GRID)
    x = np.unique(np.concatenate([[0.0], 1 / (1 + np.exp(-odds)), [1.0]]))
    s = np.clip(x, LOWEST, HIGHEST)
    y = 1 / (1 + np.exp(-(bias + a * np.log(s) - b * np.log1p(-s))))
    return _knots(x, y, max_knots)


def fit_log_odds(
    columns: Float64, fraud: Float32, *, least: float, ridge: float, towards: float
) -> tuple[float, Float64]:
    """Logistic regression with bounded weights: intercept and weights >= `least`.

    Minimises log-loss + ridge * n * sum (w - towards)^2.

    Args:
        columns: float64[n, k].
        fraud: float32[n], 1 fraud and 0 not; both occur.
    """
    y = fraud.astype(np.float64)
    n, k = columns.shape

    def loss(theta: Float64) -> tuple[float, Float64]:
        odds = theta[0] + columns @ theta[1:]
        p = 1 / (1 + np.exp(-np.clip(odds, -50, 50)))
        away = theta[1:] - towards
        value = float((np.logaddexp(0, odds) - y * odds).sum()) / n + ridge * float(away @ away)
        slope = np.concatenate([[(p - y).sum() / n], columns.T @ (p - y) / n + 2 * ridge * away])
        return value, slope

    share = float(y.mean())
    start = np.full(k + 1, max(towards, least))
    start[0] = np.log(share / (1 - share)) - float((columns @ start[1:]).mean())
    start[0] = np.clip(start[0], -20, 20)
    with threadpool_limits(1):  # the order of additions must not depend on the machine
        found = minimize(
            loss,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=[(None, None), *[(least, None)] * k],
            options={"maxiter": 500, "ftol": 1e-12, "gtol": 1e-8},
        )
    theta: Float64 = found.x.round(_DIGITS)
    return float(theta[0]), theta[1:]


def probability_knots(raw: Float64, fraud: Float32, max_knots: int = MAX_KNOTS) -> Knots:
    """Fit a map from raw scores to probabilities by centred isotonic regression.

    Args:
        raw: float64[n] in [0, 1], higher is more likely fraud.
        fraud: float32[n], 1 fraud and 0 not; both occur.

    Returns:
        At most `max_knots` knots, strictly rising in x, never falling in y, y in
        [1e-6, 1 - 1e-6].
    """
    centre, share, rows = _steps(raw, fraud.astype(np.float64), np.ones(raw.size))
    # A step without fraud, or with nothing else, is not certain: one row at the overall rate.
    # Afterwards a step may lie below the one before it: the two become one.
    share = (share * rows + fraud.mean()) / (rows + 1)
    centre, share, _ = _steps(centre, share, rows)
    return _knots(*_with_ends(centre, share), max_knots)


def _steps(x: Float64, y: Float64, rows: Float64) -> tuple[Float64, Float64, Float64]:
    """Isotonic regression of y on x: centre, level and weight of each of its steps, rising."""
    level = IsotonicRegression().fit_transform(x, y, sample_weight=rows)
    levels, step = np.unique(level, return_inverse=True)
    weight: Float64 = np.bincount(step, rows).astype(np.float64)
    return np.bincount(step, x * rows) / weight, levels.astype(np.float64), weight


def _with_ends(x: Float64, y: Float64) -> tuple[Float64, Float64]:
    """Beyond the outermost centres the map goes on to rise: half way to certainty."""
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
    x, y = _spaced(x.round(_DIGITS), y.round(_DIGITS))
    while x.size > max_knots:
        x, y = _without_dullest(x, y, x.size - max_knots)
    return tuple((float(a), float(b)) for a, b in zip(x, y, strict=True))


def _spaced(x: Float64, y: Float64) -> tuple[Float64, Float64]:
    """Of knots closer than the smallest step keep the last: its y is the highest."""
    kept = [x.size - 1]
    for i in range(x.size - 2, -1, -1):
        if x[kept[-1]] - x[i] >= _MIN_STEP:
            kept.append(i)
    kept.reverse()
    return x[kept], y[kept]


def _without_dullest(x: Float64, y: Float64, surplus: int) -> tuple[Float64, Float64]:
    """Drop knots that lie nearest to the line between their neighbours; no two in a row, so that
    each is judged by neighbours that stay. The ends stay."""
    slope = (y[2:] - y[:-2]) / (x[2:] - x[:-2])
    bend = np.abs(y[1:-1] - (y[:-2] + slope * (x[1:-1] - x[:-2])))
    dropped: set[int] = set()
    for i in np.argsort(bend, kind="stable") + 1:
        if len(dropped) == surplus:
            break
        if i - 1 not in dropped and i + 1 not in dropped:
            dropped.add(int(i))
    kept = [i for i in range(x.size) if i not in dropped]
    return x[kept], y[kept]


def anomaly_fit(raw: Float64) -> CalibrationFit:
    """`anomaly_knots` of raw scores float64[n]."""
    return CalibrationFit(anomaly_knots(raw), "quantile", {})


def calibrated(raw: Float64, knots: Knots) -> Float64:
    """What serving makes of raw scores float64[n]."""
    return Calibration(knots)(raw)


def rounding_reach(raw: Float64, knots: Knots, rounding: float = 2e-6) -> float:
    """How far calibrated scores move at most if raw scores move by `rounding`, 1e-5 at least."""
    moved = [
        np.abs(calibrated(raw + d, knots) - calibrated(raw, knots)) for d in (-rounding, rounding)
    ]
    return max(1e-5, float(np.max(moved, initial=0.0)) * 1.5)
