from __future__ import annotations

from typing import Any

from rich.text import Text

from cluster.terminal.load_report import reason_lines


def reason(rows: int, field: str | None, example: str) -> dict[str, Any]:
    return {
        "rows": rows,
        "field": field,
        "reason": "is no number",
        "first_line": 7,
        "example": example,
    }


def test_a_reason_has_rows_field_and_first_place() -> None:
    report = {
        "reasons": [reason(1_200, "amount", "[red]x"), reason(1, None, "")],
        "labels_left_out": {"undated": 3},
    }
    shown = [Text.from_markup(line).plain for line in reason_lines(report)]
    assert shown == [
        "  1,200: amount is no number (line 7: [red]x)",
        "  1: the row is no number (line 7)",
        "  3 labels left out, their rows are sound: known_at is empty (see [label] undated_days)",
    ]


def test_many_reasons_are_cut_and_counted() -> None:
    report = {"reasons": [reason(n, f"f{n}", "") for n in range(20)], "labels_left_out": {}}
    lines = reason_lines(report)
    assert len(lines) == 13
    assert lines[-1] == "  and 8 more reasons"
