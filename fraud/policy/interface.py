"""The interface of policies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class VariantCall:
    """One call to one variant.

    Attributes:
        variant: its name.
        rows: intp[m], rising indices of the rows that it is asked about; None for all.
    """

    variant: str
    rows: NDArray[np.intp] | None = None


class Policy(Protocol):
    """Decides which variants are asked about which rows."""

    def calls(self, n: int) -> tuple[VariantCall, ...]:
        """Return the calls for n rows, at most one for each variant, in the plan's order."""
        ...
