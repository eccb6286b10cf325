"""How the columns of a feature matrix are put into words."""

from __future__ import annotations

from collections.abc import Sequence

from features.definitions import FEATURES
from fraud.reasons.wording import Wording, wording_of_column
from fraud.reasons.writer import ReasonWriter

_WORDINGS = {feature.name: feature.wording for feature in FEATURES}
_CURRENCY = "request_currency_code"
if _CURRENCY not in _WORDINGS:
    raise ValueError(f"there is no feature {_CURRENCY}, which reasons read")


def reason_writer(names: Sequence[str]) -> ReasonWriter:
    """Return the writer of reasons about columns of these names: features are worded as they are
    declared, columns of a user's own table by their name and value."""
    return ReasonWriter(names, [wording_of(name) for name in names], _CURRENCY)


def wording_of(name: str) -> Wording:
    """Return how one column is put into words."""
    return _WORDINGS.get(name) or wording_of_column(name)
