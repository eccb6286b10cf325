"""The results as Markdown."""

from __future__ import annotations

from loadtests.bench.table import markdown
from tests.contracts.bench_results import results


def test_tables_name_everything() -> None:
    text = markdown(results())
    for expected in (
        "| requests/s at 128 connections, against docs | ≥ 60 x | 58 x | missed |",
        "| quorum | 128 connections | 2,900 (2,000–3,000) | 2.00 | 4.00 | 8.00 | 0.40 | 0.20 | 2 |",
        "| quorum | 1,000 req/s offered | 1,000 (1,000–1,000) |",
        "| 128 connections | 1.45 | 58.00 | 0.50 |",
        "| tuned | 300 | 20 | 1 | 0 | 2.5e-01 | DIFFERS |",
        "| quorum | 2,000 | 0.30 |",
        "| all | 9 |  | 190 |",
        "| Ingress | 100.0 | 103.5 | +3.5 |",
    ):
        assert expected in text
