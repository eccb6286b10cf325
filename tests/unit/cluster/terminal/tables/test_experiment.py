"""Human-readable output of `quorum report`."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

from rich.console import Console

from cluster.terminal.tables.experiment import experiment_tables
from experiments.reading.reader import Wanted
from experiments.report import report
from tests.contracts.experiment import END, START
from tests.contracts.experiment_found import found_of

WANTED = Wanted("acme", "default", START, END)
FOUND = found_of(8_000)


def shown(document: dict[str, Any]) -> str:
    out = io.StringIO()
    Console(file=out, width=80, highlight=False).print(experiment_tables(document))
    return out.getvalue()


def test_it_says_what_to_do_and_why() -> None:
    document = report(FOUND, WANTED).to_document()
    text = shown(document)
    for comparison in document["comparisons"]:
        assert comparison["recommendation"]["reason"] in " ".join(text.split())
    assert "shadow candidate against the plan: promote" in text
    assert "average precision*" in text
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_without_labels_there_are_no_differences() -> None:
    document = report(FOUND, replace(WANTED, until=START + timedelta(days=2))).to_document()
    text = shown(document)
    assert "not yet" in text
    assert "difference" not in text


def test_brackets_in_names_are_not_markup() -> None:
    document = report(FOUND, WANTED).to_document()
    document["sides"][1]["name"] = "[red]x"
    document["notes"] = ["Arm [bold] is new."]
    assert "arm [red]x" in shown(document)
    assert "Note: Arm [bold] is new." in shown(document)
