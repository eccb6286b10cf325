"""The band of amounts just under a reporting threshold (thresholds.toml)."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from importlib.resources import files

_DECLARED = tomllib.loads(
    files("features.state").joinpath("thresholds.toml").read_text(encoding="utf-8"),
    parse_float=Decimal,
)

THRESHOLD_HUNDREDTHS = int(_DECLARED["reporting_threshold_units"]) * 100
"""The threshold in hundredths of a currency unit."""

REPORTING_THRESHOLD = f"the reporting threshold of {THRESHOLD_HUNDREDTHS // 100:,d}"
"""Its name in the sentences of reasons."""

BAND_START_HUNDREDTHS = int(THRESHOLD_HUNDREDTHS * (1 - _DECLARED["band"]))
"""Amounts from here up to the threshold lie just under it."""


def near(hundredths: int) -> bool:
    """Whether an amount lies just under the threshold.

    >>> near(999_999), near(1_000_000), near(900_000), near(899_999)
    (True, False, True, False)
    """
    return BAND_START_HUNDREDTHS <= hundredths < THRESHOLD_HUNDREDTHS
