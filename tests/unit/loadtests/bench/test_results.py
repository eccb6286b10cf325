"""The results as a document."""

from __future__ import annotations

import json

from tests.contracts.bench_results import results


def test_the_document_is_json_without_nan() -> None:
    text = json.dumps(results().document(), allow_nan=False)
    assert json.loads(text)["targets"][0]["result"] == "reached"
