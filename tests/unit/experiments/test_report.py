"""The report of a world in memory, in all its forms."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Literal

import numpy as np
import pytest

from experiments.output.page import style_policy
from experiments.output.table import COLUMNS, to_csv
from experiments.reading.reader import Wanted
from experiments.report import report
from experiments.sides import PLAN, Side
from fraud.errors import NotFound
from fraud.plan import Plan
from tests.contracts.experiment import DOCUMENT, END, START
from tests.contracts.experiment_found import found_of

WANTED = Wanted("acme", "default", START, END)
SHADOW = Side("shadow", "candidate")
NEW = Side("arm", "new")

FOUND = found_of()


def test_the_document_is_json_and_names_every_side() -> None:
    document = report(FOUND, WANTED).to_document()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert [(s["kind"], s["name"]) for s in document["sides"]] == [
        ("plan", ""),
        ("arm", "control"),
        ("arm", "new"),
        ("shadow", "candidate"),
    ]
    assert [c["side"]["name"] for c in document["comparisons"]] == ["new", "candidate"]
    assert document["label_delay"]["waiting_days"] == 11
    assert document["decides_by"] == "cost"
    shadow = document["comparisons"][1]
    assert shadow["same_payments"]
    assert shadow["side"]["maturity"]["counted"] == shadow["against"]["maturity"]["counted"]
    looks = shadow["differences"][0]["looks"]
    assert len(looks) == 60
    assert looks[-1]["low"] == shadow["differences"][0]["low"]


def test_the_same_payments_give_the_same_report() -> None:
    assert report(FOUND, WANTED).to_document() == report(FOUND, WANTED).to_document()


def test_without_costs_the_brier_score_decides() -> None:
    plain = {name: value for name, value in DOCUMENT.items() if name != "costs"}
    document = report(replace(FOUND, plans=(Plan.from_document(plain),)), WANTED).to_document()
    assert (document["decides_by"], document["costs"]) == ("brier", None)
    assert "cost" not in [d["measure"] for d in document["comparisons"][0]["differences"]]
    assert document["sides"][0]["figures"]["cost"] is None


def test_versions_that_cannot_be_read_are_counted() -> None:
    made = report(replace(FOUND, unreadable=2), WANTED)
    assert made.notes[0].startswith("The documents of 2 versions cannot be read")


def test_nothing_decided_is_not_found() -> None:
    none = replace(FOUND, rows=FOUND.rows.take(np.zeros(len(FOUND.rows), bool)))
    with pytest.raises(NotFound, match="plan default version 3 decided no payment"):
        report(none, replace(WANTED, version=3))


def test_without_labels_it_is_not_yet_and_has_figures_that_need_none() -> None:
    early = report(FOUND, replace(WANTED, until=START + timedelta(days=3)))
    assert {c.recommendation.decision for c in early.comparisons} == {"not yet"}
    figures = early.sides[PLAN].figures
    assert figures.average_precision is None
    assert figures.latency_p95_ms == 3.0
    assert sum((figures.outcomes or {}).values()) == pytest.approx(1)
    assert early.to_document()["comparisons"][0]["differences"] == []
    assert "<svg" in early.to_page()


def test_unlabelled_payments_can_count_as_genuine() -> None:
    without = report(FOUND, WANTED).sides[PLAN].maturity
    genuine = report(FOUND, WANTED, unlabelled="genuine").sides[PLAN].maturity
    assert genuine.counted == genuine.decisions > without.counted
    assert genuine.frauds == without.frauds


def test_a_customer_who_changed_arms_stays_where_the_first_payment_was() -> None:
    rows = FOUND.rows
    back = rows.arm.copy()
    moved = np.flatnonzero((rows.customer == 4) & (rows.decided_ms > np.median(rows.decided_ms)))
    back[moved] = 0
    made = report(replace(FOUND, rows=replace(rows, arm=back)), WANTED)
    comparison = made.comparison(NEW)
    assert comparison is not None
    assert comparison.moved == 1
    total = comparison.side.maturity.decisions + comparison.against.maturity.decisions
    assert total == len(rows) - moved.size
    assert any("1 customers moved" in note for note in made.notes)


def test_a_gap_in_labels_is_noted() -> None:
    rows = FOUND.rows
    label = np.where((rows.arm == 1) & (np.arange(len(rows)) % 2 == 0), -1, rows.label)
    made = report(replace(FOUND, rows=replace(rows, label=label.astype(np.int8))), WANTED)
    assert any(note.startswith("Arm new has labels for 4") for note in made.notes)


@pytest.mark.parametrize(
    ("labelled", "unlabelled", "note"),
    [
        ("stopped", "excluded", "Labels are known for 9"),
        ("others", "excluded", "Labels are known for 0% of older payments that the plan reviewed"),
        ("others", "genuine", "Of older payments that the plan reviewed or blocked 100% have no"),
    ],
)
def test_labels_that_the_plans_own_decisions_choose_are_noted(
    labelled: str, unlabelled: Literal["excluded", "genuine"], note: str
) -> None:
    rows = FOUND.rows
    assert rows.live.outcome is not None
    was_stopped = rows.live.outcome >= 2
    lost = ~was_stopped if labelled == "stopped" else was_stopped
    chosen = replace(rows, label=np.where(lost, -1, rows.label).astype(np.int8))
    made = report(replace(FOUND, rows=chosen), WANTED, unlabelled=unlabelled)
    assert any(found.startswith(note) for found in made.notes)
    assert not any("plan reviewed or blocked" in found for found in report(FOUND, WANTED).notes)


def test_csv_has_a_line_for_each_number() -> None:
    made = report(FOUND, WANTED)
    lines = list(csv.DictReader(io.StringIO(made.to_csv())))
    assert tuple(lines[0]) == COLUMNS
    document = made.to_document()
    (cost,) = [
        x for x in lines if (x["name"], x["measure"], x["against"]) == ("candidate", "cost", "plan")
    ]
    (difference,) = [d for d in document["comparisons"][1]["differences"] if d["measure"] == "cost"]
    assert float(cost["low"]) == difference["low"]
    assert cost["is"] == difference["is"]
    decisions = {x["name"]: x["is"] for x in lines if x["measure"] == "recommendation"}
    assert decisions["candidate"] == document["comparisons"][1]["recommendation"]["decision"]
    assert {x["measure"] for x in lines} >= {"outcome_approve", "latency_p95_ms", "brier"}


def test_no_cell_is_a_formula() -> None:
    document = report(FOUND, WANTED).to_document()
    document["sides"][3]["name"] = "=cmd()"
    assert "\r\nshadow,'=cmd()," in to_csv(document)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_is_one_file_that_runs_nothing() -> None:
    page = report(FOUND, WANTED).to_page()
    reader = _Tags()
    reader.feed(page)
    names = {tag for tag, _ in reader.tags}
    assert not names & {"script", "link", "img", "iframe", "object"}
    attributes = {name for _, given in reader.tags for name in given}
    assert not attributes & {"style", "href", "src", "onload", "onclick"}
    assert page.count("<style>") == 1
    assert "url(" not in page
    assert "@import" not in page
    assert "promote" in page
    assert "NaN" not in page
    assert "None" not in page


def test_names_in_the_page_are_text() -> None:
    name = "<img src=x onerror=alert(1)"
    document = json.loads(json.dumps(DOCUMENT).replace('"new"', json.dumps(name)))
    plans = (Plan.from_document(document),)
    rows = replace(FOUND.rows, arms=("control", name))
    page = report(replace(FOUND, rows=rows, plans=plans), WANTED).to_page()
    assert "<img" not in page
    assert "&lt;img src=x" in page


def test_the_policy_names_the_style_sheet_of_the_page() -> None:
    import base64
    import hashlib

    page = report(FOUND, WANTED).to_page()
    style = page.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert style_policy() == f"'sha256-{digest}'"
