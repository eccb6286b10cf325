"""Reasons of rejected rows."""

from __future__ import annotations

from data.files.chunk import BadRow
from data.rows.rejections import RejectionReasons, reason_told


def test_a_reason_names_its_field_or_the_row() -> None:
    counted = RejectionReasons()
    counted.add([BadRow(1, 2, "amount", "not_a_number", "is not a number", "x")] * 2)
    counted.add([BadRow(3, 4, "", "broken", "has too many cells", "")])
    told = [(reason["rows"], reason_told(reason)) for reason in counted.as_list()]
    assert told == [(2, "amount is not a number"), (1, "the row has too many cells")]
