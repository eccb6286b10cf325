"""The columns of a statement."""

from __future__ import annotations

import re


def selected_columns(text: str) -> list[str]:
    """Names of the columns that a statement selects from `transactions`, in order."""
    listed = re.search(r"\bSELECT\n(.*?)\nFROM transactions", text, re.DOTALL)
    assert listed is not None
    return [re.split(r"[ .]", line.strip().rstrip(","))[-1] for line in listed[1].split("\n")]
