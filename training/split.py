"""Cutting history by time: warm-up | train | gap | validation | calibration | gap | test.

A gap is as long as labels take to be known, so that a model is judged as it will be used: on
payments later than the moment at which its newest training label could have been known.
Validation serves whatever chooses among models: early stopping, search, the ensemble. Calibration
is a later slice of its own: maps to probabilities and thresholds that were fitted on rows which
have chosen nothing are not flattered by the choice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from fraud.batch import Int64
from fraud.errors import NotTrainable
from training.config import SplitConfig

DAY_MS = 86_400_000
FRAUD, UNKNOWN = 1, -1
_MAX_WARMUP_DAYS = 30
_MAX_GAP_SHARE = 0.1

Int8 = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where the parts lie, milliseconds since the epoch, each [start, end)."""

    history_start_ms: int
    train_start_ms: int
    train_end_ms: int
    validation_start_ms: int
    validation_end_ms: int
    calibration_start_ms: int
    calibration_end_ms: int
    test_start_ms: int
    test_end_ms: int

    def window(self) -> dict[str, str]:
        """Each bound without its `_ms`, RFC 3339."""
        return {
            name.removesuffix("_ms"): datetime.fromtimestamp(
                getattr(self, name) / 1000, UTC
            ).isoformat(timespec="milliseconds")
            for name in self.__slots__
        }


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers of each part, rising: int64[n]. No row is in two parts, but for `calibration`
    being `validation` where `shared`: one slice had to do for both."""

    train: Int64
    validation: Int64
    calibration: Int64
    test: Int64
    bounds: Bounds
    shared: bool = False

    def parts(self) -> dict[str, Int64]:
        """Row numbers by the name of the part, in the order of time."""
        return {
            "train": self.train,
            "validation": self.validation,
            "calibration": self.calibration,
            "test": self.test,
        }

    def counts(self, label: Int8) -> tuple[dict[str, int], dict[str, int]]:
        """Rows and known frauds of `history` (all rows, unlabelled ones too) and of each part."""
        parts = self.parts()
        rows = {"history": int(label.size), **{k: int(v.size) for k, v in parts.items()}}
        frauds = {k: int((label[v] == FRAUD).sum()) for k, v in parts.items()}
        return rows, {"history": int((label == FRAUD).sum()), **frauds}


def split_by_time(
    timestamp_ms: Int64, label: Int8, known_at_ms: Int64, config: SplitConfig
) -> Split:
    """Cut labelled history.

    A row is trained on if its label was known when validation begins, and validated or calibrated
    on if its label was known when the test begins. The test uses every label there is: hindsight
    judges.

    Args:
        timestamp_ms: int64[n], in any order.
        label: int8[n]: 1 fraud, 0 not, -1 unknown.
        known_at_ms: int64[n]: from when on the label could have been known.

    Raises:
        NotTrainable: too short a history, or too few known frauds in a part.
    """
    if timestamp_ms.size == 0:
        raise NotTrainable("there is no history: load some (`quorum generate`, `quorum load`)")
    b = _bounds(timestamp_ms, label, known_at_ms, config)
    known = label != UNKNOWN

    def rows(start_ms: int, end_ms: int, cut_ms: int | None) -> Int64:
        chosen = known & (timestamp_ms >= start_ms) & (timestamp_ms < end_ms)
        if cut_ms is not None:
            chosen &= known_at_ms <= cut_ms
        return np.flatnonzero(chosen)

    split = Split(
        train=rows(b.train_start_ms, b.train_end_ms, b.validation_start_ms),
        validation=rows(b.validation_start_ms, b.validation_end_ms, b.test_start_ms),
        calibration=rows(b.calibration_start_ms, b.calibration_end_ms, b.test_start_ms),
        test=rows(b.test_start_ms, b.test_end_ms, None),
        bounds=b,
    )
    split = _shared_if_need_be(split, label, config)
    _check("train", label[split.train], config.min_train_frauds)
    _check("validation", label[split.validation], config.min_validation_frauds, _OR_SHARE)
    _check("calibration", label[split.calibration], config.min_calibration_frauds, _OR_SHARE)
    _check("test", label[split.test], config.min_test_frauds)
    return split


def _shared_if_need_be(split: Split, label: Int8, config: SplitConfig) -> Split:
    """One slice for validation and calibration, if that is allowed and either lacks frauds."""
    frauds = split.counts(label)[1]
    enough = (
        frauds["validation"] >= config.min_validation_frauds
        and frauds["calibration"] >= config.min_calibration_frauds
    )
    if enough or not config.shared_calibration:
        return split
    both = np.union1d(split.validation, split.calibration)
    b = split.bounds
    bounds = replace(
        b,
        validation_end_ms=b.calibration_end_ms,
        calibration_start_ms=b.validation_start_ms,
    )
    return replace(split, validation=both, calibration=both, bounds=bounds, shared=True)


def _bounds(timestamp_ms: Int64, label: Int8, known_at_ms: Int64, config: SplitConfig) -> Bounds:
    start, end = int(timestamp_ms.min()), int(timestamp_ms.max()) + 1
    span = end - start
    warmup = _length(config.warmup_days, min(0.2 * span, _MAX_WARMUP_DAYS * DAY_MS))
    validation = _length(config.validation_days, config.validation_fraction * span)
    calibration = _length(config.calibration_days, config.calibration_fraction * span)
    test = _length(config.test_days, config.test_fraction * span)
    gap = _length(config.gap_days, _usual_delay_ms(timestamp_ms, label, known_at_ms, span))
    train = span - warmup - validation - calibration - test - 2 * gap
    if train <= 0:
        raise NotTrainable(
            f"{span / DAY_MS:.1f} days of history leave nothing to train on after"
            f" {warmup / DAY_MS:.1f} days of warm-up, twice {gap / DAY_MS:.1f} of label delay,"
            f" {validation / DAY_MS:.1f} of validation, {calibration / DAY_MS:.1f} of calibration"
            f" and {test / DAY_MS:.1f} of test: load more history or shorten the parts under"
            " [split]"
        )
    train_start = start + warmup
    train_end = train_start + train
    return Bounds(
        history_start_ms=start,
        train_start_ms=train_start,
        train_end_ms=train_end,
        validation_start_ms=train_end + gap,
        validation_end_ms=train_end + gap + validation,
        calibration_start_ms=train_end + gap + validation,
        calibration_end_ms=train_end + gap + validation + calibration,
        test_start_ms=end - test,
        test_end_ms=end,
    )


def _length(days: float | None, otherwise_ms: float) -> int:
    return round(days * DAY_MS) if days is not None else round(otherwise_ms)


def _usual_delay_ms(timestamp_ms: Int64, label: Int8, known_at_ms: Int64, span_ms: int) -> float:
    """What nine frauds of ten took to be known; a tenth of the span at most."""
    fraud = label == FRAUD
    if not fraud.any():
        return 0.0
    delay = np.quantile(known_at_ms[fraud] - timestamp_ms[fraud], 0.9, method="higher")
    return float(np.clip(delay, 0, _MAX_GAP_SHARE * span_ms))


_OR_SHARE = ", or let one slice serve validation and calibration (split.shared_calibration = true)"


def _check(part: str, label: Int8, least: int, otherwise: str = "") -> None:
    frauds = int((label == FRAUD).sum())
    if frauds < least:
        raise NotTrainable(
            f"the {part} part holds {frauds} known frauds in {label.size} labelled payments, and"
            f" needs {least}: load more labelled history, or change [split]{otherwise}"
        )
    if frauds == label.size:
        raise NotTrainable(
            f"the {part} part holds nothing but fraud: payments that are not fraud need labels too"
        )
