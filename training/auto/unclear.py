"""The error of a file that does not say enough by itself."""

from __future__ import annotations

from fraud.errors import NotTrainable


class Unclear(NotTrainable):
    """A file from which no model can be trained without a word from its owner.

    Args:
        what: what is unclear, with the columns in question.
        settle: the option that settles it, and how.
    """

    def __init__(self, what: str, settle: str) -> None:
        super().__init__(what, settle)
        self.what = what
        self.settle = settle

    def __str__(self) -> str:
        return f"{self.what}; {self.settle}"
