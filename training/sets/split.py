"""Cutting history by time: warm-up | train | gap | validation | calibration | gap | test.

A gap is as long as labels take to become known, so that a model is measured as it will be used: on
payments later than the moment at which its newest training label could have been known. Validation
is for choosing among models: early stopping, the search, the ensemble. Calibration is a
separate, later slice: calibration maps and thresholds should not be fitted on rows that already
chose the models.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from fraud.errors import NotTrainable
from fraud.payment.batch import Int64
from training.config import SplitConfig

DAY_MS = 86_400_000
FRAUD, UNKNOWN = 1, -1
_MAX_WARMUP_DAYS = 30
_MAX_GAP_SHARE = 0.1

Int8 = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of the parts, milliseconds since 1970, each part [start, end)."""

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
        """Every bound as RFC 3339, named without `_ms`."""
        return {
            name.removesuffix("_ms"): datetime.fromtimestamp(
                getattr(self, name) / 1000, UTC
            ).isoformat(timespec="milliseconds")
            for name in self.__slots__
        }


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers of each part, rising: int64[n]. No row is in two parts, except that `calibration`
    equals `validation` if `shared`: one slice serves both."""

    train: Int64
    validation: Int64
    calibration: Int64
    test: Int64
    bounds: Bounds
    shared: bool = False

    def parts(self) -> dict[str, Int64]:
        """Row numbers by part, in the order of time."""
        return {
            "train": self.train,
            "validation": self.validation,
            "calibration": self.calibration,
            "test": self.test,
        }

    def counts(self, label: Int8) -> tuple[dict[str, int], dict[str, int]]:
        """Rows and known frauds of `history` (all rows, labelled or not) and of each part."""
        parts = self.parts()
        rows = {"history": int(label.size), **{k: int(v.size) for k, v in parts.items()}}
        frauds = {k: int((label[v] == FRAUD).sum()) for k, v in parts.items()}
        return rows, {"history": int((label == FRAUD).sum()), **frauds}

    def short(self, label: Int8, wanted: int) -> tuple[str, ...]:
        """A sentence for each held-back part with fewer than `wanted` known frauds."""
        rows, frauds = self.counts(label)
        held = ("validation", "test") if self.shared else ("validation", "calibration", "test")
        return tuple(
            f"the {part} part holds {frauds[part]:,} known frauds in {rows[part]:,} labelled"
            f" payments, fewer than the {wanted:,} wanted (split.wanted_frauds): its figures are"
            " rough"
            for part in held
            if frauds[part] < wanted
        )


def split_by_time(
    timestamp_ms: Int64, label: Int8, known_at_ms: Int64, config: SplitConfig
) -> Split:
    """Cut labelled history.

    Parts begin and end at moments. A part given as a fraction holds that share of the labelled
    payments: a share of the span would hold far more or fewer on a set that grows or shrinks.
    Training uses rows whose label was known when validation begins; validation and calibration use
    rows whose label was known when the test begins; the test uses all labels.

    Args:
        timestamp_ms: int64[n], in any order.
        label: int8[n]: 1 fraud, 0 genuine, -1 unknown.
        known_at_ms: int64[n]: when the label could first have been known.

    Raises:
        NotTrainable: too short a history, or too few known frauds in a part.
    """
    if timestamp_ms.size == 0:
        raise NotTrainable(
            "there are no payments: load some (`quorum load`, `quorum generate`), or name another"
            " tenant (--tenant)"
        )
    if not (label != UNKNOWN).any():
        raise NotTrainable("no payment has a label: load labels (`quorum load`)")
    times = LabelledTimes.of(timestamp_ms, label, known_at_ms)
    split = _cut(times, config)
    split = _shared_if_needed(split, label, config)
    _check("train", label[split.train], config.min_train_frauds)
    _check("validation", label[split.validation], config.min_validation_frauds, _OR_SHARE)
    _check("calibration", label[split.calibration], config.min_calibration_frauds, _OR_SHARE)
    _check("test", label[split.test], config.min_test_frauds)
    return split


def _cut(times: LabelledTimes, config: SplitConfig) -> Split:
    """Cut into parts that grow to hold the wanted frauds, or fewer if too little would be left to
    train on."""
    least = max(config.min_validation_frauds, config.min_calibration_frauds, config.min_test_frauds)
    wanted = config.wanted_frauds
    for frauds in (wanted, wanted // 2, min(least, wanted)):
        try:
            grown = _split_at(bounds_of(times, config, frauds), times, config)
        except NotTrainable:
            continue
        if grown.counts(times.label)[1]["train"] >= config.min_train_frauds:
            return grown
    return _split_at(bounds_of(times, config, 0), times, config)


def _split_at(b: Bounds, times: LabelledTimes, config: SplitConfig) -> Split:
    """The rows between the bounds."""
    known = times.label != UNKNOWN

    def rows(start_ms: int, end_ms: int, cut_ms: int | None) -> Int64:
        chosen = known & (times.timestamp_ms >= start_ms) & (times.timestamp_ms < end_ms)
        if cut_ms is not None:
            chosen &= times.known_at_ms <= cut_ms
        return np.flatnonzero(chosen)

    return Split(
        train=rows(b.train_start_ms, b.train_end_ms, b.validation_start_ms),
        validation=rows(b.validation_start_ms, b.validation_end_ms, b.test_start_ms),
        calibration=rows(b.calibration_start_ms, b.calibration_end_ms, b.test_start_ms),
        test=rows(b.test_start_ms, b.test_end_ms, None),
        bounds=b,
    )


def _shared_if_needed(split: Split, label: Int8, config: SplitConfig) -> Split:
    """One slice for validation and calibration, if allowed and either lacks frauds."""
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


@dataclass(frozen=True, slots=True)
class LabelledTimes:
    """The times of payments and of their labels.

    Attributes:
        timestamp_ms, label, known_at_ms: see `split_by_time`.
        at_ms: int64[m], rising: times of the labelled payments.
        fraud_ms, fraud_known_ms: int64[k], by time: when known frauds happened and became known.
    """

    timestamp_ms: Int64
    label: Int8
    known_at_ms: Int64
    at_ms: Int64
    fraud_ms: Int64
    fraud_known_ms: Int64

    @classmethod
    def of(cls, timestamp_ms: Int64, label: Int8, known_at_ms: Int64) -> LabelledTimes:
        """From payments in any order."""
        fraud = np.flatnonzero(label == FRAUD)
        fraud = fraud[np.argsort(timestamp_ms[fraud], kind="stable")]
        at_ms = np.sort(timestamp_ms[label != UNKNOWN])
        return cls(timestamp_ms, label, known_at_ms, at_ms, timestamp_ms[fraud], known_at_ms[fraud])

    def start_of(self, share: float, frauds: int, end_ms: int, cut_ms: int | None = None) -> int:
        """The start of a part that ends before `end_ms` and holds `share` of all labelled payments,
        or up to twice as many if needed for `frauds` frauds.

        Args:
            cut_ms: a fraud counts if it was known by then; None: every fraud counts.
        """
        stop = int(np.searchsorted(self.at_ms, end_ms))
        rows = max(1, round(share * self.at_ms.size))
        if stop == 0:
            return end_ms
        start_ms = int(self.at_ms[max(stop - rows, 0)])
        counted = self.fraud_ms < end_ms
        if cut_ms is not None:
            counted &= self.fraud_known_ms <= cut_ms
        of_frauds = self.fraud_ms[counted]
        if frauds > 0 and of_frauds.size:
            first_ms = int(of_frauds[max(of_frauds.size - frauds, 0)])
            # Frauds come in bursts; some earlier payments keep a part from starting with one.
            first = int(np.searchsorted(self.at_ms, first_ms)) - rows // 20
            reached_ms = int(self.at_ms[max(first, stop - 2 * rows, 0)])
            start_ms = min(start_ms, reached_ms)
        return start_ms


def bounds_of(times: LabelledTimes, config: SplitConfig, wanted: int) -> Bounds:
    """The bounds of the parts, computed from the test back to the warm-up.

    Args:
        wanted: known frauds that a part given as a fraction may grow to hold.

    Raises:
        NotTrainable: nothing is left to train on.
    """
    start, end = int(times.timestamp_ms.min()), int(times.timestamp_ms.max()) + 1
    span = end - start
    warmup = _length(config.warmup_days, min(0.2 * span, _MAX_WARMUP_DAYS * DAY_MS))
    gap = _length(config.gap_days, _usual_delay_ms(times, span))

    def begin(days: float | None, share: float, until: int, cut: int | None = None) -> int:
        if days is not None:
            return until - round(days * DAY_MS)
        return times.start_of(share, wanted, until, cut)

    test = begin(config.test_days, config.test_fraction, end)
    calibration = begin(config.calibration_days, config.calibration_fraction, test - gap, test)
    validation = begin(config.validation_days, config.validation_fraction, calibration, test)
    if validation - gap <= start + warmup:
        raise NotTrainable(
            f"{span / DAY_MS:.1f} days of history leave nothing to train on after"
            f" {warmup / DAY_MS:.1f} days of warm-up, twice {gap / DAY_MS:.1f} of label delay,"
            f" {(calibration - validation) / DAY_MS:.1f} of validation,"
            f" {(test - gap - calibration) / DAY_MS:.1f} of calibration"
            f" and {(end - test) / DAY_MS:.1f} of test: load more history or shorten the parts"
            " under [split]"
        )
    return Bounds(
        history_start_ms=start,
        train_start_ms=start + warmup,
        train_end_ms=validation - gap,
        validation_start_ms=validation,
        validation_end_ms=calibration,
        calibration_start_ms=calibration,
        calibration_end_ms=test - gap,
        test_start_ms=test,
        test_end_ms=end,
    )


def _length(days: float | None, otherwise_ms: float) -> int:
    return round(days * DAY_MS) if days is not None else round(otherwise_ms)


def _usual_delay_ms(times: LabelledTimes, span_ms: int) -> float:
    """The time within which nine of ten frauds were known; at most a tenth of the span."""
    if not times.fraud_ms.size:
        return 0.0
    delay = np.quantile(times.fraud_known_ms - times.fraud_ms, 0.9, method="higher")
    return float(np.clip(delay, 0, _MAX_GAP_SHARE * span_ms))


_OR_SHARE = ", or use one slice for validation and calibration (split.shared_calibration = true)"


def _check(part: str, label: Int8, least: int, otherwise: str = "") -> None:
    frauds = int((label == FRAUD).sum())
    if frauds < least:
        raise NotTrainable(
            f"the {part} part holds {frauds} known frauds in {label.size} labelled payments, and"
            f" needs {least}: load more labelled history, or change [split]{otherwise}"
        )
    if frauds == label.size:
        raise NotTrainable(
            f"the {part} part holds only fraud: load labels of genuine payments, too"
        )
