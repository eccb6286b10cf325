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

    def short(self, label: Int8, wanted: int) -> tuple[str, ...]:
        """A sentence for each held back part with fewer than `wanted` known frauds."""
        rows, frauds = self.counts(label)
        held = ("validation", "test") if self.shared else ("validation", "calibration", "test")
        return tuple(
            f"the {part} part holds {frauds[part]:,} known frauds in {rows[part]:,} labelled"
            f" payments, fewer than the {wanted:,} that are wanted (split.wanted_frauds): what it"
            " says is rough"
            for part in held
            if frauds[part] < wanted
        )


def split_by_time(
    timestamp_ms: Int64, label: Int8, known_at_ms: Int64, config: SplitConfig
) -> Split:
    """Cut labelled history.

    Parts are cut at moments, and a part given as a fraction holds that share of the labelled
    payments: on a set that grows or shrinks a share of the span would hold far fewer or far more.
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
        raise NotTrainable(
            "there are no payments: load some (`quorum load`, `quorum generate`), or name another"
            " tenant (--tenant)"
        )
    if not (label != UNKNOWN).any():
        raise NotTrainable("no payment has a label: load labels (`quorum load`)")
    line = Line.of(timestamp_ms, label, known_at_ms)
    split = _cut(line, config)
    split = _shared_if_need_be(split, label, config)
    _check("train", label[split.train], config.min_train_frauds)
    _check("validation", label[split.validation], config.min_validation_frauds, _OR_SHARE)
    _check("calibration", label[split.calibration], config.min_calibration_frauds, _OR_SHARE)
    _check("test", label[split.test], config.min_test_frauds)
    return split


def _cut(line: Line, config: SplitConfig) -> Split:
    """Cut with parts that grow to hold the frauds that are wanted, or fewer where that would leave
    too little to train on."""
    least = max(config.min_validation_frauds, config.min_calibration_frauds, config.min_test_frauds)
    wanted = config.wanted_frauds
    for frauds in (wanted, wanted // 2, min(least, wanted)):
        try:
            grown = _at(bounds_of(line, config, frauds), line, config)
        except NotTrainable:
            continue
        if grown.counts(line.label)[1]["train"] >= config.min_train_frauds:
            return grown
    return _at(bounds_of(line, config, 0), line, config)


def _at(b: Bounds, line: Line, config: SplitConfig) -> Split:
    """The rows between bounds."""
    known = line.label != UNKNOWN

    def rows(start_ms: int, end_ms: int, cut_ms: int | None) -> Int64:
        chosen = known & (line.timestamp_ms >= start_ms) & (line.timestamp_ms < end_ms)
        if cut_ms is not None:
            chosen &= line.known_at_ms <= cut_ms
        return np.flatnonzero(chosen)

    return Split(
        train=rows(b.train_start_ms, b.train_end_ms, b.validation_start_ms),
        validation=rows(b.validation_start_ms, b.validation_end_ms, b.test_start_ms),
        calibration=rows(b.calibration_start_ms, b.calibration_end_ms, b.test_start_ms),
        test=rows(b.test_start_ms, b.test_end_ms, None),
        bounds=b,
    )


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


@dataclass(frozen=True, slots=True)
class Line:
    """Payments to be cut.

    Attributes:
        timestamp_ms, label, known_at_ms: see `split_by_time`.
        at_ms: int64[m], rising: of the labelled ones.
        fraud_ms, fraud_known_ms: int64[k], by time: when known frauds happened and were known.
    """

    timestamp_ms: Int64
    label: Int8
    known_at_ms: Int64
    at_ms: Int64
    fraud_ms: Int64
    fraud_known_ms: Int64

    @classmethod
    def of(cls, timestamp_ms: Int64, label: Int8, known_at_ms: Int64) -> Line:
        """Of payments in any order."""
        fraud = np.flatnonzero(label == FRAUD)
        fraud = fraud[np.argsort(timestamp_ms[fraud], kind="stable")]
        at_ms = np.sort(timestamp_ms[label != UNKNOWN])
        return cls(timestamp_ms, label, known_at_ms, at_ms, timestamp_ms[fraud], known_at_ms[fraud])

    def start_of(self, share: float, frauds: int, end_ms: int, cut_ms: int | None = None) -> int:
        """Where a part that ends before `end_ms` begins: with `share` of all labelled payments, or
        as many more, at most twice as many, as hold `frauds` frauds.

        Args:
            cut_ms: a fraud counts if it was known by then; None: each counts.
        """
        upto = int(np.searchsorted(self.at_ms, end_ms))
        rows = max(1, round(share * self.at_ms.size))
        if upto == 0:
            return end_ms
        start_ms = int(self.at_ms[max(upto - rows, 0)])
        counted = self.fraud_ms < end_ms
        if cut_ms is not None:
            counted &= self.fraud_known_ms <= cut_ms
        of_frauds = self.fraud_ms[counted]
        if frauds > 0 and of_frauds.size:
            first_ms = int(of_frauds[max(of_frauds.size - frauds, 0)])
            # Frauds come in bursts: with some payments before it, a part begins like any other.
            first = int(np.searchsorted(self.at_ms, first_ms)) - rows // 20
            reached_ms = int(self.at_ms[max(first, upto - 2 * rows, 0)])
            start_ms = min(start_ms, reached_ms)
        return start_ms


def bounds_of(line: Line, config: SplitConfig, wanted: int) -> Bounds:
    """Where the parts lie, from the test back to the warm-up.

    Args:
        wanted: known frauds that a part given as a fraction may grow to reach.

    Raises:
        NotTrainable: nothing is left to train on.
    """
    start, end = int(line.timestamp_ms.min()), int(line.timestamp_ms.max()) + 1
    span = end - start
    warmup = _length(config.warmup_days, min(0.2 * span, _MAX_WARMUP_DAYS * DAY_MS))
    gap = _length(config.gap_days, _usual_delay_ms(line, span))

    def begin(days: float | None, share: float, until: int, cut: int | None = None) -> int:
        if days is not None:
            return until - round(days * DAY_MS)
        return line.start_of(share, wanted, until, cut)

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


def _usual_delay_ms(line: Line, span_ms: int) -> float:
    """What nine frauds of ten took to be known; a tenth of the span at most."""
    if not line.fraud_ms.size:
        return 0.0
    delay = np.quantile(line.fraud_known_ms - line.fraud_ms, 0.9, method="higher")
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
