"""The schemas of the OpenAPI document."""

from __future__ import annotations

from serve_app.http.reference.openapi import document


def test_unknown_fields_are_refused_in_writing_too() -> None:
    for name in (
        *("TransactionIn", "BatchIn", "LabelIn", "LabelBatchIn"),
        *("LabelOfTransactionIn", "LabelOfDecisionIn"),
    ):
        assert document()["components"]["schemas"][name]["additionalProperties"] is False


def test_rows_of_a_batch_are_one_of_two_types() -> None:
    parts = document()["components"]["schemas"]
    for name, row in (("ResultsOut", "DecisionOut"), ("LabelResultsOut", "LabelOut")):
        items = parts[name]["properties"]["results"]["items"]
        ways = [f"#/components/schemas/{way}" for way in (row, "ProblemOut")]
        assert items == {"oneOf": [{"$ref": way} for way in ways]}


def test_limits_of_rows_are_those_that_are_set() -> None:
    for rows in (1000, 7):
        parts = document(rows)["components"]["schemas"]
        assert parts["BatchIn"]["properties"]["transactions"]["maxItems"] == rows
        assert parts["LabelBatchIn"]["properties"]["labels"]["maxItems"] == rows
        assert document(rows)["paths"]["/v1/decisions/batch"]["post"]["summary"].count(f"{rows:,}")
