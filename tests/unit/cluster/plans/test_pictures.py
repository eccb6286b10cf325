"""The graph of a plan as text and as SVG."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from cluster.plans.graph import graph_of
from cluster.plans.svg_picture import svg_of
from cluster.plans.text_picture import text_of

T = {"challenge": 0.1, "review": 0.4, "block": 0.8}


def single(variant: str) -> dict:
    members = [{"variant": variant, "weight": 1}]
    return {"kind": "single", "members": members, "thresholds": T}


ENSEMBLE = {
    "name": "default",
    "version": 3,
    "kind": "ensemble",
    "combiner": "stack",
    "members": [
        {"variant": "xgboost", "weight": 0.75, "required": True},
        {"variant": "logistic", "weight": 0.25, "deadline_ms": 30},
    ],
    "thresholds": T | {"anomaly_challenge": 0.99},
    "anomaly": "isolation-forest",
    "deadline_ms": 100,
}


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


COMPOSITE = {
    "name": "all",
    "plans": {"house": single("xgboost")},
    "kind": "segments",
    "segments": [
        {
            "name": "large",
            "when": {
                "currency": ["EUR"],
                "amount": {"from": 10_000, "below": 20_000},
                "country": ["DE", "FR", "IT", "ES", "PT", "NL", "BE", "AT"],
            },
            "thresholds": {"challenge": 0.01, "review": 0.02, "block": 0.03},
            "plan": "house",
        },
        {
            "name": "small",
            "when": {},
            "plan": {
                "kind": "cascade",
                "stages": [
                    {"plan": single("logistic"), "settle_below": 0.002, "settle_from": 0.98},
                    {"plan": "house"},
                ],
            },
        },
    ],
    "default": {
        "kind": "canary",
        "steps": [1, 5, 25],
        "step": 1,
        "advance": {"after_minutes": 60},
        "guard": {"max_error_rate": 0.01, "max_p95_ms": 40, "block_rate": [0, 0.05]},
        "baseline": {
            "kind": "ab",
            "arms": [
                {"name": "control", "weight": 90, "plan": "house"},
                {"name": "new", "weight": 10, "plan": single("mine/xgboost@2fd6da9b13f3")},
            ],
        },
        "canary": {
            "kind": "shadow",
            "plan": "house",
            "shadows": [{"name": "candidate", "share": 50, "plan": single("forest")}],
        },
    },
}


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


def boxes(svg: str) -> list[tuple[float, float, float, float]]:
    found = Xml.fromstring(svg).iter("{http://www.w3.org/2000/svg}rect")
    return [
        tuple(float(box.get(name)) for name in ("x", "y", "width", "height"))
        for box in found
        if box.get("class") != "ground"
    ]


def test_the_svg_has_a_box_for_each_node_and_none_overlaps_another():
    for document, n in ((ENSEMBLE, 5), (COMPOSITE, 20)):
        svg = svg_of(graph_of(document))
        found = boxes(svg)
        assert len(found) == n
        for i, (x, y, w, h) in enumerate(found):
            for x2, y2, w2, h2 in found[:i]:
                assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y
        root = Xml.fromstring(svg)
        assert all(x >= 0 and x + w <= float(root.get("width")) for x, _, w, _ in found)
        assert all(y >= 0 and y + h <= float(root.get("height")) for _, y, _, h in found)


def test_what_a_person_wrote_is_escaped():
    document = ENSEMBLE | {"name": "<script>&"}
    assert "<script>" not in svg_of(graph_of(document))
    Xml.fromstring(svg_of(graph_of(document)))
