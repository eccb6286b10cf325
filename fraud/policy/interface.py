"""What a policy provides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Ask:
    """One call to one variant.

    Attributes:
        variant: its name.
        rows: intp[m], the rows it is asked about, rising; None for all.
    """

    variant: str
    rows: NDArray[np.intp] | None = None


class Policy(Protocol):
    """Turns a micro-batch into calls."""

    def ask(self, n: int) -> tuple[Ask, ...]:
        """Return the calls for n rows, at most one for each variant, in the plan's order."""
        ...
