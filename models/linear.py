"""The columns of a linear model, and what each feature adds to its log-odds."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from fraud.payment.batch import Float32, Float64, Int64

CLIP: Final = 8.0


@dataclass(frozen=True, slots=True)
class Columns:
    """How a feature matrix becomes the columns of a linear model.

    In this order: numeric columns (the median where missing, signed log if `logs`, centred, scaled,
    clipped to eight deviations); their squares over eight; 0/1 columns that step up where a feature
    exceeds an edge; a 0/1 column for each distinct pattern of missing values; a 0/1 column for each
    code of a categorical feature.

    Attributes:
        numeric: int64[p] column numbers; median, mean, scale: float32[p] each.
        logs: whether numeric columns are signed logs.
        squares: whether there are p columns of squares.
        stepped, edge: int64[s] and float32[s]: column s is `features[stepped] > edge`.
        missing: int64[q] column numbers whose NaN becomes a column.
        coded, code: int64[r] and float32[r]: column r is `features[coded] == code`.
    """

    numeric: Int64
    median: Float32
    mean: Float32
    scale: Float32
    logs: bool
    squares: bool
    stepped: Int64
    edge: Float32
    missing: Int64
    coded: Int64
    code: Float32

    @property
    def features(self) -> Int64:
        """The feature behind each column: int64[p (+ p) + s + q + r]."""
        squares = self.numeric if self.squares else self.numeric[:0]
        return np.concatenate([self.numeric, squares, self.stepped, self.missing, self.coded])

    def transform(self, x: Float32) -> Float32:
        """float32[n, n_features] -> float32[n, p (+ p) + s + q + r]."""
        numeric = x[:, self.numeric]
        numeric = np.where(np.isnan(numeric), self.median, numeric)
        numeric = signed_log(numeric) if self.logs else numeric
        numeric = np.clip((numeric - self.mean) * self.scale, -CLIP, CLIP)
        return np.concatenate(
            [
                numeric,
                numeric * numeric / np.float32(CLIP) if self.squares else numeric[:, :0],
                (x[:, self.stepped] > self.edge).astype(np.float32),
                np.isnan(x[:, self.missing]).astype(np.float32),
                (x[:, self.coded] == self.code).astype(np.float32),
            ],
            axis=1,
        )


def signed_log(x: Float32) -> Float32:
    """sign(x) * log(1 + |x|), float32: amounts and counts span orders of magnitude."""
    return np.sign(x) * np.log(np.abs(x) + np.float32(1))


class LinearContributions:
    """What each feature adds to the log-odds of a linear model, relative to its average.

    Args:
        columns: of the model.
        coefficients: float32[width], one per column.
        usual: float32[width], the columns' means over the training rows.
        n_features: width of the feature matrix.

    Raises:
        ValueError: the widths differ.
    """

    def __init__(
        self, columns: Columns, coefficients: Float32, usual: Float32, n_features: int
    ) -> None:
        features = columns.features
        if not features.shape == coefficients.shape == usual.shape:
            raise ValueError("columns, coefficients and means of different widths")
        if features.size and not 0 <= features.min() <= features.max() < n_features:
            raise ValueError(f"a feature outside 0..{n_features - 1}")
        self._columns = columns
        self._coefficients = coefficients
        self._usual = usual
        self._n_features = n_features
        self._order = np.argsort(features, kind="stable")
        self._used, self._starts = np.unique(features[self._order], return_index=True)

    def __call__(self, values: Float32) -> Float64:
        """float32[m, n_features], NaN where unknown -> float64[m, n_features]: log-odds."""
        found = np.zeros((len(values), self._n_features))
        if self._used.size and len(values):
            beside = self._columns.transform(values).astype(np.float64) - self._usual
            added = (beside * self._coefficients)[:, self._order]
            found[:, self._used] = np.add.reduceat(added, self._starts, axis=1)
        return found

    def to_bytes(self) -> bytes:
        """As a file; `from_bytes` inverts it."""
        body = io.BytesIO()
        kept = {"coefficients": self._coefficients, "usual": self._usual}
        arrays: dict[str, Any] = asdict(self._columns) | kept
        np.savez(body, **arrays)
        return body.getvalue()

    @classmethod
    def from_bytes(cls, body: bytes, n_features: int) -> LinearContributions:
        """Invert `to_bytes`. Raises ValueError, or any error of NumPy, for other bytes."""
        with np.load(io.BytesIO(body), allow_pickle=False) as file:
            kept = {name: file[name] for name in file.files}
        coefficients, usual = kept.pop("coefficients"), kept.pop("usual")
        logs, squares = bool(kept.pop("logs")), bool(kept.pop("squares"))
        columns = Columns(logs=logs, squares=squares, **kept)
        return cls(columns, coefficients, usual, n_features)
