"""Drift: how far live features and scores have moved from training, and probabilities from truth.

The population stability index and its thresholds are from Siddiqi, "Credit Risk Scorecards" (2006);
its size under chance alone from Yurdakul and Naranjo, "Statistical properties of the population
stability index" (Journal of Risk Model Validation, 2020); the intervals of shares from Wilson,
"Probable inference, the law of succession, and statistical inference" (JASA, 1927).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fraud.payment.batch import Float32, Float64, Int64

REFERENCE_FILE = "reference.npz"
"""The file of an artifact that holds its `ReferenceDistributions`."""

BINS = 10
CALIBRATION_BINS = 20
"""As in the reports of training."""
_CUTS = BINS - 1
_SLOTS = BINS + 1
MODERATE, LARGE = 0.1, 0.25
"""PSI from which a shift is moderate, and large."""
LEAST_ROWS = 200
"""Fewer rows move the index by more than a third of `MODERATE` by chance alone."""

_LEAST_SHARE = 1e-4
_ROWS_AT_ONCE = 1024
_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class ReferenceDistribution:
    """How k columns were spread when models were trained.

    Attributes:
        names: k names.
        categorical: bool[k]: the column holds codes.
        cuts: float64[k, 9], padded with +inf. Of numbers: the rising inner edges of the bins
            [cut, next cut), which are the deciles; a value that makes up several deciles has a bin
            to itself. Of codes: the most frequent codes, one bin each; all others share the tenth.
        counts: int64[k, 11]: rows of each bin, then rows without a value.
    """

    names: tuple[str, ...]
    categorical: NDArray[np.bool_]
    cuts: Float64
    counts: Int64

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        values: Float32 | Float64,
        categorical: Sequence[int] = (),
    ) -> ReferenceDistribution:
        """Measure `values` [n, k], n >= 1; `categorical` are the columns of codes."""
        coded = np.isin(np.arange(len(names)), np.array(categorical, np.int64))
        cuts = np.full((len(names), _CUTS), np.inf)
        for i in range(len(names)):
            column = values[:, i].astype(np.float64)
            found = _codes(column) if coded[i] else _deciles(column)
            cuts[i, : found.size] = found
        blank = cls(tuple(names), coded, cuts, np.zeros((len(names), _SLOTS), np.int64))
        return cls(blank.names, coded, cuts, blank.count(values))

    @property
    def rows(self) -> int:
        """The number of rows it was measured on."""
        return int(self.counts[0].sum()) if len(self.names) else 0

    def count(self, values: Float32 | Float64) -> Int64:
        """Count other values [n, k] by the same bins: int64[k, 11]."""
        k = len(self.names)
        counts = np.zeros(k * _SLOTS, np.int64)
        of_column = np.arange(k) * _SLOTS
        for start in range(0, values.shape[0], _ROWS_AT_ONCE):
            part = values[start : start + _ROWS_AT_ONCE].astype(np.float64)
            counts += np.bincount((self._slots(part) + of_column).ravel(), minlength=k * _SLOTS)
        return counts.reshape(k, _SLOTS)

    def middle(self) -> tuple[Float64, Float64]:
        """The bounds of the middle 80 % of each column: low and high, float64[k]; NaN for codes and
        for a column without values."""
        known = np.isfinite(self.cuts) & ~self.categorical[:, None]
        any_known = known.any(axis=1)
        last = np.maximum(known.sum(axis=1) - 1, 0)
        low = np.where(any_known, self.cuts[:, 0], np.nan)
        high = np.where(any_known, self.cuts[np.arange(len(self.names)), last], np.nan)
        return low, high

    def share(self, values: Float32 | Float64) -> Float64:
        """The share of rows (of those with a value) that lay in the same bin as each value.

        For flags and frequent codes that is the share of rows with the same value.

        Returns:
            float64[n, k] in [0, 1]; NaN where a value is missing, or was always missing.
        """
        slots = self._slots(values.astype(np.float64))
        counts = self.counts[:, :BINS]
        known = counts.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = np.concatenate(
                [counts / known[:, None], np.full((len(self.names), 1), np.nan)], axis=1
            )
        found: Float64 = shares[np.arange(len(self.names)), slots]
        return found

    def psi(self, counts: Int64) -> Float64:
        """The population stability index of each column, float64[k]: the sum over bins of
        (now - then) * ln(now / then). Shares below 0.0001 count as 0.0001; NaN without rows."""
        then, now = _shares(self.counts), _shares(counts)
        index: Float64 = ((now - then) * np.log(now / then)).sum(axis=1)
        index[counts.sum(axis=1) == 0] = np.nan
        return index

    def chance(self, counts: Int64) -> Float64:
        """The expected value of each index if nothing but sampling differs, float64[k]:
        (bins - 1) * (1 / rows then + 1 / rows now)."""
        bins = (self.counts > 0).sum(axis=1)
        then, now = self.counts.sum(axis=1), counts.sum(axis=1)
        with np.errstate(divide="ignore"):
            found: Float64 = (bins - 1) * (1 / then + 1 / now)
        return found

    def _slots(self, values: Float64) -> Int64:
        """The bin of each value, int64[n, k]."""
        above: Int64 = (values[:, :, None] >= self.cuts).sum(axis=2)
        coded = np.flatnonzero(self.categorical)
        same = values[:, coded, None] == self.cuts[coded]
        above[:, coded] = np.where(same.any(axis=2), same.argmax(axis=2), _CUTS)
        return np.where(np.isnan(values), BINS, above)


def _deciles(column: Float64) -> Float64:
    known = np.sort(column[~np.isnan(column)])
    if known.size == 0:
        return np.empty(0)
    # Cuts are values that occur, not means of two: equal values stay in one bin. A value of more
    # than one decile gets a bin to itself: most columns are counts, and most counts are 0.
    found, times = np.unique(known[(np.arange(1, BINS) * known.size) // BINS], return_counts=True)
    cuts: Float64 = np.union1d(found, np.nextafter(found[times > 1], np.inf))
    return cuts


def _codes(column: Float64) -> Float64:
    codes, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    found: Float64 = np.sort(codes[np.argsort(-counts, kind="stable")[:_CUTS]])
    return found


def _shares(counts: Int64) -> Float64:
    total = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shares: Float64 = np.maximum(counts / total, _LEAST_SHARE)
    return shares


@dataclass(frozen=True, slots=True)
class ReferenceDistributions:
    """How a training's features were spread, and the calibrated scores of all its models and of
    the `ensemble`, on payments held back from fitting."""

    features: ReferenceDistribution
    scores: ReferenceDistribution

    def to_bytes(self) -> bytes:
        """An npz without pickles; equal distributions give equal bytes."""
        body = io.BytesIO()
        parts = {"features": self.features, "scores": self.scores}
        np.savez(
            body,
            allow_pickle=False,
            **{
                f"{part}_{name}": np.asarray(getattr(reference, name))
                for part, reference in parts.items()
                for name in ("names", "categorical", "cuts", "counts")
            },
        )
        return body.getvalue()

    @classmethod
    def from_bytes(cls, body: bytes) -> ReferenceDistributions:
        """Invert `to_bytes`.

        Raises:
            ValueError: the bytes are not such an npz.
        """
        try:
            with np.load(io.BytesIO(body), allow_pickle=False) as found:
                return cls(_part(found, "features"), _part(found, "scores"))
        except (KeyError, OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError("not a reference distribution") from error


def _part(found: np.lib.npyio.NpzFile, part: str) -> ReferenceDistribution:
    names = tuple(str(name) for name in found[f"{part}_names"].tolist())
    categorical = found[f"{part}_categorical"].astype(np.bool_)
    cuts, counts = found[f"{part}_cuts"], found[f"{part}_counts"]
    k = len(names)
    if (categorical.shape, cuts.shape, counts.shape) != ((k,), (k, _CUTS), (k, _SLOTS)):
        raise ValueError("not a reference distribution")
    return ReferenceDistribution(
        names, categorical, cuts.astype(np.float64), counts.astype(np.int64)
    )


def level(psi: float, rows: int) -> str:
    """The level of a shift: `steady`, `moderate` or `large`; `few` if the rows are too few."""
    if rows < LEAST_ROWS or np.isnan(psi):
        return "few"
    return "steady" if psi < MODERATE else "moderate" if psi <= LARGE else "large"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Probabilities beside observed fraud, in b bins of about equal size, rising.

    Attributes:
        mean: float64[b], mean probability.
        observed: float64[b], share of fraud.
        low, high: float64[b], Wilson's 95 % interval of the share.
        rows: int64[b], > 0.
        error: expected calibration error: mean |mean - observed| by rows; NaN without rows.
    """

    mean: Float64
    observed: Float64
    low: Float64
    high: Float64
    rows: Int64
    error: float


