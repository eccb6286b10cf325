"""What `quorum train --auto` says about a file."""

from __future__ import annotations

from typing import Any

from cluster.terminal.understood import understood_text

TABLE: dict[str, Any] = {
    "name": "sales", "kind": "tabular", "rows": 1_200, "labelled": 1_100, "frauds": 55,
    "rate": 0.05, "first": None, "last": None,
    "label": {"column": "bad", "fraud": ["X"], "genuine": [""]},
    "used": {"price": "number", "device": "category", "tries": "number"},
    "unused": {f"c{i}": "no field of a payment" for i in range(20)},
    "notes": ["check this"],
}  # fmt: skip


def test_a_table() -> None:
    lines = understood_text(TABLE).splitlines()
    assert lines[1] == "label: bad: 'X' means fraud, an empty cell genuine"
    assert "1,200, of which 1,100 are labelled and 55 fraud (5.00%)" in lines[2]
    assert "numbers: price, tries" in lines
    assert "categories: device" in lines
    assert "not used: 8 more columns" in lines
    assert lines[-1] == "note: check this"
    assert not any(line.startswith("time:") for line in lines)


def test_a_history_names_its_fields_and_its_period() -> None:
    period = {"first": "2024-01-01", "last": "2024-02-01"}
    document = TABLE | period | {"kind": "history", "used": {"amount": "Montant"}}
    lines = understood_text(document).splitlines()
    assert "amount: Montant" in lines
    assert "time: 2024-01-01 to 2024-02-01" in lines
