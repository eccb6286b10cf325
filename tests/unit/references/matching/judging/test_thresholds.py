"""Limits of the match: they agree with each other and with their page."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from references.matching.judging.thresholds import THRESHOLDS, Thresholds

PAGE = Path(__file__).parents[5] / "docs" / "references.md"


def test_shares_are_shares() -> None:
    counts = {"wide_columns", "few_columns"}
    shares = {name: value for name, value in asdict(THRESHOLDS).items() if name not in counts}
    assert all(0 < value < 1 for value in shares.values()), shares


def test_more_is_asked_where_less_is_known() -> None:
    limits = Thresholds()
    assert limits.history_similarity < limits.similarity
    assert limits.structure < limits.strong_structure
    assert limits.wide_support < limits.support
    assert limits.wide_coverage > limits.coverage
    assert limits.wide_columns > limits.few_columns
    assert limits.few_auc > 0.5, "rows that nobody tells apart have 0.5"


def test_the_page_tells_the_limits() -> None:
    limits, page = THRESHOLDS, " ".join(PAGE.read_text("utf-8").split())
    low = (
        f"| `low-similarity` | coverage below {limits.coverage}, or similarity below"
        f" {limits.similarity} (`history`: {limits.history_similarity}) |"
    )
    assert low in page
    assert f"the evidence for payments is below {limits.evidence} |" in page
