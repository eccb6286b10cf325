"""Knots of the maps from raw scores to what is served, fitted on the validation part.

Supervised scores become probabilities by isotonic regression. Each of its steps becomes one knot
at the step's own centre, so that the map rises between steps instead of standing still: payments
that a model tells apart stay apart (centred isotonic regression).
"""

from __future__ import annotations

import numpy as np
from sklearn.isotonic import IsotonicRegression

from fraud.batch import Float32, Float64
from fraud.combine.calibrate import Calibration

Knots = tuple[tuple[float, float], ...]

MAX_KNOTS = 200
LOWEST, HIGHEST = 1e-6, 1 - 1e-6
# Knots closer than this would make a cliff on which the last bits of a raw score decide.
_MIN_STEP = 1e-5
_DIGITS = 9


def probability_knots(raw: Float64, fraud: Float32, max_knots: int = MAX_KNOTS) -> Knots:
    """Fit a map from raw scores to probabilities.

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


def calibrated(raw: Float64, knots: Knots) -> Float64:
    """What serving makes of raw scores float64[n]."""
    return Calibration(knots)(raw)


def rounding_reach(raw: Float64, knots: Knots, rounding: float = 2e-6) -> float:
    """How far calibrated scores move at most if raw scores move by `rounding`, 1e-5 at least."""
    moved = [
        np.abs(calibrated(raw + d, knots) - calibrated(raw, knots)) for d in (-rounding, rounding)
    ]
    return max(1e-5, float(np.max(moved, initial=0.0)) * 1.5)
