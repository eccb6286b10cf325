"""How the columns of a feature matrix are told."""

from __future__ import annotations

from collections.abc import Sequence

from features.definitions import FEATURES
from fraud.reasons.explain import Teller
from fraud.reasons.phrase import Saying, saying_of_column

_CURRENCY = "request_currency_code"
_SAYINGS = {feature.name: feature.saying for feature in FEATURES}


def teller_of(names: Sequence[str]) -> Teller:
    """Tells columns by their names: features as they are declared; others, which are columns of
    somebody's own table, by name and value alone."""
    return Teller(names, [saying_of(name) for name in names], _CURRENCY)


def saying_of(name: str) -> Saying:
    """How one column is told."""
    return _SAYINGS.get(name) or saying_of_column(name)
