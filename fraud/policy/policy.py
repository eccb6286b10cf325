"""What every policy does: turn a micro-batch into calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Ask:
    """One call to one variant.

    Attributes:
        variant: who is asked.
        rows: intp[m], the rows it is asked about, rising; None for all.
    """

    variant: str
    rows: NDArray[np.intp] | None = None


class Policy(Protocol):
    """Turns a micro-batch into calls."""

    def ask(self, n: int) -> tuple[Ask, ...]:
        """The calls for n rows, one a variant at most, in the plan's order."""
        ...
