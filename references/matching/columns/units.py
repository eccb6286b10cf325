"""Changes of unit between a file's column and a reference's: noticed, proposed, never made without
the sender's word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from references.matching.columns.distribution import number_closeness, quantiles_of
from references.matching.match import ColumnMatch, Conversion
from references.profile.column import ColumnKind, ColumnProfile

_DETAILS = {
    "minor-to-major": (0.01, "the file seems to count in hundredths, such as cents"),
    "major-to-minor": (100.0, "the reference counts in hundredths, such as cents"),
    "thousands-to-ones": (1000.0, "the file seems to count in thousands"),
    "ones-to-thousands": (0.001, "the reference counts in thousands"),
    "percent-to-share": (0.01, "the file seems to hold percentages, the reference shares of one"),
    "share-to-percent": (100.0, "the file seems to hold shares of one, the reference percentages"),
    "opposite-sign": (-1.0, "the signs in the file are the opposite of the reference's"),
    "epoch-ms-to-s": (0.001, "the file counts milliseconds since 1970, the reference seconds"),
    "epoch-s-to-ms": (1000.0, "the file counts seconds since 1970, the reference milliseconds"),
    "time-to-epoch-s": (1.0, "the file holds dates and times, the reference seconds since 1970"),
    "epoch-s-to-time": (1.0, "the file counts seconds since 1970, the reference holds times"),
}
CONVERSIONS = {code: Conversion(code, *rest) for code, rest in _DETAILS.items()}
"""Code -> conversion, of all that there are."""

FAR = 0.5
"""A closeness below this makes a change of unit worth a look."""
_NEAR = 0.55
_GAIN = 0.25
_SCALES = ("minor-to-major", "major-to-minor", "thousands-to-ones", "ones-to-thousands")
_EPOCH_S = (788_918_400.0, 2_840_140_800.0)  # 1995 to 2060


def proposed(file: ColumnProfile, reference: ColumnProfile) -> tuple[Conversion | None, float]:
    """Return the conversion that brings a file's column to the reference's, and the closeness of
    the distributions after it, in [0, 1]; (None, 0.0) if there is none."""
    if (time := _of_times(file, reference)) is not None:
        return time, 0.7
    ours, theirs = quantiles_of(file), quantiles_of(reference)
    if not ours or not theirs:
        return None, 0.0
    raw = closeness_after(file, reference, 1.0)
    if raw >= FAR:
        return None, 0.0
    codes = _tried(ours)
    scaled = np.sort(np.outer([CONVERSIONS[code].factor for code in codes], ours))
    closeness = number_closeness(scaled, np.array([theirs]))[:, 0].tolist()
    after = dict(zip(codes, closeness, strict=True))
    code = max(after, key=lambda one: after[one])
    if after[code] < max(_NEAR, raw + _GAIN):
        return None, 0.0
    return CONVERSIONS[_named(code, file, reference)], after[code]


def confirmed(file: ColumnProfile, convert: Mapping[str, str]) -> Conversion | None:
    """Return the conversion of a file's column that the sender confirmed; None if there is none.

    Args:
        convert: column of the file -> code of a conversion.
    """
    return CONVERSIONS.get(convert.get(file.name, ""))


def with_proposal(match: ColumnMatch, conversion: Conversion) -> ColumnMatch:
    """Return a match that asks the sender to confirm a conversion."""
    note = f"{conversion.detail}: confirm {conversion.code}"
    return replace(match, proposed=conversion, note=note)


def closeness_after(file: ColumnProfile, reference: ColumnProfile, factor: float) -> float:
    """Return how close the distributions of two numbers are once the file's are multiplied; 0.0 if
    one of them is no number."""
    if not quantiles_of(file) or not quantiles_of(reference):
        return 0.0
    ours = np.sort(np.array([quantiles_of(file)]) * factor)
    return float(number_closeness(ours, np.array([quantiles_of(reference)]))[0, 0])


def shape_closeness(file: ColumnProfile, reference: ColumnProfile) -> tuple[float, float]:
    """Return how close the distributions of two positive numbers are once both have the median 1,
    and the reference's median over the file's; (0.0, 1.0) if a median is not positive."""
    medians = [float(np.median(quantiles_of(p) or (0.0,))) for p in (file, reference)]
    if min(medians) <= 0:
        return 0.0, 1.0
    factor = medians[1] / medians[0]
    return closeness_after(file, reference, factor), factor


def _of_times(file: ColumnProfile, reference: ColumnProfile) -> Conversion | None:
    kinds = [_time_unit(p) for p in (file, reference)]
    code = {
        ("ms", "s"): "epoch-ms-to-s",
        ("s", "ms"): "epoch-s-to-ms",
        ("time", "s"): "time-to-epoch-s",
        ("s", "time"): "epoch-s-to-time",
    }.get((kinds[0], kinds[1]))
    return CONVERSIONS[code] if code else None


def _time_unit(profile: ColumnProfile) -> str:
    """`s` or `ms`: a count since 1970; `time`: written as a date; "": neither."""
    if profile.kind is ColumnKind.TIME:
        counted = {"epoch_s": "s", "epoch_ms": "ms", "seconds": "", "hours": "", "days": ""}
        return counted.get(profile.time_format, "time")
    if profile.kind is ColumnKind.NUMBER and profile.quantiles:
        for unit, factor in (("s", 1.0), ("ms", 1000.0)):
            low, high = profile.quantiles[0] / factor, profile.quantiles[-1] / factor
            if _EPOCH_S[0] <= low and high < _EPOCH_S[1]:
                return unit
    return ""


def _tried(ours: tuple[float, ...]) -> tuple[str, ...]:
    """Only numbers of mostly one sign can have the opposite one by convention."""
    one_sign = ours[1] >= 0 or ours[-2] <= 0
    return (*_SCALES, "opposite-sign") if one_sign else _SCALES


def _named(code: str, file: ColumnProfile, reference: ColumnProfile) -> str:
    """A factor of 100 between a share and what goes to 100 is a percentage."""
    highest = [max(map(abs, quantiles_of(p))) for p in (file, reference)]
    if code == "minor-to-major" and highest[1] <= 1 and highest[0] <= 100:
        return "percent-to-share"
    if code == "major-to-minor" and highest[0] <= 1 and highest[1] <= 100:
        return "share-to-percent"
    return code
