"""The graph of a plan as text."""

from __future__ import annotations

from cluster.plans.graph import graph_of
from cluster.plans.text_picture import text_of
from tests.contracts.plan_documents import COMPOSITE, ENSEMBLE


def test_an_ensemble_is_drawn_with_weights_and_thresholds():
    assert text_of(graph_of(ENSEMBLE)) == "\n".join(
        [
            "rows → plan default v3",
            "└─ ensemble, stack",
            "   │  waits 100 ms for votes",
            "   │  challenge from 0.1, review from 0.4, block from 0.8, or anomaly 0.99",
            "   ├─ xgboost  (weight 0.75, required)",
            "   ├─ logistic  (weight 0.25, 30 ms)",
            "   └─ isolation-forest  (anomaly score)",
        ]
    )


def test_every_kind_says_where_rows_go():
    said = text_of(graph_of(COMPOSITE))
    for line in (
        "rows → plan all",
        "large: currency EUR, amount from 10,000 below 20,000, country DE/FR/IT/ES/PT/NL and 2",
        "challenge from 0.01, review from 0.02, block from 0.03",
        "small: every row → cascade",
        "stage 1, all rows; settles below 0.002 and from 0.98 → single",
        "stage 2, rows not yet settled → single “house”",
        "all others → canary",
        "steps 1 %, 5 %, 25 %; now step 2",
        "next step after 60 min",
        "guard: errors at most 1 %, p95 at most 40 ms, blocks 0 % to 5 %",
        "baseline, 95 % of customers → A/B split",
        "control, 90 % of customers → single “house”",
        "mine/xgboost@2fd6da9b13f3  (weight 1)",
        "canary, 5 % of customers → shadow",
        "└┄ shadow candidate, 50 % of rows → single",
    ):
        assert line in said, line
    large = said.split("small:")[0]
    assert "challenge from 0.1," not in large, "a segment's thresholds take the place of others"
