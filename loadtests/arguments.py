"""Arguments of the programs in this folder."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def names_of(text: str, known: Sequence[str], what: str) -> list[str]:
    """Return the names in a text such as `a,b`, in its order.

    Args:
        known: the names that may be there.
        what: they are, in the plural.

    Raises:
        ArgumentTypeError: a name is not known.
    """
    named = text.split(",")
    unknown = sorted(set(named) - set(known))
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]}: the {what} are {', '.join(known)}")
    return named
