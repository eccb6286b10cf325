"""What can be wrong with the cells of a row, beside the rules of `fraud.payment.limits`."""

from __future__ import annotations

from typing import Final

from fraud.payment.limits import Problem

MISSING: Final = Problem("missing", "is missing")
NOT_A_NUMBER: Final = Problem("not_a_number", "must be a number")
NOT_A_TIME: Final = Problem("not_a_time", "must be a time in the form that the layout gives")
GAP: Final = Problem("no_such_time", "is a local time that the clocks of its zone skipped")
FOLD: Final = Problem("ambiguous", "is a local time that the clocks of its zone showed twice")
BEFORE_PAYMENT: Final = Problem("before_payment", "must not lie before the payment")
NOT_A_LABEL: Final = Problem(
    "not_a_label", "must be one of the texts that the layout lists for fraud and for genuine"
)
TOO_PRECISE: Final = Problem("too_precise", "must not have more decimals than its currency")
OTHER_CURRENCY: Final = Problem("other_currency", "must be in the currency of its row")
NO_TEXT: Final = Problem("unclear", "must be complete: digits may be lost, or a part is missing")

UNREADABLE: Final = frozenset(
    ("not_a_number", "not_a_time", "not_a_label", "unclear", "unknown", "malformed", "ambiguous")
)
"""Codes of cells that hold something other than what their column should hold."""


def broken(problem: Problem | None) -> Problem:
    """The problem that a rule returns for a value that breaks it."""
    assert problem is not None
    return problem
