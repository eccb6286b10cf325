"""The table of all features, from their declarations.

python -m features.catalogue > docs/features.md
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from features.declaration import Feature
from features.definitions import FEATURES

_HEAD = """\
# Features

{n} features, generated from `features/declared/` by `make docs`; the columns are in the order of
`features/definitions.py`. [reasons.md](reasons.md) describes their wording in reasons. Every value
is a float32, NaN where it is missing. Amounts are in units of the currency.
[ADR 1](adr/0001-window-state.md) states what a window leaves out at its old edge.
"""

_TABLE = """
## {family}

| feature | computed from | window | holds | meaning | missing when | reason code |
|---|---|---|---|---|---|---|
"""


def markdown(features: Sequence[Feature] = FEATURES) -> str:
    """A document with a table for each family, in the order of their first features."""
    parts = [_HEAD.format(n=len(features))]
    for family in dict.fromkeys(feature.family for feature in features):
        parts.append(_TABLE.format(family=family))
        parts += [_line(feature) for feature in features if feature.family == family]
    return "".join(parts)


def _line(feature: Feature) -> str:
    holds: str = feature.dtype
    if feature.cardinality:
        holds += f", {feature.cardinality} codes"
    cells = (
        f"`{feature.name}`",
        feature.entity or "the request",
        feature.window or "",
        holds,
        feature.meaning,
        feature.missing,
        f"`{feature.wording.code}`",
    )
    return "| " + " | ".join(cells) + " |\n"


if __name__ == "__main__":
    sys.stdout.write(markdown())