def calibration(probability: Float64, fraud: Float64, bins: int = CALIBRATION_BINS) -> Calibration:
    """Compare probabilities with labels.

    Args:
        probability: float64[n]; rows with NaN are left out.
        fraud: float64[n], 1 for fraud, else 0.
    """
    known = ~np.isnan(probability)
    order = np.argsort(probability[known], kind="stable")
    ranked, hit = probability[known][order], fraud[known][order]
    if ranked.size == 0:
        none = np.empty(0)
        return Calibration(none, none, none, none, np.empty(0, np.int64), float("nan"))
    # Equal probabilities share a bin, whatever their order.
    starts = np.unique(np.searchsorted(ranked, ranked[(np.arange(bins) * ranked.size) // bins]))
    rows = np.diff(np.append(starts, ranked.size))
    mean = np.add.reduceat(ranked, starts) / rows
    observed = np.add.reduceat(hit, starts) / rows
    low, high = wilson(observed, rows)
    error = float(np.average(np.abs(mean - observed), weights=rows))
    return Calibration(mean, observed, low, high, rows.astype(np.int64), error)


def wilson(share: Float64, rows: Int64, z: float = _Z95) -> tuple[Float64, Float64]:
    """Wilson's interval of each share of `rows` > 0: low and high, within [0, 1]."""
    centre = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    reach = z / (1 + z * z / rows) * np.sqrt(share * (1 - share) / rows + z * z / (4 * rows**2))
    # Rounding must not leave the share itself outside.
    low, high = np.minimum(centre - reach, share), np.maximum(centre + reach, share)
    return np.clip(low, 0, 1), np.clip(high, 0, 1)


def matured(decided_ms: Int64, known_ms: Int64, now_ms: int) -> NDArray[np.bool_]:
    """Select the labelled decisions that are old enough for their peers to have labels, too.

    Fraud is often known sooner than that a payment was genuine, so the youngest labelled decisions
    are mostly fraud. Decisions younger than the delay within which 95 % of labels became known are
    left out.

    Args:
        decided_ms, known_ms: int64[n], when each decision was made and when its label was known.

    Returns:
        bool[n].
    """
    if decided_ms.size == 0:
        return np.empty(0, np.bool_)
    delay = np.quantile(np.maximum(known_ms - decided_ms, 0), 0.95, method="higher")
    found: NDArray[np.bool_] = decided_ms <= now_ms - delay
    return found
